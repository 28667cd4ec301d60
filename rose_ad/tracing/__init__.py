"""From Python to the IR: traced values and the functions that users call on them. Knows nothing of
derivatives."""
