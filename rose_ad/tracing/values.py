"""Traced values: what a traced function computes with instead of numbers and arrays.

Arithmetic follows numpy: Int with Real gives Real, shapes broadcast. Vectors of up to four elements are taken
apart (x, y, z cost nothing); longer ones become a loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..base.errors import TraceError, TypeMismatch
from ..base.source import here
from ..base.tree import Leaf
from ..ir.core import Atom, Const
from ..ir.types import (
    F32,
    F64,
    I64,
    Array,
    Bool,
    Ref,
    Scalar,
    Type,
    Value,
    array_type,
    is_float,
    scalar_of,
    shape_of,
)
from .float_division import float_floordiv, float_mod
from .squares import product
from .trace import current, required
from .unknown import Unknown

SHORT = 4  # vectors up to this length are computed element by element
_BY_KIND = {"f": F64, "i": I64, "u": I64, "b": Bool}
# by name, what operators do that are made of loops and indices: see `operators`
INSTALLED: dict[str, Callable[..., Any]] = {}


class Traced(Unknown):
    """A value of the program being traced: scalar or array."""

    __slots__ = ("atom",)
    weak = False
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, atom: Atom) -> None:
        self.atom = atom

    def as_traced(self) -> Traced:
        """The value as it is known here: itself, or a parameter that stands for it."""
        trace = current()
        atom = self.atom if trace is None else trace.resolve(self.atom)
        return self if atom is self.atom else type(self)(atom)

    @property
    def type(self) -> Type:
        """The type in the IR."""
        return self.atom.type

    @property
    def scalar(self) -> Scalar:
        """The type of its innermost entries."""
        return scalar_of(self.type)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, () for scalars, as in numpy."""
        return shape_of(self.atom.type)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries, as numpy names it."""
        return self.scalar.dtype

    def __repr__(self) -> str:
        return f"<traced {self.atom.type!r}>"

    def __str__(self) -> str:
        return f"{self!r}, whose value ra.debug.print('{{}}', x) shows"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return INSTALLED["ufunc"](ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, _: Any, args: Any, kwargs: Any) -> Any:
        return INSTALLED["array_function"](func, args, kwargs)

    def __add__(self, other: Any) -> Any:
        return binary("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return binary("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return binary("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return binary("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary("div", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return binary("floordiv", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return binary("floordiv", other, self)

    def __mod__(self, other: Any) -> Any:
        return binary("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return binary("mod", other, self)

    def __pow__(self, other: Any) -> Any:
        return power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return power(other, self)

    def __neg__(self) -> Any:
        return elementwise(lambda b, x: b.prim("neg", x), numbers(self, "the negative"))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        if self.scalar is Bool:
            return self
        return elementwise(lambda b, x: b.prim("abs", x), self)

    def __lt__(self, other: Any) -> Any:
        return binary("lt", self, other)

    def __gt__(self, other: Any) -> Any:
        return binary("lt", other, self)

    def __le__(self, other: Any) -> Any:
        return binary("le", self, other)

    def __ge__(self, other: Any) -> Any:
        return binary("le", other, self)

    def __eq__(self, other: Any) -> Any:
        return binary("eq", self, other)

    def __ne__(self, other: Any) -> Any:
        return binary("ne", self, other)

    def __and__(self, other: Any) -> Any:
        return binary("and", self, other)

    def __rand__(self, other: Any) -> Any:
        return binary("and", other, self)

    def __or__(self, other: Any) -> Any:
        return binary("or", self, other)

    def __ror__(self, other: Any) -> Any:
        return binary("or", other, self)

    def __xor__(self, other: Any) -> Any:
        return binary("xor", self, other)

    def __rxor__(self, other: Any) -> Any:
        return binary("xor", other, self)

    def __lshift__(self, other: Any) -> Any:
        return shifted("shift_left", self, other)

    def __rlshift__(self, other: Any) -> Any:
        return shifted("shift_left", other, self)

    def __rshift__(self, other: Any) -> Any:
        return shifted("shift_right", self, other)

    def __rrshift__(self, other: Any) -> Any:
        return shifted("shift_right", other, self)

    def __matmul__(self, other: Any) -> Any:
        return INSTALLED["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return INSTALLED["matmul"](other, self)

    @property
    def T(self) -> Any:
        """The array with its axes reversed."""
        return INSTALLED["transpose"](self)

    @property
    def mT(self) -> Any:
        """The matrices of the array, its last two axes, transposed."""
        return INSTALLED["matrix_transpose"](self)

    def __invert__(self) -> Any:
        if self.scalar is I64:
            return -1 - self
        return elementwise(lambda b, x: b.prim("not", x), self)


class TracedScalar(Traced):
    """A traced Real, Int or Bool."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        raise TraceError("a number cannot be iterated over", here())

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if all(k is None or k is Ellipsis for k in keys):
            return INSTALLED["getitem"](self, key) if None in keys else self
        raise TypeMismatch("a number cannot be indexed", here())


