"""Question → scored, fused, gated, selected passages."""
