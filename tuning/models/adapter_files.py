"""The names of an adapter's files; apart from `adapters`, since listing checkpoints must not import torch."""

PEFT_WEIGHTS, PEFT_CONFIG = "adapter_model.safetensors", "adapter_config.json"  # PEFT's own names
PREFIX_WEIGHTS, PREFIX_CONFIG = "prefix.safetensors", "prefix.json"  # keys and values; how they were made
FULL_WEIGHTS = "full.safetensors"
REMOTE_MODEL = "remote.json"  # where a service keeps the weights, which are not here
