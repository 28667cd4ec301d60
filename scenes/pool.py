"""Pool: find the strike that pots a ball and leaves the cue ball where it is wanted.

The physics of the real game (`rosephys/physics/pool/`): balls slide, roll and spin, throw each other off the
line and take each other's spin, cushions turn English into an angle. A shot goes from event to event, each at
its exact time, so that neither the motion nor its derivative depends on the time step, which is that of the
frames alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Lines,
    Picture,
    Polygon,
    Polyline,
    Scene,
    Track,
    control,
    normal,
    parameter,
)
from rosephys.physics.pool import ahead, aim, ball, shot, strike
from rosephys.physics.pool.ball import POCKETED, Constants
from rosephys.physics.pool.table import GAMES, Game

_CUE, _TARGET = 0, 1
_COLOURS = ("#2f5fb3", "#6c3f8f", "#e07b28", "#2e8b57", "#7b2d26", "#2b2b2b", "#e8b931")
_LAYOUT = (
    (0.25, 0.35),
    (0.72, 0.66),
    (0.53, 0.78),
    (0.86, 0.3),
    (0.4, 0.2),
    (0.62, 0.3),
    (0.9, 0.8),
    (0.15, 0.75),
)  # parts of length and width: the cue ball, the target, the others
FAR = 1e6  # m², of what has not been near yet
MISSED = 1.0  # what it costs not to pot the target, and to pot the cue ball


@ra.struct
class State:
    """The shot, the time of the frame, and the squares of the least distances so far.

    `missed` is that of the target's way and the middle of the pocket, `met` (2,) are those of the cue ball's
    centre and the target's, and the next ball's. `rattled` is whether the target has been at a jaw: what it
    does there afterwards is luck, and not counted.
    """

    shot: shot.Shot
    clock: ra.Real
    missed: ra.Real
    rattled: ra.Bool
    met: ra.Vec

    @property
    def seen(self) -> Any:
        """What is watched from event to event."""
        return self.missed, self.rattled, self.met


class Pool(Scene):
    """Pot the red ball and leave the cue ball at the cross: where to aim, how hard, with which spin."""

    optimizer, rate, iterations = "lbfgs", 1.0, 60

    steps: int = parameter(360, "number of frames", bounds=(1, 1_000_000))
    dt: float = parameter(1 / 45, "time between frames", unit="s", bounds=(1e-6, 10.0))
    game: str = parameter("pool", "table, balls and cloth", choices=tuple(GAMES))
    others: int = parameter(2, "balls beside the cue ball and the target", bounds=(1, 6))
    most: int = parameter(128, "events in a frame, and after the last", bounds=(1, 100_000))

    cue_position: Any = parameter(
        lambda scene: scene.spot(_CUE), "where the cue ball is", unit="m", handle=True
    )
    target_position: Any = parameter(
        lambda scene: scene.spot(_TARGET), "where the ball to be potted is", unit="m", handle=True
    )
    places: Any = parameter(
        lambda scene: np.array([scene.spot(2 + k) for k in range(scene.others)]),
        "where the others are, (others, 2)",
        unit="m",
    )
    pocket: Any = parameter(
        lambda scene: np.array([scene.table.length, scene.table.width]),
        "a point near the pocket that is meant",
        unit="m",
        handle=True,
    )
    leave: Any = parameter(
        lambda scene: np.array([0.5, 0.35]) * scene.size,
        "where the cue ball should come to rest",
        unit="m",
        handle=True,
    )
    importance: float = parameter(
        0.5, "of the cue ball's place: loss for a metre, squared", bounds=(0.0, 100.0)
    )
    sliding: Any = parameter(lambda s: s.constants.sliding, "friction of a ball that slides")
    rolling: Any = parameter(lambda s: s.constants.rolling, "friction of a ball that rolls")
    spinning: Any = parameter(
        lambda s: s.constants.spinning, "friction of a ball that spins", unit="m"
    )
    restitution: Any = parameter(lambda s: s.constants.restitution, "restitution of two balls")
    friction: Any = parameter(
        lambda s: s.constants.friction, "a, b, c of the friction a + b exp(-c slip) of two balls"
    )
    rebound: Any = parameter(lambda s: s.constants.rebound, "restitution of the cushions")
    grip: Any = parameter(lambda s: s.constants.grip, "friction of the cushions")
    wobble: float = parameter(0.0, "error of the aim", unit="rad", spread=normal(0.002))
    elevation: float = parameter(0.0, "how far the cue is raised", unit="rad", bounds=(0.0, 1.2))
    direction: Any = control(
        lambda scene: scene.aimed(), "of the cue, from the x axis", unit="rad", rate=0.05
    )
    speed: float = control(1.8, "of the cue", unit="m/s", bounds=(0.2, 6.0))
    side: float = control(0.0, "how far to the right the tip hits, in radii", bounds=(-0.35, 0.35))
    height: float = control(0.0, "how far above the middle, in radii", bounds=(-0.35, 0.35))

    @property
    def chosen(self) -> Game:
        """The game that is played."""
        return GAMES[self.game]

    @property
    def table(self) -> Any:
        """Its table."""
        return self.chosen.table

    @property
    def constants(self) -> Constants:
        """Its balls, cloth and cushions, as they are without settings."""
        return self.chosen.constants

    @property
    def size(self) -> Any:
        """Length and width of the bed."""
        return np.array([self.table.length, self.table.width])

    @property
    def balls(self) -> int:
        """How many there are: the cue ball, the target, the others."""
        return 2 + self.others

    def spot(self, k: int) -> Any:
        """Where the ball k is if nobody says."""
        return np.array(_LAYOUT[k]) * self.size

    def aimed(self) -> Any:
        """The direction in which the cue ball meets the target so that it goes to the pocket, by geometry."""
        places = np.array([self.cue_position, self.target_position])
        return aim.directions(places, 1, self.pocket, self.size, self.radius)[0]

    @property
    def radius(self) -> float:
        """That of a ball."""
        return float(self.constants.radius)

    @property
    def cloth(self) -> Constants:
        """Balls, cloth and cushions as they are set."""
        c = self.constants
        return Constants(
            c.radius, self.sliding, self.rolling, self.spinning, c.gravity, self.restitution,
            self.friction, self.rebound, self.grip, c.nose,
        )  # fmt: skip

    @property
    def mouth(self) -> Any:
        """The middle (2,) of the pocket that is meant; the point itself on a table without pockets."""
        if not len(self.table.pockets):
            return self.pocket
        pockets = ra.array(self.table.pockets)
        away = pockets - self.pocket
        return pockets[ra.argmin(ra.sum(away * away, axis=1))]

    def initial(self) -> State:
        c = self.cloth
        first = ra.stack([ra.array(self.cue_position), ra.array(self.target_position)])
        balls = shot.racked(ra.concat([first, ra.array(self.places)]))
        velocity, spin = strike.struck(
            self.chosen.cue,
            self.speed,
            self.direction + self.wobble,
            self.side,
            self.height,
            self.elevation,
        )
        begun = shot.begin(self.table, shot.cued(balls, _CUE, velocity, spin, c), c)
        return State(begun, 0.0, FAR, False, ra.full(2, FAR))

    def step(self, state: State, t: Any) -> State:
        clock = state.clock + self.dt
        game, seen = shot.advance(
            self.table, state.shot, clock, self.cloth, self.watch, state.seen, self.most
        )
        return State(game, clock, *seen)

    def watch(self, seen: Any, game: Any) -> Any:
        """The least distances, with the stretches that end with the next event of a shot."""
        missed, rattled, met = seen
        balls, r = game.balls, self.radius
        pairs = game.kind == ahead.MEETS
        pocket = (game.kind == ahead.DROPS) | (game.kind == ahead.JAW)
        until = ra.where(pocket, 1e3, game.time)  # the way that it was on, beyond what was in it

        def moved(k: int) -> Any:
            return (game.ball == k) | (pairs & (game.other == k))

        def near(k: int, point: Any, until: Any, least: Any) -> Any:
            one = ball.row(balls, k)
            came = lambda: ra.minimum(least, ball.nearest(one, until, point))  # noqa: E731
            return ra.cond(moved(k), came, lambda: least)

        missed = ra.where(rattled, missed, near(_TARGET, self.mouth, until, missed))
        rattled = rattled | (pocket & (game.ball == _TARGET))
        touched = (2 * r) ** 2
        others = [
            ra.where(
                pairs & moved(_CUE) & moved(k),
                touched,
                near(_CUE, balls.position[k], game.time, met[k - 1]),
            )
            for k in (1, 2)
        ]
        return missed, rattled, ra.stack(others)

    def loss(self, final: State) -> Any:
        end: Any
        end, (missed, rattled, met) = shot.finish(
            self.table, final.shot, self.cloth, self.watch, final.seen, self.most
        )
        r, balls = self.radius, end.balls
        away = balls.position[_CUE] - self.leave
        left = self.importance * ra.dot(away, away)
        gaps = ra.maximum(ra.sqrt(met) - 2 * r, 0.0) / r
        if not len(self.table.pockets):
            return left + ra.dot(gaps, gaps)
        off = balls.position[_TARGET] - self.mouth
        missed = ra.where(rattled, missed, ra.minimum(missed, ra.dot(off, off))) / (4 * r * r)
        potted = (balls.phase[_TARGET] == POCKETED) & (ra.dot(off, off) < r * r)
        lost = ra.where(potted, 0.0, MISSED) + ra.where(balls.phase[_CUE] == POCKETED, MISSED, 0.0)
        untouched = balls.since[_TARGET] == 0.0
        return left + missed + lost + ra.where(untouched, gaps[0] ** 2, 0.0)

    def limits(self, state: State) -> tuple[Limit, ...]:
        late = ra.where(state.shot.time <= state.clock, 1.0, 0.0)
        return (Limit("whether a frame has more events than `most`", late, 0.5, "most"),)

    def invariants(self, state: State) -> dict[str, Any]:
        balls, r = shot.seen(state.shot, state.clock, self.cloth), self.radius
        parts = [ball.energy(ball.row(balls, k), r) for k in range(self.balls)]
        return {"kinetic energy": ra.sum(ra.stack(parts))}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"kinetic energy": (math.inf, 1e-12)}  # what is lost is lost

    def picture(self, state: State) -> Picture:
        length, width = self.size
        r, table = self.radius, self.table
        rail, edge = table.rail, table.rail + 0.07
        balls = shot.seen(state.shot, state.clock, self.cloth)
        radii = ra.where(balls.phase == POCKETED, 0.7 * r, r)
        colours = ("white", "#d8432f", *(_COLOURS[k] for k in range(self.others)))
        labels = ("", *(str(k + 1) for k in range(1 + self.others)))
        shapes: list[Any] = [
            Polygon(_box(-edge, -edge, length + edge, width + edge), "wood", "wood edge", 3.0),
            Polygon(_box(-rail, -rail, length + rail, width + rail), "felt"),
        ]
        if len(table.pockets):
            shapes.append(Circles(table.pockets, table.pocket_radii, ("#0b0d0c",), style="disc"))
        shapes += [Polygon(path, "cushion", "felt edge", 1.0) for path in table.cushions]
        shapes += [Circles(_diamonds(length, width, rail), 0.006, ("sight",), style="disc")]
        shapes += self._aim(state)
        shapes += [Cross(self.leave, "accent"), Circles(balls.position, radii, colours, labels)]
        return Picture(tuple(shapes), (-edge, -edge, length + edge, width + edge))

    def _aim(self, state: State) -> list[Any]:
        """The line of aim, the ghost ball at its end, and the cue until it has struck."""
        r, start = self.radius, ra.array(self.cue_position)
        way = ra.array([ra.cos(self.direction), ra.sin(self.direction)])
        places = state.shot.balls.position
        first = ra.stack([ra.array(self.target_position)])
        places = ra.concat([first, ra.array(self.places)])
        far: Any = ra.min(_exits(start, way, self.size, r))
        for k in range(self.balls - 1):
            gap = places[k] - start
            along, across = ra.dot(gap, way), gap[0] * way[1] - gap[1] * way[0]
            reach = along - ra.sqrt(ra.maximum(4 * r * r - across * across, 0.0))
            hit = (abs(across) < 2 * r) & (along > 0)
            far = ra.where(hit & (reach < far), reach, far)
        ghost = start + far * way
        hidden = ra.where(state.clock > 0.0, 1e3, 0.0)
        tip, butt = start - (1.5 * r + hidden) * way, start - (1.5 * r + hidden + 1.2) * way
        return [
            Polyline(ra.stack([start, ghost]), "#ffffff", 1.2, dashed=True),
            Circles(ra.stack([ghost]), r, ("#ffffff",), style="ring"),
            Lines(ra.stack([tip]), ra.stack([butt]), "#c79a5b", 5.0),
        ]

    def tracks(self, state: State) -> tuple[Track, ...]:
        x = shot.seen(state.shot, state.clock, self.cloth).position
        return Track(x[_CUE], "white", "cue ball"), Track(x[_TARGET], "#f0806e", "target")


def _exits(start: Any, way: Any, size: Any, radius: float) -> Any:
    """How far it is along a way to each of the four sides, (4,); far for those behind."""
    found = []
    for axis in (0, 1):
        for side in (radius, size[axis] - radius):
            far = (side - start[axis]) / ra.where(abs(way[axis]) > 1e-9, way[axis], 1e-9)
            found.append(ra.where(far > 0, far, 1e3))
    return ra.stack(found)


def _box(left: float, low: float, right: float, high: float) -> Any:
    return np.array([(left, low), (right, low), (right, high), (left, high)])


def _diamonds(length: float, width: float, rail: float) -> Any:
    """The sights on the rails (18, 2): seven on the long sides less the middle ones, three on the short."""
    out = rail + 0.035
    long = [length * k / 8 for k in range(1, 8) if k != 4]
    short = [width * k / 4 for k in range(1, 4)]
    rows = [(x, y) for x in long for y in (-out, width + out)]
    return np.array(rows + [(x, y) for y in short for x in (-out, length + out)])
