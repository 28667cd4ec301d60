"""Rigid bodies: shapes, what touches, joints, and models of contact that say which derivative they give."""
