"""Worlds: bodies, joints, springs, motors and goals that are described by name, and are a scene.

from rosephys import control
from rosephys.worlds import WorldScene, box, circle

class Swing(WorldScene):
    push = control(1.0, "spin at the start", unit="rad/s")

    def world(self, w):
        w.body("bob", circle(0.1), at=(0.0, -1.0), spin=self.push)
        w.hinge("hook", "world", "bob", at=(0.0, 0.0))
        w.goal("bob", (0.7, -0.7))
"""

from rosephys.physics.rigid.shapes import box, capsule, circle, polygon

from .plan import Plan
from .state import WorldState
from .world_scene import WorldScene

__all__ = ["Plan", "WorldScene", "WorldState", "box", "capsule", "circle", "polygon"]
