"""What every peer is: a program that gives a loss and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Program:
    """What a peer makes of a job. Both functions take the numbers in which the gradient is taken: of a shot of
    billiards, the four of the cue."""

    gradient: Callable[[Array], tuple[float, Array]]  # the loss and its gradient
    loss: Callable[[Array], float]
    tape_bytes: Callable[[], int] | None = None  # where the peer knows it
