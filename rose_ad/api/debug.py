"""Looking at values while compiled code runs: `ra.debug.print`, `ra.debug.callback`, as in JAX.

What is shown changes nothing: values and derivatives are what they are without. It is shown in the order of
the program, at each iteration of a loop, and where a branch runs. Under `vmap` it is shown for one member of
the batch after the other, and the batch takes no lanes. A gradient shows what its function does, once, with
primal values; what it computes again, and `linear_transpose`, show nothing.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import flatten, unflatten
from ..ir.host import Host
from ..ir.types import Ref, Value, scalar_of, shape_of
from ..tracing.trace import current
from ..tracing.values import lift

_NOTHING = flatten(())[1]


def print(fmt: str, /, *args: Any, **kwargs: Any) -> None:
    """Print values when the compiled function runs: `fmt.format(*args, **kwargs)`.

    ra.debug.print("step {}: x = {x:.3f}", i, x=x)

    The arguments are numbers, arrays and structures of them, of any shape. TypeMismatch where the format does
    not fit them, and where it is no string: an f-string would need values that are not known while tracing.
    """
    if not isinstance(fmt, str):
        raise TypeMismatch(
            f"the first argument of print is a format, not a {type(fmt).__name__}",
            here(),
            'ra.debug.print("x = {}", x)',
        )
    shown = _Print(fmt)
    if current() is not None:
        _check(fmt, args, kwargs)
    callback(shown, *args, **kwargs)


def callback(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Call a Python function with values when the compiled function runs; what it returns is ignored.

    It is given numbers and arrays of its own. An exception of it ends the compiled function's call.
    """
    trace = current()
    if trace is None:
        f(*args, **kwargs)
        return
    leaves, structure = flatten((args, kwargs))
    atoms = [lift(leaf).atom for leaf in leaves]
    types: list[Value] = []
    for a in atoms:
        assert not isinstance(a.type, Ref)
        types.append(a.type)
    b = trace.builder
    b.loc = here()
    b.host(Host(_Quiet(f), structure, types, (), _NOTHING, b.loc), atoms)


class _Print:
    """Prints what it is given, in a format."""

    def __init__(self, fmt: str) -> None:
        self.fmt = fmt

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        builtins.print(self.fmt.format(*args, **kwargs))


class _Quiet:
    """A function of which nothing is returned."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.__name__ = getattr(f, "__name__", type(f).__name__.strip("_").lower())

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[()]:
        self.f(*args, **kwargs)
        return ()


def _check(fmt: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """TypeMismatch where a format does not fit values of such types."""
    leaves, structure = flatten((args, kwargs))
    types = [lift(leaf).type for leaf in leaves]
    zeros = [np.zeros(shape_of(t), scalar_of(t).dtype) for t in types]
    some, named = unflatten(structure, [z if z.shape else z.item() for z in zeros])
    try:
        fmt.format(*some, **named)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TypeMismatch(
            f"the format {fmt!r} does not fit what is printed: {error}",
            here(),
            "{} for each value, {name} for name=value; {:.3f} is for single numbers",
        ) from None
