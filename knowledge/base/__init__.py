"""The knowledge base: files in, passages out; LangChain retriever; the map."""
