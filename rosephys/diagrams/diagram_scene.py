"""A diagram as a scene: its shapes are dragged in the window or on a page, and the rest settles about them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

import rose_ad as ra

from ..scene.fields import control, parameter
from ..scene.picture import Picture
from ..scene.scene import Scene
from .diagram import Diagram
from .energy import Places, Tables, energy
from .layout import Layout
from .marks import drawn
from .tables import start, tables


@ra.struct
class Drawn:
    """Where the points (n, 2) of a diagram are, and its sizes (m,)."""

    points: ra.Vec
    sizes: ra.Vec


class DiagramScene(Scene):
    """A scene of the diagram that its method `diagram` makes.

    Its loss is the diagram's energy; what must hold is in it by a `penalty` for each square pixel that it is
    off, and so are points whose place the diagram says: a hand can move them, and they go back.
    """

    optimizer, rate, iterations = "lbfgs", 5.0, 400
    theme = "light"

    steps: int = parameter(1, "it does not move by itself", bounds=(1, 1))
    dt: float = parameter(1.0, "time step", unit="s")
    seed: int = parameter(0, "of the layout", bounds=(0, 1_000_000))
    settled: bool = parameter(True, "begin with a layout that was found, else with shapes anywhere")
    penalty: float = parameter(
        0.1, "for a square pixel by which what must hold is off", bounds=(1e-6, 1e6)
    )
    points: Any = control(
        lambda scene: scene._begin[0], "where shapes are", unit="pixels", handle=True
    )
    sizes: Any = control(
        lambda scene: scene._begin[1], "half-sizes and radii that are free", unit="pixels"
    )

    def diagram(self) -> Diagram:
        """The diagram that is shown."""
        raise NotImplementedError(f"{type(self).__name__} needs a method diagram(self)")

    @cached_property
    def _found(self) -> tuple[Layout, Tables]:
        layout = self.diagram().layout(seed=self.seed)
        made = tables(layout.diagram, layout.said, exact=True)
        return layout, replace(made, free_points=np.ones(len(layout.diagram.points)))

    @cached_property
    def _free(self) -> np.ndarray[Any, Any]:
        return np.array([size.free for size in self._found[0].diagram.sizes], bool)

    @cached_property
    def _begin(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        layout = self._found[0]
        d = layout.diagram
        places = layout.places if self.settled else start(d, np.random.default_rng(self.seed))
        points, sizes = np.asarray(places.points), np.asarray(places.sizes)
        return points[: len(d.points)].copy(), sizes[: len(d.sizes)][self._free]

    def _sizes(self, free: Any) -> Any:
        """All sizes: those that are free, and the others as the diagram has them."""
        fixed = np.array([size.value for size in self._found[0].diagram.sizes])
        order = np.where(self._free, np.cumsum(self._free) - 1, len(free) + np.arange(len(fixed)))
        return ra.concat([ra.array(free), ra.array(fixed)])[order]

    def initial(self) -> Drawn:
        return Drawn(ra.array(self.points), self._sizes(self.sizes))

    def step(self, state: Drawn, t: Any) -> Drawn:
        return state

    def loss(self, final: Drawn) -> Any:
        layout, made = self._found
        fixed = np.array([point.at or (0.0, 0.0) for point in layout.diagram.points])
        stays = np.array([not point.free for point in layout.diagram.points], float)
        away = stays[:, None] * (final.points - fixed)
        strayed = self.penalty * ra.sum(away * away)
        return strayed + energy(Places(final.points, final.sizes), made, self.penalty, 1.0)

    def picture(self, state: Drawn) -> Picture:
        return drawn(self._found[0].diagram, state.points, state.sizes, ra)
