"""SQLite catalogue, Chroma vectors, BM25 matrix, embedding model."""
