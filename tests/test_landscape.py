"""The loss over two controls: what is computed, its image, and the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.command.cli import main
from rosephys.drawing.palette import rgb
from rosephys.drawing.relief import SIDE, relief
from rosephys.errors import SceneError
from rosephys.scene.fields import control, parameter
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.sdl import pygame
from rosephys.solve.landscape import (
    GRIDS,
    Axis,
    Component,
    Landscape,
    component,
    explored,
    framed,
    pairs,
    title,
)
from rosephys.solve.problem import Problem


@ra.struct
class Place:
    """A point, (2,)."""

    at: ra.Vec


class Lob(Scene):
    """Straight on for a second, so that the end is where it was thrown from and the velocity together."""

    steps: int = parameter(10, "number of time steps")
    dt: float = parameter(0.1, "time step", unit="s")
    goal: Any = parameter((0.5, 0.7), "where to end", unit="m", handle=True)
    lift: float = control(0.25, "height at the start", unit="m", bounds=(0.0, 0.3))
    velocity: Any = control((1.0, 0.5), "how fast", unit="m/s")

    def initial(self) -> Place:
        return Place(ra.array([0.0, self.lift]))

    def step(self, state: Place, t: Any) -> Place:
        return Place(state.at + self.dt * self.velocity)

    def loss(self, final: Place) -> Any:
        miss = final.at - self.goal
        return ra.dot(miss, miss)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(Lob())


X, Y, LIFT = Component("velocity", 0), Component("velocity", 1), Component("lift")


def last(problem: Problem, axes: tuple[Axis, ...], grids: tuple[int, ...] = GRIDS) -> Landscape:
    *_, found = filter(None, explored(problem, problem.values, axes, grids))
    return found


def test_losses_side_by_side_are_those_one_by_one(problem: Problem) -> None:
    rng = np.random.default_rng(0)
    batch = {"velocity": rng.standard_normal((5, 2))}
    one = [problem.loss({**problem.values, "velocity": v}) for v in batch["velocity"]]
    np.testing.assert_allclose(problem.losses(problem.values, batch), one, rtol=1e-14)
    both = {**batch, "lift": rng.standard_normal(5)}
    one = [problem.loss({**problem.values, **{n: v[k] for n, v in both.items()}}) for k in range(5)]
    np.testing.assert_allclose(problem.losses(problem.values, both), one, rtol=1e-14)


def test_losses_of_contacts_side_by_side_are_those_one_by_one() -> None:
    billiards = Problem(find_scene("billiards", {"layers": "2", "steps": "300", "dt": "0.01"}))
    speeds = np.stack([np.linspace(0.1, 0.9, 7), np.linspace(-0.1, 0.1, 7)], axis=1)
    found = billiards.losses(billiards.values, {"cue_velocity": speeds})
    one = [billiards.loss({**billiards.values, "cue_velocity": v}) for v in speeds]
    assert np.ptp(one) > 1e-3
    np.testing.assert_allclose(found, one, rtol=1e-9)


@pytest.mark.parametrize("parts", [(X, Y), (LIFT, Y)])
def test_each_grid_holds_the_losses_at_its_points(
    problem: Problem, parts: tuple[Component, ...]
) -> None:
    axes = (Axis(parts[0], 0.1, 0.3), Axis(parts[1], -1.0, 1.0))
    grids = [g for g in explored(problem, problem.values, axes) if g]
    assert [g.losses.shape for g in grids] == [(n, n) for n in GRIDS]
    for g in grids:
        places = np.linspace(0, 1, len(g.losses))
        v, lift = problem.values["velocity"], float(problem.values["lift"])
        first, second = np.meshgrid(axes[0].at(places), axes[1].at(places), indexing="ij")
        x, y = (first, lift + second) if parts[0] is X else (v[0], first + second)
        np.testing.assert_allclose(g.losses, (x - 0.5) ** 2 + (y - 0.7) ** 2, atol=1e-14)


def test_it_comes_in_small_steps_and_computes_no_point_twice(problem: Problem) -> None:
    axes = (Axis(X, 0.0, 1.0), Axis(Y, 0.0, 1.0))
    steps, points = [], []

    class Counting:
        def losses(self, values: Any, batch: Any) -> Any:
            points.extend(map(tuple, batch["velocity"]))
            return problem.losses(values, batch)

    for found in explored(Counting(), problem.values, axes, (9, 17)):  # type: ignore[arg-type]
        steps.append(found is not None)
    assert steps.count(True) == 2 and len(steps) > 15
    spare = 2 * 16  # the last batch of each grid is filled up with copies
    assert 17 * 17 <= len(points) < 17 * 17 + spare and len(set(points)) == 17 * 17


def test_one_control_gives_a_curve(problem: Problem) -> None:
    found = last(problem, (Axis(LIFT, 0.0, 0.4),))
    lifts = np.linspace(0, 0.4, GRIDS[-1])
    np.testing.assert_allclose(found.losses, 0.25 + (lifts + 0.5 - 0.7) ** 2, atol=1e-14)
    assert not relief(found).pixels.size


def test_the_steepest_numbers_are_offered_in_pairs(problem: Problem) -> None:
    gradient = {"lift": np.array(0.5), "velocity": np.array([3.0, -4.0])}
    assert pairs(problem, gradient) == [(X, Y), (LIFT, Y), (LIFT, X)]
    assert pairs(problem, {})[0] == (LIFT, X), "the first two where no gradient is known"
    cradle = Problem(find_scene("cradle"))
    assert pairs(cradle, {}) == [(Component("pull"),)]


def test_the_frame_holds_the_descent_and_keeps_to_bounds(problem: Problem) -> None:
    path = [problem.values, {**problem.values, "velocity": np.array([9.0, 0.5])}]
    x, y = framed(problem, (X, Y), path)
    assert x.low < 1.0 < 9.0 < x.high and y.low < 0.5 < y.high
    (far,) = framed(problem, (Y,), path[:1], zoom=4.0)
    (near,) = framed(problem, (Y,), path[:1])
    assert far.high - far.low == pytest.approx(4 * (near.high - near.low))
    (lift,) = framed(problem, (LIFT,), path)
    assert lift.high == 0.3 and lift.low > 0


def test_components_are_named_as_people_type_them(problem: Problem) -> None:
    assert component(problem, "velocity.1") == Y and component(problem, "lift") == LIFT
    assert title(problem, Y) == "velocity y [m/s]" and title(problem, LIFT) == "lift [m]"
    for name, says in (
        ("speed", "there are lift, velocity"),
        ("velocity", "say which, velocity.0"),
        ("velocity.2", "velocity.0 to velocity.1"),
        ("velocity.x", "velocity.0 to velocity.1"),
        ("goal.0", "no control"),
    ):
        with pytest.raises(SceneError, match=says):
            component(problem, name)


# ---- The image ----


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


# ---- The command ----


def shown(path: Path) -> np.ndarray:
    return np.asarray(pygame.surfarray.array3d(pygame.image.load(path)), int)


def test_the_command_writes_a_picture_that_is_the_same_every_time(
    tmp_path: Path, capsys: Any
) -> None:
    for name in ("one.png", "two.png"):
        line = ["landscape", "bounce", "--iterations", "40", "--out", str(tmp_path / name)]
        assert main(line) == 0
    told = capsys.readouterr()
    assert "bounce: 40 iterations" in told.out and "two.png" in told.err
    one = (tmp_path / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    asked = ["--controls", "velocity.0,velocity.1", "--span", "0.2", "--iterations", "0"]
    assert main(["landscape", "bounce", *asked, "--out", str(tmp_path)]) == 0
    other = shown(tmp_path / "bounce-landscape.png")
    assert other.shape == shown(tmp_path / "one.png").shape
    assert (other != shown(tmp_path / "one.png")).any(axis=2).mean() > 0.2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--controls", "velocity.0,velocity.0"], "two different ones"),
        (["--controls", "velocity.0,velocity.1,height"], "two different ones"),
        (["--controls", "goal.0"], "no control"),
        (["--span", "-1"], "above 0"),
    ],
)
def test_the_command_says_what_it_cannot_do(asked: list[str], says: str, capsys: Any) -> None:
    assert main(["landscape", "bounce", *asked]) == 2
    assert says in capsys.readouterr().err
