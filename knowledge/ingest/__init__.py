"""File or address → document → passages."""
