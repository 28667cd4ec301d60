"""Derivatives compared with central differences, and forward with reverse mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..api.derive import jvp, vjp
from ..api.function import Fn
from ..api.python_function import as_fn, fn
from ..base.errors import TypeMismatch, WrongDerivative
from ..base.source import here
from ..base.tree import flatten, paths, unflatten
from ..ir.types import scalar_of
from ..tracing.values import type_of

Leaves = list[np.ndarray[Any, Any]]

_MODES = {"fwd": "forward mode", "rev": "reverse mode"}
_SEED = 20240229


@dataclass(frozen=True)
class _Precision:
    """The step of a central difference, what it is trusted to, and what the two modes agree to."""

    eps: float
    tolerance: float
    agreement: float


# the step at which truncation, eps², and rounding, unit / eps, are equal
_DOUBLE = _Precision(6e-6, 1e-6, 1e-9)
_SINGLE = _Precision(5e-3, 2e-2, 1e-3)


def check_grads(
    f: Any,
    args: Sequence[Any],
    order: int = 2,
    modes: str | Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Compare the derivatives of `f` at `args` with central differences, and the two modes with each other.

    Arguments and results have any structure; those that are not floats are held. For each float in `args`, a
    number or an array, one random direction v (of the size of that argument, the same in every run) is taken,
    and one cotangent c. Forward mode must give J v, reverse mode <Jᵀc, v> = <c, J v>. Up to `order`, the
    derivatives by each of the `modes` are then differentiated likewise.

    `eps` is the step relative to the size of the argument: 6e-6, or 5e-3 where anything is single precision.
    A derivative d of a function of size y may be off by `atol` + `rtol` |d| + 64 u |y| / eps, where u is the
    rounding unit; atol and rtol are 1e-6, or 2e-2 in single precision, which suits values of order one.
    The modes must agree to 1e-9 (1e-3) of the terms of their sums.

    Raises WrongDerivative with the mode, the order, the argument and both numbers; TypeMismatch for modes,
    orders or arguments that make no sense.
    """
    wanted = (modes,) if isinstance(modes, str) else tuple(modes)
    if not wanted or any(mode not in _MODES for mode in wanted):
        raise TypeMismatch(f"modes {wanted!r}", here(), 'some of ("fwd", "rev")')
    if order < 1:
        raise TypeMismatch(f"derivatives of order {order}", here(), "an order of 1 or more")
    function = as_fn(f)
    given, call = flatten((tuple(args), {}))
    types = function.argument_types(call, [type_of(leaf) for leaf in given])
    leaves = [np.asarray(x, scalar_of(t).dtype) for x, t in zip(given, types, strict=True)]
    if not any(_is_float(x) for x in leaves):
        raise TypeMismatch(
            f"{function.__name__} is given no float to differentiate in", here(), "2.0, not 2"
        )
    special = function.specialise(call, types)
    single = any(
        scalar_of(t).dtype == np.float32 for t in (*types, *(r.type for r in special.ir.results))
    )
    precision = _SINGLE if single else _DOUBLE
    comparison = _Comparison(
        function.__name__,
        special.ir.loc,
        wanted,
        precision.eps if eps is None else eps,
        precision.tolerance if atol is None else atol,
        precision.tolerance if rtol is None else rtol,
        precision.agreement,
        float(np.finfo(np.float32 if single else np.float64).eps),
    )
    start = unflatten(flatten(tuple(args))[1], leaves)
    comparison.check(function, start, order, (), np.random.default_rng(_SEED))


def _is_float(x: Any) -> bool:
    return bool(np.asarray(x).dtype.kind == "f")


def _inner(a: Leaves, b: Leaves) -> tuple[float, float]:
    """The inner product of float leaves, and the sum of the sizes of its terms."""
    products = [
        np.multiply(x, y, dtype=np.float64) for x, y in zip(a, b, strict=True) if _is_float(x)
    ]
    return sum(float(p.sum()) for p in products), sum(float(np.abs(p).sum()) for p in products)


def _random(rng: np.random.Generator, like: Leaves) -> Leaves:
    """A random direction: of each float leaf's size, zero for leaves that are not floats."""
    return [_direction(rng, x) if _is_float(x) else np.zeros_like(x) for x in like]


