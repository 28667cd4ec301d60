"""A fixed slice of the programs of `against.py`, and that it sees what it is to see."""

from __future__ import annotations

import dataclasses

import pytest

from rose_ad.ir import prims
from tests.rose_ad import against


def test_values_are_those_of_numpy() -> None:
    told: list[str] = []
    done, failed = against.run(range(30), None, told.append)
    assert done > 10 and not failed, "\n".join(told)


@pytest.mark.slow
def test_derivatives_are_those_of_jax() -> None:
    pytest.importorskip("jax")
    told: list[str] = []
    peer = against.jax_library()
    try:
        done, failed = against.run(range(12), peer, told.append)
    finally:
        peer[0].config.update("jax_enable_x64", False)
    assert done == 12 and not failed, "\n".join(told)


def test_a_wrong_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = dataclasses.replace(prims.TABLE["tanh"], evaluate=lambda x: x)
    monkeypatch.setitem(prims.TABLE, "tanh", wrong)
    assert against.run(range(10), None, lambda _: None)[1]
