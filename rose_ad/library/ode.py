"""Solutions of ordinary differential equations y' = f(y, t): y is a number, an array or a structure of them.

The method is that of Dormand and Prince, of order 5 with an error estimate of order 4 and dense output of order
4 (Hairer, Nørsett, Wanner: Solving ordinary differential equations I, 1993, II.4 to II.6). The derivative is
that of the steps taken, whose lengths count as constants: the exact derivative of what was computed, in forward
and reverse mode and to any order. It needs no second solution backwards, which is wrong where that is unstable.
Reverse mode keeps 256 states, or one of each step if `max_steps` is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..api.custom import stop_gradient
from ..api.implicit import newton
from ..api.python_function import as_fn
from ..api.vmap import vmap
from ..tracing.arrays import concat
from ..tracing.control import cond, fori_loop, scan, where, while_loop
from ..tracing.numeric import clip, maximum, minimum, sign, sqrt
from ..tracing.reduce import mean
from ..tracing.trace import current
from ..tracing.values import convert, lift
from .trees import ravel_tree, tree_map

_AT = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
_SLOPES = [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
_ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]
_DENSE = [-12715105075 / 11282082432, 0, 87487479700 / 32700410799, -10690763975 / 1880347072,
          701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423]  # fmt: skip


class _State(NamedTuple):
    """Where a solution has come to, and its last step for what lies inside."""

    t: Any  # from the start, in the direction of the solution
    h: Any  # of the next step
    y: Any
    slope: Any
    start: Any  # of the last step
    length: Any
    inside: tuple[Any, ...]  # its polynomial


class EventSolution(NamedTuple):
    """When an event takes place, the state then, and whether it does before the end; else those of the end."""

    t: Any
    y: Any
    found: Any


def odeint(
    f: Callable[..., Any],
    y0: Any,
    t: Any,
    *args: Any,
    rtol: float = 1.4e-8,
    atol: float = 1.4e-8,
    max_steps: int | None = None,
) -> Any:
    """The solution of y' = f(y, t, *args), y(t[0]) = y0, at times t (n,), increasing or decreasing: a structure
    of arrays (n, ...). As `jax.experimental.ode.odeint`.

    The error of a step is kept below atol + rtol |y| in the mean square. Derivatives flow to y0, t, args, and
    what f uses. Where steps become too small, as at a pole, or more than `max_steps` are needed between two
    times, the solution is NaN from there on.
    """
    if current() is None:
        return as_fn(
            lambda y0, t, *args: odeint(f, y0, t, *args, rtol=rtol, atol=atol, max_steps=max_steps)
        )(y0, t, *args)
    ts: Any = lift(t)
    solver = _Solver(f, y0, ts[0], stop_gradient(sign(ts[-1] - ts[0])), args, rtol, atol)

    def to(state: _State, until: Any) -> tuple[_State, Any]:
        end = solver.since_start(until)
        state = while_loop(
            lambda s: (s.t < end) & solver.can_go_on(s), solver.step, state, max_steps=max_steps
        )
        inside = solver.at(state, end)
        return state, where(state.t < end, np.nan, inside)

    _, later = scan(to, solver.begin(), ts[1:])
    rows = concat([solver.y0[None], later])
    return vmap(solver.unravel)(rows)


def ode_event(
    f: Callable[..., Any],
    y0: Any,
    t0: Any,
    event: Callable[..., Any],
    *args: Any,
    t_max: Any,
    rtol: float = 1.4e-8,
    atol: float = 1.4e-8,
    max_steps: int | None = None,
) -> EventSolution:
    """The first instant after t0 at which event(y, t, *args) changes its sign along the solution of
    y' = f(y, t, *args), y(t0) = y0, and the state then; both have the derivatives of the root.

    A sign that changes twice within a step is not seen. Nothing is looked for after `t_max`; where it is before
    t0, the solution is followed backwards. Else as `odeint`.
    """
    if current() is None:
        eager = as_fn(
            lambda y0, t0, t_max, *args: ode_event(
                f, y0, t0, event, *args, t_max=t_max, rtol=rtol, atol=atol, max_steps=max_steps
            )
        )
        out: EventSolution = eager(y0, t0, t_max, *args)
        return out
    solver = _Solver(f, y0, t0, stop_gradient(sign(t_max - lift(t0))), args, rtol, atol)
    end = solver.since_start(t_max)

    def value(y: Any, t: Any) -> Any:
        return event(solver.unravel(y), solver.time(t), *args)

    state, side = _up_to_crossing(solver, value, end, max_steps)
    high = minimum(state.t, end)
    found = _crossed(value(solver.at(state, high), high), side)

    def root() -> Any:
        def halve(_: Any, ends: Any) -> Any:
            a, b = ends
            middle = 0.5 * (a + b)
            over = _crossed(value(solver.at(state, middle), middle), side)
            return where(over, a, middle), where(over, middle, b)

        a, b = fori_loop(0, 40, halve, stop_gradient((state.start, high)))
        return newton(lambda t: value(solver.at(state, t), t), 0.5 * (a + b))

    instant = cond(found, root, lambda: end)
    y = where(state.t < instant, np.nan, solver.at(state, instant))
    return EventSolution(solver.time(instant), solver.unravel(y), found)


def _up_to_crossing(solver: _Solver, value: Any, end: Any, max_steps: Any) -> tuple[_State, Any]:
    """Steps until an event's value has changed its sign, or the end is passed, and the sign that it had before:
    one that begins at zero is looked for once it has left it."""

    def moving(c: Any) -> Any:
        state, side = c
        waiting = ~_crossed(value(state.y, state.t), side)
        return (state.t < end) & waiting & solver.can_go_on(state)

    def move(c: Any) -> Any:
        state, side = c
        state = solver.step(state)
        return state, where(side == 0, sign(stop_gradient(value(state.y, state.t))), side)

    first = solver.begin()
    side = sign(stop_gradient(value(first.y, first.t)))
    return while_loop(moving, move, (first, side), max_steps=max_steps)  # type: ignore[no-any-return]


def _crossed(value: Any, side: Any) -> Any:
    """Whether an event's value has another sign than it had."""
    return stop_gradient(value) * side < 0


