"""Fast CPU arithmetic: Llama forward, attention, norm/rotary/gate kernels, LoRA."""
