"""The making of what reads the facts that a person states in a chat."""
