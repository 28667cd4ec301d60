"""Pixels: pictures painted, none of which needs a window or a file."""
