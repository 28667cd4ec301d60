"""Problems of optimal control: the scene, and the optimisers that suit it, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rosephys import Scene, find_scene
from rosephys.solve.iterate import Iterate
from tests.support.control import Brachistochrone, Goddard, Rest, Sprint, SwingUp
from tests.support.regulator import Regulator


@dataclass(frozen=True)
class Case:
    """A scene and how it is solved here; a solve may end where its cost is `enough`."""

    scene: Callable[[], Scene]
    optimizers: tuple[str, ...]
    rate: float = 1.0
    enough: float = -math.inf


def _push(task: str, rate: float, optimum: float) -> Case:
    """Through contact, within 0.1 % of the optimum (Zhong, Han, Dey, Brikis, L4DC 2023)."""
    return Case(partial(find_scene, "push", {"task": task}), ("lbfgs",), rate, 1.001 * optimum)


def until(way: Iterator[Iterate], enough: float) -> Iterator[Iterate]:
    """The iterates up to the first whose loss is enough."""
    for iterate in way:
        yield iterate
        if iterate.loss <= enough:
            return


PROBLEMS = {
    "rest": Case(Rest, ("slsqp", "ilqr", "augmented-lagrangian")),
    "regulator": Case(Regulator, ("ilqr",)),
    "brachistochrone": Case(Brachistochrone, ("slsqp", "augmented-lagrangian"), rate=0.1),
    "sprint": Case(Sprint, ("slsqp", "augmented-lagrangian"), rate=0.1),
    "swing-up": Case(SwingUp, ("ddp", "ilqr", "multiple-shooting")),
    "rocket": Case(Goddard, ("ddp", "ilqr", "multiple-shooting")),
    "push": _push("single", 0.1, 0.3114168704),
    "push, by a wall": _push("several", 1.0, 0.3736363502),
}
