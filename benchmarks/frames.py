"""How long the window takes to draw a frame of a field and of many particles while a motion plays.

    python benchmarks/frames.py [--frames 300]

Drawn in 1280 by 720 pixels on a display that nobody sees; nothing waits for the next frame.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZE = (1280, 720)
SCENES: dict[str, tuple[str, dict[str, Any]]] = {
    "smoke, 128 x 128 cells": ("smoke", {"cells": 128}),
    "10,000 particles": ("jelly", {"edge": 100, "steps": 300}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=300)
    frames = parser.parse_args().frames
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    print("| playing | median, ms | 95 % under, ms | frames a second |\n| --- | --- | --- | --- |")
    for label, (name, fields) in SCENES.items():
        times = played(name, fields, frames)
        middle, high = 1e3 * np.percentile(times, (50, 95))
        print(f"| {label} | {middle:.1f} | {high:.1f} | {1 / np.mean(times):.0f} |")


def played(name: str, fields: dict[str, Any], frames: int) -> list[float]:
    """Seconds of each frame, while the motion of the scene's first controls plays."""
    from rosephys.scene.finding import find_scene
    from rosephys.sdl import pygame
    from rosephys.solve.problem import Problem
    from rosephys.window.session import Phase, Session
    from rosephys.window.viewer import Window

    pygame.display.init()
    pygame.display.set_mode(SIZE, pygame.RESIZABLE)
    problem = Problem(find_scene(name, fields))
    window = Window(Session(problem, 0, problem.scene.rate, problem.scene.optimizer))
    while window.session.phase is not Phase.PLAYING:
        window.frame(1 / 60)
        window.session.settle(60.0)
    times = []
    for _ in range(frames):
        begin = perf_counter()
        window.frame(1 / 60)
        times.append(perf_counter() - begin)
    window.close()
    return times


if __name__ == "__main__":
    main()
