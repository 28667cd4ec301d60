"""A forward derivative that is a sum, of a part for each argument: what `custom_jvp.defjvps` sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import map_leaves
from ..tracing.arrays import zeros_like
from .function import Fn


def summed(f: Fn, rules: Sequence[Callable[..., Any] | None]) -> Callable[[Any, Any], Any]:
    """(primals, tangents) -> (value, tangent), by rules (tangent, value, *primals) -> tangent, or None."""

    def jvp(primals: Any, tangents: Any) -> Any:
        if len(primals) != len(rules):
            what = f"{f.__name__} has {len(rules)} rules for {len(primals)} arguments"
            raise TypeMismatch(what, here(), "None for an argument without a derivative")
        value = f(*primals)
        pairs = zip(rules, tangents, strict=True)
        parts = [rule(t, value, *primals) for rule, t in pairs if rule is not None]
        zero = map_leaves(zeros_like, value)
        return value, map_leaves(lambda *terms: sum(terms), *(parts or [zero]))

    return jvp
