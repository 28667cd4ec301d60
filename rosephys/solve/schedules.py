"""How a rate goes down while a problem is solved: by a factor, of the share s of the iterations, 0 to 1.

constant      1
linear        1 - s
cosine        (1 + cos π s) / 2 (Loshchilov, Hutter, "SGDR", ICLR 2017, without restarts)
exponential   100⁻ˢ
warm-up       the cosine, after a rise from 0 to 1 in the first tenth (Goyal et al., arXiv:1706.02677)
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..scene.fields import near

RISE = 0.1  # of the iterations, in which a rate rises first
FALL = 100.0  # by which one falls exponentially

Factor = Callable[[int], float]
"""From the number of an iteration to what the rate is multiplied with."""


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def _rising(share: float) -> float:
    return share / RISE if share < RISE else _cosine((share - RISE) / (1 - RISE))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "linear": lambda share: 1.0 - share,
    "cosine": _cosine,
    "exponential": lambda share: FALL**-share,
    "warm-up": _rising,
}


def scheduled(name: str, iterations: int) -> Factor:
    """The factor of each iteration, of a solve with so many. Raises ValueError for an unknown name."""
    if name not in SCHEDULES:
        raise ValueError(f"{name!r} is no schedule{near(name, SCHEDULES)}")
    of = SCHEDULES[name]
    # an update is made in the middle of its share, so that the first and the last are of some length
    return lambda iteration: of((iteration + 0.5) / max(iterations, 1))


CONSTANT = scheduled("constant", 1)
