"""A pillar in a channel is hidden: the fans behind it that take its wake away are sought.

The fluid is pushed along the channel, so that without the pillar its speed would be a parabola. Eight fans push
it, too; when the time is over the flow beyond them should be what it would be without the pillar. Lengths are
in cells, times in steps; `dt` only says how fast it is shown. The picture has the spin above, the speed below.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Arrow, Circles, Limit, Lines, Picture, Scene, Text, control, parameter
from rosephys.physics.fields.grid import beside, each_cell
from rosephys.physics.fluids.lattice_boltzmann import (
    flowing,
    lattice_boltzmann_limit,
    lattice_boltzmann_step,
    moments,
    viscosity,
)
from rosephys.scene.picture import Image

Array = np.ndarray[Any, Any]

PILLAR = (0.75, 0.48, 0.13)  # its middle and radius, in widths of the channel
FANS = np.array([(x, y) for x in (1.0, 1.2) for y in (0.2, 0.4, 0.6, 0.8)])  # likewise
BREADTH = 0.06  # of a fan's stream, likewise
BEYOND = 1.45  # from where the flow counts, likewise
LENGTH = 3  # of the channel, likewise
STROKE = 120.0  # widths that an arrow is long for a push of 1


@ra.struct
class State:
    """The densities of the lattice, (9, n, m)."""

    f: ra.Vec


class Channel(Scene):
    """Hide a pillar in a stream: find the fans that take its wake away."""

    iterations = 60
    rate = 1e-4
    optimizer = "adam"

    cells: int = parameter(32, "cells across the channel", bounds=(8, 1024))
    steps: int = parameter(700, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.01, "seconds that a step is shown for", unit="s", bounds=(1e-9, 10.0))
    relaxation: float = parameter(0.54, "relaxation time, in steps", bounds=(0.5001, 100.0))
    speed: float = parameter(0.1, "speed in the middle, in cells a step", bounds=(0.0, 0.3))
    cost: float = parameter(2000.0, "what the square of a fan's push costs")
    fans: Any = control(
        np.zeros(FANS.shape), "push of each fan, in cells a step²", bounds=(-2e-3, 2e-3)
    )

    @property
    def places(self) -> tuple[Array, Array]:
        """The middles of the cells along (n, 1) and across (1, m), in its widths. Walls are a cell thick."""
        along, across = np.arange(LENGTH * self.cells) + 0.5, np.arange(self.cells + 2) - 0.5
        return along[:, None] / self.cells, across[None, :] / self.cells

    @property
    def solid(self) -> Array:
        """Whether a cell (n, m) is in a wall or in the pillar."""
        x, y = self.places
        a, b, radius = PILLAR
        return np.asarray((np.hypot(x - a, y - b) < radius) | (y < 0) | (y > 1))

    def undisturbed(self) -> Any:
        """The velocity along the channel (n, m) where there is no pillar."""
        x, y = self.places
        return 4 * self.speed * np.maximum(y * (1 - y), 0.0) + 0 * x

    def initial(self) -> State:
        u = ra.array(self.undisturbed())
        return State(flowing(1 + 0 * u, u, 0 * u))

    def force(self) -> tuple[Any, Any]:
        """What pushes a cell (n, m) along and across."""
        x, y = self.places
        drive = 8 * viscosity(self.relaxation) * self.speed / self.cells**2
        streams = np.stack(
            [np.exp(-((x - a) ** 2 + (y - b) ** 2) / BREADTH**2) for a, b in FANS], axis=-1
        )
        push = streams @ ra.array(self.fans)
        return drive + push[..., 0], push[..., 1]

    def step(self, state: State, t: Any) -> State:
        return State(lattice_boltzmann_step(state.f, self.relaxation, self.force(), self.solid))

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (lattice_boltzmann_limit(state.f, self.relaxation, self.solid),)

    def loss(self, final: State) -> Any:
        """The energy of what is left of the wake, as a share of that of the stream, and what the fans cost."""
        _, u, v = moments(final.f, self.force())
        x, y = self.places
        counts = (x > BEYOND) & (y > 0) & (y < 1)
        stream = self.undisturbed()
        off = (u - stream) ** 2 + v**2
        return ra.sum(ra.where(counts, off, 0.0)) / ra.sum(
            ra.where(counts, stream**2, 0.0)
        ) + self.cost * ra.sum(ra.array(self.fans) ** 2)

    def invariants(self, state: State) -> dict[str, Any]:
        """The mass of the fluid, which no wall takes."""
        return {"mass": ra.sum(ra.where(self.solid, 0.0, ra.sum(state.f, axis=0)))}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"mass": 1e-8}

    def picture(self, state: State) -> Picture:
        _, u, v = moments(state.f)
        open_to = 1.0 - self.solid
        u, v = open_to * u, open_to * v
        reach = self.speed * 8 / self.cells

        def spin(i: Any, j: Any) -> Any:
            west, east, _, _ = beside(v, i, j)
            _, _, south, north = beside(u, i, j)
            return 0.5 * (east - west - north + south)

        n, m = self.solid.shape
        inside = each_cell((n, m - 2), lambda i, j: spin(i, j + 1))
        pace = ra.sqrt(u * u + v * v + 1e-12)
        fans = ra.array(self.fans)
        a, b, radius = PILLAR
        return Picture(
            (
                Image(inside, (0.0, 0.0, LENGTH, 1.0), "waves", -reach, reach),
                Image(pace[:, 1:-1], (0.0, -1.1, LENGTH, -0.1), "water", 0.0, 1.3 * self.speed),
                Circles(np.array([[a, b], [a, b - 1.1]]), radius, ("bone",), style="ball"),
                *(Arrow(at, STROKE * fans[k], "good", 3.0) for k, at in enumerate(FANS)),
                Lines([(BEYOND, -1.1), (BEYOND, 0.0)], [(BEYOND, -0.1), (BEYOND, 1.0)], "dim", 1.5),
                Text((0.5 * (BEYOND + LENGTH), 1.08), "no wake from here on", "good"),
                Text((1.1, 1.08), "fans", "good"),
                Text((0.1, 1.08), "spin", "dim"),
                Text((0.12, -0.05), "speed", "dim"),
            ),
            (0.0, -1.1, LENGTH, 1.14),
        )
