"""What a time of impact does to a gradient: the picture of docs/rigid_robots.md.

The height at which a point, and a box at an angle, end against that from which they were thrown at the ground,
with and without a time of impact; and the slopes that their gradients give. Needs matplotlib.

    python docs/examples/drop.py docs/drop.png
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Scene, find_scene

POINT = {"shape": "point", "restitution": 1.0}
BOX = {"shape": "box", "restitution": 0.5, "angle": 0.7}
PANELS = (
    ("A point, elastic, straight down", POINT, (0.5, 0.52)),
    ("A box at an angle, restitution 0.5", BOX, (0.96, 1.0)),
)


def final_height(scene: Scene) -> Any:
    """The height at which the scene's body ends, as a function of that from which it comes."""

    def ends(height: Any) -> Any:
        thrown = scene.bound({"height": height})
        step = lambda t, state: thrown.step(state, t)  # noqa: E731
        return thrown.loss(ra.fori_loop(0, scene.steps, step, thrown.initial()))

    return ends


def curves(settings: dict[str, Any], heights: Any) -> dict[bool, Any]:
    """Final heights and slopes with a time of impact (True) and without."""
    found = {}
    for toi in (True, False):
        scene = find_scene("drop", {**settings, "time_of_impact": toi})
        found[toi] = ra.vmap(ra.value_and_grad(final_height(scene)))(heights)
    return found


def broken(heights: Any, values: Any, jump: float = 2e-4) -> tuple[Any, Any]:
    """A curve with gaps where it jumps, so that no line is drawn across."""
    gaps = np.flatnonzero(np.abs(np.diff(values)) > jump) + 1
    return np.insert(heights, gaps, np.nan), np.insert(values, gaps, np.nan)


def main(path: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    blue, red, grey = "#2f6fb3", "#d9583b", "#5a6472"
    plt.rcParams.update({"font.size": 9, "text.color": grey, "axes.labelcolor": grey})
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axis, (title, settings, span) in zip(axes, PANELS, strict=True):
        heights = np.linspace(*span, 2001)
        for toi, colour in ((False, red), (True, blue)):
            values, slopes = curves(settings, heights)[toi]
            axis.plot(*broken(heights, values), color=colour, lw=1.8)
            given = ", then ".join(f"{slope:+.2g}" for slope in np.unique(slopes.round(6)))
            name = "time of impact" if toi else "naive rule"
            axis.plot([], [], color=colour, lw=1.8, label=f"{name}: slope {given}")
        axis.set_title(title, fontsize=10, color="#20262e", loc="left")
        axis.set_xlabel("height at the start")
        axis.legend(frameon=False, fontsize=8.5, labelcolor="#20262e")
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color("#c3c9d1")
        axis.tick_params(color="#c3c9d1", labelcolor=grey, labelsize=8)
        axis.locator_params(nbins=5)
        axis.margins(y=0.25)
    axes[0].set_ylabel("height at the end")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["drop.png"])
