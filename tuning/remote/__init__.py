"""Fine-tuning at a service that speaks OpenAI's API: what is sent there, and the calls."""
