"""Which parameters cannot be told apart by what was measured, in words.

The derivatives J (n, p) of what was measured have a null space where parameters can be changed together and
nothing that was measured changes. It is spanned by the smallest sets of columns that are linearly dependent
(the circuits of a matroid): of such a set the rule is sought which all its changes follow, far from here too:
a ratio, a product, a sum; and it is tried before it is told.

Source: Seber and Wild, Nonlinear regression, 1989, 3.4; Raue et al., Bioinformatics 25, 2009, for structural
identifiability; Oxley, Matroid theory, 1992.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Predict = Callable[[Floats], Floats]
"""From all parameters (p,) to what would be measured (n,)."""

DEPENDENT = 1e-7  # the smallest singular value of columns of length 1 that depend on each other
UNSEEN = 1e-10  # of the largest effect, below which a parameter has none
SAME = 1e-6  # of the effect of one parameter alone, below which what is changed together has none
ALIKE = 1e-5  # relative difference of a direction from the one that a rule has
FACTOR, LARGEST = (
    1.1,
    4,
)  # by which parameters are changed to try a rule; the largest exponent of one


@dataclass(frozen=True)
class Confounded:
    """Parameters that cannot be told apart, and why in words; `direction` is how they change together, each
    in its own unit."""

    names: tuple[str, ...]
    words: str
    direction: tuple[float, ...]


def confounded(
    names: Sequence[str], values: Floats, slopes: Floats, predict: Predict
) -> list[Confounded]:
    """All smallest sets of parameters (p,) that cannot be told apart at these values; `slopes` (n, p)."""
    scaled = slopes * np.where(values == 0, 1.0, abs(values))
    effects = np.linalg.norm(scaled, axis=0)
    unseen = effects <= UNSEEN * max(float(effects.max(initial=0.0)), 1e-300)
    found = [
        Confounded((names[k],), f"{names[k]}: nothing that was measured depends on it", (1.0,))
        for k in np.flatnonzero(unseen).tolist()
    ]
    seen = np.flatnonzero(~unseen)
    columns = slopes[:, seen] / np.linalg.norm(slopes[:, seen], axis=0)
    lengths = np.linalg.norm(slopes[:, seen], axis=0)
    for circuit in _circuits(columns):
        null = np.linalg.svd(columns[:, circuit])[2][-1] / lengths[list(circuit)]
        null = null / null[int(np.argmax(abs(null)))]
        places = seen[list(circuit)]
        chosen = tuple(names[k] for k in places)
        words = _rule(chosen, places, values, null, predict)
        found.append(Confounded(chosen, f"{_listed(chosen)}: {words}", tuple(null.tolist())))
    return found


def null_space(slopes: Floats) -> Floats:
    """Directions (p, k) of the columns, each of length 1, that nothing depends on."""
    lengths = np.linalg.norm(slopes, axis=0)
    lengths = np.where(
        lengths > UNSEEN * max(float(lengths.max(initial=0.0)), 1e-300), lengths, np.inf
    )
    unit = slopes / lengths
    _, sizes, rows = np.linalg.svd(unit, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(len(rows) - len(sizes))])
    return np.asarray(rows[sizes <= DEPENDENT].T)


def _circuits(columns: Floats) -> Iterator[tuple[int, ...]]:
    """The smallest dependent sets of columns (n, p), until they span the null space."""
    left = null_space(columns).shape[1]
    found: list[set[int]] = []
    for size in range(2, columns.shape[1] + 1):
        for chosen in combinations(range(columns.shape[1]), size):
            if len(found) >= left:
                return
            if any(circuit <= set(chosen) for circuit in found):
                continue
            part = columns[:, chosen]
            if len(part) < size or np.linalg.svd(part, compute_uv=False)[-1] <= DEPENDENT:
                found.append(set(chosen))
                yield chosen


def _rule(
    names: Sequence[str], places: NDArray[np.int64], values: Floats, null: Floats, predict: Predict
) -> str:
    """What is seen of parameters that are changed along `null`, in words."""
    here = predict(values)

    def same(moved: Floats) -> bool:
        """Whether nothing that was measured changes, as it does with the first of them alone."""
        alone = values.copy()
        alone[places[0]] = moved[places[0]]
        change = np.linalg.norm(predict(moved) - here)
        return bool(change <= SAME * np.linalg.norm(predict(alone) - here))

    powers = _powers(null / values[places]) if np.all(values[places] != 0) else None
    if powers:
        moved = values.copy()
        moved[places] *= FACTOR ** np.array(powers, float)
        if same(moved):
            return _power_law(names, powers)
    weights = null / null[0]
    if np.allclose(abs(weights), 1.0, rtol=ALIKE) and len(names) == 2:
        moved = values.copy()
        moved[places] += 0.1 * (abs(values[places[0]]) or 1.0) * weights
        if same(moved):
            return f"only their {'sum' if weights[1] < 0 else 'difference'} is seen"
    steps = [f"{n} by {w:+.3g}" for n, w in zip(names, null, strict=True)]
    return f"nothing that was measured changes where {_listed(steps)} are changed together"


def _powers(direction: Floats) -> tuple[int, ...] | None:
    """Small whole numbers in the ratios of a direction, the first above 0, if there are any."""
    first = direction[int(np.argmin(abs(direction)))]
    fractions = [Fraction(float(d / first)).limit_denominator(LARGEST) for d in direction]
    if any(
        abs(float(f) - d / first) > ALIKE * abs(d / first)
        for f, d in zip(fractions, direction, strict=True)
    ):
        return None
    common = math.lcm(*(f.denominator for f in fractions))
    sign = 1 if fractions[0] > 0 else -1
    whole = tuple(sign * int(f * common) for f in fractions)
    return whole if max(map(abs, whole)) <= LARGEST else None


def _power_law(names: Sequence[str], powers: Sequence[int]) -> str:
    """What stays the same where each is multiplied by a factor to its power."""
    if all(p == 1 for p in powers):
        return "only their ratio is seen" if len(names) == 2 else "only their ratios are seen"
    if len(names) == 2:
        if powers == (1, -1):
            return "only their product is seen"
        (a, b), (p, q) = names, powers
        left, right = _power(a, abs(q)), _power(b, abs(p))
        return f"only {left} {'/' if q * p > 0 else '*'} {right} is seen"
    law = [
        f"{n} by a factor" + (f" to the {p}" if p != 1 else "")
        for n, p in zip(names, powers, strict=True)
    ]
    return f"nothing that was measured changes where {_listed(law)} are changed together"


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
