"""Learning from preferences: losses, the reward model, PPO and GRPO, and the report on what they changed."""
