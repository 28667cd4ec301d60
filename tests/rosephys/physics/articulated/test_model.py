"""What cannot be a model is told, by the link's name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys.errors import ArgumentError
from rosephys.physics.articulated import Actuator, Link, aba, articulated, integrate
from tests.support.articulated import random_model


def rod(**more: Any) -> Link:
    """A link that can be."""
    return Link(**{"name": "rod", "joint": "revolute", "mass": 1.0, "centre": (1, 0, 0), **more})


WRONG: dict[str, tuple[list[Link], str]] = {
    "no link": ([], "links is empty"),
    "two of one name": ([rod(), rod()], "link 'rod': its name is there twice"),
    "the world's name": ([rod(name="world")], "link 'world': its name is the name of"),
    "itself": ([rod(parent="rod")], "link 'rod': parent is the link itself"),
    "a ring": (
        [rod(name="a", parent="b"), rod(name="b", parent="a")],
        "link 'a': parent is 'b', which comes later; a link stands after its parent, and none in a ring",
    ),
    "no such parent": ([rod(parent="rot")], "link 'rod': parent is 'rot'; wanted 'world'"),
    "an unknown joint": ([rod(joint="hinge")], "joint is 'hinge'; wanted one of fixed, revolute"),
    "a long axis": (
        [rod(axis=(0, 0, 2))],
        "axis is .*, of length 2; wanted three numbers, of length 1",
    ),
    "no axis": ([rod(axis=(0, 0, 0))], "axis is .*, of length 0"),
    "an axis of two": ([rod(axis=(0, 1))], "axis is .*; wanted three numbers"),
    "a quaternion": (
        [rod(turned=(1, 1, 0, 0))],
        "turned is of length 1.41421; wanted a unit quaternion",
    ),
    "a negative mass": ([rod(mass=-1.0)], "link 'rod': mass is -1.0; wanted a number, 0 or more"),
    "no mass at a leaf": (
        [rod(name="a"), rod(name="b", parent="a", mass=0.0)],
        "link 'b': mass is 0, and so is all that hangs on it: its joint moves nothing",
    ),
    "a negative inertia": ([rod(inertia=(1, 1, -0.1))], "inertia has a negative moment, -0.1"),
    "no body's inertia": ([rod(inertia=(1, 1, 3))], "has the moments 1, 1, 3; none is more than"),
    "a crooked inertia": (
        [rod(inertia=[[1, 0.5, 0], [0, 1, 0], [0, 0, 1]])],
        "inertia is not symmetric",
    ),
    "an inertia of six": ([rod(inertia=(1, 1, 1, 0, 0, 0))], r"inertia has the shape \(6,\)"),
    "limits crossed": ([rod(low=1.0, high=-1.0)], "low is 1.0, above high, -1.0"),
    "a limit of a ball": ([rod(joint="ball", high=1.0)], "high is of a ball joint, which has none"),
    "negative damping": ([rod(damping=-0.1)], "damping is -0.1; wanted 0 or more"),
    "two dampings": (
        [rod(damping=[1.0, 2.0])],
        r"damping has the shape \(2,\); wanted a number or",
    ),
    "a home of two": ([rod(home=[0.0, 1.0])], r"home has the shape \(2,\); wanted \(1,\)"),
    "a place of two": ([rod(at=(0.0, 1.0))], r"at has the shape \(2,\); wanted \(3,\)"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_a_model_is_told(what: str) -> None:
    links, told = WRONG[what]
    with pytest.raises(ArgumentError, match=told):
        articulated(links)


@pytest.mark.parametrize(
    ("gear", "told"),
    [
        ({"rid": 1.0}, "actuator 'motor': there is no link 'rid'; wanted 'rod', 'tip'"),
        ({"tip": 1.0}, "gear of 'tip' .* its joint, fixed, has 0 degrees of freedom"),
        ({"rod": [1.0, 2.0]}, "gear of 'rod' has the shape"),
    ],
)
def test_what_cannot_be_an_actuator_is_told(gear: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        articulated([rod(), Link("tip", "rod")], [Actuator("motor", gear)])


def test_a_state_of_another_size_is_told() -> None:
    model = random_model(1, ["ball", "revolute"], [-1, 0])
    with pytest.raises(ArgumentError, match=r"q is .*; wanted .*\(nq,\), with nq = 5 as in model"):
        aba(model, np.zeros(4), np.zeros(4), np.zeros(4))
    with pytest.raises(ArgumentError, match=r"v is .*; wanted .*\(nv,\), with nv = 4 as in model"):
        integrate(model, np.zeros(5), np.zeros(5))
