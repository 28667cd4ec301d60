"""Rewritings of whole blocks, each named in the schedule."""
