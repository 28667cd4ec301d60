"""Liquids: shallow water, lattice Boltzmann, smoothed particles, and what floats."""
