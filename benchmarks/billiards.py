"""Billiards, loss and gradient, side by side: `python benchmarks/billiards.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

import numpy as np
from peers import BILLIARDS
from peers.billiards.c import reference
from peers.billiards.job import Table
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--layers", type=int, default=4, help="rows of the triangle")
    parser.add_argument("--steps", type=int, default=1024)
    options = parser.parse_args()
    layers, steps = options.layers, options.steps

    def expected() -> np.ndarray:
        _, positions, velocities = reference(layers, steps)
        return np.concatenate([positions[0], velocities[0]])

    title = f"Billiards, `toi-position`: {Table(layers, steps).balls} balls, {steps} steps"
    run(Race(title, "peers.billiards.job:Table", (layers, steps), BILLIARDS, expected), options)


if __name__ == "__main__":
    main()
