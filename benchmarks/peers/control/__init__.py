"""Problems of optimal control: the scene, the rate, and the optimisers that suit it, by name."""

from __future__ import annotations

from typing import Any

from tests.support.control import Brachistochrone, Goddard, Rest, Sprint, SwingUp
from tests.support.regulator import Regulator

PROBLEMS: dict[str, tuple[Any, float, tuple[str, ...]]] = {
    "rest": (Rest, 1.0, ("slsqp", "ilqr", "augmented-lagrangian")),
    "regulator": (Regulator, 1.0, ("ilqr",)),
    "brachistochrone": (Brachistochrone, 0.1, ("slsqp", "augmented-lagrangian")),
    "sprint": (Sprint, 0.1, ("slsqp", "augmented-lagrangian")),
    "swing-up": (SwingUp, 1.0, ("ddp", "ilqr", "multiple-shooting")),
    "rocket": (Goddard, 1.0, ("ddp", "multiple-shooting")),
}
