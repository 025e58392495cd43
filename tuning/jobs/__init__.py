"""Submit → worker process → round → result; estimates, progress, retries."""
