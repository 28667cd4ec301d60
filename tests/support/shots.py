"""Shots of pool for tests: balls on a table, what is played, and random shots."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.physics.pool import shot, strike
from rosephys.physics.pool.ball import Ball, Constants, sliding
from rosephys.physics.pool.table import POOL, Game, Sizes, Table, table

OPEN = table(Sizes(200.0, 200.0, 0.05))  # no cushion is near
RADIUS = 0.028575


def constants(**other: Any) -> Constants:
    """Those of a pool table, but for these."""
    values = {name: getattr(POOL.constants, name) for name in Constants.__annotations__}
    return Constants(**values | other)


def plain(**other: Any) -> Constants:
    """Elastic balls without friction between them, but for these."""
    return constants(restitution=1.0, friction=np.zeros(3), **other)


def moving(places: Any, velocities: Any, spins: Any, c: Constants) -> Ball:
    """Balls that all slide."""
    parts = (map(ra.array, part) for part in (places, velocities, spins))
    balls = [sliding(0.0, *row, c) for row in zip(*parts, strict=True)]
    rows: Ball = ra.map_leaves(
        lambda *leaves: ra.stack([1.0 * ra.array(x) for x in leaves]), *balls
    )
    phases = ra.full(len(balls), 2)
    return Ball(rows.since, rows.position, rows.velocity, rows.spin, rows.push, phases)


def strikes(game: Game, seed: int, balls: int = 3) -> tuple[Any, Any]:
    """Random places (n, 2) that do not touch, and a strike: speed, direction, side, height, elevation."""
    random, r = np.random.default_rng(seed), float(game.constants.radius)
    size = np.array([game.table.length, game.table.width])
    while True:
        places = random.uniform(2 * r, size - 2 * r, (balls, 2))
        apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(balls, 1)]
        if apart.min() > 2.2 * r:
            break
    turn, reach = random.uniform(0, 2 * np.pi), 0.5 * np.sqrt(random.uniform())
    offset = reach * np.cos(turn), reach * np.sin(turn)
    return places, np.array(
        [random.uniform(0.5, 3.0), random.uniform(0, 2 * np.pi), *offset, random.uniform(0, 0.2)]
    )


def struck(game: Game, places: Any, played: Any) -> Ball:
    """The balls, the first of them struck."""
    velocity, spin = strike.struck(game.cue, *(played[k] for k in range(5)))
    return shot.cued(shot.racked(places), 0, velocity, spin, game.constants)


def mirrored(bed: Table, balls: Ball) -> Ball:
    """The balls in the mirror that is the long axis of a table."""
    flip, turn = np.array([1.0, -1.0]), np.array([-1.0, 1.0, -1.0])
    place = ra.array([0.0, bed.width]) + balls.position * flip
    return Ball(
        balls.since, place, balls.velocity * flip, balls.spin * turn, balls.push * flip, balls.phase
    )
