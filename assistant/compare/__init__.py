"""Variants → questions → answers → scores → statistics."""
