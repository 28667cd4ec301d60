"""A shot of pool from event to event, loss and gradient, side by side: `python benchmarks/pool.py --help`.

README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

from peers import POOL
from peers.pool.c import plain
from peers.pool.job import Job
from race import Race, argument_parser, run


def main() -> None:
    parser = argument_parser(__doc__ or "")
    parser.add_argument("--events", type=int, default=64)
    options = parser.parse_args()
    job = Job(options.events)
    race = Race(
        f"Pool: {job.balls} balls, {job.events} events",
        "peers.pool.job:Job",
        (job.events,),
        POOL,
        lambda: plain(job).gradient(job.start())[1],
    )
    run(race, options)


if __name__ == "__main__":
    main()
