"""Gradients of all scenes of fields and fluids: against central differences, and the dot-product test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, find_scene

# fields that make a scene small, how far its controls are moved from theirs, and the step of differences
SCENES: dict[str, tuple[dict[str, Any], float, float]] = {
    "smoke": ({"cells": 22, "steps": 20}, 0.02, 1e-6),
    "plume": ({"cells": 20, "steps": 40, "sweeps": 4, "goal": (0.4, 0.25)}, 0.02, 1e-6),
    "wave": ({"cells": 24, "steps": 30}, 0.1, 1e-3),
    "heat": ({"cells": 20, "steps": 15}, 0.1, 1e-3),
    "patterns": ({"cells": 24, "steps": 60}, 0.0, 1e-5),
    "electric": ({"paths": 2, "steps": 80}, 0.0, 1e-5),
    "dam": ({"cells": 12, "steps": 60, "dt": 0.03}, 0.1, 1e-6),
    "channel": ({"cells": 8, "steps": 40, "relaxation": 0.56}, 3e-4, 1e-6),
    "slosh": ({"columns": 8, "rows": 3, "steps": 150}, 0.03, 1e-5),
    "liquid": ({"nodes": 20, "rows": 6, "steps": 120, "dt": 1e-3}, 3.0, 1e-4),
    "boat": ({"cells": 60, "steps": 200, "dt": 0.008}, 0.1, 1e-6),
}


def dot(a: Any, b: Any) -> float:
    """The sum of the products of all numbers of two such structures."""
    pairs = zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True)
    return sum(float(np.vdot(x, y)) for x, y in pairs)


@pytest.mark.parametrize("name", SCENES)
def test_gradient(name: str) -> None:
    settings, spread, step = SCENES[name]
    draw = np.random.default_rng(1)
    problem = Problem(find_scene(name, settings))

    def drawn(like: Any) -> Any:
        return ra.map_leaves(lambda a: draw.standard_normal(np.shape(a)), like)

    controls, constants = problem.split(problem.values)
    controls = {n: v + spread * draw.standard_normal(v.shape) for n, v in controls.items()}
    _, gradient = problem.value_and_gradient({**constants, **controls})
    for _ in range(3):
        along = drawn(controls)
        sides = [
            problem.loss({**constants, **{n: v + h * along[n] for n, v in controls.items()}})
            for h in (step, -step)
        ]
        difference = (sides[0] - sides[1]) / (2 * step)
        assert dot(gradient, along) == pytest.approx(difference, rel=1e-6)

    def last(controls: Any) -> Any:
        scene = problem.bound(controls, constants)
        return problem.run(scene, scene.initial(), problem.steps)

    tangent = ra.fn(lambda c, along: ra.jvp(last, (c,), (along,))[1])(controls, along)
    weights = drawn(tangent)
    cotangent = ra.fn(lambda c, w: ra.vjp(last, c)[1](w)[0])(controls, weights)
    assert dot(tangent, weights) == pytest.approx(dot(along, cotangent), rel=1e-9)
