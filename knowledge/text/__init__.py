"""Terms, sentences, stop words: shared by index, search and grounding."""