class WeakReal(TracedScalar):
    """A Real that Ints and numbers of Python made: as such a number does, it takes its width from what it
    meets. What leaves its function, its loop or its branch is a Real."""

    __slots__ = ()
    weak = True


class TracedArray(Traced):
    """A traced array of static shape. It is a value: it is never changed in place."""

    __slots__ = ()

    def __len__(self) -> int:
        assert isinstance(self.type, Array)
        return self.type.n

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return INSTALLED["getitem"](self, key)

    @property
    def at(self) -> Any:
        """Places of it: `x.at[i].set(v)` is the array with another entry there; see `updates`."""
        return INSTALLED["at"](self)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TraceError(
            "an array is a value and cannot be assigned into",
            here(),
            "a = a.at[i].set(v), a new one; ra.build(n, lambda i: ...), all entries at once; or add into "
            "a = ra.accum(...) with a[i] += v",
        )


def wrap(atom: Atom) -> Any:
    """The traced value of an atom."""
    return TracedScalar(atom) if isinstance(atom.type, Scalar) else TracedArray(atom)


# ---------------------------------------------------------------------------------------- lifting


def type_of(x: Any) -> Value:
    """The type of a number, an array or a traced value; TypeMismatch for anything else."""
    if type(x) is np.ndarray and x.dtype == np.float64:
        return array_type(x.shape, F64)
    if isinstance(x, Traced):
        assert not isinstance(x.type, Ref)
        return x.type
    if isinstance(x, bool | np.bool_):
        return Bool
    if isinstance(x, int | np.integer):
        if not -(2**63) <= x < 2**63:
            raise TypeMismatch(f"{x} does not fit into an Int of 64 bits", here(), "a float")
        return I64
    if isinstance(x, np.float32):
        return F32
    if isinstance(x, float | np.floating):
        return F64
    if isinstance(x, np.ndarray):
        scalar = F32 if x.dtype == np.float32 else _BY_KIND.get(x.dtype.kind)
        if scalar is not None:
            _check_entries(x)
            return array_type(x.shape, scalar)
        raise TypeMismatch(
            f"an array of dtype {x.dtype} is not one of float64, float32, int64, bool", here()
        )
    raise TypeMismatch(
        f"a {type(x).__name__} is neither a Real, an Int or a Bool, nor an array of these",
        here(),
        "numbers, numpy arrays, and tuples, lists, dicts or dataclasses of these",
    )


def _check_entries(x: np.ndarray[Any, Any]) -> None:
    """TypeMismatch where an array holds what an Int cannot, or has entries that are masked."""
    if x.dtype == np.uint64 and x.size and x.max() > np.iinfo(np.int64).max:
        raise TypeMismatch(f"{x.max()} does not fit into an Int of 64 bits", here(), "floats")
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise TypeMismatch("an array has masked entries", here(), "a.filled(value)")


def lift(x: Any) -> Traced:
    """A traced value: `x` itself if it is one, otherwise a literal. Lists are taken as arrays."""
    if isinstance(x, Leaf):
        known: Traced = x.as_traced()
        return known
    if isinstance(x, list | tuple):
        return stack([lift(e) for e in x]) if x else lift(np.asarray(x))
    t = type_of(x)
    if isinstance(t, Array):
        return TracedArray(Const(np.asarray(x, t.scalar.dtype), t))
    if t is F64 and is_python_number(x):
        return WeakReal(Const(x, t))
    return TracedScalar(Const(x.item() if isinstance(x, np.ndarray | np.generic) else x, t))


