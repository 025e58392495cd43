"""`imprint`: words on a command line → calls of the workspace."""
