"""Loops, branches and accumulators of traced programs.

for i in ra.range(n): ...           the body is traced once and run n times, for what it adds
with ra.when(c): ...                what is added inside is added only where c holds
ra.build(n, lambda i: ...)          an array from its elements
ra.scan(f, carry, xs, length)       steps in order, each given what the one before made
ra.fori_loop(low, high, f, carry)   the same without inputs and outputs
ra.while_loop(test, f, carry)       steps as long as a test holds
ra.cond(c, f, g, *operands)         a real branch: the other side is not run
ra.switch(k, branches, *operands)   a branch of many sides
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..base.errors import TraceError, TypeMismatch
from ..base.source import here
from ..base.tree import Leaf, Structure, flatten, is_leaf, leaves_as, unflatten
from ..ir.builder import Builder
from ..ir.checkpoints import BUDGET, Checkpoint, with_checkpoints
from ..ir.core import UNBOUNDED, Atom, Const, Steps
from ..ir.intervals import interval
from ..ir.types import F32, F64, I64, Array, Bool, Scalar, Type, value_type
from .python_state import Variables
from .trace import Frame, Trace, current, required
from .values import (
    Traced,
    TracedScalar,
    WeakReal,
    common_scalar,
    convert,
    elementwise,
    is_python_number,
    lift,
    located,
    promote,
    wrap,
)


def static_length(n: Any, what: str) -> int:
    """A length known while tracing; TraceError or TypeMismatch otherwise."""
    if isinstance(n, Traced):
        if isinstance(n.atom, Const) and n.type is I64:
            return int(n.atom.value)
        raise TraceError(
            f"{what} must be known while tracing, so that all memory is known before the run",
            here(),
            "make it a static parameter, @ra.fn(static=('n',)); a loop for effects, ra.range(n), may vary",
        )
    try:
        k = operator.index(n)
    except TypeError:
        raise TypeMismatch(f"{what} must be an integer, not {type(n).__name__}", here()) from None
    if k < 0:
        raise TypeMismatch(f"{what} must not be negative: {k}", here())
    if k >= UNBOUNDED:
        raise TypeMismatch(f"{what} is too large: {k}", here())
    return k


# ------------------------------------------------------------------------------------------ loops


class range:
    """`for i in ra.range(high)` or `ra.range(low, high)`: a loop whose body is traced once.

    The bounds may be traced Ints. The body acts through accumulators; a value made in it cannot be used
    after it.
    """

    def __init__(self, low: Any, high: Any = None) -> None:
        self.low: Any = 0 if high is None else low
        self.high: Any = low if high is None else high

    def __iter__(self) -> Iterator[Any]:
        trace = required("ra.range")
        bounds = (_integer(self.low), _integer(self.high))
        b = located()
        loc = b.loc
        (first, _), (_, last) = interval(bounds[0]), interval(bounds[1])
        static = bounds[0] == Const(0, I64) and isinstance(bounds[1], Const)
        inner = b.loop(first, last - 1)
        around = Variables(sys._getframe(1))
        frame = trace.open(inner, "loop")
        index = TracedScalar(inner.block.params[0])
        try:
            yield index
        except GeneratorExit:  # break and return drop the iterator
            frame.left = here()
            raise
        trace.close(frame)
        if not (static and last <= 1):
            around.check(sys._getframe(1), index)
        trace.builder.loc = loc
        trace.builder.build(max(last, 0) if static else 0, inner.block, () if static else bounds)


def _integer(x: Any) -> Atom:
    v = lift(x)
    if v.type is not I64:
        raise TypeMismatch(f"a loop's bounds must be Ints, not {v.type!r}", here(), "ra.to_int(x)")
    return v.atom


class when(AbstractContextManager[None]):
    """`with ra.when(c):` guards effects: what the body adds is added only where `c` holds, and the body is
    not run where it does not. The body has no values; see `cond` for a branch that does."""

    def __init__(self, condition: Any) -> None:
        self.trace = required("ra.when")
        self.condition = _condition(condition)
        self.frame: Frame | None = None

    def __enter__(self) -> None:
        self.loc = here()
        self.frame = self.trace.open(self.trace.builder.branch(), "branch")

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        assert self.frame is not None
        if error is not None:
            del self.trace.frames[self.trace.frames.index(self.frame) :]
            return
        self.trace.close(self.frame)
        b = self.trace.builder
        b.loc = self.loc
        b.cond(self.condition, self.frame.builder.block, b.branch().block)


def _condition(c: Any) -> Atom:
    v = lift(c)
    if v.type is not Bool:
        raise TypeMismatch(f"a condition must be a Bool, not {v.type!r}", here(), "compare: x > 0")
    return v.atom


def build(n: Any, f: Callable[[Any], Any]) -> Any:
    """The array whose row i is `f(i)`; of a structure of values, a structure of arrays."""
    trace = required("ra.build")
    n = static_length(n, "the length of ra.build")
    inner = located().loop(0, n - 1)
    loc = here()
    with trace.block(inner, "loop"):
        leaves, structure = flatten(f(TracedScalar(inner.block.params[0])))
        inner.block.results = tuple(lift(leaf).atom for leaf in leaves)
    trace.builder.loc = loc
    return unflatten(structure, [wrap(v) for v in trace.builder.build(n, inner.block)])


# ------------------------------------------------------------------------------------------- scan


def scan(
    f: Callable[..., Any],
    init: Any,
    xs: Any = None,
    length: Any = None,
    *,
    reverse: bool = False,
    checkpoint: Checkpoint = "all",
    budget: int = BUDGET,
) -> tuple[Any, Any]:
    """`carry, y = f(carry, x)` for each x in order; the last carry, and the ys as arrays.

    `xs` are arrays (or a structure of them) with a common leading axis, None if there are none; `length` is
    then the number of steps. With `reverse` the last x comes first.

    A reverse pass needs the carry of every step. `checkpoint` says how many it keeps: "all"; a number, the
    others being computed again by the binomial schedule (see `checkpoints`); "sqrt", of that many; or "auto",
    all that fit into `budget` bytes.
    """
    trace = required("ra.scan")
    loc = here()
    x_leaves, x_structure = flatten(xs)
    arrays = [lift(x) for x in x_leaves]
    if any(not a.shape for a in arrays):
        raise TypeMismatch("the xs of a scan must be arrays", loc)
    lengths = {a.shape[0] for a in arrays} | (
        {static_length(length, "length")} if length is not None else set()
    )
    if len(lengths) != 1:
        raise TypeMismatch(
            f"the length of a scan is not clear: {sorted(lengths) or 'no xs and no length'}", loc
        )
    n = lengths.pop()

    def step(i: Any, carry: Any) -> tuple[Any, Any]:
        x = unflatten(x_structure, [a[i] for a in arrays])  # type: ignore[index]
        out = f(carry, x)
        if not isinstance(out, tuple) or len(out) != 2:
            raise TypeMismatch(
                "the function of a scan must return (carry, y)", loc, "return carry, None"
            )
        return out

    return _scan(trace, step, init, Steps(n, reverse), (checkpoint, budget), loc)


def fori_loop(
    low: Any,
    high: Any,
    f: Callable[[Any, Any], Any],
    init: Any,
    *,
    checkpoint: Checkpoint = "all",
    budget: int = BUDGET,
) -> Any:
    """`carry = f(i, carry)` for i from `low` to `high - 1`; the last carry. The bounds may be traced Ints.

    `checkpoint` and `budget` are those of `scan`. Where the bounds are traced, reverse mode keeps the carries
    of all steps if it is known how many there are at most, `ra.minimum(n, 1000)` say, and they fit into
    `budget`; otherwise of 256 steps.
    """
    trace = required("ra.fori_loop")
    loc = here()
    first, last = _bound(low, "the lower bound"), _bound(high, "the upper bound")
    count: tuple[Atom, ...] = ()
    if isinstance(first, int) and isinstance(last, int):
        n = static_length(max(last - first, 0), "the number of steps")
    else:
        b = located()
        count = (b.prim("max", (lift(last) - first).atom, Const(0, I64)),)
        n = min(interval(count[0])[1], UNBOUNDED)
    return _scan(
        trace,
        lambda i, carry: (
            f(i if isinstance(first, int) and first == 0 else i + first, carry),
            None,
        ),
        init,
        Steps(n, counted=bool(count)),
        (checkpoint, budget),
        loc,
        count,
    )[0]


def _bound(x: Any, what: str) -> int | Traced:
    """A bound of a loop: a number where it is known."""
    if not isinstance(x, Leaf):
        return x if isinstance(x, int) else static_length(x, what)
    atom = _integer(x)
    return int(atom.value) if isinstance(atom, Const) else TracedScalar(atom)


def while_loop(
    test: Callable[[Any], Any],
    f: Callable[[Any], Any],
    init: Any,
    *,
    max_steps: int | None = None,
) -> Any:
    """`carry = f(carry)` while `test(carry)` holds; the last carry.

    With `max_steps` it stops after that many at the latest, and reverse mode keeps the carry of each.
    Without, reverse mode keeps 256 carries, by the binomial schedule (see `checkpoints`): no step of 33,000 is
    run more than twice again, none of 2.8 million more than three times.
    """
    trace = required("ra.while_loop")
    loc = here()
    n = UNBOUNDED if max_steps is None else static_length(max_steps, "max_steps")
    structure, carries, inner, _ = _loop(trace, lambda _, c: (f(c), None), init, n, loc)
    tester = trace.builder.test()
    params = [tester.block.param(c.type) for c in carries]
    with trace.block(tester, "loop"):
        tester.block.results = (_condition(test(unflatten(structure, [wrap(p) for p in params]))),)
    b = trace.builder
    b.loc = loc
    outs = b.loop_while(n, [c.atom for c in carries], inner.block, tester.block)
    return unflatten(structure, [wrap(v) for v in outs[:-1]])


def _scan(
    trace: Trace,
    step: Callable[..., Any],
    init: Any,
    steps: Steps,
    policy: tuple[Checkpoint, int],
    loc: int,
    count: Sequence[Atom] = (),
) -> tuple[Any, Any]:
    structure, carries, inner, ys_structure = _loop(trace, step, init, steps.n, loc)
    size = sum(value_type(c.type).size for c in carries)
    steps = with_checkpoints(steps, *policy, size, loc)
    b = trace.builder
    b.loc = loc
    outs = [wrap(v) for v in b.scan(steps, [c.atom for c in carries], inner.block, count)]
    ends = len(carries)
    return unflatten(structure, outs[:ends]), unflatten(ys_structure, outs[ends:])


def _loop(
    trace: Trace, step: Callable[..., Any], init: Any, n: int, loc: int
) -> tuple[Structure, list[Traced], Builder, Structure]:
    """The structure of the carry, its initial leaves, the body, and the structure of what it yields."""
    leaves, structure = flatten(init)
    carries = [lift(x) for x in leaves]
    inner, ys_structure, scalars = _scan_body(trace, step, carries, structure, n, loc)
    if any(t is not None for t in scalars):
        # a carry that starts as the Python number 0 but becomes a Real is a Real
        weak = [c.weak or is_python_number(x) for c, x in zip(carries, leaves, strict=True)]
        fixable = all(t is None or w for t, w in zip(scalars, weak, strict=True))
        if fixable:
            carries = [
                c if t is None else convert(c, t) for c, t in zip(carries, scalars, strict=True)
            ]
            inner, ys_structure, scalars = _scan_body(trace, step, carries, structure, n, loc)
        _check_carries(scalars, carries, inner, loc)
    return structure, carries, inner, ys_structure


def _scan_body(
    trace: Trace,
    step: Callable[..., Any],
    carries: Sequence[Traced],
    structure: Structure,
    n: int,
    loc: int,
) -> tuple[Builder, Structure, list[Scalar | None]]:
    """The body of a scan; for each carry the scalar type it becomes, None where that is its own."""
    inner = trace.builder.loop(0, n - 1)
    params = [inner.block.param(c.type) for c in carries]
    with trace.block(inner, "loop"):
        given = [WeakReal(p) if c.weak else wrap(p) for p, c in zip(params, carries, strict=True)]
        carry = unflatten(structure, given)
        carry, ys = step(TracedScalar(inner.block.params[0]), carry)
        out_leaves = leaves_as(carry, structure)
        if out_leaves is None:
            raise TypeMismatch(
                "the carry that a loop's function returns has another structure than the one "
                "it was given",
                loc,
                "return the same fields, tuples and dicts",
            )
        results = [_like(leaf, c) for leaf, c in zip(out_leaves, carries, strict=True)]
        y_leaves, ys_structure = flatten(ys)
        inner.block.results = tuple(v.atom for v in [*results, *(lift(y) for y in y_leaves)])
    changed = [
        None if r.type is c.type else _scalar_type(r.type)
        for r, c in zip(results, carries, strict=True)
    ]
    return inner, ys_structure, changed


def _like(x: Any, c: Traced) -> Traced:
    """What a carry becomes, converted to its type where that loses nothing, or left to give it its width."""
    v = lift(x)
    wanted, found = _scalar_type(c.type), _scalar_type(v.type)
    if found is not wanted and wanted is F64 and not (c.weak and found is F32):
        return convert(v, wanted)
    return v


def _scalar_type(t: Type) -> Scalar:
    return t.scalar if isinstance(t, Array) else t  # type: ignore[return-value]


def _check_carries(
    changed: Sequence[Scalar | None], carries: Sequence[Traced], inner: Builder, loc: int
) -> None:
    for c, r, t in zip(carries, inner.block.results, changed, strict=False):
        if t is not None or r.type is not c.type:
            raise TypeMismatch(
                f"a carry starts as {c.type!r} and becomes {r.type!r}",
                loc,
                "start with a value of the type and shape it will have",
            )


# ------------------------------------------------------------------------------------------- cond


def cond(
    predicate: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *operands: Any
) -> Any:
    """`then(*operands)` where the predicate holds, else `otherwise(*operands)`; only that side is run.

    Both must return the same structure, types and shapes.
    """
    if isinstance(predicate, bool):
        return (then if predicate else otherwise)(*operands)
    trace = required("ra.cond")
    loc = here()
    p = _condition(predicate)
    builders = [trace.builder.branch() for _ in (then, otherwise)]
    with trace.block(builders[0], "branch"):
        first = then(*operands)
        structure = flatten(first)[1]
        left = _lifted(first, structure)
    with trace.block(builders[1], "branch"):
        right = _lifted(otherwise(*operands), structure)
    if left is None or right is None:
        raise TypeMismatch(
            "the sides of a branch return different structures",
            loc,
            "return the same fields, tuples and dicts from both",
        )
    for side, inner in enumerate(builders):
        with trace.block(inner, "branch"):
            inner.block.results = tuple(
                _agreed(pair, side, loc) for pair in zip(left, right, strict=True)
            )
    b = trace.builder
    b.loc = loc
    outs = b.cond(p, builders[0].block, builders[1].block)
    return unflatten(structure, [wrap(v) for v in outs])


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`, the index taken into range; only that branch is run.

    All must return the same structure, types and shapes.
    """
    if not branches:
        raise TypeMismatch("a switch needs at least one branch", here())
    if isinstance(index, int):
        return branches[min(max(index, 0), len(branches) - 1)](*operands)
    if len(branches) == 1:
        return branches[0](*operands)
    half = len(branches) // 2
    return cond(
        lift(index) < half,
        lambda: switch(index, branches[:half], *operands),
        lambda: switch(index - half, branches[half:], *operands),
    )


