"""Derivatives of solutions, not of solvers: linear solves, roots and fixed points.

How a solution was found does not matter to its derivative: that of x(p) with F(x, p) = 0 is
-(dF/dx)^-1 dF/dp (the implicit function theorem), one linear solve however many steps the solver took.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..ad.linearize import linearize
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import flatten, is_traced, map_leaves, unflatten
from ..ir.builder import Builder
from ..ir.core import Atom, DerivativeRule, Function, Linearized, Var
from ..ir.types import F32, F64, Array, Ref, Type, is_float, scalar_of, shape_of
from ..tracing.arrays import concat, expand_dims, full_like, reshape
from ..tracing.control import build, fori_loop, where, while_loop
from ..tracing.linalg import matmul, over_stacks
from ..tracing.numeric import maximum
from ..tracing.reduce import argmax
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as sum_entries
from ..tracing.trace import required
from ..tracing.values import convert, lift, located, over_entries, promote, wrap
from .custom import custom_jvp, float_results
from .derive import jvp, linear_transpose
from .derive import linearize as linearize_at
from .function import Specialised
from .python_function import PythonFunction

Linear = Callable[[Any], Any]
Solver = Callable[[Linear, Any], Any]


# ---------------------------------------------------------------------------------- linear solves


def custom_linear_solve(
    matvec: Linear,
    b: Any,
    solve: Solver,
    transpose_solve: Solver | None = None,
    symmetric: bool = False,
) -> Any:
    """x with matvec(x) = b, as `solve(matvec, b)` finds it. As in JAX.

    Its derivative is that of the solution: a solve with the same `matvec` in forward mode; in reverse mode
    one with its transpose, by `transpose_solve(vecmat, b)`, or by `solve` where matvec is symmetric. What
    `matvec` uses of the function around it is differentiated too.
    """
    required("ra.custom_linear_solve")
    leaves, structure = flatten(b)
    values = [lift(x) for x in leaves]
    b = unflatten(structure, values)
    backward = solve if symmetric else transpose_solve

    def transposed_matvec(v: Any) -> Any:
        return matvec(v) if symmetric else linear_transpose(matvec, b)(v)[0]

    types = [v.type for v in values]
    functions: list[Linear] = [lambda v: solve(matvec, v), matvec]
    if backward is not None:
        functions += [lambda v: backward(transposed_matvec, v), transposed_matvec]
    call = flatten(((b,), {}))[1]
    parts = [PythonFunction(f).specialise(call, types) for f in functions]
    for part in parts:
        if part.result != structure or [r.type for r in part.ir.results] != types:
            raise TypeMismatch(
                "matvec and the solvers must return values of the structure and types of b",
                part.ir.loc,
            )
    captured = list(dict.fromkeys(v for part in parts for v in part.captured))
    solver, matrix, *dual = [_Part.of(part, captured) for part in parts]
    ir = _System(solver, matrix, *dual).function(types, [v.type for v in captured])
    trace = required("ra.custom_linear_solve")
    given = [*(v.atom for v in values), *(trace.resolve(v) for v in captured)]
    return unflatten(structure, [wrap(o) for o in trace.builder.call(ir, given)])


class _Part(NamedTuple):
    """A function, and which of all captured values it takes after its own arguments."""

    ir: Function
    captured: list[int]

    @classmethod
    def of(cls, special: Specialised, captured: list[Var]) -> _Part:
        return cls(special.ir, [captured.index(v) for v in special.captured])

    def arguments(self, args: Sequence[Atom], captured: Sequence[Atom]) -> list[Atom]:
        return [*args, *(captured[k] for k in self.captured)]


class _System(DerivativeRule):
    """Of the function (b, captured) -> x: the solver and the matrix, and those of the transposed system."""

    def __init__(
        self,
        solver: _Part,
        matrix: _Part,
        back_solver: _Part | None = None,
        back_matrix: _Part | None = None,
    ) -> None:
        self.solver, self.matrix = solver, matrix
        self.back_solver, self.back_matrix = back_solver, back_matrix

    def function(self, types: Sequence[Type], captured: Sequence[Type]) -> Function:
        """The function, with this rule."""
        b = Builder()
        b.loc = here()
        args = [b.block.param(t) for t in types]
        extra = [b.block.param(t) for t in captured]
        b.block.results = b.call(self.solver.ir, self.solver.arguments(args, extra))
        return Function("linear_solve", b.block, here(), self)

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        """dx is the solution for db - (dA) x."""
        n = len(function.results)
        active = [k for k, p in enumerate(function.params) if mask[k] and is_float(p.type)]
        P = Builder()
        params = [P.block.param(p.type) for p in function.params]
        x = P.call(function, params)
        moves = any(k + n in active for k in self.matrix.captured)
        P.block.results = (*x, *x) if moves else x  # x is remembered for (dA) x

        T = Builder()
        tangents = {k: T.block.param(function.params[k].type) for k in active}
        captured = [T.block.param(p.type) for p in function.params[n:]]
        rhs: list[Atom] = []
        of_matrix: dict[int, Atom] = {}
        if moves:
            known = [T.block.param(r.type) for r in function.results]
            of_matrix = self._change(T, known, captured, {k - n: v for k, v in tangents.items()})
        for k, p in enumerate(function.params[:n]):
            db = tangents.get(k) or T.zeros(p.type)
            rhs.append(_minus(T, db, of_matrix[k]) if k in of_matrix else db)
        T.block.results = T.call(function, [*rhs, *captured])
        return Linearized(
            Function(f"{function.name}.fwd", P.block, function.loc),
            Function(f"{function.name}.lin", T.block, function.loc),
            tuple(active),
            float_results(function),
            tuple(range(n, len(params))),
        )

    def _change(
        self, T: Builder, x: Sequence[Atom], captured: Sequence[Atom], tangents: dict[int, Var]
    ) -> dict[int, Atom]:
        """(dA) x by leaf, for tangents of what the matrix captures."""
        f, n, own = self.matrix.ir, len(x), self.matrix.captured
        mask = tuple(k >= n and own[k - n] in tangents for k in range(len(f.params)))
        d = linearize(f, mask)
        args = self.matrix.arguments(x, captured)
        outs = T.call(d.fwd, args)
        given = [tangents[own[k - n]] for k in d.active_params]
        found = T.call(d.lin, [*given, *d.remembered(args, outs, n)])
        return dict(zip(d.active_results, found, strict=True))

    def transpose(self, function: Function, mask: tuple[bool, ...]) -> Function | None:
        """The cotangent of b is the solution of the transposed system for that of x."""
        n = len(function.results)
        assert not any(mask[n:]), "a linear solve is not linear in its matrix"
        if self.back_solver is None or self.back_matrix is None:
            raise TypeMismatch(
                "reverse mode through a linear solve that has no transpose_solve",
                function.loc,
                "give transpose_solve, or symmetric=True",
            )
        types = [p.type for p in function.params]
        back = _System(self.back_solver, self.back_matrix, self.solver, self.matrix)
        b = Builder()
        params = {k: b.block.param(t) for k, t in enumerate(types) if not mask[k]}
        cts = [b.block.param(r.type) for r in function.results]
        refs = {
            k: b.block.param(Ref(t))
            for k, t in enumerate(types)
            if mask[k] and isinstance(t, Array)
        }
        captured = [params[k] for k in range(n, len(types))]
        outs = b.call(back.function(types[:n], types[n:]), [*cts, *captured])
        for k, ref in refs.items():
            b.addto(ref, outs[k])
        b.block.results = tuple(outs[k] for k in range(n) if mask[k] and k not in refs)
        return Function(f"{function.name}.T", b.block, function.loc)


def _minus(b: Builder, x: Atom, y: Atom) -> Atom:
    return over_entries(b, lambda e, p, q: e.prim("sub", p, q), (x, y), shape_of(x.type))


def solve(a: Any, b: Any) -> Any:
    """x with a @ x = b, for small dense matrices of shape (..., n, n) and b of shape (n,) or (..., n, m).

    Gaussian elimination with row pivoting; a singular matrix gives infinities or NaN.
    """
    if not is_traced((a, b)):
        return np.linalg.solve(a, b)
    matrix, right = promote(a, b)
    matrix, right = (convert(x, F64) if not is_float(x.type) else x for x in (matrix, right))
    n = matrix.shape[-1] if matrix.ndim > 1 else 0
    rows = right.shape[0 if right.ndim == 1 else -2] if right.ndim else -1
    if matrix.ndim < 2 or matrix.shape[-2] != n or rows != n:
        raise TypeMismatch(f"shapes {matrix.shape} and {right.shape} are no linear system", here())
    if right.ndim == 1 and matrix.ndim > 2:
        return solve(matrix, expand_dims(right, 1))[..., 0]
    if matrix.ndim > 2 or right.ndim > 2:
        return over_stacks(solve, matrix, right)
    if n == 0:
        return right
    return custom_linear_solve(
        lambda x: matmul(matrix, x),
        right,
        lambda _, v: _eliminate(matrix, v),
        lambda _, v: _eliminate(matrix.T, v),
    )


def inv(a: Any) -> Any:
    """The inverse of small square matrices, (..., n, n); `solve` is cheaper where only a product with it is
    wanted."""
    if not is_traced(a):
        return np.linalg.inv(a)
    matrix = lift(a)
    scalar = matrix.scalar if is_float(matrix.type) else F64
    return solve(matrix, np.eye(matrix.shape[-1], dtype=scalar.dtype))


def _eliminate(a: Any, b: Any) -> Any:
    """Gauss-Jordan elimination: after step k, column k is that of the identity."""
    n = a.shape[0]
    columns = b if b.ndim == 2 else expand_dims(b, 1)
    rows = concat([a, columns], axis=1)

    def step(k: Any, rows: Any) -> Any:
        below = build(n, lambda i: where(i < k, -1.0, abs(rows[i, k])))
        pivot = argmax(below)
        head = rows[pivot]
        scale = 1.0 / head[k]

        def row(i: Any) -> Any:
            source = where(i == pivot, k, i)  # rows k and pivot change places
            factor = rows[source, k] * scale
            return build(
                rows.shape[1],
                lambda j: where(i == k, head[j] * scale, rows[source, j] - factor * head[j]),
            )

        return build(n, row)

    out = fori_loop(0, n, step, rows)
    x = build(n, lambda i: build(columns.shape[1], lambda j: out[i, n + j]))
    return x if b.ndim == 2 else x[:, 0]


def cg(
    matvec: Linear,
    b: Any,
    x0: Any = None,
    *,
    tolerance: float = 1e-10,
    max_steps: int | None = None,
) -> Any:
    """x with matvec(x) = b for a symmetric positive definite matvec, by conjugate gradients.

    Ends where |b - matvec(x)| <= tolerance |b|, or after `max_steps` (ten times the number of unknowns).
    A start that is further off than 0 is not used. Hestenes and Stiefel 1952. Differentiated as a symmetric
    linear solve.
    """
    leaves = [lift(x) for x in flatten(b)[0]]
    steps = max_steps or 10 * sum(max(math.prod(x.shape), 1) for x in leaves)

    def run(product: Linear, right: Any) -> Any:
        # of any size: the squares of what is very small or large would be 0 or infinite
        size = _largest(right)
        unit = where(size > 0, size, 1.0)
        return map_leaves(
            lambda x: x * unit, solved(product, map_leaves(lambda x: x / unit, right), unit)
        )

    def solved(product: Linear, right: Any, unit: Any) -> Any:
        square = _inner(right, right)
        target = tolerance * tolerance * square
        start = map_leaves(lambda x: full_like(x, 0), right)
        r = right
        if x0 is not None:
            # not where it is further off, as it is of the small right sides of derivatives
            near = map_leaves(lambda x: x / unit, x0)
            off = _axpy(-1.0, product(near), right)
            better = _inner(off, off) < square
            start, r = (_chosen(better, p, q) for p, q in ((near, start), (off, r)))

        def step(state: Any) -> Any:
            x, r, p, rr = state
            ap = product(p)
            alpha = rr / _inner(p, ap)
            x, r = _axpy(alpha, p, x), _axpy(-alpha, ap, r)
            new = _inner(r, r)
            return x, r, _axpy(new / rr, p, r), new

        first = (start, r, r, _inner(r, r))
        return while_loop(lambda s: s[3] > target, step, first, max_steps=steps)[0]

    return custom_linear_solve(matvec, map_leaves(lift, b), run, symmetric=True)


def _inner(x: Any, y: Any) -> Any:
    parts = [sum_entries(lift(p) * q) for p, q in zip(flatten(x)[0], flatten(y)[0], strict=True)]
    return functools.reduce(operator.add, parts)


def _axpy(a: Any, x: Any, y: Any) -> Any:
    return map_leaves(lambda p, q: a * p + q, x, y)


def _chosen(first: Any, x: Any, y: Any) -> Any:
    return map_leaves(lambda p, q: where(first, p, q), x, y)


# --------------------------------------------------------------------------- roots, fixed points

_SMALL = 1e-8  # relative; a step of Newton's of this size is followed by one of rounding errors


def custom_root(
    f: Callable[[Any], Any],
    x0: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Solver | None = None,
) -> Any:
    """x with f(x) = 0, as `solve(f, x0)` finds it. As in JAX.

    Its derivative in what `f` uses of the function around it is that of the root:
    `tangent_solve(g, y)` solves g(x) = y for the linearisation g of f at the root, and is transposed for
    reverse mode; by default a dense solve.
    """
    required("ra.custom_root")
    x0 = map_leaves(lift, x0)
    leaves, structure = flatten(x0)
    special = PythonFunction(f).specialise(flatten(((x0,), {}))[1], [v.type for v in leaves])
    if special.result != structure:
        raise TypeMismatch("f must return the structure of x0", special.ir.loc)
    trace = required("ra.custom_root")
    theta = [wrap(trace.resolve(v)) for v in special.captured]

    def residual(x: Any, given: Sequence[Any]) -> Any:
        b = located()
        atoms = [lift(v).atom for v in (*flatten(x)[0], *given)]
        return unflatten(structure, [wrap(o) for o in b.call(special.ir, atoms)])

    def find(start: Any, *given: Any) -> Any:
        return solve(lambda x: residual(x, given), start)

    def derivative(primals: Any, tangents: Any) -> Any:
        given = primals[1:]
        x = root(*primals)
        change = jvp(lambda *t: residual(x, t), given, tangents[1:])[1]
        g = linearize_at(lambda v: residual(v, given), x)[1]
        by = tangent_solve or dense_solve
        dx = custom_linear_solve(g, change, by, by)
        return x, map_leaves(lambda v: -v, dx)

    root = custom_jvp(find)
    root.constant_captures = True
    root.defjvp(derivative)
    return root(x0, *theta) if theta else find(x0)


def dense_solve(matvec: Linear, b: Any) -> Any:
    """x with matvec(x) = b, from the matrix: matvec of each unit vector, then `solve`. For few unknowns."""
    leaves, structure = flatten(b)
    sizes = [math.prod(lift(x).shape) for x in leaves]

    def flat(x: Any) -> Any:
        return concat([reshape(lift(v), (-1,)) for v in flatten(x)[0]])

    def whole(v: Any) -> Any:
        parts, start = [], 0
        for x, n in zip(leaves, sizes, strict=True):
            parts.append(reshape(v[start : start + n], lift(x).shape))
            start += n
        return unflatten(structure, parts)

    n = sum(sizes)
    columns = build(n, lambda k: flat(matvec(whole(build(n, lambda j: where(j == k, 1.0, 0.0))))))
    return whole(solve(columns.T, flat(b)))


def newton(
    f: Callable[[Any], Any], x0: Any, *, tolerance: float = 1e-12, max_steps: int = 50
) -> Any:
    """x with f(x) = 0 near `x0`, by Newton's method with dense linear solves.

    Ends where x is within `tolerance` times its largest entry of the root, as its last two steps tell, where
    steps that have become small no longer get smaller, or after `max_steps`: the size of f, and of x, does
    not matter. Differentiated as a root.
    """
    bound = _attainable(tolerance, x0)

    def run(g: Callable[[Any], Any], start: Any) -> Any:
        def step(state: Any) -> Any:
            x, last, _ = state
            value, tangent = linearize_at(g, x)
            off = _largest(value) > 0  # at a root the tangent may be singular
            change = map_leaves(lambda d: where(off, d, 0.0), dense_solve(tangent, value))
            return map_leaves(operator.sub, x, change), _largest(change), last

        def moving(state: Any) -> Any:
            x, last, before = state
            size = _largest(x)
            # of steps each as the square of the one before, the next is of this size
            left = where(before > last, last * (last / before) ** 2, last)
            on = (last < before) | (last > _SMALL * maximum(size, reach))
            return (last < 0) | (left > bound * size) & on

        reach = _largest(start)
        none = convert(-1.0, reach.scalar)
        return while_loop(moving, step, (start, none, none), max_steps=max_steps)[0]

    return custom_root(f, x0, run)


def fixed_point(
    f: Callable[[Any], Any], x0: Any, *, tolerance: float = 1e-12, max_steps: int = 10_000
) -> Any:
    """x with f(x) = x, by applying a contraction f to `x0` again and again.

    Ends where no entry changes by more than `tolerance` times the largest, or after `max_steps`. Its
    derivative is that of the fixed point (Christianson 1994), found by the same iteration.
    """
    bound = _attainable(tolerance, x0)

    def iterate(g: Callable[[Any], Any], start: Any) -> Any:
        def step(state: Any) -> Any:
            _, x = state
            return x, g(x)

        def moving(state: Any) -> Any:
            return _largest(map_leaves(operator.sub, *state)) > bound * _largest(state[1])

        return while_loop(moving, step, (start, g(start)), max_steps=max_steps)[1]

    def residual(x: Any) -> Any:
        return map_leaves(operator.sub, x, f(x))

    def tangent_solve(g: Linear, y: Any) -> Any:
        def onward(v: Any) -> Any:
            return map_leaves(lambda p, q, r: p - q + r, v, g(v), y)

        return iterate(onward, y)

    return custom_root(residual, x0, lambda _, start: iterate(f, start), tangent_solve)


def _attainable(tolerance: float, x: Any) -> float:
    """A relative tolerance that the precision of x can meet."""
    types = [lift(v).type for v in flatten(x)[0]]
    single = any(scalar_of(t) is F32 for t in types)
    return max(tolerance, 4 * float(np.finfo(np.float32 if single else np.float64).eps))


def _largest(x: Any) -> Any:
    leaves = [lift(v) for v in flatten(x)[0]]
    sizes = [largest(abs(v)) for v in leaves if 0 not in v.shape]
    return functools.reduce(maximum, sizes) if sizes else lift(0.0)
