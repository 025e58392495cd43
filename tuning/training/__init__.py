"""Recipe, methods, learners, one step, the loop."""
