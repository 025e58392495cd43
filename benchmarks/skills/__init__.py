"""How the skills of the default base are made and measured: invented domains, open data, training, evaluation."""
