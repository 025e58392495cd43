"""Memory made visible: the window that forgets, token probabilities."""
