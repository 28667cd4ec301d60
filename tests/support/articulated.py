"""Articulated models that several tests share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rosephys.physics.articulated import Link, Model, articulated, integrate
from rosephys.physics.articulated.tree import SIZES

MODELS = Path(__file__).parent / "models"
NAMES = ("cartpole", "double_pendulum", "reacher", "cheetah", "humanoid")


def unit(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random direction (n,)."""
    made = rng.normal(size=n)
    return made / np.linalg.norm(made)


def body(rng: np.random.Generator) -> dict[str, Any]:
    """A random mass, centre and inertia."""
    points = rng.normal(size=(4, 3))
    square = points.T @ points
    return {
        "mass": rng.uniform(0.5, 2.0),
        "centre": 0.3 * rng.normal(size=3),
        "inertia": 0.1 * (np.trace(square) * np.eye(3) - square),
    }


def random_model(seed: int, kinds: list[str], parents: list[int], **more: Any) -> Model:
    """Links with these joints on these links, -1 for the world, at random places."""
    rng = np.random.default_rng(seed)
    links = [
        Link(
            f"link{k}",
            "world" if parent < 0 else f"link{parent}",
            kind,
            axis=unit(rng, 3),
            at=rng.normal(size=3),
            turned=unit(rng, 4),
            armature=rng.uniform(0.0, 0.1, SIZES[kind][1]),
            **body(rng),
            **more,
        )
        for k, (kind, parent) in enumerate(zip(kinds, parents, strict=True))
    ]
    return articulated(links, gravity=rng.normal(size=3))


@st.composite
def models(draw: st.DrawFn, most: int = 12) -> tuple[Model, int]:
    """A random tree of 1 to `most` links that can move, with a seed for its state."""
    n = draw(st.integers(1, most))
    kinds = draw(st.lists(st.sampled_from(list(SIZES)), min_size=n, max_size=n))
    if all(kind == "fixed" for kind in kinds):
        kinds[-1] = draw(st.sampled_from([kind for kind in SIZES if kind != "fixed"]))
    parents = [draw(st.integers(-1, k - 1)) for k in range(n)]
    seed = draw(st.integers(0, 2**32 - 1))
    return random_model(seed, kinds, parents), seed


def state(model: Model, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random configuration (nq,), speeds and forces (nv,)."""
    rng = np.random.default_rng(seed)
    nv = model.tree.nv
    q = np.asarray(integrate(model, model.home, rng.normal(size=nv)))
    return q, rng.normal(size=nv), rng.normal(size=nv)


def pendulum(length: float, mass: float) -> Link:
    """A point on a massless rod that hangs from the world and turns about y."""
    return Link("bob", joint="revolute", axis=(0, 1, 0), mass=mass, centre=(0, 0, -length))


def without_limits(model: Model) -> Model:
    """The same, with limits that push back with nothing."""
    return replace(model, limit_stiffness=0.0, limit_damping=0.0)


def apart(model: Any) -> Any:
    """The same model of Pinocchio with the joints of a body one after the other, each a joint of its own.

    Its derivatives of forward dynamics for the composite joints that its MJCF reader makes are off its own
    differences; those for these are not.
    """
    import pinocchio

    made, still = pinocchio.Model(), pinocchio.SE3.Identity()
    made.gravity, at = model.gravity, {0: 0}
    for k in range(1, model.njoints):
        joint, place, parent = model.joints[k], model.jointPlacements[k], at[model.parents[k]]
        parts = [(joint, still)]
        if joint.shortname() == "JointModelComposite":
            whole = joint.extract()
            parts = list(zip(whole.joints, whole.jointPlacements, strict=True))
        for n, (part, off) in enumerate(parts):
            where = place * off if n == 0 else off
            parent = made.addJoint(parent, part, where, f"{model.names[k]}{n}")
        made.appendBodyToJoint(parent, model.inertias[k], still)
        at[k] = parent
    made.armature = model.armature
    return made
