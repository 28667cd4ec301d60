"""A robot's walk, loss and gradient, side by side: `python benchmarks/robot.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import ROBOT
from peers.robot.c import textbook
from peers.robot.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--robot", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--steps", type=int, default=1364)
    options = parser.parse_args()
    job = Job(options.robot, options.steps)
    title = (
        f"Robot {job.robot}: {len(job.masses)} masses, {len(job.springs)} springs,"
        f" {len(job.start())} weights, {job.steps} steps"
    )
    race = Race(
        title,
        "peers.robot.job:Job",
        (job.robot, job.steps),
        ROBOT,
        lambda: textbook(job).gradient(job.start())[1],
        job.plain(),
    )
    run(race, options)


if __name__ == "__main__":
    main()