def stack(rows: Sequence[Traced]) -> Traced:
    """An array of these rows, converted to one type."""
    shape = rows[0].shape
    if any(r.shape != shape for r in rows):
        raise TypeMismatch(f"rows of different shapes: {[r.shape for r in rows]}", here())
    scalar = common_scalar(*rows)
    b = located()
    return TracedArray(b.pack([convert(r, scalar).atom for r in rows]))


def located() -> Any:
    """The current builder, set to the user's line."""
    b = required("arithmetic on traced values").builder
    b.loc = here()
    return b


def _scalar(x: Traced) -> Scalar:
    t = x.type
    return t.scalar if isinstance(t, Array) else t  # type: ignore[return-value]


def _common(scalars: Sequence[Scalar]) -> Scalar:
    for t in (F64, F32, I64):
        if t in scalars:
            return t
    return Bool


def convert(x: Any, to: Scalar) -> Traced:
    """A value with its scalars converted; Bool to numbers, Int to Real, between the widths of Real."""
    value = lift(x)
    source = _scalar(value)
    if source is to:
        return value
    if isinstance(value.atom, Const) and to is not I64:
        literal = Const(value.atom.value, array_type(value.shape, to))
        return WeakReal(literal) if literal.type is F64 and _no_width(value) else wrap(literal)
    steps = {
        (Bool, I64): ("bool_to_i64",),
        (Bool, F64): ("bool_to_i64", "to_f64"),
        (I64, F64): ("to_f64",),
        (I64, F32): ("to_f64", "narrow"),
        (Bool, F32): ("bool_to_i64", "to_f64", "narrow"),
        (F64, F32): ("narrow",),
        (F32, F64): ("widen",),
        (F64, I64): ("to_i64",),
        (F32, I64): ("to_i64",),
    }.get((source, to))
    if steps is None:
        raise TypeMismatch(
            f"{source!r} cannot become {to!r}", here(), "compare with 0 to make a Bool"
        )

    def through(b: Any, a: Atom) -> Atom:
        for name in steps:
            a = b.prim(name, a)
        return a

    out: Traced = elementwise(through, value)
    return out


def numbers(x: Any, what: str) -> Traced:
    """A value that is no condition."""
    v = lift(x)
    if _scalar(v) is Bool:
        raise TypeMismatch(
            f"{what} of a condition, a Bool", here(), "~x for not x, ra.to_int(x) for 1 or 0"
        )
    return v


# ----------------------------------------------------------------------------------- arithmetic


def is_python_number(x: Any) -> bool:
    """Whether a number takes its width from what it meets: 2.0 * x is as wide as x."""
    return isinstance(x, int | float) and not isinstance(x, np.generic)


def promote(*values: Any) -> list[Traced]:
    """The values as traced ones of a common scalar type, as numpy promotes them."""
    values = tuple([v if is_python_number(v) else lift(v) for v in values])
    common = common_scalar(*values)
    return [
        v if isinstance(v, Traced) and _scalar(v) is common else convert(v, common) for v in values
    ]


def common_scalar(*values: Any) -> Scalar:
    """The scalar type that Python numbers and traced values have in common, as numpy promotes them."""
    strong = [_scalar(v) for v in values if isinstance(v, Traced) and not v.weak]
    weak = [scalar_of(type_of(v)) for v in values if not isinstance(v, Traced) or v.weak]
    common = _common(strong) if strong else _common(weak)
    if any(w is F64 for w in weak) and common not in (F64, F32):
        common = F64
    if common is Bool and any(w is I64 for w in weak):
        common = I64
    return common


_LOGICAL = {"and", "or", "xor"}


def binary(name: str, x: Any, y: Any) -> Any:
    """An operator of two values, with promotion and broadcasting."""
    if not _operand(x) or not _operand(y):
        return NotImplemented
    a, c = promote(x, y)
    scalar = _scalar(a)
    if name in _LOGICAL:
        return _combined(name, a, c)
    if scalar is Bool:
        if name in {"eq", "ne"}:
            both = elementwise(lambda b, p, q: b.prim("select", p, q, b.prim("not", q)), a, c)
            return both if name == "eq" else ~both
        a, c, scalar = convert(a, I64), convert(c, I64), I64
    if name == "div" and scalar is I64:
        a, c = convert(a, F64), convert(c, F64)
    if name in {"floordiv", "mod"} and scalar is not I64:
        return elementwise(float_floordiv if name == "floordiv" else float_mod, a, c)
    if name == "mul":
        return elementwise(product, a, c)
    return elementwise(lambda b, p, q: b.prim(name, p, q), a, c)


