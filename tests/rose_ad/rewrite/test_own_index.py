"""What is added at a loop's own index is built."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.ir.queries import callees, instructions


def test_adding_to_a_started_accumulator_builds() -> None:
    """What starts as an array and is added to at its own index is made in one loop, rows of arrays too."""

    def shifted(x: Any) -> Any:
        return ra.sum(ra.fori_loop(0, 3, lambda _, c: c + 0.1 * c * c, x)[:, 1])

    x = np.linspace(0.1, 0.8, 12).reshape(6, 2)
    gradient = ra.grad(shifted)
    h = 1e-6
    slope = (ra.fn(shifted)(x + h) - ra.fn(shifted)(x - h)) / (2 * h)
    np.testing.assert_allclose(np.sum(gradient(x)), slope, rtol=1e-8)
    program = gradient.lower(x).program.function
    np.testing.assert_allclose(ra.interpret(program, [x])[0], gradient(x), rtol=1e-13)
    backward = [f for f in callees(program) if f.name.endswith(".T")]
    scans = [i for f in backward for i in instructions(f.block) if i.op == "scan"]
    assert scans and not [i for s in scans for i in instructions(s.blocks[0]) if i.op == "accum"]
