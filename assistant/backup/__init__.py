"""One archive with everything of a home that cannot be made again, and its way back."""
