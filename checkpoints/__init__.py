"""Shipped checkpoints and their model cards, found through `importlib.resources`."""
