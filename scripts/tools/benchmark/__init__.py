"""Measures the review on generated logs: see __main__.py."""
