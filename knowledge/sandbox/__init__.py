"""The killable parsing process and its client."""
