"""The optimiser: local rules, applied by the builder as it emits, and sweeps over whole functions."""
