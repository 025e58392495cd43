"""A model that streams text: in process, batched, remote; as a LangChain chat model."""
