"""The folder where everything is kept: who may read it, who uses it, and how its content is swapped."""
