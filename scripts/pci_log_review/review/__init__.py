"""The review of a day, and of a run's days."""