def _combined(name: str, a: Traced, c: Traced) -> Any:
    """Of conditions, or of the bits of Ints."""
    if a.scalar is I64:
        return elementwise(lambda b, p, q: b.prim(f"bit_{name}", p, q), a, c)
    if a.scalar is not Bool:
        raise TypeMismatch(
            f"& and | combine conditions, or Ints, not {a.scalar!r}",
            here(),
            "put comparisons in parentheses: (a < b) & (c < d)",
        )
    if name == "xor":
        return a != c
    return elementwise(lambda b, p, q: b.prim(name, p, q), a, c)


def shifted(name: str, x: Any, y: Any) -> Any:
    """The bits of Ints moved; all are lost by 64 places or more, or by less than 0."""
    if not _operand(x) or not _operand(y):
        return NotImplemented
    a, c = promote(x, y)
    if a.scalar is not I64:
        raise TypeMismatch(f"<< and >> move the bits of Ints, not of {a.scalar!r}", here())
    return elementwise(lambda b, p, q: b.prim(name, p, q), a, c)


def _operand(x: Any) -> bool:
    return isinstance(x, Leaf | int | float | complex | np.generic | np.ndarray | list | tuple)


def power(x: Any, y: Any) -> Any:
    """`x ** y`; a small whole exponent is multiplied out."""
    if isinstance(y, int) and not isinstance(y, bool) and 0 <= abs(y) <= 16:
        base = lift(x)
        if y < 0:
            return 1.0 / power(base, -y)
        out: Any = None
        while y:
            if y & 1:
                out = base if out is None else out * base
            base, y = (base * base, y >> 1) if y > 1 else (base, 0)
        return elementwise(lambda b, a: Const(1, a.type), base) if out is None else out
    a, c = promote(x, y)
    if _scalar(a) not in (F64, F32):
        a, c = convert(a, F64), convert(c, F64)
    return elementwise(lambda b, p, q: b.prim("pow", p, q), a, c)


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that shapes broadcast to; TypeMismatch where they do not."""
    if len(set(shapes)) == 1:
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise TypeMismatch(
            f"shapes {' and '.join(map(str, shapes))} do not broadcast", here()
        ) from None


def elementwise(f: Callable[..., Atom], *values: Any) -> Any:
    """A function of scalars over arrays that broadcast; `f` is given the builder and atoms."""
    operands = [lift(v) for v in values]
    atoms = [v.atom for v in operands]
    shape = broadcast_shape(*(shape_of(a.type) for a in atoms))
    out = over_entries(located(), f, atoms, shape)
    return WeakReal(out) if out.type is F64 and all(map(_no_width, operands)) else wrap(out)


def _no_width(v: Traced) -> bool:
    """Whether a number says nothing of how wide a Real is that is made of it."""
    return v.weak or not is_float(v.atom.type)


def over_entries(
    b: Any, f: Callable[..., Atom], atoms: Sequence[Atom], shape: tuple[int, ...]
) -> Atom:
    """What `elementwise` emits: `f` over the entries of atoms that broadcast to a shape."""
    if not shape:
        return f(b, *atoms)
    n = shape[0]

    def rows(inner: Any, i: Atom) -> list[Atom]:
        out = []
        for a in atoms:
            own = shape_of(a.type)
            if len(own) < len(shape):
                out.append(a)
            else:
                out.append(inner.index(a, i if own[0] == n else Const(0, I64)))
        return out

    if 0 < n <= SHORT:
        packed: Atom = b.pack(
            [over_entries(b, f, rows(b, Const(k, I64)), shape[1:]) for k in range(n)]
        )
        return packed
    inner = b.loop(0, n - 1)
    row = over_entries(inner, f, rows(inner, inner.block.params[0]), shape[1:])
    inner.block.results = (row,)
    out: Atom = b.build(n, inner.block)[0]
    return out
