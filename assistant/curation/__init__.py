"""Chats and documents → training examples."""
