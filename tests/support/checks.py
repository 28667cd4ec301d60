"""What is traced of a function, and that values agree: with the interpreter, with differences, way with way."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.api.function import _argument_type
from rose_ad.ir.core import Function, Instr
from rose_ad.ir.interp import interpret
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.verify import verify


def dot(a: Any, b: Any) -> Any:
    """The inner product of two structures."""
    pairs = zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True)
    return sum(ra.sum(x * y) for x, y in pairs)


def orders(f: ra.Fn) -> ra.Fn:
    """All that can be computed of f in one function: its value, first and second derivatives along u and v,
    each in every way."""
    gradient = ra.grad(f, (0, 1))

    def along(a: Any, b: Any, k: Any, u: Any) -> Any:
        return ra.jvp(f, (a, b, k), (*u, 0))[1]

    def gradient_along(a: Any, b: Any, k: Any, u: Any) -> Any:
        return dot(gradient(a, b, k), u)

    @ra.fn
    def everything(x: Any, k: Any, u: Any, v: Any) -> Any:
        value, du = ra.jvp(f, (*x, k), (*u, 0))
        both, g = ra.value_and_grad(f, (0, 1))(*x, k)
        _, pull = ra.vjp(f, *x, k)
        forward_of_forward = ra.jvp(along, (*x, k, u), (*v, 0, zero(u)))[1]
        forward_of_reverse = ra.jvp(gradient, (*x, k), (*v, 0))[1]
        return {
            "value": (value, both, f(*x, k)),
            "first": (du, dot(g, u), dot(pull(1.0)[:2], u)),
            "second": (
                forward_of_forward,
                dot(forward_of_reverse, u),
                dot(ra.grad(along, (0, 1))(*x, k, u), v),
                dot(ra.grad(gradient_along, (0, 1))(*x, k, u), v),
            ),
            "gradient": g,
        }

    return everything


def zero(x: Any) -> Any:
    return ra.map_leaves(lambda a: 0.0 * a, x)


def agree(a: Any, b: Any, tolerance: float = 1e-9) -> None:
    """Equal up to rounding: `tolerance` of the values' size, of 1 at least."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    size = 1 + max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    assert (np.abs(a - b) <= tolerance * size).all(), (a, b)


def traced(f: Any, *args: Any) -> Function:
    """The IR of a function for these arguments, compiled by nobody."""
    leaves, structure = ra.flatten((args, {}))
    g = ra.fn(f) if not isinstance(f, ra.Fn) else f
    return g.specialise(
        structure, g.argument_types(structure, [_argument_type(x) for x in leaves])
    ).ir


def text(f: Any, *args: Any) -> str:
    ir = traced(f, *args)
    verify(ir)
    return str(ir)


def checked_gradient(f: Any, *args: Any) -> tuple[Any, str]:
    """The value and gradient of f in all its arguments, which interpreter and differences agree with, and the
    program's text."""
    g = ra.value_and_grad(f, tuple(range(len(args))))
    ir = traced(g, *args)
    verify(ir)
    value, gradient = g(*args)
    oracle = interpret(ir, list(args))
    agree(value, oracle[0])
    for ours, theirs in zip(gradient, oracle[1:], strict=True):
        agree(ours, theirs)
    r = np.random.default_rng(0)
    along = [r.normal(size=np.shape(a)) for a in args]
    plain, h = ra.fn(f), 1e-5
    ahead, behind = (
        plain(*(a + s * h * u for a, u in zip(args, along, strict=True))) for s in (1, -1)
    )
    slope = sum(np.sum(u * d) for u, d in zip(along, gradient, strict=True))
    assert abs((ahead - behind) / (2 * h) - slope) <= 1e-6 * (1 + abs(slope))
    return gradient, str(ir)


def all_instructions(f: Any, *args: Any) -> list[Instr]:
    return [i for g in callees(traced(ra.fn(f), *args)) for i in instructions(g.block)]
