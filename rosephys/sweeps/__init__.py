"""Sweeps: one scene at many values of its fields and from many starts, on one core or a cluster."""
