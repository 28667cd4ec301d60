"""Functions of numbers with a derivative of their own, over the entries of arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..api.custom import custom_jvp
from ..base.tree import is_traced
from ..tracing.indexing import broadcast_to, generate
from ..tracing.numeric import floating
from ..tracing.values import broadcast_shape

Slopes = Callable[..., Sequence[Any]]


def quiet(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A decorator: of a plain array the value in floats, without numpy's warnings of infinities on the way."""

    @functools.wraps(f)
    def g(x: Any) -> Any:
        if is_traced(x):
            return f(*floating(x))
        with np.errstate(all="ignore"):
            return f(np.asarray(x) * 1.0)

    return g


def elementwise(slopes: Slopes) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator of a function of numbers, written so that it takes plain arrays too.

    `slopes(*arguments, value)` are its partial derivatives, of numbers likewise.
    """

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        of_numbers = custom_jvp(f)

        @of_numbers.defjvp
        def derivative(primals: Any, tangents: Any) -> Any:
            value = of_numbers(*primals)
            parts = zip(slopes(*primals, value), tangents, strict=True)
            return value, sum(s * t for s, t in parts)

        @functools.wraps(f)
        def g(*args: Any) -> Any:
            if not is_traced(args):
                with np.errstate(all="ignore"):
                    return f(*(np.asarray(a) * 1.0 for a in args))
            values = floating(*args)
            shape = broadcast_shape(*(v.shape for v in values))
            if not shape:
                return of_numbers(*values)
            arrays = [broadcast_to(v, shape) for v in values]
            return generate(shape, lambda *i: of_numbers(*(a[i] for a in arrays)))

        return g

    return decorate
