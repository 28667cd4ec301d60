"""The job every peer does: the loss of a rigid robot's walk and its gradient in the weights of its network.

The rules are at the top of rigid.c. The loss is the distance of the head from the goal; the gradient is that in
all weights, one after another: W1 (32, senses), b1 (32,), W2 (links, 32), b2 (links,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..program import Array

HIDDEN, CLOCKS, PACE, SENSE = 32, 10, 30.0, 0.05
DT, DAMPING, GRAVITY, GROUND, FRICTION = 0.001, 10.0, 9.8, 0.1, 1.0
GOAL = (0.9, 0.15)
SOFTENING, JOINT_SOFTENING, SLOWEST = 1e-4, 0.1, 1e-3
BLOCKS = ("hidden_weights", "hidden_bias", "muscle_weights", "muscle_bias")


@dataclass(frozen=True)
class Job:
    """Which robot walks, and for how many steps."""

    robot: int = 1
    steps: int = 2047

    @cached_property
    def scene(self) -> Any:
        """Where the body and the weights come from; nothing of it is run but by the peer `us`."""
        from rosephys.scene.finding import find_scene  # once the path leads to this checkout

        return find_scene("rigid", {"robot": self.robot, "steps": self.steps})

    @property
    def body(self) -> Any:
        return self.scene.body

    @property
    def boxes(self) -> int:
        return len(self.body.half)

    @property
    def senses(self) -> int:
        return CLOCKS + 6 * self.boxes + 2

    def start(self) -> Array:
        """The weights at which the gradient is taken."""
        return np.concatenate([np.ravel(getattr(self.scene, name)) for name in BLOCKS])

    def plain(self) -> dict[str, Any]:
        """The job in lists and numbers, for peers in another language."""
        body = self.body
        places = zip(body.start.position.tolist(), body.start.angle.tolist(), strict=True)
        bodies = zip(places, body.bodies.mass.tolist(), body.bodies.inertia.tolist(), strict=True)
        corners = zip(body.bodies.owner.tolist(), body.bodies.offset.tolist(), strict=True)
        muscles = zip(
            plain_links(body.springs),
            body.muscles.tolist(),
            body.rest.tolist(),
            body.reach.tolist(),
            strict=True,
        )
        blocks = zip(("w1", "b1", "w2", "b2"), self.blocks(self.start()), strict=True)
        return {
            "steps": self.steps,
            "head": body.head,
            "boxes": [
                {"x": x, "y": y, "angle": angle, "mass": mass, "inertia": inertia}
                for ((x, y), angle), mass, inertia in bodies
            ],
            "corners": [{"box": box, "at": at} for box, at in corners],
            "springs": [
                spring | {"link": link, "rest": rest, "reach": reach}
                for spring, link, rest, reach in muscles
            ],
            "joints": plain_links(body.joints),
            "weights": {name: values.tolist() for name, values in blocks},
        }

    def blocks(self, weights: Any) -> list[Any]:
        """The same weights as W1, b1, W2 and b2."""
        m, s = self.body.links, self.senses
        shapes = [(HIDDEN, s), (HIDDEN,), (m, HIDDEN), (m,)]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = zip(ends, shapes, strict=True)
        return [weights[e - int(np.prod(shape)) : e].reshape(shape) for e, shape in parts]


def plain_links(links: Any) -> list[dict[str, Any]]:
    """Springs or joints: which boxes, where on each, how stiff."""
    rows = zip(links.ends.tolist(), links.offset.tolist(), links.stiffness.tolist(), strict=True)
    return [
        {"a": a, "b": b, "from": first, "to": second, "stiffness": stiffness}
        for (a, b), (first, second), stiffness in rows
    ]
