"""A pack as a page its readers can argue with: who may see what, why, why not, and on what authority."""
