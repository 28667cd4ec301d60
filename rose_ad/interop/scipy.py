"""Functions of structures as scipy.optimize wants them: of one vector of doubles.

A vector lists the leaves of the structure in order, each array row by row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..api.derive import grad, jvp, value_and_grad
from ..api.function import Fn
from ..api.jacobians import hessian, jacfwd, jacrev
from ..api.python_function import as_fn, fn
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import Structure, flatten, unflatten
from ..ir.types import is_float, shape_of
from ..tracing.arrays import array, concatenate, ravel, reshape
from ..tracing.values import type_of

Vector = np.ndarray[Any, np.dtype[np.float64]]


class _OfVector:
    """A function f(structure, *args) seen as one of a vector; `x0` is the example as such."""

    def __init__(self, f: Any, example: Any, args: tuple[Any, ...]) -> None:
        leaves, self._structure = flatten(example)
        types = [type_of(x) for x in leaves]
        if not all(map(is_float, types)):
            raise TypeMismatch(
                "the example holds Ints or Bools, in which there is no derivative",
                here(),
                "write 2.0 for 2, and give fixed values as further arguments",
            )
        self._shapes = [shape_of(t) for t in types]
        self._args = args
        self.x0: Vector = np.concatenate([np.zeros(0), *(np.ravel(x) for x in leaves)])
        self._of = _flat(as_fn(f), self._structure, self._shapes)

    def unravel(self, x: Any) -> Any:
        """The structure that a vector stands for."""
        return _unravel(np.asarray(x, float), self._structure, self._shapes)

    def ravel(self, structure: Any) -> Vector:
        """The vector that stands for a structure."""
        out: Vector = np.concatenate([np.zeros(0), *map(np.ravel, flatten(structure)[0])])
        return out


class Objective(_OfVector):
    """What `objective` makes; see there."""

    def __init__(self, f: Any, example: Any, args: tuple[Any, ...]) -> None:
        super().__init__(f, example, args)
        gradient = grad(self._of)
        self._value_and_grad = value_and_grad(self._of)
        self._hessian = hessian(self._of)
        self._product = fn(lambda x, p, *a: jvp(lambda y: gradient(y, *a), (x,), (p,))[1])
        self._at: Vector | None = None
        self._found: tuple[float, Vector] = 0.0, self.x0

    def __call__(self, x: Any) -> tuple[float, Vector]:
        """The value and the gradient; both come of one evaluation, which is kept for the last x."""
        x = np.asarray(x, float)
        if self._at is None or not np.array_equal(x, self._at):
            value, gradient = self._value_and_grad(x, *self._args)
            self._at, self._found = x.copy(), (float(value), gradient)
        value, gradient = self._found
        return value, gradient.copy()

    def fun(self, x: Any) -> float:
        """The value."""
        return self(x)[0]

    def jac(self, x: Any) -> Vector:
        """The gradient."""
        return self(x)[1]

    def hessp(self, x: Any, p: Any) -> Vector:
        """The Hessian times a vector: one derivative of the gradient, the Hessian is not made."""
        out: Vector = self._product(np.asarray(x, float), np.asarray(p, float), *self._args)
        return out

    def hess(self, x: Any) -> Vector:
        """The Hessian, symmetric up to rounding."""
        out: Vector = self._hessian(np.asarray(x, float), *self._args)
        return out


class Residuals(_OfVector):
    """What `residuals` makes; see there."""

    def __init__(self, f: Any, example: Any, args: tuple[Any, ...]) -> None:
        super().__init__(f, example, args)
        self._ravelled = fn(lambda x, *a: _ravel(self._of(x, *a)))
        self._by_columns, self._by_rows = jacfwd(self._ravelled), jacrev(self._ravelled)

    def fun(self, x: Any) -> Vector:
        """The residuals, as a vector."""
        out: Vector = self._ravelled(np.asarray(x, float), *self._args)
        return out

    def jac(self, x: Any) -> Vector:
        """Their derivatives, a row for each residual; in the mode that needs fewer runs of f."""
        x = np.asarray(x, float)
        jacobian = self._by_rows if len(self.fun(x)) < len(x) else self._by_columns
        out: Vector = jacobian(x, *self._args)
        return out


def objective(f: Any, example: Any, *args: Any) -> Objective:
    """`f(structure, *args)`, one Real, as a function of a vector: `fun`, `jac`, `hess`, `hessp`, start `x0`.

        o = ra.interop.scipy.objective(f, example)
        found = scipy.optimize.minimize(o.fun, o.x0, jac=o.jac, hessp=o.hessp, method="trust-ncg")
        o.unravel(found.x)

    `minimize(o, o.x0, jac=True)` is the same. `example` is a structure of Reals and arrays of them.
    """
    return Objective(f, example, args)


def residuals(f: Any, example: Any, *args: Any) -> Residuals:
    """`f(structure, *args)`, Reals in any structure, for `least_squares(r.fun, r.x0, jac=r.jac)`."""
    return Residuals(f, example, args)


def _flat(f: Fn, structure: Structure, shapes: list[tuple[int, ...]]) -> Fn:
    def of_vector(x: Any, *args: Any) -> Any:
        return f(_unravel(x, structure, shapes), *args)

    of_vector.__name__ = f.__name__
    return fn(of_vector)


def _unravel(x: Any, structure: Structure, shapes: list[tuple[int, ...]]) -> Any:
    leaves, at = [], 0
    for shape in shapes:
        size = math.prod(shape)
        leaves.append(reshape(x[at : at + size], shape) if shape else x[at])
        at += size
    return unflatten(structure, leaves)


def _ravel(x: Any) -> Any:
    leaves = flatten(x)[0]
    return concatenate([ravel(y) if getattr(y, "shape", ()) else array([y]) for y in leaves])
