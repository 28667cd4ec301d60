"""Functions that are given by samples: places in order, interpolation, slopes, areas; and polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import concat, moveaxis, take
from ..tracing.control import where
from ..tracing.indexing import axis_of, generate
from ..tracing.numeric import clip
from ..tracing.reduce import sum as total
from ..tracing.values import convert, lift, promote


def searchsorted(x1: Any, x2: Any, *, side: str = "left", sorter: Any = None) -> Any:
    """For each entry of x2 how many of the ascending x1 (n,) are below it; and equal, with `side` "right"."""
    if side not in ("left", "right"):
        raise TypeMismatch(f"searchsorted with side {side!r}", here(), "left or right")
    if not is_traced((x1, x2, sorter)):
        return np.searchsorted(x1, x2, side=side, sorter=sorter)  # type: ignore[call-overload]
    a: Any
    v: Any
    a, v = promote(x1 if sorter is None else take(x1, sorter), x2)
    if a.ndim != 1:
        raise TypeMismatch(f"searchsorted in an array of shape {a.shape}", here(), "a vector")
    return generate(v.shape, lambda *i: _place(a, v[i] if i else v, side == "right"))


def _place(a: Any, v: Any, right: bool) -> Any:
    """By halves: of the places left the upper half is taken where what is before it is below. NaN comes
    last."""
    n = a.shape[0]
    found: Any = convert(0, lift(0).scalar)
    step = 1 << n.bit_length()
    while step := step >> 1:
        end = found + step
        last = a[clip(end - 1, 0, n - 1)]
        below = (last <= v) | (v != v) if right else (last < v) | ((v != v) & (last == last))
        found = where((end <= n) & below, end, found)
    return found


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The straight lines between points (xp, fp), xp ascending, at x; beyond them `left` and `right`, the
    outermost of fp by default. Differentiable in all; at a point the slope is that of the line above."""
    if not is_traced((x, xp, fp, left, right)):
        return np.interp(x, xp, fp, left, right)
    v: Any
    a: Any
    f: Any
    v, a, f = promote(lift(x) * 1.0, xp, fp)
    n = a.shape[0]
    if a.ndim != 1 or f.shape != a.shape or n == 0:
        raise TypeMismatch(f"interp between points {a.shape} and {f.shape}", here(), "two vectors")

    def one(v: Any) -> Any:
        k = clip(_place(a, v, True), 1, max(n - 1, 1))
        low, high = (k - 1, k) if n > 1 else (0, 0)
        width = a[high] - a[low]
        flat = width == 0
        slope = (f[high] - f[low]) / where(flat, 1.0, width)
        inside = f[low] + where(flat, 0.0, slope) * (v - a[low])
        below = f[0] if left is None else left
        above = f[n - 1] if right is None else right
        return where(v < a[0], below, where(v > a[n - 1], above, inside))

    return generate(v.shape, lambda *i: one(v[i] if i else v))


def gradient(f: Any, *spacing: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The slope of samples along each axis, as a list, or along one: central differences, and one-sided ones
    at the ends.

    `spacing` is a distance or the coordinates (n,), one for all axes or one for each. As numpy's.
    """
    if not is_traced((f, spacing)):
        return np.gradient(f, *spacing, axis=axis)
    v: Any = lift(f) * 1.0
    given = range(v.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = [axis_of(a, v.ndim) for a in given]
    steps = spacing or (1.0,)
    if len(steps) not in (1, len(axes)):
        raise TypeMismatch(f"{len(steps)} spacings for {len(axes)} axes", here())
    steps = steps * len(axes) if len(steps) == 1 else steps
    found = [_slope(v, h, k) for h, k in zip(steps, axes, strict=True)]
    return found[0] if len(found) == 1 else found


def _slope(v: Any, spacing: Any, axis: int) -> Any:
    rows: Any = moveaxis(v, axis, 0)
    n = rows.shape[0]
    if n < 2:
        raise TypeMismatch(f"the gradient along an axis of length {n}", here(), "2 samples or more")
    slopes = rows[1:] - rows[:-1]
    if isinstance(spacing, float | int) or not lift(spacing).shape:
        slopes = slopes / spacing
        middle = 0.5 * (slopes[1:] + slopes[:-1])
    else:
        x: Any = lift(spacing)
        h = (x[1:] - x[:-1])[(slice(None),) + (None,) * (v.ndim - 1)]
        slopes = slopes / h
        middle = (h[:-1] * slopes[1:] + h[1:] * slopes[:-1]) / (h[1:] + h[:-1])
    return moveaxis(concat([slopes[:1], middle, slopes[-1:]]), 0, axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below samples y along an axis, at places x (n,), or a distance dx apart, by the trapezoidal
    rule."""
    if not is_traced((y, x, dx)):
        return _plain_trapezoid(y, x, dx, axis)
    rows: Any = moveaxis(lift(y) * 1.0, axis, -1)
    middle = 0.5 * (rows[..., 1:] + rows[..., :-1])
    if x is None:
        return total(middle, axis=-1) * dx
    at: Any = lift(x)
    at = at if at.ndim == 1 else moveaxis(at, axis, -1)
    return total(middle * (at[..., 1:] - at[..., :-1]), axis=-1)


_plain_trapezoid: Any = getattr(np, "trapezoid", None) or getattr(np, "trapz")  # noqa: B009


def polyval(p: Any, x: Any) -> Any:
    """The polynomial p[0] x^(n-1) + … + p[n-1], by Horner's rule."""
    if not is_traced((p, x)):
        return np.polyval(p, x)
    coefficients: Any = lift(p)
    out: Any = 0 * lift(x) + coefficients[0] if coefficients.shape[0] else 0 * lift(x)
    for k in range(1, coefficients.shape[0]):
        out = out * x + coefficients[k]
    return out
