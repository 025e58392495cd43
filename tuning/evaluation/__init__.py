"""Recall, retention, reading, classification, the verdict."""
