"""A box of fluid under a lid that slides: the lattice Boltzmann method beside the table of Ghia, Ghia and Shin.

    python docs/examples/cavity.py           on 128 x 128 cells, half a minute
    python docs/examples/cavity.py 64        on fewer

At Re = 100 the flow settles to one large whirl. The table holds the velocity along the lid on the vertical line
through the middle (Ghia, Ghia, Shin, J. Comput. Phys. 48, 1982, table I), in speeds of the lid.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.physics.fluids.lattice_boltzmann import flowing, lattice_boltzmann_step, moments

Array = np.ndarray[Any, Any]

LID, REYNOLDS = 0.1, 100.0  # the lid's speed in cells a step
TURNS = 25  # times that the lid passes the box; then the flow stands still to four digits
GHIA = np.array([
    (0.0000, 0.00000), (0.0547, -0.03717), (0.0625, -0.04192), (0.0703, -0.04775), (0.1016, -0.06434),
    (0.1719, -0.10150), (0.2813, -0.15662), (0.4531, -0.21090), (0.5000, -0.20581), (0.6172, -0.13641),
    (0.7344, 0.00332), (0.8516, 0.23151), (0.9531, 0.68717), (0.9609, 0.73722), (0.9688, 0.78871),
    (0.9766, 0.84123), (1.0000, 1.00000),
])  # fmt: skip


def settled(cells: int) -> tuple[Array, Array]:
    """The velocity (cells, cells) along both axes when the flow has settled, in speeds of the lid."""
    solid = np.pad(np.zeros((cells, cells), bool), 1, constant_values=True)
    still = np.zeros(solid.shape)
    lid = still.copy()
    lid[1:-1, -1] = LID
    relaxation = 0.5 + 3 * LID * cells / REYNOLDS
    stretch = round(cells / LID)  # the lid passes the box once

    @ra.fn
    def turn(f: Any) -> Any:
        def step(_: Any, f: Any) -> Any:
            return lattice_boltzmann_step(f, relaxation, (still, still), solid, (lid, still))

        return ra.fori_loop(0, stretch, step, f)

    f = ra.fn(flowing)(1 + still, still, still)
    for _ in range(TURNS):
        f = turn(f)
    _, u, v = moments(f)
    return u[1:-1, 1:-1] / LID, v[1:-1, 1:-1] / LID


def middle_line(u: Array) -> Array:
    """The velocity along the lid at the heights of the table, on the vertical line through the middle."""
    cells = len(u)
    line = 0.5 * (u[(cells - 1) // 2] + u[cells // 2])
    at = (np.arange(cells) + 0.5) / cells
    return np.interp(GHIA[:, 0], [0.0, *at, 1.0], [0.0, *line, 1.0])


def main(cells: int = 128) -> float:
    """Print the table; the largest difference."""
    found = middle_line(settled(cells)[0])
    print("height     found     Ghia   differ")
    for (y, wanted), u in zip(GHIA, found, strict=True):
        print(f"{y:6.4f}  {u:8.5f} {wanted:8.5f} {u - wanted:8.5f}")
    worst = float(np.abs(found - GHIA[:, 1]).max())
    print(f"largest difference on {cells} x {cells} cells: {worst:.4f} of the lid's speed")
    return worst


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