def _direction(rng: np.random.Generator, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    v = rng.standard_normal(x.shape)
    size = float(np.max(np.abs(x), initial=0.0)) or 1.0
    return np.asarray(v * (size / (float(np.linalg.norm(v)) or 1.0)), x.dtype)


@dataclass(frozen=True)
class _Comparison:
    name: str
    location: int
    modes: tuple[str, ...]
    eps: float
    atol: float
    rtol: float
    agreement: float
    unit: float

    def check(
        self,
        f: Fn,
        args: Any,
        order: int,
        taken: tuple[str, ...],
        rng: np.random.Generator,
    ) -> None:
        """Check `f`, which is what the derivatives `taken` made of the user's function, to that order."""
        leaves, structure = flatten(args)
        names = [f"args{path}" for path in paths(structure)]
        for k, x in enumerate(leaves):
            if _is_float(x) and x.size:
                self._along(f, args, k, names[k], taken, rng)
        if order > 1:
            for mode, derivative in self._derivatives(f, args, rng):
                self.check(derivative, args, order - 1, (*taken, mode), rng)

    def _derivatives(self, f: Fn, args: Any, rng: np.random.Generator) -> Iterator[tuple[str, Fn]]:
        leaves, structure = flatten(args)
        tangents = unflatten(structure, _random(rng, leaves))
        values, result = flatten(f(*args))
        cotangents = unflatten(result, _cotangents(rng, values))
        if "fwd" in self.modes:
            yield "fwd", fn(lambda *xs: jvp(f, xs, tangents)[1])
        if "rev" in self.modes:
            yield "rev", fn(lambda *xs: vjp(f, *xs)[1](cotangents))

    def _along(
        self,
        f: Fn,
        args: Any,
        k: int,
        name: str,
        taken: tuple[str, ...],
        rng: np.random.Generator,
    ) -> None:
        """Compare the derivatives along a direction in leaf `k` of the arguments."""
        leaves, structure = flatten(args)
        x, step = leaves[k], self.eps * _direction(rng, leaves[k]).astype(np.float64)
        after, before = (np.asarray(x + s, x.dtype) for s in (step, -step))
        # the direction that was taken, after rounding
        v = np.asarray((after.astype(np.float64) - before) / (2 * self.eps), x.dtype)

        def value(at: np.ndarray[Any, Any]) -> tuple[Leaves, list[str]]:
            out, result = flatten(f(*unflatten(structure, [*leaves[:k], at, *leaves[k + 1 :]])))
            return [np.asarray(y) for y in out], [f"result{path}" for path in paths(result)]

        (high, results), (low, _) = value(after), value(before)
        differences = [
            (a.astype(np.float64) - b) / (2 * self.eps) if _is_float(a) else np.zeros_like(a)
            for a, b in zip(high, low, strict=True)
        ]
        noise = [
            64 * self.unit * float(np.max(np.abs(y), initial=0.0)) / self.eps if _is_float(y) else 0
            for y in high
        ]
        report = _Report(self, name, taken)
        ct = _cotangents(rng, high)
        tangents: Leaves | None = None
        if "fwd" in self.modes:
            direction = [v if j == k else np.zeros_like(y) for j, y in enumerate(leaves)]
            found = jvp(f, args, unflatten(structure, direction))[1]
            tangents = [np.asarray(y) for y in flatten(found)[0]]
            for d, t, n, result in zip(differences, tangents, noise, results, strict=True):
                if _is_float(t):
                    report.forward(t, d, n, result)
        if "rev" in self.modes:
            cotangent = vjp(f, *args)[1](unflatten(flatten(f(*args))[1], ct))
            pulled, terms = _inner([flatten(cotangent)[0][k]], [v])
            expected, size = _inner(ct, differences)
            allowed = sum(
                (self.atol + n) * float(np.abs(c).sum()) for n, c in zip(noise, ct, strict=True)
            )
            report.reverse(pulled, expected, self.rtol * size + allowed)
            if tangents is not None:
                pushed, others = _inner(ct, tangents)
                report.modes(pushed, pulled, self.agreement * (terms + others))


def _cotangents(rng: np.random.Generator, values: Sequence[Any]) -> Leaves:
    """Numbers between 1 and 2 in size, so that every result counts; zero for what is no float."""
    out = []
    for y in map(np.asarray, values):
        signs = rng.choice([-1.0, 1.0], y.shape)
        ct = np.asarray(signs * rng.uniform(1, 2, y.shape), y.dtype)
        out.append(ct if _is_float(y) else np.zeros_like(y))
    return out


@dataclass(frozen=True)
class _Report:
    """Compares two numbers, and raises where they differ."""

    comparison: _Comparison
    argument: str
    taken: tuple[str, ...]

    def forward(
        self, found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], noise: float, result: str
    ) -> None:
        """Forward mode's J v, entry by entry."""
        c = self.comparison
        size = float(np.max(np.abs(expected), initial=0.0))
        off = np.abs(found.astype(np.float64) - expected)
        wrong = ~(off <= c.atol + c.rtol * size + noise)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = f"{result}{list(at)}" if at else result
            self._fail(
                f"{_MODES['fwd']} gives {found[at]!s} for the derivative of {where}, "
                f"central differences give {expected[at]!s}"
            )

    def reverse(self, found: float, expected: float, tolerance: float) -> None:
        """Reverse mode's <Jᵀc, v>."""
        if not abs(found - expected) <= tolerance:
            self._fail(
                f"{_MODES['rev']} gives {found} for the derivative of <c, result>, "
                f"central differences give {expected}"
            )

    def modes(self, pushed: float, pulled: float, tolerance: float) -> None:
        """<c, J v> by forward mode and <Jᵀc, v> by reverse mode."""
        if not abs(pushed - pulled) <= tolerance:
            self._fail(
                f"for the derivative of <c, result>, {_MODES['fwd']} gives {pushed}, "
                f"{_MODES['rev']} gives {pulled}"
            )

    def _fail(self, what: str) -> None:
        c = self.comparison
        of = "".join(f" of the derivative by {_MODES[mode]}" for mode in reversed(self.taken))
        raise WrongDerivative(
            f"a derivative{of} of {c.name}, of order {len(self.taken) + 1}, "
            f"along a direction in {self.argument}: {what}",
            c.location,
            "a point away from a kink or jump (ra.check_continuity finds them), or another eps",
        )