class _Solver:
    """Steps of an equation, all entries of its state as one vector, in the time since its start."""

    def __init__(
        self, f: Any, y0: Any, t0: Any, direction: Any, args: Any, rtol: float, atol: float
    ):
        y0 = tree_map(lambda v: convert(v, lift(v * 1.0).scalar), y0)
        self.y0, self.unravel = ravel_tree(y0)
        self.f, self.args = f, args
        self.t0, self.direction = self.as_wide(t0), self.as_wide(direction)
        self.rtol, self.atol = max(rtol, 10 * np.finfo(self.y0.scalar.dtype).eps), atol

    def as_wide(self, t: Any) -> Any:
        """A time as wide as the state."""
        return convert(t, self.y0.scalar)

    def time(self, t: Any) -> Any:
        return self.t0 + self.direction * t

    def since_start(self, time: Any) -> Any:
        return self.direction * (self.as_wide(time) - self.t0)

    def can_go_on(self, s: _State) -> Any:
        """Whether steps have not become too small to get anywhere."""
        return s.h > 0.1 * np.finfo(s.h.scalar.dtype).eps * s.t

    def slope(self, y: Any, t: Any) -> Any:
        return self.direction * ravel_tree(self.f(self.unravel(y), self.time(t), *self.args))[0]

    def begin(self) -> _State:
        """The start, with the length of the first step (Hairer, Nørsett, Wanner, II.4)."""
        t, y = 0.0 * self.t0, self.y0
        slope = self.slope(y, t)

        def size(v: Any) -> Any:
            return sqrt(mean((v / (self.atol + self.rtol * abs(y))) ** 2))

        of_y, of_slope = size(y), size(slope)
        small = (of_y < 1e-5) | (of_slope < 1e-5)
        h = where(small, 1e-6, 0.01 * of_y / where(small, 1.0, of_slope))
        bent = size(self.slope(y + h * slope, t + h) - slope) / h
        most = maximum(of_slope, bent)
        flat = most <= 1e-15
        other = where(flat, maximum(1e-6, 1e-3 * h), (0.01 / where(flat, 1.0, most)) ** 0.2)
        h = stop_gradient(minimum(100.0 * h, other))
        return _State(t, h, y, slope, t, h, (y, 0.0 * y, 0.0 * y, 0.0 * y, 0.0 * y))

    def step(self, s: _State) -> _State:
        """A step if its error is small enough, else the same state with a shorter one to be tried."""
        slopes = [s.slope]
        y = s.y
        for at, row in zip(_AT[1:], _SLOPES[1:], strict=True):
            y = s.y + s.h * _combined(row, slopes)
            slopes.append(self.slope(y, s.t + at * s.h))
        error = s.h * _combined(_ERROR, slopes)
        allowed = self.atol + self.rtol * maximum(abs(s.y), abs(y))
        ratio = stop_gradient(sqrt(mean((error / allowed) ** 2)))
        good = ratio <= 1.0
        safe = where(ratio > 0, ratio, 1e-10)
        factor = where(good, clip(0.9 * safe**-0.2, 1.0, 10.0), clip(0.9 * safe**-0.2, 0.2, 1.0))
        factor = where(ratio == ratio, factor, 0.2)
        rise = y - s.y
        first = s.h * slopes[0] - rise
        inside = (
            s.y,
            rise,
            first,
            rise - s.h * slopes[-1] - first,
            s.h * _combined(_DENSE, slopes),
        )
        new = _State(s.t + s.h, s.h * factor, y, slopes[-1], s.t, s.h, inside)
        kept = s._replace(h=s.h * factor)
        return tree_map(lambda a, b: where(good, a, b), new, kept)  # type: ignore[no-any-return]

    def at(self, s: _State, t: Any) -> Any:
        """The solution at a time in the last step."""
        y, rise, first, second, rest = s.inside
        x = (t - s.start) / s.length
        return y + x * (rise + (1 - x) * (first + x * (second + (1 - x) * rest)))


def _combined(row: Any, slopes: Any) -> Any:
    parts = [c * k for c, k in zip(row, slopes, strict=True) if c]
    return sum(parts[1:], parts[0])
