"""Tables: noses that join, jaws that they are tangent to, sides to the left, and mirror images."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.physics.pool.table import CAROM, GAMES, POOL, SNOOKER, Game


@pytest.mark.parametrize("game", GAMES.values(), ids=list(GAMES))
def test_the_middle_is_to_the_left_of_every_cushion(game: Game) -> None:
    table = game.table
    middle = np.array([table.length, table.width]) / 2
    size = np.array([table.length, table.width])
    straight = np.all((table.starts >= 0) & (table.starts <= size), axis=1)
    normals = np.stack([-table.ways[:, 1], table.ways[:, 0]], axis=1)
    inside = np.sum(normals * (middle - table.starts), axis=1)
    assert straight.any() and np.all(inside[straight] > 0)


@pytest.mark.parametrize("game", [POOL, SNOOKER], ids=["pool", "snooker"])
def test_noses_are_tangent_to_the_jaws_at_their_ends(game: Game) -> None:
    table = game.table
    ends = np.concatenate([table.starts, table.ends])
    ways = np.concatenate([table.ways, table.ways])
    for centre, radius in zip(table.jaws, table.jaw_radii, strict=True):
        on = np.abs(np.linalg.norm(ends - centre, axis=1) - radius) < 1e-9
        assert on.sum() == 2  # a rail and a facing
        for end, way in zip(ends[on], ways[on], strict=True):
            assert abs(way @ (end - centre)) < 1e-5


@pytest.mark.parametrize("game", [POOL, SNOOKER], ids=["pool", "snooker"])
def test_a_table_is_its_own_mirror_image(game: Game) -> None:
    table = game.table

    def rows(x: np.ndarray) -> np.ndarray:
        return np.unique(np.round(x, 9), axis=0)

    noses = np.concatenate([table.starts, table.ends])
    for points in (noses, table.jaws, table.pockets):
        flipped = points * (-1, 1) + (table.length, 0)
        np.testing.assert_allclose(rows(flipped), rows(points), atol=1e-9)


@pytest.mark.parametrize(
    ("game", "size"), [(POOL, (1.9812, 0.9906)), (SNOOKER, (3.5445, 1.7465)), (CAROM, (2.84, 1.42))]
)
def test_sizes_and_counts(game: Game, size: tuple[float, float]) -> None:
    table = game.table
    assert (table.length, table.width) == size
    counts = len(table.starts), len(table.jaws), len(table.pockets)
    assert counts == ((4, 0, 0) if game is CAROM else (20, 12, 6))
