"""Which passage supports which sentence."""
