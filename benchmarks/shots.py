"""Shots of pool beside those of pooltool: `python benchmarks/shots.py --help`.

The same random shots are played by both: which events happen, in what order, when, and where the balls end.
pooltool wants an environment of its own, of which the Python is given; README.md says how to make one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.physics.pool import shot, strike
from rosephys.physics.pool.ball import POCKETED, Constants
from rosephys.physics.pool.table import CAROM, POOL, Game

PEER = Path(__file__).parent / "peers" / "shots" / "run_pooltool.py"
KINDS = ("turns", "meets", "cushion", "jaw", "drops")
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pooltool", required=True, metavar="PYTHON", help="a Python that has it")
    parser.add_argument("--shots", type=int, default=300, help="without pockets; a third with")
    parser.add_argument(
        "--gap", type=float, default=1e-10, help="metres between balls after an impact"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name, game, count in (
        ("without pockets", CAROM, options.shots),
        ("with pockets", POOL, options.shots // 3),
    ):
        rows = [random_shot(game, np.random.default_rng((options.seed, k))) for k in range(count)]
        ours, theirs = played(game, rows), played_there(game, rows, options)
        report(name, rows, ours, theirs)


def random_shot(game: Game, random: np.random.Generator) -> Row:
    """Three balls somewhere on the table, not touching, and a strike anywhere a tip holds."""
    r, size = game.constants.radius, (game.table.length, game.table.width)
    while True:
        places = random.uniform(2 * r, np.array(size) - 2 * r, (3, 2))
        apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(3, 1)]
        if apart.min() > 2.2 * r:
            break
    turn, reach = random.uniform(0, 2 * np.pi), 0.5 * np.sqrt(random.uniform())
    return {
        "positions": places.tolist(),
        "speed": random.uniform(0.5, 3.0),
        "direction": random.uniform(0, 360),
        "side": reach * np.cos(turn),
        "height": reach * np.sin(turn),
        "elevation": random.uniform(0, 10),
    }


def played(game: Game, rows: list[Row]) -> list[Row]:
    """What happens by ours."""

    @ra.fn
    def play(places: Any, strikes: Any) -> Any:
        speed, direction, side, height, elevation = strikes
        c = game.constants
        velocity, spin = strike.struck(game.cue, speed, direction, side, height, elevation)
        balls = shot.cued(shot.racked(places), 0, velocity, spin, c)
        return shot.listed(game.table, balls, c, 400)

    found = []
    for row in rows:
        given = [row[n] for n in ("speed", "direction", "side", "height", "elevation")]
        strikes = np.array(given) * np.array([1, np.pi / 180, 1, 1, np.pi / 180])
        places = np.array(row["positions"])
        play(places, strikes)
        begun = time.perf_counter()
        end, (times, kinds, balls, others) = play(places, strikes)
        seconds = time.perf_counter() - begun
        events = []
        for t, kind, ball, other in zip(times, kinds, balls, others, strict=True):
            if kind < len(KINDS):
                pair = [int(ball), int(other)] if KINDS[kind] == "meets" else [int(ball)]
                events.append((float(t), KINDS[kind], pair))
        places = [
            None if phase == POCKETED else tuple(place)
            for place, phase in zip(end.balls.position, end.balls.phase, strict=True)
        ]
        found.append({"seconds": seconds, "events": events, "ends": places})
    return found


def played_there(game: Game, rows: list[Row], options: argparse.Namespace) -> list[Row]:
    """What happens by theirs. Its friction is μ e times the closing speed, ours, Coulomb's, μ (1 + e)/2."""
    c: Constants = game.constants
    a, b, decay = np.asarray(c.friction)
    ratio = (1 + c.restitution) / 2 / c.restitution
    job = {
        "shots": rows,
        "gap": options.gap,
        "friction": (a * ratio, b * ratio, decay),
        "pockets": len(game.table.pockets) > 0,
    }
    done = subprocess.run(
        [options.pooltool, str(PEER)],
        input=json.dumps(job),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows_there: list[Row] = json.loads(done.stdout)
    return rows_there


def report(name: str, rows: list[Row], ours: list[Row], theirs: list[Row]) -> None:
    same, times, places, events = 0, [], [], 0
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        lists = [[(kind, sorted(who)) for _, kind, who in row["events"]] for row in (a, b)]
        if lists[0] != lists[1]:
            print(f"  shot {k}: {lists[0]}, theirs {lists[1]}")
            continue
        same += 1
        events += len(lists[0])
        times.append(max(abs(p[0] - q[0]) for p, q in zip(a["events"], b["events"], strict=True)))
        ends = [(p, q) for p, q in zip(a["ends"], b["ends"], strict=True) if p is not None]
        places.append(max(np.max(np.abs(np.subtract(p, q))) for p, q in ends))
    mean = [1000 * np.mean([row["seconds"] for row in side]) for side in (ours, theirs)]
    print(
        f"{name}: {len(rows)} shots, {same} with the same events in the same order ({events} of them);"
        f" times within {max(times):.1e} s (median {np.median(times):.1e}), ends within {max(places):.1e} m"
        f" (median {np.median(places):.1e}); a shot takes {mean[0]:.3g} ms, theirs {mean[1]:.3g} ms"
    )


if __name__ == "__main__":
    main()
