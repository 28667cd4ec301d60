"""A shot of pool with spin and friction, played by others."""
