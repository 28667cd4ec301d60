"""Randomised reverse mode: a scan that remembers a few random entries of each carry.

Oktay, McGreivy, Aduol, Beatson and Adams, "Randomized automatic differentiation", ICLR 2021: where a gradient
is linear in what the reverse pass remembers, an unbiased sparse estimate of it gives an unbiased gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..ad.linearity import first_nonlinear
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import flatten, map_leaves, unflatten
from ..ir.types import I64, array_type, is_float, scalar_of
from ..tracing.accumulator import accum
from ..tracing.arrays import array, concatenate, reshape, zeros_like
from ..tracing.control import build, fori_loop, range, scan, static_length
from ..tracing.trace import required
from ..tracing.values import convert, lift
from .custom import custom_vjp
from .derive import vjp
from .function import Fn
from .python_function import as_fn


def sampled_scan(
    step: Callable[..., Any], params: Any, init: Any, n: int, keep: int, key: Any
) -> Any:
    """`carry = step(params, carry, i)` for i from 0 to n - 1; the last carry. The gradient in `params` is an
    unbiased estimate.

    Reverse mode keeps `keep` entries of each step's carry, n * keep numbers in all, where `ra.scan` keeps
    n * size. `carry` is a Real, an array of Reals, or a structure of them with `size` entries together. `key`
    is an Int: another key is another draw; which entries are kept follows from it and is not stored. The
    value, and the gradient in `init`, are exact. With keep = size everything is.

    The step must be affine in the carry, with coefficients that may depend on `params` and `i`:
    step(p, c, i) = A_i(p) c + b_i(p). TypeMismatch names the line where it is not, or where it cannot be seen
    to be: elsewhere errors of the estimate would enter nonlinearly, and compound.

    Sampling is stratified: the entries are divided into `keep` runs of nearly equal length m_l, of each run
    one entry is drawn, uniformly and independently, and stands for the run with weight m_l. So no entry is
    drawn twice, and entry j of the estimate e has the mean (1 / m_l) m_l c_j = c_j: E[e] = c. Reverse mode
    passes the cotangent w from step to step, w_i = A_i(p)^T w_{i+1}, without the carry: it is exact. The
    gradient is the sum of d/dp w_{i+1}^T (A_i(p) c_i + b_i(p)), affine in the c_i with w fixed, so its mean
    with e_i for c_i is the gradient itself, whether or not the draws of different steps are independent.
    That is of the first derivative; of the second nothing is claimed.
    """
    required("ra.sampled_scan")
    steps = static_length(n, "n")
    carry = _Carry(init, here())
    chosen = _chosen(carry.size, keep, key)
    f = as_fn(step)
    params = map_leaves(lift, params)
    _require_affine(f, params, carry.start)

    def run(params: Any, start: Any, key: Any) -> Any:
        return fori_loop(0, steps, lambda i, c: f(params, c, i), start)

    def forward(params: Any, start: Any, key: Any) -> Any:
        def remembering(c: Any, i: Any) -> tuple[Any, Any]:
            entries = carry.flat(c)
            return f(params, c, i), build(keep, lambda l: entries[chosen.at(key, i, l)])

        last, kept = scan(lambda c, _: _counted(c, remembering), (0, start), None, steps)
        return last[1], (params, key, kept)

    def backward(remembered: Any, ct: Any) -> Any:
        params, key, kept = remembered

        def back(state: Any, i: Any) -> Any:
            w, gradient = state
            estimate = chosen.estimate(key, i, kept[i], carry)
            _, pull = vjp(lambda p, c: f(p, c, i), params, estimate)
            more, w = pull(w)
            return w, map_leaves(lambda a, b: a + b, gradient, more)

        start = ct, map_leaves(zeros_like, params)
        w, gradient = fori_loop(0, steps, lambda k, state: back(state, steps - 1 - k), start)
        return gradient, w, None

    whole = custom_vjp(run)
    whole.defvjp(forward, backward)
    return whole(params, carry.start, key)


def _chosen(size: int, keep: Any, key: Any) -> _Entries:
    if not isinstance(keep, int) or not 1 <= keep <= size:
        raise TypeMismatch(f"keep={keep!r} of a carry of {size} entries", here(), f"1 to {size}")
    if lift(key).type is not I64:
        raise TypeMismatch(f"the key is {lift(key).type!r}", here(), "an Int")
    return _Entries(size, keep)


def _counted(state: Any, f: Callable[[Any, Any], tuple[Any, Any]]) -> tuple[Any, Any]:
    """A step of a scan whose carry counts the steps."""
    i, carry = state
    new, y = f(carry, i)
    return (i + 1, new), y


class _Carry:
    """The structure of a carry, and the same numbers as one vector."""

    def __init__(self, init: Any, loc: int) -> None:
        leaves, self.structure = flatten(init)
        values = [lift(x) for x in leaves]
        wrong = [v for v in values if not is_float(v.type)]
        if wrong or not values:
            given = f"holds {wrong[0].type!r}" if wrong else "is empty"
            raise TypeMismatch(
                f"the carry {given}: its entries must be Reals", loc, "the step is given its index"
            )
        self.start = unflatten(self.structure, values)
        self.shapes = [v.shape for v in values]
        self.scalars = [v.scalar for v in values]
        self.size = sum(math.prod(s) for s in self.shapes)
        self.type = array_type((self.size,), scalar_of(self.flat(self.start).type))

    def flat(self, carry: Any) -> Any:
        """The entries of a carry."""
        rows = [_as_vector(lift(x)) for x in flatten(carry)[0]]
        return rows[0] if len(rows) == 1 else concatenate(rows)

    def back(self, entries: Any) -> Any:
        """The carry of these entries."""
        leaves = []
        at = 0
        for shape, scalar in zip(self.shapes, self.scalars, strict=True):
            count = math.prod(shape)
            part = entries if count == self.size else entries[at : at + count]
            leaves.append(convert(reshape(part, shape) if shape else part[0], scalar))
            at += count
        return unflatten(self.structure, leaves)


def _as_vector(x: Any) -> Any:
    return reshape(x, (-1,)) if x.shape else array([x])


# ------------------------------------------------------------------------------ which entries


class _Entries:
    """`keep` random entries of `size`, one of each of as many runs."""

    def __init__(self, size: int, keep: int) -> None:
        self.size, self.keep = size, keep

    def run(self, l: Any) -> tuple[Any, Any]:
        """The first entry of run l, and its length."""
        first = l * self.size // self.keep
        return first, (l + 1) * self.size // self.keep - first

    def at(self, key: Any, step: Any, l: Any) -> Any:
        """The entry that is drawn of run l in a step."""
        first, length = self.run(l)
        return first + random_below(length, step * self.keep + l, key)

    def estimate(self, key: Any, step: Any, kept: Any, carry: _Carry) -> Any:
        """The carry's estimate from its kept entries: zero elsewhere."""
        total: Any = accum(carry.type)
        for l in range(self.keep):
            total[self.at(key, step, l)] += self.run(l)[1] * kept[l]
        return carry.back(total.freeze())


