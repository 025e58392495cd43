"""Known at once: the notes of a person and of a checkpoint, and the one that a question asks for."""
