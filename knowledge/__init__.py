"""The knowledge base: documents in, scored passages out. Knows no language model."""
