"""The live window: what is shown of a scene being solved, and what a hand does to it."""
