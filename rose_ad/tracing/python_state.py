"""Python variables in the body of a loop that is traced once.

    sign = 1.0
    for i in ra.range(n):
        total += sign * x[i]
        sign = -sign

The body runs once, while it is traced: `sign` would change once, and all iterations would see its first value.
What a body reads and then sets again is found in the bytecode of the function it is in, and compared before and
after. A variable that a body sets before it reads it is its own and free.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from ..base.errors import TraceError
from ..base.source import here, in_code
from ..base.static import can_change
from ..base.tree import is_leaf

_ACCESS = re.compile(r"(LOAD|STORE)_(?:FAST|DEREF|NAME|GLOBAL)(?:_BORROW|_CHECK)?(?=_|$)")
_LARGE = 10_000  # entries of a list that is not compared
_ONCE = "the body of a loop over ra.range is traced once, for all iterations"
_INSTEAD = (
    "carry it with ra.fori_loop or ra.scan, or compute it from the loop's index; an accumulator sums; "
    "a Python loop, range(n), unrolls"
)


@dataclass(frozen=True)
class _Loop:
    """What the bytecode of a for statement says: the variable that takes the index, None where that is not a
    single one; the variables that the body reads before it sets them, with where it does; what it reads."""

    target: str | None
    carried: dict[str, int]
    read: tuple[str, ...]


_known: WeakKeyDictionary[CodeType, dict[int, _Loop | None]] = WeakKeyDictionary()


class Variables:
    """The variables around a body, before it runs."""

    def __init__(self, frame: FrameType) -> None:
        found = _loop(frame.f_code, frame.f_lasti)
        if found is None:
            raise TraceError(
                "ra.range is not an iterable for Python to go through: " + _ONCE,
                here(),
                "a for statement, `for i in ra.range(n):`; ra.build(n, f) for a list, ra.sum(n, f) for a sum",
            )
        self.loop = found
        self.before = dict(_values(frame, found.carried))
        self.contents = {name: _content(x) for name, x in _values(frame, found.read)}

    def check(self, frame: FrameType, index: Any) -> None:
        """TraceError where the body has changed one of them; `index` is what the loop gave it."""
        for name, now in _values(frame, self.loop.carried):
            if now is not self.before.get(name, now):
                _changed(name, in_code(frame.f_code, self.loop.carried[name]))
        for name, now in _values(frame, self.loop.read):
            if name in self.contents and _content(now) != self.contents[name]:
                _changed(f"what {name} holds", here())
        target = self.loop.target
        given = None if target is None else dict(_values(frame, [target])).get(target)
        if isinstance(given, tuple) and any(x is index for x in given):
            _counted()


def _changed(what: str, loc: int) -> NoReturn:
    raise TraceError(f"{what} is changed in a loop, but would be only once: {_ONCE}", loc, _INSTEAD)


def _counted() -> NoReturn:
    raise TraceError(
        f"enumerate or zip would go only one step over ra.range: {_ONCE}",
        here(),
        "the loop's index counts: `for i in ra.range(n):` with x[i]",
    )


def _values(frame: FrameType, names: Any) -> Iterator[tuple[str, Any]]:
    own, everywhere = frame.f_locals, frame.f_globals
    for name in names:
        if name in own:
            yield name, own[name]
        elif name in everywhere:
            yield name, everywhere[name]


def _content(x: Any) -> Any:
    """What of a list, dict or object can be set again, by identity; what is new in a dict is no change."""
    if type(x) is list:
        return _Items(list(enumerate(x)), whole=True) if len(x) <= _LARGE else None
    if type(x) is dict:
        return _Items(list(x.items())[:_LARGE])
    if can_change(x) and not is_leaf(x):
        return _Items(list(vars(x).items()))
    return None


class _Items:
    def __init__(self, items: list[tuple[Any, Any]], whole: bool = False) -> None:
        self.items, self.whole = items, whole

    def __eq__(self, before: object) -> bool:
        if not isinstance(before, _Items):
            return True  # another object: that is seen where it was set
        now = dict(self.items)
        same = all(now.get(k, v) is v for k, v in before.items)
        return same and not (self.whole and len(self.items) != len(before.items))

    __hash__ = None  # type: ignore[assignment]


def _loop(code: CodeType, offset: int) -> _Loop | None:
    """The for statement whose iterator is asked for its next value at an offset; None where there is none."""
    loops = _known.setdefault(code, {})
    if offset not in loops:
        loops[offset] = _analysed(code, offset)
    return loops[offset]


def _analysed(code: CodeType, offset: int) -> _Loop | None:
    instructions = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
    at = max((k for k, i in enumerate(instructions) if i.offset <= offset), default=0)
    loop = instructions[at]
    comprehension = code.co_name in ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
    if loop.opname != "FOR_ITER" or comprehension:
        return None
    body = [i for i in instructions[at + 1 :] if i.offset < loop.argval]
    if any(i.opname in ("LIST_APPEND", "SET_ADD", "MAP_ADD") for i in body[-3:]):
        return None
    if body[0].opname == "UNPACK_SEQUENCE":
        _counted()
    accesses = [(kind, name, i.offset) for i in body for kind, name in _accesses(i)]
    first: dict[str, str] = {}
    for kind, name, _ in accesses:
        first.setdefault(name, kind)
    target = next(_accesses(body[0]), None)
    carried = {
        name: where for kind, name, where in accesses if kind == "STORE" and first[name] == "LOAD"
    }
    read = tuple(name for name, kind in first.items() if kind == "LOAD" and name not in carried)
    return _Loop(target[1] if target and target[0] == "STORE" else None, carried, read)


def _accesses(i: dis.Instruction) -> Iterator[tuple[str, str]]:
    """The variables that an instruction reads and sets, in order."""
    if "_AND_CLEAR" in i.opname:  # a comprehension puts a variable aside
        return
    names = i.argval if isinstance(i.argval, tuple) else (i.argval,)
    yield from zip(_ACCESS.findall(i.opname), names, strict=False)
