"""Physical models, one a file; each states its equations, units and source."""
