"""A generated day of a hospital, with its stream of requests (README.md)."""
