"""Waves that are to draw a picture, loss and gradient, side by side: `python benchmarks/wave.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import WAVE
from peers.wave.c import expert
from peers.wave.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--steps", type=int, default=254)
    options = parser.parse_args()
    job = Job(options.cells, options.steps)
    title = (
        f"Waves: {job.cells} x {job.cells} cells, {job.steps} steps, {len(job.start())} controls"
    )
    race = Race(
        title,
        "peers.wave.job:Job",
        (job.cells, job.steps),
        WAVE,
        lambda: expert(job).gradient(job.start())[1],
    )
    run(race, options)


if __name__ == "__main__":
    main()
