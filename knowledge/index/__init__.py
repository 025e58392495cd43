"""SQLite passage store, Chroma vectors, BM25 matrix, embedding models."""