_HALF = 2**32
_KEY = 0x548C9DECBCE65297  # odd, its digits irregular


def random_word(counter: Any, key: Any) -> Any:
    """32 random bits, an Int, of a counter and a key with irregular bits.

    Widynski, "Squares: a fast counter-based RNG", 2020: the middle-square method on a Weyl sequence, four
    rounds. It needs no exclusive or: products and sums wrap around at 64 bits, and halves are exchanged.
    """
    y = counter * key
    z = y + key
    x = y
    for weyl in (y, z, y):
        x = _exchanged(x * x + weyl)
    return _high(x * x + z)


def _high(x: Any) -> Any:
    """The upper 32 bits, not negative."""
    return x // _HALF % _HALF


def _exchanged(x: Any) -> Any:
    return _high(x) + x * _HALF


def random_below(n: Any, counter: Any, key: Any) -> Any:
    """A random Int in [0, n) for a counter and any key, each as likely up to n / 2**32."""
    counter = lift(counter)
    spread = random_word(2 * lift(key), _KEY) * _HALF + random_word(2 * lift(key) + 1, _KEY)
    odd = spread - spread % 2 + 1
    return random_word(counter, odd) * n // _HALF


# ----------------------------------------------------------------------------- which are legal


def _require_affine(step: Fn, params: Any, carry: Any) -> None:
    """Raise at the first line where the step is not seen to be affine in the carry."""
    leaves, structure = flatten(((params, carry, lift(0)), {}))
    count, size = len(flatten(params)[0]), len(flatten(carry)[0])
    types = [lift(x).type for x in leaves]
    special = step.specialise(structure, step.argument_types(structure, types))
    mask = [count <= k < count + size for k, _ in enumerate(special.ir.params)]
    wrong = first_nonlinear(special.ir, mask)
    if wrong is not None:
        what = (
            f"{wrong.callee.name} has its own derivative"
            if wrong.op == "call"
            else f"{wrong.op!r} is not linear"
        )
        raise TypeMismatch(
            f"{what}, and is applied to the carry of ra.sampled_scan here: an estimate of the carry would "
            "give a biased gradient, and the bias would compound from step to step",
            wrong.loc,
            "ra.scan(..., checkpoint=...), which is exact",
        )
