"""pooltool (pooltool-billiards on PyPI), run by a Python of its own: it pins packages that we do not.

Reads a job as JSON from standard input and writes what happened to standard output, with models that are the
same as ours: Han's cushions, balls with friction and restitution, its cue. This file imports nothing of ours.

It moves balls that touch 1 µm apart after each impact, along their way; `gap` makes that smaller. Its table has
the long way along y and is turned into ours.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

KINDS = {
    "ball_ball": "meets",
    "ball_linear_cushion": "cushion",
    "ball_circular_cushion": "jaw",
    "ball_pocket": "drops",
}


def main() -> None:
    output, sys.stdout = sys.stdout, sys.stderr  # it prints as it is imported
    import pooltool as pt
    from pooltool.physics.resolve.ball_ball.friction import AlciatoreBallBallFriction
    from pooltool.physics.resolve.ball_ball.frictional_inelastic import FrictionalInelastic
    from pooltool.physics.resolve.ball_cushion.han_2005 import Han2005Circular, Han2005Linear

    job = json.load(sys.stdin)
    pt.constants.MIN_DIST = job["gap"]
    engine = pt.physics.PhysicsEngine()
    engine.resolver.ball_ball = FrictionalInelastic(
        friction=AlciatoreBallBallFriction(*job["friction"])
    )
    engine.resolver.ball_linear_cushion = Han2005Linear()
    engine.resolver.ball_circular_cushion = Han2005Circular()

    table = pt.Table.default(pt.TableType.POCKET if job["pockets"] else pt.TableType.BILLIARD)
    kind = pt.GameType.NINEBALL if job["pockets"] else pt.GameType.THREECUSHION
    width = table.w

    def shot(row: dict[str, Any]) -> Any:
        balls = {}
        for k, (x, y) in enumerate(row["positions"]):
            name = "cue" if k == 0 else str(k)
            ball = pt.Ball.create(name, xy=(width - y, x))
            ball.params = pt.BallParams.default(kind)
            balls[name] = ball
        cue = pt.Cue(
            V0=row["speed"],
            phi=row["direction"] + 90,
            a=-row["side"],
            b=row["height"],
            theta=row["elevation"],
            cue_ball_id="cue",
        )
        return pt.System(cue=cue, table=table.copy(), balls=balls)

    pt.simulate(shot(job["shots"][0]), engine=engine, inplace=True)  # compiles
    found = []
    for row in job["shots"]:
        system = shot(row)
        begun = time.perf_counter()
        pt.simulate(system, engine=engine, inplace=True, max_events=2000)
        seconds = time.perf_counter() - begun
        found.append({"seconds": seconds, **_happened(system, width)})
    json.dump(found, output)


def _happened(system: Any, width: float) -> dict[str, Any]:
    """The events, as time, kind and balls, and where the balls are at the end; NaN for one in a pocket."""
    events = []
    for event in system.events:
        name = str(event.event_type)
        if name in {"none", "stick_ball"}:
            continue
        balls = [0 if i == "cue" else int(i) for i in event.ids if i in system.balls]
        if KINDS.get(name) in {"cushion", "jaw", "drops"}:
            balls = balls[:1]
        events.append((float(event.time), KINDS.get(name, "turns"), balls))
    ends = [
        (float(b.state.rvw[0][1]), width - float(b.state.rvw[0][0])) if b.state.s != 4 else None
        for b in system.balls.values()
    ]
    return {"events": events, "ends": ends}


if __name__ == "__main__":
    main()
