"""The pages of the app: drawing only, no decisions."""
