"""What one browser tab holds, and the process singletons behind it."""
