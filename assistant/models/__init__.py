"""The models of a home, for pages and commands: downloads in the background, and what is said of a model."""
