"""Articulated models: accelerations and their derivatives beside Pinocchio's and MuJoCo's, on imported models.

    python benchmarks/articulated.py [MODEL ...] [--rounds 30]

needs `pin` and `mujoco`. Each is called from Python, as a user would, in turns with the others in one process,
and the best of all rounds is taken, of processor time. Pinocchio's is the package `pin` as it is installed, its
faster of two forms of a model: with composite joints, as it reads MJCF, or with each joint by itself;
derivatives are those of the latter, for with composite joints they are not right. MuJoCo's is `mj_forward`
without contacts and limits, which does more than accelerations. Times in microseconds, the first call in
seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ["ROSE_AD_CACHE"] = "off"  # the first call compiles
MODELS = Path(__file__).resolve().parents[1] / "tests" / "support" / "models"
NAMES = ("cartpole", "double_pendulum", "reacher", "cheetah", "humanoid")
CALLS = 50  # in a round


def contenders(name: str) -> tuple[dict[str, Callable[[], Any]], dict[str, float], int]:
    """What is timed of a model, how long the first calls of ours took, and its degrees of freedom."""
    import mujoco
    import pinocchio as pin

    import rose_ad as ra
    from rosephys.physics.articulated import aba, aba_derivatives, integrate
    from rosephys.physics.articulated.mjcf import from_mjcf
    from tests.support.articulated import apart

    path = str(MODELS / f"{name}.xml")
    model = from_mjcf(path).model
    n, rng = model.tree.nv, np.random.default_rng(0)
    q = np.asarray(integrate(model, model.home, rng.normal(size=n)))
    v, tau = rng.normal(size=(2, n))

    value = ra.fn(lambda q, v, tau: aba(model, q, v, tau))
    slopes = ra.fn(lambda q, v, tau: aba_derivatives(model, q, v, tau))
    gradient = ra.grad(lambda q, v, tau: ra.sum(aba(model, q, v, tau)), (0, 1, 2))
    first = {}
    for what, f in (("value", value), ("derivatives", slopes), ("gradient", gradient)):
        start = time.process_time()
        f(q, v, tau)
        first[what] = time.process_time() - start

    whole = pin.buildModelFromMJCF(path)
    parts = apart(whole)
    whole_data, parts_data = whole.createData(), parts.createData()
    theirs = np.asarray(pin.neutral(whole))
    theirs = pin.integrate(whole, theirs, rng.normal(size=n))
    there = mujoco.MjModel.from_xml_path(path)
    there.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    data = mujoco.MjData(there)
    data.qpos[:], data.qvel[:] = q, v
    return (
        {
            "value": lambda: value(q, v, tau),
            "derivatives": lambda: slopes(q, v, tau),
            "gradient": lambda: gradient(q, v, tau),
            "pin composite": lambda: pin.aba(whole, whole_data, theirs, v, tau),
            "pin apart": lambda: pin.aba(parts, parts_data, theirs, v, tau),
            "pin derivatives": lambda: pin.computeABADerivatives(parts, parts_data, theirs, v, tau),
            "mujoco": lambda: mujoco.mj_forward(there, data),
        },
        first,
        n,
    )


def best(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The least microseconds a call of each, in turns."""
    found = dict.fromkeys(calls, np.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.process_time()
            for _ in range(CALLS):
                call()
            found[name] = min(found[name], (time.process_time() - start) / CALLS * 1e6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print(
        "| model | n | aba | pin | ratio | derivatives | pin | ratio | gradient | mj_forward | first calls, s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in given.models:
        calls, first, n = contenders(name)
        t = best(calls, given.rounds)
        pin = min(t["pin composite"], t["pin apart"])
        print(
            f"| `{name}` | {n} | {t['value']:.1f} | {pin:.1f} | {t['value'] / pin:.2f} "
            f"| {t['derivatives']:.1f} | {t['pin derivatives']:.1f} "
            f"| {t['derivatives'] / t['pin derivatives']:.2f} | {t['gradient']:.1f} | {t['mujoco']:.1f} "
            f"| {first['value']:.1f}, {first['derivatives']:.1f}, {first['gradient']:.1f} |"
        )


if __name__ == "__main__":
    main()
