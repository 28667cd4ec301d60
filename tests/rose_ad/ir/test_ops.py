"""The table of instructions, and the visitors, each of which has a row for every one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from rose_ad.ad.dependence import _Dependence
from rose_ad.ad.forward import Forward
from rose_ad.ad.linearizer import Linearizer
from rose_ad.ad.transpose import Transposer
from rose_ad.ir.builder import Builder
from rose_ad.ir.copying import Copier
from rose_ad.ir.core import Instr, Span, Steps
from rose_ad.ir.interp import Interpreter
from rose_ad.ir.ops import OPS, Visitor
from rose_ad.ir.parsing import _Parser
from rose_ad.ir.prims import TABLE
from rose_ad.ir.text import _Printer
from rose_ad.ir.types import F64
from rose_ad.ir.verify import Invalid, _Verifier, verify
from rose_ad.lower.lanes.divergence import _Walk
from rose_ad.lower.lanes.lowering import LaneLowering
from rose_ad.lower.lowering import Lowering

# all that goes through programs instruction by instruction
VISITORS = (
    Copier,
    Forward,
    Interpreter,
    LaneLowering,
    Linearizer,
    Lowering,
    Transposer,
    _Dependence,
    _Parser,
    _Printer,
    _Verifier,
    _Walk,
)


def subclasses(of: type[Visitor]) -> Iterator[type[Visitor]]:
    for c in of.__subclasses__():
        yield c
        yield from subclasses(c)


@pytest.mark.parametrize("visitor", VISITORS)
def test_a_visitor_has_a_row_for_each_instruction_or_says_why_not(visitor: type[Visitor]) -> None:
    assert issubclass(visitor, Visitor)
    assert visitor.rows.keys() == OPS.keys()
    assert visitor.never.keys() < OPS.keys()
    for name in OPS.keys() - visitor.never.keys():
        assert visitor.rows[name] is getattr(visitor, f"_{name}")


def test_a_visitor_that_lacks_a_row_cannot_be_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS, "gather", OPS["index"])  # an instruction that nobody knows
    for visitor in VISITORS:
        with pytest.raises(TypeError, match="Knowing has no row for the instruction gather"):
            type("Knowing", (visitor,), {})
        type("Knowing", (visitor,), {"_gather": lambda self, *_: None})


def test_lanes_say_what_they_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of scalar code may be wrong in lanes: it is not taken over unseen."""
    monkeypatch.setitem(OPS, "gather", OPS["index"])
    with pytest.raises(TypeError, match="no row for the instruction gather"):
        type(
            "Lanes",
            (Lowering,),
            {"inherited": OPS.keys() - {"gather"}, "_other": Lowering._index},
        )
    monkeypatch.setattr(Lowering, "_gather", Lowering._index, raising=False)
    with pytest.raises(TypeError, match="no row for the instruction gather"):
        type("Lanes", (LaneLowering,), {"inherited": OPS.keys() - {"gather"}})


def test_what_does_not_reach_a_visitor_says_so_if_it_does() -> None:
    class Deaf(Copier):
        never: ClassVar[dict[str, str]] = {"host": "nothing is called back"}

    with pytest.raises(AssertionError, match="host reaches Deaf, though nothing is called back"):
        Deaf.rows["host"](Deaf({}), None)


def test_an_attribute_is_a_property_of_its_type_only() -> None:
    attributes = {op.attribute for op in OPS.values()} - {""}
    values = {"length": 3, "steps": Steps(3), "shape": (3,), "span": Span(0, 3), "content": F64}
    assert values.keys() <= attributes
    for name, value in values.items():
        for other in attributes:
            instr = Instr("any", (), value, (), (), 0)
            if other == name:
                assert getattr(instr, other) is value
            else:
                with pytest.raises(AssertionError):
                    getattr(instr, other)


@pytest.mark.parametrize("attribute", [Steps(3), Span(0, 3)])
def test_an_attribute_is_not_unpacked(attribute: Any) -> None:
    with pytest.raises(TypeError):
        _, *_ = attribute


def test_names_are_of_one_table() -> None:
    assert not OPS.keys() & TABLE.keys()


def test_an_instruction_has_the_blocks_that_its_row_says() -> None:
    b = Builder()
    p = b.block.param(F64)
    b.block.results = (b.prim("neg", p),)
    then, otherwise = b.branch().block, b.branch().block
    b.cond(b.prim("lt", p, p), then, otherwise)
    from rose_ad.ir.core import Function

    f = Function("f", b.block, 0)
    verify(f)
    (cond,) = (i for i in b.block.instrs if i.op == "cond")
    cond.blocks = (then,)
    with pytest.raises(Invalid, match="its blocks are"):
        verify(f)


@pytest.mark.parametrize("name", OPS)
def test_a_row_says_what_it_is_about(name: str) -> None:
    row: Any = OPS[name]
    assert dataclasses.is_dataclass(row) and row.about and row.takes.startswith("(")
    assert row.effect in {"none", "check", "host", "accumulator", "blocks", "callee"}
    assert bool(row.blocks) == (row.effect == "blocks")
