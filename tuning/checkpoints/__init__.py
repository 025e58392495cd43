"""The registry, its manifest, import, export, inspection."""
