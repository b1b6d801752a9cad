"""Embedding networks, each defined once as data and built in PyTorch or in Paddle from it."""
