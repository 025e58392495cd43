"""Examples, and other programs' files → examples."""
