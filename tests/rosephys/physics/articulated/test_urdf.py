"""URDF against Pinocchio, which reads the same file; and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.errors import ArgumentError
from rosephys.physics.articulated import aba, crba
from rosephys.physics.articulated.urdf import from_urdf
from tests.support.articulated import MODELS

ARM = MODELS / "arm.urdf"


def test_it_is_pinocchios() -> None:
    """q there is that of a continuous joint as cosine and sine."""
    pin = pytest.importorskip("pinocchio", reason="needs pin, of the extra `test`")
    there = pin.buildModelFromUrdf(str(ARM))
    data = there.createData()
    model = from_urdf(ARM).model
    rng = np.random.default_rng(0)
    for _ in range(3):
        q, v, tau = rng.normal(size=(3, 3))
        theirs = np.array([q[0], np.cos(q[1]), np.sin(q[1]), q[2]])
        mass = np.triu(pin.crba(there, data, theirs))
        np.testing.assert_allclose(np.triu(crba(model, q)), mass, atol=1e-12)
        a = pin.aba(there, data, theirs, v, tau)
        np.testing.assert_allclose(aba(model, q, v, tau), a, rtol=1e-10, atol=1e-10)


def test_limits_damping_and_motors() -> None:
    found = from_urdf(ARM, base="free")
    assert found.model.tree.nv == 9 and found.actuators == ("shoulder", "elbow", "slide")
    np.testing.assert_allclose(found.model.high[6:], [1.5, np.inf, 0.1])
    np.testing.assert_allclose(found.model.damping[6:], [0.2, 0, 0])
    np.testing.assert_allclose(found.model.actuators.high, [20, np.inf, 5])
    assert len(found.left_out) == 1 and "arm.urdf:11: <collision>" in found.left_out[0]


LINKS = '<link name="a"/><link name="b"><inertial><mass value="1"/></inertial></link>'
JOINT = '<joint name="j" type="{kind}"><parent link="{a}"/><child link="b"/>{more}</joint>'


@pytest.mark.parametrize(
    ("kind", "a", "more", "told"),
    [
        ("screw", "a", "", "joint 'j': unknown type 'screw'"),
        ("revolute", "c", "", "joint 'j': no link 'c' for its parent"),
        ("revolute", "b", "", "hang on each other in a ring"),
        ("revolute", "a", '\n<mimic joint="i"/>', "text:2: <mimic>: joints that follow another"),
        ("revolute", "a", '\n<dynamics friction="1"/>', "text:2: <dynamics>: dry friction"),
    ],
)
def test_what_is_not_supported_is_told(kind: str, a: str, more: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        from_urdf(f"<robot>{LINKS}{JOINT.format(kind=kind, a=a, more=more)}</robot>")
