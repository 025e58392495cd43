"""Engines: something that streams tokens for messages and a checkpoint."""
