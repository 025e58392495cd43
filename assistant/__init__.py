"""The assistant: conversations, prompts, engines, command line and pages; it neither trains nor indexes."""
