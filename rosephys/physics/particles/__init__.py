"""Material points: soft bodies, liquids and sand."""
