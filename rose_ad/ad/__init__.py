"""Derivatives, as functions from the IR to the IR: linearisation, transposition, forward mode, and what a
reverse pass remembers."""
