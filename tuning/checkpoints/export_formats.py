"""The names of the export formats, for whoever lists them and must not import torch for that."""

EXPORT_FORMATS = (
    "peft",
    "peft-with-base",
    "vllm",
    "merged",
    "gguf",
    "gguf-q8_0",
    "gguf-q4_k_m",
    "gguf-lora",
    "ollama",
)
