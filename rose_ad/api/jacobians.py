"""Jacobians and Hessians: a derivative applied to unit vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import flatten, unflatten
from ..ir.types import is_float
from ..tracing.arrays import moveaxis, reshape, zeros_like
from ..tracing.control import build, where
from ..tracing.values import convert, lift
from .derive import grad, jvp, linearize, vjp
from .function import Fn, derived
from .python_function import as_fn, fn


def jacfwd(f: Any, argnums: int | tuple[int, ...] = 0) -> Fn:
    """The Jacobian of f in the arguments `argnums`, by forward mode: one pass for each entry of these.

    For a result of shape s and an argument of shape t an array of shape (*s, *t); for structures, that of the
    result with the structure of the argument in place of each leaf. As in JAX.
    """
    return _jacobian(f, argnums, _by_columns, "jacfwd")


def jacrev(f: Any, argnums: int | tuple[int, ...] = 0) -> Fn:
    """The Jacobian of f, as `jacfwd`, by reverse mode: one pass for each entry of the result."""
    return _jacobian(f, argnums, _by_rows, "jacrev")


def hessian(f: Any, argnums: int | tuple[int, ...] = 0) -> Fn:
    """The second derivatives of a function whose result is one Real: `jacfwd` of `grad`."""
    return jacfwd(grad(f, argnums), argnums)


def hvp(f: Any, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f times a vector, without the Hessian: the derivative of the gradient along `tangents`.

    The result has the structure of `primals`, a tuple of all arguments.
    """
    return jvp(grad(f, tuple(range(len(primals)))), primals, tangents)[1]


def _jacobian(f: Any, argnums: int | tuple[int, ...], blocks: Callable[..., Any], name: str) -> Fn:
    base = as_fn(f)
    return derived(base, (name, argnums), lambda: _jacobian_of(base, argnums, blocks, name))


def _jacobian_of(
    base: Fn, argnums: int | tuple[int, ...], blocks: Callable[..., Any], name: str
) -> Fn:
    numbers = (argnums,) if isinstance(argnums, int) else argnums

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        if any(not -len(args) <= k < len(args) for k in numbers):
            raise TypeMismatch(
                f"argnums {argnums} of {base.__name__}, called with {len(args)} arguments", here()
            )
        at = [k % len(args) for k in numbers]

        def of_chosen(*chosen: Any) -> Any:
            given = dict(zip(at, chosen, strict=True))
            return base(*(given.get(k, a) for k, a in enumerate(args)), **kwargs)

        chosen = tuple(args[k] for k in at)
        for leaf in flatten(chosen)[0]:
            if not is_float(lift(leaf).type):
                raise TypeMismatch(
                    f"a Jacobian is taken in an argument of {base.__name__} that is {lift(leaf).type!r}",
                    here(),
                    "pass a float (2.0, not 2), or annotate the parameter as Real",
                )
        structure, parts = blocks(of_chosen, chosen)
        return unflatten(structure, [p[0] if isinstance(argnums, int) else p for p in parts])

    jacobian.__name__ = f"{base.__name__}.{name}"
    made = fn(jacobian)
    made.static_in = base.static_in
    return made


def _by_columns(f: Callable[..., Any], chosen: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The structure of the result, and for each of its leaves the derivatives in the arguments."""
    value, tangent = linearize(f, *chosen)
    outs, out_structure = flatten(value)
    leaves, structure = flatten(chosen)

    def along(k: int) -> list[Any]:
        columns = _each_unit(leaves, k, lambda units: tangent(*unflatten(structure, units)))
        ndim = lift(leaves[k]).ndim
        return [moveaxis(c, tuple(range(ndim)), tuple(range(-ndim, 0))) for c in columns]

    by_leaf = [along(k) for k in range(len(leaves))]
    return out_structure, [
        unflatten(structure, [columns[m] for columns in by_leaf]) for m in range(len(outs))
    ]


def _by_rows(f: Callable[..., Any], chosen: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    value, cotangents = vjp(f, *chosen)
    outs, out_structure = flatten(value)
    structure = flatten(chosen)[1]

    def of(m: int) -> Any:
        rows = _each_unit(outs, m, lambda units: cotangents(unflatten(out_structure, units)))
        return unflatten(structure, rows)

    return out_structure, [of(m) for m in range(len(outs))]


def _each_unit(like: Sequence[Any], k: int, f: Callable[[list[Any]], Any]) -> list[Any]:
    """The leaves of `f(units)` for each unit vector of leaf `k`, with the axes of that leaf in front."""
    shape = lift(like[k]).shape

    def at(i: Any) -> list[Any]:
        units = [_unit(x, i if j == k else None) for j, x in enumerate(like)]
        return flatten(f(units))[0]

    if not shape:
        return at(0)
    return [reshape(x, (*shape, *x.shape[1:])) for x in build(math.prod(shape), at)]


def _unit(like: Any, i: Any) -> Any:
    """Zeros like a value, with a one at entry `i` in row-major order, if that is given."""
    v = lift(like)
    if i is None:
        return zeros_like(v)
    if not v.shape:
        return convert(1.0, v.scalar)
    flat = build(math.prod(v.shape), lambda j: convert(where(j == i, 1.0, 0.0), v.scalar))
    return reshape(flat, v.shape)
