"""The picture of a landscape: where it is dark, where its level lines lie."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.drawing.palette import rgb
from rosephys.drawing.relief import SIDE, relief
from rosephys.solve.landscape import (
    Axis,
    Component,
    Landscape,
)

X, Y = Component("velocity", 0), Component("velocity", 1)


def paraboloid(n: int = 65) -> Landscape:
    x = np.linspace(-1, 1, n)
    losses = x[:, None] ** 2 + 0.3 * (x + 0.5) ** 2 + 1.0
    return Landscape((Axis(X, -1, 1), Axis(Y, -1, 1)), {}, losses)


def test_the_image_is_darkest_at_the_least_loss_and_turned_the_right_way() -> None:
    pixels = relief(paraboloid()).pixels.astype(int)
    assert pixels.shape == (SIDE, SIDE, 3)
    bright = pixels.sum(axis=2)
    x, y = np.argwhere(bright <= bright.min() + 6).mean(axis=0)
    assert x == pytest.approx(SIDE / 2, abs=4) and y == pytest.approx(0.75 * SIDE, abs=4)


def test_level_lines_lie_on_their_levels() -> None:
    """A plane has straight lines a tenth of its height apart."""
    flat = np.tile(np.linspace(1, 2, 9)[:, None], (1, 9))
    plane = relief(Landscape((Axis(X, 0, 1), Axis(Y, 0, 1)), {}, flat)).pixels.astype(int)
    smooth = np.abs(np.diff(plane.sum(axis=2), 2, axis=0)).max(axis=1)
    lines = np.flatnonzero(smooth > 60) + 1
    tenths = np.rint(lines / (SIDE - 1) * 10)
    np.testing.assert_allclose(lines, tenths * (SIDE - 1) / 10, atol=2.5)
    assert set(tenths) == set(range(1, 10))


def test_what_is_not_finite_is_grey_and_the_rest_has_its_colours() -> None:
    losses = paraboloid().losses.copy()
    losses[:20, :20] = np.nan
    losses[-1, -1] = np.inf
    made = relief(Landscape(paraboloid().axes, {}, losses))
    assert np.isfinite([made.low, made.high]).all()
    np.testing.assert_array_equal(made.pixels[5, -5], rgb("faint"))
    assert (made.pixels[SIDE // 2, SIDE // 2] != rgb("faint")).any()


def test_losses_of_many_sizes_are_told_apart_by_their_logarithms() -> None:
    axes = (Axis(X, 0, 1),)
    wide = Landscape(axes, {}, np.array([1e-9, 1.0, 100.0]))
    np.testing.assert_allclose(wide.level(wide.losses), [-2.0, 0.0, 2.0])
    assert wide.loss(2.0) == pytest.approx(100.0)
    assert not Landscape(axes, {}, np.array([-1.0, 1.0, 100.0])).logarithmic
    assert not Landscape(axes, {}, np.array([1.0, 2.0])).logarithmic
    same = relief(Landscape(axes, {}, np.array([2.0, 2.0])))
    assert same.low < same.high
