"""Discs that meet, and steps with events: when, and what the derivative of that is."""
