"""Files on their way into a knowledge base, and how they are listed."""
