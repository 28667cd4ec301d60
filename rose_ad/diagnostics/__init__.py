"""What tells a user about a function of theirs: what was done to it, whether its derivative is right, where
it jumps."""
