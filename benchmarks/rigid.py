"""A rigid robot's walk, loss and gradient, side by side: `python benchmarks/rigid.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import RIGID
from peers.rigid.c import textbook
from peers.rigid.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--robot", type=int, default=1, choices=(0, 1, 2))
    parser.add_argument("--steps", type=int, default=2047)
    options = parser.parse_args()
    job = Job(options.robot, options.steps)
    title = (
        f"Rigid robot {job.robot}: {job.boxes} boxes, {job.body.links} links,"
        f" {len(job.start())} weights, {job.steps} steps"
    )
    race = Race(
        title,
        "peers.rigid.job:Job",
        (job.robot, job.steps),
        RIGID,
        lambda: textbook(job).gradient(job.start())[1],
        job.plain(),
    )
    run(race, options)


if __name__ == "__main__":
    main()
