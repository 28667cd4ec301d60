"""Robots of boxes or springs, the ground that they walk on, and the network that drives them."""
