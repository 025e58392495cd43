"""The making of the adapters with which an embedding model tells whether a text answers a question."""
