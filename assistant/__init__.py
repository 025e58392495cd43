"""The assistant: conversations, prompts, engines, the command line and the pages. Training and indexing live elsewhere."""
