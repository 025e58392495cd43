"""A fact in other words: noise, reversal, reading exercises, replay prompts."""
