"""A soft walker by MLS-MPM, loss and gradient, side by side: `python benchmarks/mpm.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import MPM
from peers.mpm.c import program
from peers.mpm.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--steps", type=int, default=1023)
    options = parser.parse_args()
    job = Job(options.steps)
    race = Race(
        f"Soft walker: {len(job.particles)} particles, {len(job.start())} numbers, {job.steps} steps",
        "peers.mpm.job:Job",
        (job.steps,),
        MPM,
        lambda: program(job).gradient(job.start())[1],
    )
    run(race, options)


if __name__ == "__main__":
    main()
