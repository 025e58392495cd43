"""Fine-tuning: examples in, checkpoints out. Needs torch, transformers, peft and accelerate; knows no page and no index."""
