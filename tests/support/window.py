"""A session and a window to test with: a problem in closed form, frames, keys and the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from rosephys.scene.fields import Field
from rosephys.scene.picture import Circles, Cross, Picture, Track
from rosephys.sdl import pygame
from rosephys.window.session import Phase, Session
from rosephys.window.viewer import Window

FRAME = 1 / 60


class Throw:
    """Throw a stone so that it lands on the goal."""

    name = "throw"
    iterations, rate, optimizer, clip, theme = 50, 0.2, "gd", np.inf, "dark"
    fields: ClassVar = {
        "goal": Field((0.8, 0.6), "where to land", handle=True, name="goal"),
        "start": Field((0.1, 0.1), "thrown from", control=True, handle=True, name="start"),
        "speed": Field(
            (0.1, 0.0), "how fast", bounds=(-2, 2), control=True, anchor="start", name="speed"
        ),
        "drag": Field(0.0, "of the air", handle=True, name="drag"),
    }


class ThrowProblem:
    """A stone in uniform motion for a second, in closed form; and faults to be set."""

    scene = Throw()
    controls = ("start", "speed")
    steps, dt = 100, 0.01

    def __init__(self) -> None:
        self.values = {n: np.array(f.default, float) for n, f in Throw.fields.items()}
        self.calls = 0
        self.fault: Callable[[dict[str, Any]], float] = lambda values: 0.0
        self.paint_fault: Callable[[], str] = lambda: "white"

    def compile(self) -> None:
        pass

    def suspect(self, values: Any) -> Any:
        return "", self, values

    def complete(self, values: dict[str, Any]) -> dict[str, Any]:
        return {n: np.array(v, float) for n, v in {**self.values, **values}.items()}

    def within(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def loss(self, values: dict[str, Any]) -> float:
        return float(np.sum((values["start"] + values["speed"] - values["goal"]) ** 2))

    def losses(self, values: dict[str, Any], batch: dict[str, Any]) -> np.ndarray:
        return np.array(
            [
                self.loss({**values, **dict(zip(batch, row, strict=True))})
                for row in zip(*batch.values(), strict=True)
            ]
        )

    def guesses(self, values: dict[str, Any]) -> dict[str, Any]:
        return {}

    def first_limits(self, values: dict[str, Any]) -> tuple[()]:
        return ()

    def limits(self, values: dict[str, Any]) -> tuple[()]:
        return ()

    def value_and_gradient(self, values: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        self.calls += 1
        slope = 2 * (values["start"] + values["speed"] - values["goal"])
        return self.loss(values) + self.fault(values), {"start": slope, "speed": slope}

    def trajectory(self, values: dict[str, Any]) -> np.ndarray:
        time = np.linspace(0, 1, self.steps + 1)[:, None]
        return np.asarray(values["start"] + time * values["speed"])

    def tracks(self, values: dict[str, Any], trajectory: np.ndarray) -> list[Track]:
        return [Track(trajectory, "white", "stone")]

    def picture(self, trajectory: np.ndarray, index: int, values: dict[str, Any]) -> Picture:
        stone = Circles(trajectory[index][None], 0.05, (self.paint_fault(),))
        return Picture((Cross(values["goal"], "accent"), stone), (0, 0, 1, 1), "canvas")


def session(problem: Any = None, iterations: int = 50) -> Session:
    problem = problem or ThrowProblem()
    return Session(problem, iterations, 0.2, "gd")


def solving(a: Session) -> bool:
    return a.phase is Phase.SOLVING


def advance(a: Session, frames: int = 1) -> Session:
    """Frames as if the solver made in each what it may."""
    for _ in range(frames):
        a.advance(FRAME)
        assert a.settle(5.0)
        a.receive()
    return a


def advanced_to(a: Session, phase: Phase) -> Session:
    for _ in range(2000):
        if a.phase is phase:
            return a
        advance(a)
    raise AssertionError(f"still {a.phase} with {a.message!r}")


def turn(window: Window, *events: pygame.event.Event, frames: int = 1) -> np.ndarray:
    """Put events in the queue, run frames as `view` does, and return what is shown."""
    for event in events:
        pygame.event.post(event)
    for _ in range(frames):
        for event in pygame.event.get():
            window.handle(event)
        window.session.settle(5.0)
        window.frame(FRAME)
    shown = pygame.surfarray.array3d(pygame.display.get_surface())
    return np.asarray(shown.swapaxes(0, 1), int)


def key(code: int, mod: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod, unicode="")


def mouse(kind: int, place: Any, button: int = 1) -> pygame.event.Event:
    place = (round(place[0]), round(place[1]))
    if kind == pygame.MOUSEMOTION:
        return pygame.event.Event(kind, pos=place, rel=(0, 0), buttons=(0, 0, 0))
    return pygame.event.Event(kind, pos=place, button=button)


def goal_pixel(window: Window) -> np.ndarray:
    return window.transform.to_screen(window.session.values["goal"])


def played(window: Window) -> Window:
    turn(window, frames=80)
    assert window.session.phase is Phase.PLAYING
    return window
