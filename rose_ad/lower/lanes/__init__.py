"""Lowering of batches: one member a SIMD lane, under masks."""
