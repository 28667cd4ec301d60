"""Scenes as environments: Gymnasium's own checker, the sum of rewards, and exact derivatives of moves."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, find_scene
from tests.support.control import Cart
from tests.support.scenes import Lob

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.error import ResetNeeded  # noqa: E402
from gymnasium.utils.env_checker import check_env  # noqa: E402

from rosephys.interop.gym import LOST, Environment, VectorEnvironment  # noqa: E402

HELD: dict[str, Any] = {"held": ["force"], "every": 10}
SMALL = {"steps": 60, "knots": 6}
MADE = {
    "one move": lambda: Environment(Lob()),
    "a move a step": lambda: Environment(Cart()),
    "held": lambda: Environment(find_scene("cartpole", SMALL), **HELD, render_mode="rgb_array"),
    "drawn": lambda: Environment(Lob(), between={"goal.0": (0.2, 0.8), "goal.1": (0.5, 0.6)}),
}


@pytest.mark.parametrize("name", MADE)
def test_gymnasiums_checker_passes(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it thinks of spaces without an end
        check_env(MADE[name]())


@pytest.mark.parametrize("name", ["billiards", "pendulum", "cartpole", "robot"])
def test_every_scene_is_registered(name: str) -> None:
    assert f"rosephys/{name}-v0" in gymnasium.registry


def test_made_by_its_name() -> None:
    environment = gymnasium.make("rosephys/bounce-v0", disable_env_checker=True)
    environment.reset(seed=1)
    assert environment.step(environment.action_space.sample())[2]
    with pytest.raises(SceneError, match="height is a control"):
        gymnasium.make("rosephys/bounce-v0", between={"height": (0.5, 1.0)})


def test_rewards_sum_to_minus_the_loss() -> None:
    problem = Problem(Cart())
    environment = Environment(problem)
    force = np.random.default_rng(1).normal(size=20)
    environment.reset(seed=0)
    moves = [environment.step(force[k : k + 1]) for k in range(20)]
    assert [over for _, _, over, _, _ in moves] == [False] * 19 + [True]
    assert -sum(reward for _, reward, *_ in moves) == pytest.approx(problem.loss({"force": force}))


def test_products_of_moves_chain_to_the_gradient() -> None:
    problem = Problem(Cart())
    environment = Environment(problem, vjp=True)
    force = np.random.default_rng(2).normal(size=20)
    observation, _ = environment.reset(seed=0)
    backs = [environment.step(force[k : k + 1])[4]["vjp"] for k in range(20)]
    cotangent, slope = np.zeros_like(observation), np.zeros(20)
    for k in reversed(range(20)):
        cotangent, (slope[k],) = backs[k](cotangent, 1.0)
    expected = problem.value_and_gradient({"force": force})[1]["force"]
    assert np.allclose(-slope, expected, rtol=1e-12)


def test_a_product_agrees_with_differences() -> None:
    environment = MADE["held"]()
    draw = np.random.default_rng(3)
    observed, _ = environment.reset(seed=0)
    environment.step(np.array([4.0]))
    bars = draw.normal(size=len(observed)), 0.7

    def weighed(action: float) -> float:
        environment.reset(seed=0)
        environment.step(np.array([4.0]))
        observation, reward, *_ = environment.step(np.array([action]))
        return float(bars[0] @ observation + bars[1] * reward)

    h = 1e-6
    difference = (weighed(1.0 + h) - weighed(1.0 - h)) / (2 * h)
    weighed(1.0)
    assert environment.vjp(*bars)[1] == pytest.approx([difference], rel=1e-7)


def test_one_move_is_the_whole_motion() -> None:
    problem = Problem(Lob())
    environment = Environment(problem)
    environment.reset()
    action = np.array([0.1, 0.4, 0.3])
    observation, reward, over, *_ = environment.step(action)
    values = {"lift": 0.1, "velocity": action[1:]}
    assert over and np.allclose(observation, [0.4, 0.4]) and reward == -problem.loss(values)
    slope = environment.vjp(np.zeros(2), -1.0)[1]
    found = problem.value_and_gradient(values)[1]
    assert np.allclose(slope, [found["lift"], *found["velocity"]])


def test_what_is_drawn_is_seen_and_differs_and_is_the_same_with_a_seed() -> None:
    environment = MADE["drawn"]()
    first = environment.reset(seed=7)[0]
    assert len(first) == 4 and 0.2 <= first[2] <= 0.8 and 0.5 <= first[3] <= 0.6
    other = environment.reset()[0]
    assert not np.array_equal(first, other)
    assert np.array_equal(first, environment.reset(seed=7)[0])
    given, _ = environment.reset(options={"goal.0": 0.25})
    assert given[2] == 0.25
    _, reward, *_ = environment.step(np.array([0.1, 0.4, 0.3]))
    miss = (0.4 - given[2]) ** 2 + (0.1 + 0.3 - given[3]) ** 2
    assert reward == pytest.approx(-miss)
    with pytest.raises(SceneError, match=r"reset can give goal\.0, goal\.1"):
        environment.reset(options={"goal": 0.25})


def test_an_action_is_kept_within_its_bounds() -> None:
    environment = Environment(Lob())
    environment.reset()
    observation, *_ = environment.step(np.array([9.0, 0.0, 0.0]))
    assert observation[1] == pytest.approx(0.3)


def test_pictures() -> None:
    environment = MADE["held"]()
    environment.reset()
    pixels = environment.render()
    assert pixels.shape == (460, 720, 3) and pixels.dtype == np.uint8 and len(np.unique(pixels)) > 9
    assert Environment(Lob()).render() is None


class Bursts(Cart):
    """A cart that is thrown out of the world."""

    def step(self, state: Any, t: Any) -> Any:
        after = super().step(state, t)
        return type(after)(after.place / (self.force[t] - 1.0), after.speed)


def test_what_is_not_finite_ends_an_episode() -> None:
    environment = Environment(Bursts())
    environment.reset()
    _, reward, over, cut, info = environment.step(np.array([1.0]))
    assert (reward, over, cut, info) == (LOST, True, False, {"not_finite": True})


# ---- Many ----


def test_many_are_each_what_one_is() -> None:
    problem, alone = Problem(Cart()), Environment(Problem(Cart()))
    many = VectorEnvironment(problem, 5)
    force = np.random.default_rng(4).normal(size=(5, 20))
    many.reset(seed=0)
    steps = [many.step(force[:, k : k + 1]) for k in range(20)]
    backs = many.vjp(np.ones((5, 2)), np.ones(5))
    for e in range(5):
        alone.reset(seed=0)
        for k in range(20):
            observation, reward, over, *_ = alone.step(force[e, k : k + 1])
            assert np.allclose(steps[k][0][e], observation, rtol=1e-13)
            assert steps[k][1][e] == pytest.approx(reward, rel=1e-12) and steps[k][2][e] == over
        before, action = alone.vjp(np.ones(2), 1.0)
        assert np.allclose(backs[0][e], before) and np.allclose(backs[1][e], action)


def test_one_that_is_over_begins_again_at_the_step_after() -> None:
    many = gymnasium.make_vec(
        "rosephys/billiards-v0",
        num_envs=3,
        vectorization_mode="vector_entry_point",
        between={"goal.0": (0.5, 1.0)},
    )
    first, _ = many.reset(seed=3)
    assert first.shape == (3, 45) and len(np.unique(first[:, -1])) == 3
    actions = np.tile([0.1, 0.5, 0.3, 0.0], (3, 1))
    _, rewards, over, cut, _ = many.step(actions)
    assert over.all() and not cut.any() and (rewards < 0).all()
    again, rewards, over, *_ = many.step(actions)
    assert not over.any() and (rewards == 0).all()
    assert np.array_equal(again[:, :44], first[:, :44])
    assert not np.isclose(again[:, 44], first[:, 44]).any()
    assert many.step(actions)[2].all()


def test_spaces_of_many() -> None:
    many = VectorEnvironment(find_scene("cartpole", SMALL), 4, **HELD)
    assert many.action_space.shape == (4, 1) and many.single_action_space.high == [10.0]
    observation, _ = many.reset(seed=1)
    assert observation in many.observation_space
    assert many.step(many.action_space.sample())[0] in many.observation_space


# ---- What cannot be ----


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"held": ["push"]}, "push cannot be held: it is none of the controls, lift, velocity"),
        ({"held": ["lift"]}, "lift cannot be held: it is one number, without rows over time"),
        ({"held": ["velocity"], "every": 3}, "10 steps are no moves of 3 steps"),
        ({"between": {"goal": (0, 1)}}, "goal is no number of goal"),
        ({"between": {"goal.0": (1, 0)}}, "the range of goal.0 goes from 1 to 0"),
        ({"between": {"lift": (0, 0.1)}}, "lift is a control: an action says what it is"),
        ({"render_mode": "human"}, "render_mode is \"rgb_array\", or None, not 'human'"),
    ],
)
def test_what_cannot_be(how: dict[str, Any], said: str) -> None:
    with pytest.raises(SceneError) as error:
        Environment(Lob(), **how)
    assert str(error.value).startswith(said)


def test_no_move_no_product() -> None:
    environment = Environment(Lob())
    environment.reset()
    with pytest.raises(SceneError, match="there is no move yet"):
        environment.vjp(np.zeros(2), 1.0)
    with pytest.raises(SceneError, match="there is 1 environment at least, not 0"):
        VectorEnvironment(Lob(), 0)


def test_gymnasium_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rosephys.interop.gym")
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ImportError, match=r'pip install "rosephys\[gym\]"'):
        import rosephys.interop.gym  # noqa: F401


def test_no_move_without_an_episode_that_goes_on() -> None:
    """Before the first, and after the end: a move of a motion that is over has no meaning."""
    one, many = Environment(Lob(), render_mode="rgb_array"), VectorEnvironment(Lob(), 2)
    for move in (lambda: one.step(one.action_space.sample()), one.render):
        with pytest.raises(ResetNeeded, match=r"reset\(\)"):
            move()
    with pytest.raises(ResetNeeded, match=r"reset\(\)"):
        many.step(many.action_space.sample())
    one.reset(seed=0)
    assert one.step(one.action_space.sample())[2]
    with pytest.raises(ResetNeeded, match=r"reset\(\)"):
        one.step(one.action_space.sample())
    one.reset()
    assert one.step(one.action_space.sample())[2]


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("wrong", ["longer", "shorter", "nested", "NaN"])
def test_what_is_no_action_is_told(number: int, wrong: str) -> None:
    environment: Any = Environment(Lob()) if number == 1 else VectorEnvironment(Lob(), number)
    environment.reset(seed=0)
    action = environment.action_space.sample()
    given = {
        "longer": np.concatenate([action, action], axis=-1),
        "shorter": action[..., :-1],
        "nested": action[None],
        "NaN": action * np.nan,
    }[wrong]
    with pytest.raises(SceneError, match="an action"):
        environment.step(given)
    environment.step(action)


def test_one_that_begins_anew_may_be_given_any_action() -> None:
    many = VectorEnvironment(Lob(), 2)
    many.reset(seed=0)
    assert many.step(many.action_space.sample())[2].all()
    observations, rewards, over, *_ = many.step(np.nan * many.action_space.sample())
    assert np.isfinite(observations).all() and not rewards.any() and not over.any()


def test_moves_of_many_steps_are_of_what_is_held() -> None:
    with pytest.raises(SceneError, match="nothing is held for 5 steps"):
        Environment(Lob(), every=5)
    with pytest.raises(TypeError, match="evry"):
        VectorEnvironment(Lob(), 2, evry=5)