def _lifted(x: Any, structure: Structure) -> list[Any] | None:
    """The leaves of one side's value, if it has that structure."""
    leaves = leaves_as(x, structure)
    return leaves and [leaf if is_python_number(leaf) else lift(leaf) for leaf in leaves]


def _agreed(pair: tuple[Any, Any], side: int, loc: int) -> Atom:
    """One side's value, converted to the type both have in common."""
    value = convert(pair[side], common_scalar(*pair))
    shapes = [v.shape if isinstance(v, Traced) else () for v in pair]
    if shapes[0] != shapes[1]:
        raise TypeMismatch(f"the sides of a branch return shapes {shapes[0]} and {shapes[1]}", loc)
    return value.atom


def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`, elementwise; both are computed. For structures, by leaf."""
    if not (is_leaf(x) and is_leaf(y)):
        left, structure = flatten(x)
        right = leaves_as(y, structure)
        if right is None:
            raise TypeMismatch("ra.where chooses between values of one structure", here())
        return unflatten(
            structure, [where(condition, a, b) for a, b in zip(left, right, strict=True)]
        )
    if current() is None:
        import numpy as np

        return np.where(condition, x, y)[()]
    a, b = promote(x, y)
    c = lift(condition)
    if _scalar_type(c.type) is not Bool:
        raise TypeMismatch(f"a condition must be a Bool, not {c.type!r}", here(), "compare: x > 0")
    return elementwise(lambda e, p, q, r: e.prim("select", p, q, r), c, a, b)
