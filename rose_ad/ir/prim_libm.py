"""Rows of functions of the machine's library that few programs use: the error function, signs and
neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from . import prim_forms as form
from .core import Atom
from .prim_rules import Emitter, Jvp, literal, partials, square


def _bell(size: float) -> Jvp:
    """The rule of a function whose derivative is size exp(-x²)."""

    def coefficient(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
        power = P.prim("exp", P.prim("neg", square(P, x[0])))
        return P.prim("mul", literal(P, out, size), power)

    return partials(coefficient)


def _one(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    return literal(P, out)


def _none(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    return literal(P, out, 0.0)


def _signs(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    """1 where both have the same sign, else -1."""
    own, given = (P.prim("copysign", literal(P, out), a) for a in (x[0], out))
    return P.prim("mul", own, given)


_REAL, _SIZE = (-2.0, 2.0), 2 / math.sqrt(math.pi)
ROWS: dict[str, dict[str, Any]] = {
    "erf": {
        "kinds": "f>f",
        "evaluate": math.erf,
        "llvm": form.function("erf"),
        "jvp": _bell(_SIZE),
        "domain": (_REAL,),
        "special": ((0.0,),),
    },
    "erfc": {
        "kinds": "f>f",
        "evaluate": math.erfc,
        "llvm": form.function("erfc"),
        "jvp": _bell(-_SIZE),
        "domain": (_REAL,),
        "special": ((0.0,),),
    },
    "copysign": {
        "kinds": "ff>f",
        "evaluate": math.copysign,
        "llvm": form.function("llvm.copysign", 2),
        "jvp": partials(_signs, _none),
        "domain": (_REAL, _REAL),
    },
    "nextafter": {
        "kinds": "FF>F",
        "evaluate": math.nextafter,
        "llvm": form.function("nextafter", 2),
        "jvp": partials(_one, _none),
        "domain": (_REAL, _REAL),
    },
}
