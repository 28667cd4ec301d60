"""Pixels: pictures painted, films and files written, none of which needs a window."""
