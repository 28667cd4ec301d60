"""Imported models against MuJoCo and Pinocchio, which read the same files; and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.physics.articulated import (
    aba,
    aba_derivatives,
    bias,
    crba,
    driven,
    passive,
    rnea,
    step,
)
from rosephys.physics.articulated.mjcf import from_mjcf
from tests.support.articulated import MODELS, NAMES, apart, state, without_limits

mujoco = pytest.importorskip("mujoco", reason="needs mujoco, of the extra `test`")


def theirs(name: str) -> tuple[Any, Any]:
    """MuJoCo's model, without contacts and limits, and its data."""
    model = mujoco.MjModel.from_xml_path(str(MODELS / f"{name}.xml"))
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    return model, mujoco.MjData(model)


@pytest.mark.parametrize("name", NAMES)
def test_mass_matrix_bias_and_accelerations_are_those_of_mujoco(name: str) -> None:
    model = without_limits(from_mjcf(MODELS / f"{name}.xml").model)
    their, data = theirs(name)
    for seed in range(3):
        q, v, _ = state(model, seed)
        u = np.random.default_rng(seed).normal(size=their.nu)
        data.qpos[:], data.qvel[:], data.ctrl[:] = q, v, u
        mujoco.mj_forward(their, data)
        mass = np.stack([columns(their, data, e) for e in np.eye(their.nv)])
        np.testing.assert_allclose(crba(model, q), mass, atol=1e-9)
        np.testing.assert_allclose(bias(model, q, v), data.qfrc_bias, atol=1e-9)
        force = np.asarray(driven(model, q, v, u)) + np.asarray(passive(model, q, v))
        np.testing.assert_allclose(aba(model, q, v, force), data.qacc, rtol=1e-9, atol=1e-9)


def columns(model: Any, data: Any, unit: np.ndarray) -> np.ndarray:
    """M times a vector, as MuJoCo has it."""
    made = np.zeros(model.nv)
    mujoco.mj_mulM(model, data, made, unit)
    return made


@pytest.mark.parametrize("method", ["semi-implicit-euler", "runge-kutta"])
@pytest.mark.parametrize("name", [*NAMES[:4], pytest.param("humanoid", marks=pytest.mark.slow)])
def test_a_thousand_steps_are_those_of_mujoco(name: str, method: Any) -> None:
    model = without_limits(from_mjcf(MODELS / f"{name}.xml").model)
    their, data = theirs(name)
    their.opt.integrator = ["semi-implicit-euler", "runge-kutta"].index(method)
    rng = np.random.default_rng(1)
    q, v, _ = state(model, 1)
    v, u = 0.3 * v, 0.01 * rng.normal(size=their.nu)
    data.qpos[:], data.qvel[:], data.ctrl[:] = q, v, u
    for _ in range(1000):
        mujoco.mj_step(their, data)

    def run(q: ra.Vec, v: ra.Vec) -> tuple[ra.Vec, ra.Vec]:
        def once(_: int, now: tuple[ra.Vec, ra.Vec]) -> tuple[ra.Vec, ra.Vec]:
            return step(model, *now, u, their.opt.timestep, method)

        return ra.fori_loop(0, 1000, once, (q, v))

    end, rate = ra.fn(run)(q, v)
    np.testing.assert_allclose(end, data.qpos, atol=1e-6)
    np.testing.assert_allclose(rate, data.qvel, atol=1e-6)


class Pinocchio:
    """A file as Pinocchio reads it, asked in our coordinates: a free joint's velocity is of the world's axes,
    and a quaternion has w first."""

    def __init__(self, name: str) -> None:
        self.pin = pytest.importorskip("pinocchio", reason="needs pin, of the extra `test`")
        self.model = apart(self.pin.buildModelFromMJCF(str(MODELS / f"{name}.xml")))
        self.data = self.model.createData()
        self.free = self.model.joints[1].nq == 7
        self.balls = [j.idx_q + j.nq - 4 for j in self.model.joints if j.nq > j.nv]

    def q(self, q: np.ndarray) -> np.ndarray:
        made = q.copy()
        for k in self.balls:
            made[k : k + 4] = np.roll(q[k : k + 4], -1)
        return made

    def turn(self, q: np.ndarray) -> np.ndarray:
        """The matrix (nv, nv) from their speeds to ours."""
        made = np.eye(self.model.nv)
        if self.free:
            made[:3, :3] = self.pin.Quaternion(self.q(q)[3:7]).toRotationMatrix()
        return made

    def drift(self, v: np.ndarray) -> np.ndarray:
        """How our velocity changes when theirs, of the body's axes, does not, in these axes."""
        made = np.zeros_like(v)
        if self.free:
            made[:3] = np.cross(v[3:6], v[:3])
        return made


