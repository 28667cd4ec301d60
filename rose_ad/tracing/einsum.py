"""`einsum`: sums of products over named axes, in all of numpy's spellings."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from .accumulator import total
from .indexing import generate
from .values import promote

_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in their order


def einsum(subscripts: Any, *operands: Any, optimize: Any = None) -> Any:
    """A sum of products over named axes, as numpy's: "ij,jk->ik", with an implied result "ij,jk", "..." for the
    axes left, or operands each with a list of axes, `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    An axis of length 1 goes with any. One loop an axis, in the order of the names: meant for small arrays,
    where no order of products is better, so `optimize` changes nothing.
    """
    if not is_traced((subscripts, operands)):
        return np.einsum(
            subscripts, *operands, **({} if optimize is None else {"optimize": optimize})
        )
    text, terms = (
        (subscripts, operands) if isinstance(subscripts, str) else _written(subscripts, *operands)
    )
    arrays: list[Any] = promote(*terms)
    names, result = _named_axes(text, [a.ndim for a in arrays])
    sizes: dict[str, int] = {}
    for letters, a in zip(names, arrays, strict=True):
        own: dict[str, int] = {}
        for letter, n in zip(letters, a.shape, strict=True):
            known = sizes.get(letter, 1)
            for other in (own.setdefault(letter, n), known if 1 not in (known, n) else n):
                if other != n:
                    what = f"einsum {text!r}: axis {letter} is {other} and {n}"
                    raise TypeMismatch(what, here())
            sizes[letter] = n if known == 1 else known
    summed = [letter for letter in sizes if letter not in result]

    def term(at: dict[str, Any]) -> Any:
        out: Any = None
        for letters, a in zip(names, arrays, strict=True):
            place = (0 if n == 1 else at[k] for k, n in zip(letters, a.shape, strict=True))
            entry = a[tuple(place)] if letters else a
            out = entry if out is None else out * entry
        return out

    def over(left: list[str], at: dict[str, Any]) -> Any:
        if not left:
            return term(at)
        return total(sizes[left[0]], lambda i: over(left[1:], {**at, left[0]: i}))

    return generate([sizes[r] for r in result],
                    lambda *i: over(summed, dict(zip(result, i, strict=True))))  # fmt: skip


def _written(*given: Any) -> tuple[str, Sequence[Any]]:
    """Subscripts, and the operands, of those that come each with a list of numbers for its axes."""
    operands, lists, after = list(given[0::2]), list(given[1::2]), []
    if len(operands) > len(lists):
        after = [operands.pop()]

    names = {k: c for k, c in enumerate(_LETTERS)} | {Ellipsis: "..."}
    try:
        text = ",".join("".join(names[k] for k in axes) for axes in lists)
        text += "".join("->" + "".join(names[k] for k in axes) for axes in after)
    except (TypeError, KeyError):
        what = "einsum takes a string, or after each operand a list of whole numbers below 52"
        raise TypeMismatch(what, here()) from None
    return text, operands


def _named_axes(text: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """A letter for each axis of each operand, and of the result."""
    left, arrow, result = "".join(text.split()).partition("->")
    names = left.split(",")
    if len(names) != len(ranks):
        raise TypeMismatch(f"einsum {text!r} does not fit {len(ranks)} operands", here())
    if not arrow:
        once = [c for c in sorted(set(left) - set(",.")) if left.count(c) == 1]
        result = "".join(["..." if "..." in left else "", *once])
    # how many axes "..." stands for in each, and letters for those of the one with most
    left_out = [n - len(k.replace("...", "")) for n, k in zip(ranks, names, strict=True)]
    spare = [chr(ord("α") + k) for k in range(max(0, *left_out))]
    out = []
    for n, k, count in zip(ranks, names, left_out, strict=True):
        out.append(k.replace("...", "".join(spare[len(spare) - count :]) if count > 0 else "", 1))
        if len(out[-1]) != n:
            raise TypeMismatch(f"einsum {text!r}: {k!r} for an array of {n} axes", here())
    result = result.replace("...", "".join(spare), 1)
    known = set("".join(out))
    if len(set(result)) < len(result) or set(result) - known or not all(map(str.isalpha, known)):
        raise TypeMismatch(f"einsum {text!r} does not say which axes the result has", here())
    return out, result
