"""Scenes as environments of Gymnasium, one at a time and many side by side in SIMD lanes.

What an action, an observation and a reward are is in `moves.py`. A move is differentiable, and `vjp` gives its
exact vector-Jacobian product, which chains to the gradient of an episode's return:

    environment = Environment("cartpole", held=["force"], every=5)
    observation, info = environment.reset(seed=0)
    observation, reward, terminated, truncated, info = environment.step(action)
    before, action = environment.vjp(observation_cotangent, reward_cotangent)

Importing this module registers every scene that comes with rosephys: gymnasium.make("rosephys/billiards-v0").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import SceneError
from ..given import told
from ..scene.finding import find_scene, scene_names
from ..scene.scene import Scene
from ..solve.problem import Arrays, Problem
from ..sweeps.points import points
from . import missing
from .moves import Floats, Moves

try:
    import gymnasium
    from gymnasium.error import ResetNeeded
    from gymnasium.spaces import Box
    from gymnasium.vector import AutoresetMode
    from gymnasium.vector.utils import batch_space
except ModuleNotFoundError as error:
    raise missing("Gymnasium", "gym") from error

LOST = -1e6  # the reward of a move after which a number is not finite
SIZE = (720, 460)  # pixels of a picture


class _Scene:
    """What one environment and many share: the moves, and what is drawn at the beginning of an episode."""

    def __init__(
        self,
        scene: str | Scene | Problem,
        between: Mapping[str, Any] | None,
        held: Sequence[str],
        every: int,
    ) -> None:
        if not isinstance(scene, Problem):
            scene = Problem(find_scene(scene) if isinstance(scene, str) else scene)
        if not scene.controls:
            raise SceneError(f"{scene.scene.name} has no controls, and so no actions")
        self.problem = scene
        samples = 1 if between else None
        self.between = points(scene.scene, {}, between or {}, samples, 1, 0).between
        for name in self.between:
            if name.split(".")[0] in scene.controls:
                raise SceneError(
                    f"{name} is a control: an action says what it is, nothing draws it"
                )
        self.moves = Moves(scene, list(self.between), held, every)
        size = self.moves.floats + self.moves.context
        self.observations = Box(-np.inf, np.inf, (size,), np.float64)
        self.actions = Box(self.moves.low, self.moves.high, dtype=np.float64)

    def drawn(self, draw: np.random.Generator) -> dict[str, float]:
        """The context of an episode."""
        return {name: draw.uniform(*ends) for name, ends in self.between.items()}


def _action(given: Any, moves: Moves, shape: tuple[int, ...], over: Any = False) -> Floats:
    """An action (m,), or one of each of many (n, m), brought within the bounds; 0 for those that are `over`,
    which may have any. Raises SceneError for another shape, and for NaN: a motion under it is none."""
    found = np.asarray(given, float)
    if found.size != math.prod(shape) or found.ndim > len(shape):
        raise SceneError(f"an action is numbers of shape {shape}, not {told(given)}")
    found = np.where(np.asarray(over)[..., None], 0.0, found.reshape(shape))
    if np.isnan(found).any():
        raise SceneError("an action has a number that is NaN")
    return np.asarray(np.clip(found, moves.low, moves.high))


class Environment(gymnasium.Env):  # type: ignore[misc]
    """A scene, by its name or made, as an environment.

    `held` names controls with rows over time, of which an action is one, held for `every` steps: Environment(
    "cartpole", held=["force"], every=5). `between` are ranges of numbers, such as {"goal.0": (0.2, 1.2)}, that
    are drawn anew at each reset, and are the end of each observation. With `vjp`, the `info` of a step has its
    vector-Jacobian product as a function, as `vjp` is. Raises SceneError for a scene that is not there or has
    no controls, and for what cannot be held or drawn so.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012

    def __init__(
        self,
        scene: str | Scene | Problem,
        *,
        held: Sequence[str] = (),
        every: int = 1,
        between: Mapping[str, Any] | None = None,
        vjp: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise SceneError(f'render_mode is "rgb_array", or None, not {render_mode!r}')
        self._scene, self._tells = _Scene(scene, between, held, every), vjp
        self.render_mode = render_mode
        self.problem, self.moves = self._scene.problem, self._scene.moves
        self.observation_space, self.action_space = self._scene.observations, self._scene.actions
        self._values: Arrays = {}
        self._going = False  # an episode has begun, and is not over
        self._last: tuple[Any, ...] | None = None  # move: what was before, the action, the step

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Begin an episode. `options` may name numbers of `between` that are given, not drawn."""
        super().reset(seed=seed)
        given = dict(options or {})
        if not given.keys() <= self._scene.between.keys():
            raise SceneError(f"reset can give {', '.join(self._scene.between) or 'nothing'}")
        self._values = self.moves.values(self._scene.drawn(self.np_random) | given)
        self._x, self._others = self.moves.first(self._values)
        self._t, self._last, self._going = 0, None, True
        return self._x.copy(), {}

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """A move: the observation after it, the reward, whether the episode is over, and more in `info`.

        The end of the motion is a terminal state, whose loss is paid, so nothing is ever truncated. Raises
        gymnasium's ResetNeeded where no episode goes on, SceneError for what is no action.
        """
        if not self._going:
            raise ResetNeeded("no episode goes on: reset() begins one")
        action = _action(action, self.moves, self.action_space.shape)
        self._last = self._x, self._others, action, self._t
        self._x, self._others, reward = self.moves.move(*self._last)
        self._t += 1
        finite = bool(np.isfinite(self._x).all() and np.isfinite(reward))
        info: dict[str, Any] = {} if finite else {"not_finite": True}
        if self._tells:
            move = self._last
            info["vjp"] = lambda observation, reward: self._back(move, observation, reward)
        over = not finite or self._t == self.moves.steps
        self._going = not over
        return self._x.copy(), reward if finite else LOST, over, False, info

    def vjp(self, observation: Any, reward: float) -> tuple[Floats, Floats]:
        """The cotangents of the observation before the last move (n,), and of its action (m,), for those of the
        observation after it (n,) and of its reward: exact, by reverse mode.

        Raises SceneError where no move has been made.
        """
        if self._last is None:
            raise SceneError("there is no move yet to be differentiated: step first")
        return self._back(self._last, observation, reward)

    def _back(
        self, move: tuple[Any, ...], observation: Any, reward: float
    ) -> tuple[Floats, Floats]:
        return self.moves.back(*move, np.asarray(observation, float), float(reward))

    def render(self) -> Any:
        """What the state looks like, as pixels (h, w, 3). Raises gymnasium's ResetNeeded before `reset`."""
        if self.render_mode is None:
            return None
        if not self._values:
            raise ResetNeeded("there is no state yet to be drawn: reset() makes one")
        from ..drawing.motion import still
        from ..drawing.palette import themed
        from ..drawing.pixels import pixels

        state = self.moves.state(self._x, self._others)
        with themed(self.problem.scene.theme):
            return pixels(still(self.problem.picture(state, 0, self._values), SIZE))


class VectorEnvironment(gymnasium.vector.VectorEnv):  # type: ignore[misc]
    """Many of one scene, moved side by side in SIMD lanes; episodes end and begin each for itself.

    As `Environment` has it, with a leading axis of length `num_envs`. One that is over is begun again at the
    step after, whatever its action then (AutoresetMode.NEXT_STEP).
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        scene: str | Scene | Problem,
        num_envs: int = 1,
        *,
        held: Sequence[str] = (),
        every: int = 1,
        between: Mapping[str, Any] | None = None,
    ) -> None:
        if num_envs < 1:
            raise SceneError(f"there is 1 environment at least, not {num_envs}")
        self._scene = _Scene(scene, between, held, every)
        self.num_envs, self.render_mode = num_envs, None
        self.problem, self.moves = self._scene.problem, self._scene.moves
        self.single_observation_space = self._scene.observations
        self.single_action_space = self._scene.actions
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._begun = False
        self._last: tuple[Any, ...] | None = None

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Begin all episodes."""
        super().reset(seed=seed)
        if options:
            raise SceneError(f"reset takes no options of many, not {', '.join(options)}")
        begun = [self._begin() for _ in range(self.num_envs)]
        self._x = np.stack([x for x, _ in begun])
        self._others = [np.stack(leaf) for leaf in zip(*(o for _, o in begun), strict=True)]
        self._t = np.zeros(self.num_envs, np.int64)
        self._over = np.zeros(self.num_envs, bool)
        self._last, self._begun = None, True
        return self._x.copy(), {}

    def _begin(self) -> tuple[Floats, list[Any]]:
        context = self._scene.drawn(self.np_random)
        return self.moves.first(self.moves.values(context))

    def step(self, actions: Any) -> tuple[Floats, Floats, Any, Any, dict[str, Any]]:
        """A move of each; of one that was over, the beginning of its next episode, with reward 0.

        Raises gymnasium's ResetNeeded before `reset`, SceneError for what are no actions.
        """
        if not self._begun:
            raise ResetNeeded("no episodes go on: reset() begins them")
        actions = _action(actions, self.moves, self.action_space.shape, self._over)
        begins, self._last = self._over, (self._x, self._others, actions, self._t)
        x, others, rewards = self.moves.moves(*self._last)
        self._x, self._others = x.copy(), [np.array(leaf) for leaf in others]
        self._t = self._t + 1
        finite = np.isfinite(x).all(axis=1) & np.isfinite(rewards)
        rewards = np.where(begins, 0.0, np.where(finite, rewards, LOST))
        for k in np.flatnonzero(begins):
            self._x[k], first = self._begin()
            for leaf, own in zip(self._others, first, strict=True):
                leaf[k] = own
            self._t[k] = 0
        self._over = ~begins & (~finite | (self._t == self.moves.steps))
        return self._x.copy(), rewards, self._over.copy(), np.zeros_like(self._over), {}

    def vjp(self, observations: Any, rewards: Any) -> tuple[Floats, Floats]:
        """As `Environment.vjp`, (num_envs, n) and (num_envs, m) for (num_envs, n) and (num_envs,); of one that
        began its episode in the last step they are those of a move nobody saw."""
        if self._last is None:
            raise SceneError("there is no move yet to be differentiated: step first")
        return self.moves.backs(
            *self._last, np.asarray(observations, float), np.asarray(rewards, float)
        )


def _register() -> None:
    here = __name__
    for name in scene_names():
        gymnasium.register(
            f"rosephys/{name}-v0",
            entry_point=f"{here}:Environment",
            vector_entry_point=f"{here}:VectorEnvironment",
            kwargs={"scene": name},
        )


_register()