@pytest.mark.parametrize("name", NAMES)
def test_dynamics_and_derivatives_are_those_of_pinocchio(name: str) -> None:
    there = Pinocchio(name)
    pin = there.pin
    model = from_mjcf(MODELS / f"{name}.xml").model
    q, v, tau = state(model, 7)
    turn = there.turn(q)
    theirs = (there.model, there.data, there.q(q), turn.T @ v, turn.T @ tau)
    a = turn @ (pin.aba(*theirs) + there.drift(theirs[3]))
    np.testing.assert_allclose(aba(model, q, v, tau), a, rtol=1e-9, atol=1e-9)
    mass = np.triu(pin.crba(*theirs[:3]))
    mass = turn @ (mass + mass.T - np.diag(np.diag(mass))) @ turn.T
    np.testing.assert_allclose(crba(model, q), mass, atol=1e-9)
    force = turn @ pin.rnea(*theirs[:4], turn.T @ a - there.drift(theirs[3]))
    np.testing.assert_allclose(rnea(model, q, v, a), force, atol=1e-8)
    by_q, by_v, by_tau = (np.asarray(d) for d in pin.computeABADerivatives(*theirs))
    found = aba_derivatives(model, q, v, tau)
    for ours, known in zip(
        (found.q, found.v, found.third),
        ours_from(there, theirs, q, v, tau, by_q, by_v, by_tau),
        strict=True,
    ):
        size = max(1.0, np.abs(known).max())
        np.testing.assert_allclose(ours, known, atol=1e-8 * size)


def ours_from(
    there: Pinocchio,
    theirs: Any,
    q: np.ndarray,
    v: np.ndarray,
    tau: np.ndarray,
    by_q: np.ndarray,
    by_v: np.ndarray,
    by_tau: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Their derivatives in our coordinates: of a(q, v, τ) = T (b(q, Tᵀ v, Tᵀ τ) + drift(Tᵀ v)), T the turn."""
    turn, n = there.turn(q), len(v)
    drift = np.zeros((n, n))
    if there.free:
        drift[:3, :3], drift[:3, 3:6] = skew(theirs[3][3:6]), -skew(theirs[3][:3])
    rate = turn @ (by_v + drift) @ turn.T
    push = turn @ by_tau @ turn.T
    place = turn @ by_q @ turn.T  # their place moves along the body's axes
    if there.free:
        b = there.pin.aba(*theirs) + there.drift(theirs[3])
        for k in range(3):  # a turn by e_k changes T by T [e_k]
            spin = np.zeros((n, n))
            spin[:3, :3] = skew(np.eye(3)[k])
            change = (by_v + drift) @ spin.T @ turn.T @ v + by_tau @ spin.T @ turn.T @ tau
            place[:, 3 + k] += turn @ (spin @ b + change)
    return place, rate, push


def skew(a: np.ndarray) -> np.ndarray:
    return np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])


# ------------------------------------------------------------------------------ what is not supported

BODY = '<body name="b"><joint name="j"{joint}/><geom size="0.1" mass="1"/></body>'
WRONG = {
    "equality": (
        '<equality>\n<joint name="tied" joint1="j"/></equality>',
        "",
        "<joint name='tied'>: equality",
    ),
    "tendon": (
        '<tendon>\n<fixed name="cord"><joint joint="j" coef="1"/></fixed></tendon>',
        "",
        "<fixed name='cord'>: tendons",
    ),
    "friction": ("\n", ' frictionloss="0.3"', "<joint name='j'>: frictionloss: dry friction"),
    "fluid": ('<option\n density="1.2"/>', "", "<option>: density: a fluid"),
    "activation": (
        '<actuator>\n<general joint="j" dyntype="integrator"/></actuator>',
        "",
        "actuator 'actuator0': it has a state",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_changes_the_motion_is_refused_by_name_and_line(what: str) -> None:
    section, joint, told = WRONG[what]
    text = f"<mujoco>\n<worldbody>{BODY.format(joint=joint)}</worldbody>{section}</mujoco>"
    with pytest.raises(ArgumentError) as error:
        from_mjcf(text)
    assert told in str(error.value)
    assert what == "activation" or "text:2: " in str(error.value) or "text:3: " in str(error.value)
    assert from_mjcf(text, leave_out=True).model.tree.nv == 1


def test_what_contacts_would_need_is_listed() -> None:
    pair = '<contact><exclude name="two" body1="b" body2="world"/></contact>'
    text = f"<mujoco>\n<worldbody>{BODY.format(joint='')}</worldbody>\n{pair}</mujoco>"
    assert from_mjcf(text).left_out == (
        "text:2: <geom>: meets nothing: contacts are not supported",
        "text:3: <exclude name='two'>: contacts are not supported",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<mujoco><worldbody>", "not XML"),
        ("<mujoco><wordbody/></mujoco>", "MuJoCo does not take it"),
        ("no_such_file.xml", "cannot read"),
    ],
)
def test_what_is_no_model_is_told(text: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        from_mjcf(text)
