"""What is typed: `python -m rosephys ...`, its arguments, and what it says."""
