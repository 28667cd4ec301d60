"""The tables of lowering: which instruction is written how."""

from __future__ import annotations

import pytest

from rose_ad.ir.prims import TABLE
from rose_ad.lower.lanes.lowering import LaneLowering
from rose_ad.lower.lowering import Lowering


@pytest.mark.parametrize("kind", [Lowering, LaneLowering])
def test_a_row_is_the_method_of_its_class(kind: type[Lowering]) -> None:
    """A method that lane code has of its own has a row of its own."""
    for row in kind.ROWS.values():
        assert getattr(kind, row.__name__, row) is row


def test_scalar_and_lane_code_have_the_same_rows() -> None:
    assert Lowering.ROWS.keys() == LaneLowering.ROWS.keys()
    assert not Lowering.ROWS.keys() & TABLE.keys()
