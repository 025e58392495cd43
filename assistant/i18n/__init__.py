"""Interface texts by key and language."""
