"""`imprint serve` beside a running app, and a restore beside both."""
