"""Reads the facts that a person states in a chat: tuned models find the answers, and ask for each."""
