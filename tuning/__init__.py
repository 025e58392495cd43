"""Fine-tuning: examples in, checkpoints out.

It needs torch, transformers, peft and accelerate; it knows no page and no index.
"""
