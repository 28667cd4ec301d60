"""Every row of the table of primitives: value, derivative, transpose and second derivative.

The rows are taken from the table itself, so a new one is tested from its first day, and fails here while it
lacks samples or a derivative.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rose_ad.ad.forward import forward
from rose_ad.ad.transpose import transpose
from rose_ad.api.derive import pull_back
from rose_ad.api.pipeline import compiled
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Function
from rose_ad.ir.interp import interpret
from rose_ad.ir.prims import TABLE, Prim, result_type
from rose_ad.ir.types import F32, F64, Array, is_float
from rose_ad.ir.verify import verify
from tests.support.primitives import (
    CASES,
    LIBM,
    SPECIAL,
    Signature,
    bits,
    each,
    samples,
    signatures,
    ulps_apart,
)


def differentiable(row: Prim, types: Signature) -> list[int]:
    """The operands that a derivative can be taken in: none if the result is no float."""
    if not is_float(result_type(row, types)):
        return []
    return [k for k, t in enumerate(types) if is_float(t)]


SMOOTH = [(row, types) for row, types in CASES if differentiable(row, types)]


def over_arrays(row: Prim, types: Signature, n: int) -> Function:
    """The function that applies a row to the entries of arrays of length n."""
    b = Builder()
    params = [b.block.param(Array(n, t)) for t in types]
    inner = b.loop(0, n - 1)
    index = inner.block.params[0]
    inner.block.results = (inner.prim(row.name, *(inner.index(p, index) for p in params)),)
    b.block.results = b.build(n, inner.block)
    return Function(row.name, b.block, 0)


def vector_jacobian(f: Function) -> Function:
    """(x, cotangent) -> the cotangents of the float operands."""
    b = Builder()
    args = [b.block.param(p.type) for p in f.params]
    ct = b.block.param(f.results[0].type)
    wrt = [k for k, p in enumerate(f.params) if is_float(p.type)]
    b.block.results = tuple(pull_back(b, f, args, wrt, [ct])[1])
    return Function(f"{f.name}.vjp", b.block, 0)


def run(f: Function, *args: np.ndarray) -> list[np.ndarray]:
    verify(f)
    return compiled(f)(list(args))


def close(a: object, b: object, tolerance: float) -> None:
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def shifted(x: list[np.ndarray], k: int, by: float) -> list[np.ndarray]:
    return [a + by if j == k else a for j, a in enumerate(x)]


def central(f: Function, x: list[np.ndarray], k: int) -> list[np.ndarray]:
    """The derivatives of elementwise results in operand k, by central differences."""
    h = 1e-5
    program = compiled(f)
    above, below = program(shifted(x, k, h)), program(shifted(x, k, -h))
    return [(p - m) / (2 * h) for p, m in zip(above, below, strict=True)]


def one_direction(f: Function, x: list[np.ndarray], k: int) -> list[np.ndarray]:
    """The derivatives of elementwise results in operand k, by forward mode."""
    floats = tuple(is_float(p.type) for p in f.params)
    jvp, positions, kept = forward(f, floats)
    tangents = [np.full_like(x[j], float(j == k)) for j in positions]
    outs = run(jvp, *x, *tangents)
    count = len(f.results)
    found = dict(zip(kept, outs[count:], strict=True))
    return [found.get(j, np.zeros_like(outs[j])) for j in range(count)]  # no tangent is a zero


@each(CASES)
def test_interpreter_and_machine_agree(row: Prim, types: Signature) -> None:
    special = itertools.product(*(SPECIAL[t] for t in types))
    points = [np.array(p, t.dtype) for p, t in zip(zip(*special, strict=True), types, strict=True)]
    drawn = samples(row, types)
    args = [np.concatenate(pair) for pair in zip(points, drawn, strict=True)]
    f = over_arrays(row, types, len(args[0]))
    (oracle,) = interpret(f, args)
    (machine,) = run(f, *args)
    assert oracle.dtype == machine.dtype == result_type(row, types).dtype
    same = ulps_apart(oracle, machine) <= 2 if row.name in LIBM else bits(oracle) == bits(machine)
    wrong = np.flatnonzero(~same)[:5]
    shown = [(*(a[i] for a in args), oracle[i], machine[i]) for i in wrong]
    assert not shown, f"(operands, interpreter, machine): {shown}"


@each(CASES)
def test_only_what_has_a_float_result_and_operand_has_a_derivative(
    row: Prim, types: Signature
) -> None:
    if differentiable(row, types):
        assert row.jvp is not None, f"{row.name} needs a derivative rule"
    elif not any(differentiable(row, other) for other in signatures(row)):
        assert row.jvp is None


@each(SMOOTH)
def test_forward_mode_is_the_central_difference(row: Prim, types: Signature) -> None:
    double = tuple(F64 if t is F32 and row.name != "widen" else t for t in types)
    x = samples(row, types)
    f = over_arrays(row, types, len(x[0]))
    wide_f = over_arrays(row, double, len(x[0]))
    wide_x = [a.astype(t.dtype) for a, t in zip(x, double, strict=True)]
    for k in differentiable(row, types):
        (ours,) = one_direction(f, x, k)
        if row.name in {"widen", "narrow"}:
            assert (ours == 1).all()  # differences would measure the rounding
        else:
            (reference,) = central(wide_f, wide_x, k)
            close(ours, reference, 2e-4 if F32 in types else 1e-7)


@each(SMOOTH)
def test_reverse_mode_is_forward_mode(row: Prim, types: Signature) -> None:
    x = samples(row, types)
    f = over_arrays(row, types, len(x[0]))
    ct = np.random.default_rng(1).normal(size=len(x[0])).astype(result_type(row, types).dtype)
    reverse = run(vector_jacobian(f), *x, ct)
    for k, found in zip(differentiable(row, types), reverse, strict=True):
        (slope,) = one_direction(f, x, k)
        close(found, ct * slope, 1e-5 if F32 in types or found.dtype == np.float32 else 1e-13)


SECOND = [(row, types) for row, types in SMOOTH if F32 not in types and row.name != "narrow"]


@each(SECOND)
def test_second_derivatives(row: Prim, types: Signature) -> None:
    """Forward and reverse over reverse against differences of the gradient."""
    x = samples(row, types)
    g = vector_jacobian(over_arrays(row, types, len(x[0])))
    args = [*x, np.ones(len(x[0]))]
    floats = differentiable(row, types)
    for j, k in itertools.product(floats, floats):
        place = floats.index(j)
        component = Builder()
        params = [component.block.param(p.type) for p in g.params]
        component.block.results = (component.call(g, params)[place],)
        slope = Function(f"{row.name}.by{j}", component.block, 0)
        (reference,) = central(slope, args, k)
        (by_forward,) = one_direction(slope, args, k)
        by_reverse = run(vector_jacobian(slope), *args, np.ones(len(x[0])))
        close(by_forward, reference, 1e-6)
        # the wrt of a vjp are the float operands in order, then the cotangent
        close(by_reverse[floats.index(k)], by_forward, 1e-12)


LINEAR = [(row, types) for row, types in SMOOTH if row.transpose is not None]


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_transpose_and_linear_operands_come_together(row: Prim) -> None:
    assert (row.transpose is None) == (not row.linear)


@each(LINEAR)
def test_transpose(row: Prim, types: Signature) -> None:
    """In each operand that a row is linear in, L is additive and <ct, L dx> = <L.T ct, dx>.

    The sum of all operands, add is affine in one of them: L is what it does beyond its value at 0.
    """
    points = np.stack([a.astype(object) for a in samples(row, types)], axis=1)
    for k in row.linear:
        b = Builder()
        params = [b.block.param(t) for t in types]
        b.block.results = (b.prim(row.name, *params),)
        f = Function(row.name, b.block, 0)
        transposed = transpose(f, tuple(j == k for j in range(len(types))))
        verify(transposed)
        for point, other in zip(points, points[::-1], strict=True):
            fixed = [x for j, x in enumerate(point) if j != k]

            def apply(dx: float, f: Function = f, fixed: list = fixed, k: int = k) -> float:
                at, origin = (interpret(f, [*fixed[:k], x, *fixed[k:]])[0] for x in (dx, 0.0))
                return at - origin

            dx, ct = point[k], other[k]
            tolerance = 1e-6 if F32 in types or row.name == "narrow" else 1e-14
            close(apply(dx + ct), apply(dx) + apply(ct), tolerance)
            (pulled,) = interpret(transposed, [*fixed, ct])
            close(ct * apply(dx), pulled * dx, tolerance)


def test_every_row_is_exercised() -> None:
    assert {row.name for row, _ in CASES} == set(TABLE)
    assert set(TABLE) >= LIBM
