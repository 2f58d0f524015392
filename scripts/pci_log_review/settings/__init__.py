"""The user's settings: checks them, and writes a set to start from."""
