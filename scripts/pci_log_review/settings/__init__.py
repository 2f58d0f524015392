"""The user's settings: checked, and written to start from."""
