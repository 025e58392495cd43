"""A base model in memory: template, weights, adapters, packing, forward, decoding, batching."""
