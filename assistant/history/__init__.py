"""Conversations and preferences in SQLite."""
