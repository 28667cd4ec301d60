"""How smooth the window is while the goal of billiards is dragged: frame rate, frame times, and the loss.

    python benchmarks/drag.py [--display] [--views] [--moves 10] [--reach 0.03]

Real events move the goal through the window: 30 frames from one place to the next, then 30 at rest. It is drawn
on a display that nobody sees unless `--display` is given (under `xvfb-run`, for example).

The farther the goal is taken, the more of its places can only be reached by another shot: a descent that has
arrived looks around (rosephys/solve/scout.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

MOVING, RESTING = 30, 30  # frames of each move
BACK = 1e-3  # the loss that counts as an answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--display", action="store_true", help="draw on the display there is")
    parser.add_argument("--views", action="store_true", help="show all that can be")
    parser.add_argument("--moves", type=int, default=10)
    parser.add_argument(
        "--reach",
        type=float,
        default=0.03,
        help="how far from its own place the goal is taken, in m",
    )
    arguments = parser.parse_args()
    if not arguments.display:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    drag(arguments.moves, arguments.reach, arguments.views)


def drag(moves: int, reach: float, views: bool) -> None:
    """Solve billiards, drag its goal and print what was measured."""
    from rosephys.scene.finding import find_scene
    from rosephys.sdl import pygame
    from rosephys.solve.problem import Problem
    from rosephys.window.session import Phase, Session
    from rosephys.window.viewer import FRAMES, SWITCH_SECONDS, Window

    sys.setswitchinterval(SWITCH_SECONDS)
    pygame.display.init()
    pygame.display.set_mode((1200, 720), pygame.RESIZABLE)
    problem = Problem(find_scene("billiards"))
    scene = problem.scene
    window = Window(Session(problem, scene.iterations, scene.rate, scene.optimizer))
    session, clock = window.session, pygame.time.Clock()
    for key in (pygame.K_l, pygame.K_g, pygame.K_n) if views else ():
        window.handle(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0, unicode=""))
    times: list[float] = []

    def frame() -> None:
        begin = perf_counter()
        for event in pygame.event.get():
            window.handle(event)
        window.frame(clock.get_time() / 1000)
        clock.tick(FRAMES)
        times.append(perf_counter() - begin)

    def hand(kind: int, place: np.ndarray) -> None:
        pixel = [round(x) for x in window.transform.to_screen(place).tolist()]
        how = {"rel": (0, 0), "buttons": (1, 0, 0)} if kind == pygame.MOUSEMOTION else {"button": 1}
        pygame.event.post(pygame.event.Event(kind, pos=pixel, **how))

    while session.phase is not Phase.PLAYING:
        frame()
    home = session.values["goal"].copy()
    print(f"solved: loss {session.losses[-1]:.2e}, {summary(times)}")
    times.clear()
    hand(pygame.MOUSEBUTTONDOWN, home)
    here, draw, late = home, np.random.default_rng(0), 0
    for move in range(moves):
        there = home + draw.uniform(-reach, reach, 2)
        for k in range(1, MOVING + 1):
            hand(pygame.MOUSEMOTION, here + (there - here) * k / MOVING)
            frame()
        here, back = there, None
        for k in range(RESTING):
            frame()
            if back is None and session.losses[-1] < BACK:
                back = k + 1
        late += back is None
        told = "not back" if back is None else f"back in {back} frames"
        place = ", ".join(f"{x:.3f}" for x in here)
        print(f"move {move + 1:2} to ({place}): loss {session.losses[-1]:.2e}, {told}")
    print(f"dragged: {len(times)} frames, {summary(times)}")
    print(f"loss under {BACK:g} within {RESTING} frames of rest in {moves - late} of {moves} moves")
    session.close()


def summary(times: list[float]) -> str:
    """Frame rate and percentiles of frame times, in words."""
    middle, high, most = 1e3 * np.percentile(times, (50, 95, 100))
    rate = len(times) / sum(times)
    spread = f"median {middle:.1f} ms, 95 % under {high:.1f} ms, longest {most:.1f} ms"
    return f"{rate:.1f} frames a second, {spread}"


if __name__ == "__main__":
    main()
