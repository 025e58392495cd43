"""Bytes of one format → blocks."""
