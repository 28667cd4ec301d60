"""Smoke blown into a picture, loss and gradient, side by side: `python benchmarks/smoke.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import SMOKE
from peers.smoke.c import expert
from peers.smoke.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--cells", type=int, default=110)
    parser.add_argument("--steps", type=int, default=99)
    options = parser.parse_args()
    job = Job(options.cells, options.steps)
    title = (
        f"Smoke: {job.cells} x {job.cells} cells, {job.steps} steps, {len(job.start())} controls"
    )
    race = Race(
        title,
        "peers.smoke.job:Job",
        (job.cells, job.steps),
        SMOKE,
        lambda: expert(job).gradient(job.start())[1],
    )
    run(race, options)


if __name__ == "__main__":
    main()
