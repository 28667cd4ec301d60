"""Whether a scene can be trusted: its gradient, its runs, its picture and what its motion should keep.

Each check is a function of a `Run` that yields findings. `python -m rosephys check SCENE` runs them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from time import perf_counter
from typing import Any, Literal

import numpy as np

import rose_ad as ra

from ..limit import Limit
from ..solve.guard import in_motion, lost, origin
from ..solve.problem import Arrays, Problem
from ..solve.trust import judge

Outcome = Literal["ok", "FAILED", "note"]

DIRECTIONS = 4  # random ones, in all controls together
FEW = 12  # so many numbers among the controls are checked one by one
STEPS = 10.0 ** -np.arange(3, 9)  # of central differences, relative to the size of a control
WRONG = 1e-4  # a larger relative difference from central differences is called wrong
UNSEEN = 1e-9  # a slope this small, relative to the loss, cannot be told from none by differences
MODES = 1e-7  # a larger relative difference between forward and reverse mode is called wrong
INTERPRETED = 1e-9  # a larger relative difference from the interpreter is called wrong
SLOWER = 3000  # times the compiled program the interpreter takes, roughly
PATIENCE = 6.0  # seconds, for differences and for the interpreter
SIZE = (720, 460)  # of the picture, in pixels
FRAMES = 9  # of the motion that are looked at


@dataclass(frozen=True)
class Finding:
    """What a check found: "note" is for a person to judge; a failure has an advice."""

    check: str
    verdict: Outcome
    measured: str
    advice: str = ""


class Run:
    """A problem at its values, and what several checks need of it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.values = problem.values

    @cached_property
    def gradient(self) -> tuple[float, Arrays]:
        """The loss and its gradient."""
        return self.problem.value_and_gradient(self.values)

    @property
    def finite(self) -> bool:
        """Whether the loss and its gradient are."""
        loss, gradient = self.gradient
        return math.isfinite(loss) and all(np.isfinite(g).all() for g in gradient.values())

    @property
    def sizes(self) -> dict[str, float]:
        """The largest number of each field, 1 where all are 0."""
        return {n: float(np.max(np.abs(v), initial=0.0)) or 1.0 for n, v in self.values.items()}

    @cached_property
    def trajectory(self) -> Any:
        """All states."""
        return self.problem.trajectory(self.values)

    @cached_property
    def loss_seconds(self) -> float:
        """What one loss takes."""
        self.problem.loss(self.values)
        start = perf_counter()
        self.problem.loss(self.values)
        return perf_counter() - start

    def along(self, direction: Arrays, step: float) -> float:
        """The loss a step away."""
        moved = {n: self.values[n] + step * v for n, v in direction.items()}
        return self.problem.loss({**self.values, **moved})


def check(problem: Problem) -> list[Finding]:
    """All findings about a scene. Raises what the scene raises when it is traced or run."""
    run = Run(problem)
    held = list(limits(run))
    if any(finding.verdict == "FAILED" for finding in held):
        return held  # where the models do not hold, nothing else means anything
    checks = (states, gradients, distance, modes, determinism, interpreter, pictures, invariants)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is a finding
        return held + [finding for c in checks for finding in c(run)]


def limits(run: Run) -> Iterator[Finding]:
    """Whether the scene's models hold all along the motion."""
    stated = run.problem.limits(run.values)
    breach = in_motion(run.problem, run.values)
    if breach is not None:
        yield Finding("limits", "FAILED", breach.words, "beyond it the model does not hold")
    elif stated:
        worst = max(stated, key=_use)
        what = worst.quantity or worst.field
        yield Finding("limits", "ok", f"{what} is at {_use(worst):.0%} of what it may be at most")


def _use(limit: Limit) -> float:
    """The largest share of a bound that is used."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.divide(limit.value, limit.bound), initial=0.0))


# ---------------------------------------------------------------------------------------- numbers


def states(run: Run) -> Iterator[Finding]:
    """Whether every number of every state is finite."""
    leaves = ra.flatten(run.trajectory)[0]
    where = lost(run.trajectory)
    if where is None:
        count = sum(np.size(leaf[0]) for leaf in leaves)
        yield Finding("states", "ok", f"{len(leaves[0])} of {count} finite numbers each")
        return
    yield Finding(
        "states",
        "FAILED",
        where.words,
        f"{origin(run.problem, run.values)}; a motion that explodes wants a smaller dt",
    )


# -------------------------------------------------------------------------------------- gradients


def gradients(run: Run) -> Iterator[Finding]:
    """The gradient against central differences: along random directions, and in each control."""
    loss, gradient = run.gradient
    bad = [n for n, g in gradient.items() if not np.isfinite(g).all()]
    if bad or not math.isfinite(loss):
        what = ", ".join(bad) if math.isfinite(loss) else f"the loss, {loss},"
        yield Finding(
            "gradient",
            "FAILED",
            f"not finite: {what}",
            f"{origin(run.problem, run.values)}; a root or a norm of zero is the usual cause",
        )
        return
    rng, sizes = np.random.default_rng(0), run.sizes
    begin = perf_counter()
    together = [_random(rng, gradient, sizes) for _ in range(DIRECTIONS)]
    yield _compared(run, "gradient along random directions", together, begin)
    for name in gradient:
        yield _compared(run, f"gradient in {name}", _each(rng, gradient, name, sizes), begin)


def _random(rng: np.random.Generator, like: Arrays, sizes: Mapping[str, float]) -> Arrays:
    """A direction in all controls, each moved by its size."""
    out = {}
    for name, g in like.items():
        v = rng.standard_normal(g.shape)
        out[name] = np.asarray(v * sizes[name] / (np.linalg.norm(v) or 1.0))
    return out


def _each(
    rng: np.random.Generator, gradient: Arrays, name: str, sizes: Mapping[str, float]
) -> list[Arrays]:
    """The axes of one control, or, where it has many, a random direction in it."""
    shape = gradient[name].shape
    if sum(g.size for g in gradient.values()) > FEW:
        return [_random(rng, {name: gradient[name]}, sizes)]
    axes = sizes[name] * np.eye(max(gradient[name].size, 1))
    return [{name: axis.reshape(shape)} for axis in axes]


def _compared(run: Run, what: str, directions: list[Arrays], begin: float) -> Finding:
    """The worst of some directions, as many as patience allows, at least one."""
    found = [_difference(run, directions[0])]
    for direction in directions[1:]:
        if perf_counter() - begin > PATIENCE:
            break
        found.append(_difference(run, direction))
    failed = [f for f in found if f.verdict == "FAILED"]
    notes = [f for f in found if f.verdict == "note"]
    worst = max(found, key=lambda f: f.error)
    shown = (failed or notes or [worst])[0]
    if shown.verdict == "ok":
        several = f" in {len(found)} directions" if len(found) > 1 else ""
        same = "zero: the loss does not depend on it here"
        differs = f"differs by {worst.error:.1g} at most{several}"
        return Finding(what, "ok", differs if any(f.slope for f in found) else same)
    numbers = f"{shown.slope:.6g}, central differences {shown.differences}"
    if shown.verdict == "FAILED":
        return Finding(
            what,
            "FAILED",
            numbers,
            "a derivative is wrong: look for custom rules, stop_gradient, and contact whose instant"
            " is not part of the motion; ra.check_grads tells more of a single function",
        )
    return Finding(
        what,
        "note",
        numbers,
        "differences do not settle: the loss jumps or is chaotic here; try --set with other values,"
        " fewer steps, or ra.check_continuity",
    )


@dataclass(frozen=True)
class _Difference:
    """A slope by the gradient, the relative error it is found to have, and differences for people."""

    verdict: Outcome
    slope: float
    error: float
    differences: str


def _difference(run: Run, direction: Arrays) -> _Difference:
    """A slope against differences with ever smaller steps.

    It is right where it agrees with one of them, wrong where two that follow each other agree with each other
    alone. Where no two agree, differences say nothing.
    """
    loss, gradient = run.gradient
    slope = float(sum(np.vdot(gradient[n], v) for n, v in direction.items()))
    sides = [(run.along(direction, h), run.along(direction, -h)) for h in STEPS]
    found = [(up - down) / (2 * h) for (up, down), h in zip(sides, STEPS, strict=True)]
    errors = [_apart(slope, d) for d in found]
    best = int(np.argmin(np.nan_to_num(errors, nan=np.inf)))
    # of a slope that is zero no difference is near in proportion: any may be the nearest
    unseen = any(abs(slope - d) <= UNSEEN * abs(loss) for d in found)
    if errors[best] <= WRONG or unseen:
        return _Difference("ok", slope, errors[best], "")
    settled = [
        k
        for k, (a, b) in enumerate(pairwise(found))
        if _apart(a, b) <= WRONG or max(abs(a), abs(b)) <= UNSEEN * abs(loss)
    ]
    shown = f"{found[settled[-1]]:.6g}" if settled else ", ".join(f"{d:.3g}" for d in found)
    return _Difference("FAILED" if settled else "note", slope, errors[best], shown)


def _apart(a: float, b: float) -> float:
    """The difference relative to the larger of two numbers."""
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


def distance(run: Run) -> Iterator[Finding]:
    """Whether the loss changes over a distance by the sum of its gradient on the way, as it must if it is
    continuous.

    A loss that is a saw, for the instant of a contact is no part of what is computed, has a derivative that
    agrees with differences and leads astray.
    """
    if not run.finite:
        return
    found = judge(run.problem, run.values)
    measured = f"{found.promised:.3g}, and the loss changes by {found.change:.3g}"
    if found.reason == "not finite":
        measured = found.reason
    advice = "" if found.trusted else f"{found.words}; {found.advice}"
    yield Finding(
        "gradient summed over a distance", "ok" if found.trusted else "note", measured, advice
    )


def modes(run: Run) -> Iterator[Finding]:
    """Forward against reverse mode: both give the slope along a direction."""
    _, gradient = run.gradient
    if not run.finite:
        return
    rng = np.random.default_rng(1)
    worst, pair = 0.0, (0.0, 0.0)
    for _ in range(DIRECTIONS):
        direction = _random(rng, gradient, run.sizes)
        reverse = float(sum(np.vdot(g, direction[n]) for n, g in gradient.items()))
        scale = sum(float(np.sum(np.abs(g * direction[n]))) for n, g in gradient.items())
        forward = run.problem.slope(run.values, direction)
        error = abs(forward - reverse) / scale if scale else abs(forward)
        if not error <= worst:
            worst, pair = error if error == error else math.inf, (forward, reverse)
    if worst <= MODES:
        yield Finding("forward against reverse mode", "ok", f"differ by {worst:.1g} at most")
    else:
        yield Finding(
            "forward against reverse mode",
            "FAILED",
            "{:.9g} and {:.9g}".format(*pair),
            "a custom derivative and its transpose disagree, or the scene uses a function that has"
            " only one of them; if it has none of its own, please report it",
        )


# ------------------------------------------------------------------------------------------- runs


def determinism(run: Run) -> Iterator[Finding]:
    """Whether a second run, and one of a program made anew, give the same bits."""

    def bits(problem: Problem) -> list[bytes]:
        found = (problem.value_and_gradient(run.values), problem.trajectory(run.values))
        return [np.asarray(leaf).tobytes() for leaf in ra.flatten(found)[0]]

    first, again, anew = bits(run.problem), bits(run.problem), bits(Problem(run.problem.scene))
    if first == again == anew:
        yield Finding("determinism", "ok", "three runs, one of a program made anew: the same bits")
        return
    which = "a second run" if first != again else "a program made anew"
    yield Finding(
        "determinism",
        "FAILED",
        f"{which} gives other numbers",
        "give random numbers of the scene a seed; let no method change the scene or a global",
    )


def interpreter(run: Run) -> Iterator[Finding]:
    """Whether compiled steps do what the interpreter, which is slow and plain, says they mean."""
    problem, what = run.problem, "compiled against interpreted"
    expected = SLOWER * run.loss_seconds / max(problem.steps, 1)
    if expected > PATIENCE:
        yield Finding(what, "note", f"not done: a step would take {expected:.0f} s or so")
        return

    def step(state: Any, t: Any, values: Any) -> Any:
        return problem.scene.bound(values).step(state, t)

    def arguments(t: int) -> tuple[Any, int, Arrays]:
        return ra.map_leaves(lambda a: a[t], run.trajectory), t, dict(run.values)

    function = ra.fn(step).lower(*arguments(0)).program.function
    leaves = ra.flatten(run.trajectory)[0]
    sizes = [float(np.max(np.abs(leaf), initial=0.0)) for leaf in leaves]
    begin, worst, count = perf_counter(), 0.0, 0
    for t in np.unique(np.linspace(0, max(problem.steps - 1, 0), 5).astype(int)).tolist():
        told = ra.interpret(function, ra.flatten(arguments(t))[0])
        made = [leaf[t + 1] for leaf in leaves]
        # what rests has velocities of rounding alone: a millionth of the state's size is their measure
        least = max(1e-6 * max(sizes, default=0.0), 1e-12)
        for a, b, size in zip(told, made, sizes, strict=True):
            off = float(np.max(np.abs(np.subtract(a, b, dtype=float)), initial=0.0))
            worst = max(worst, off / max(size, least))
        count += 1
        if perf_counter() - begin > PATIENCE:
            break
    if worst <= INTERPRETED:
        yield Finding(what, "ok", f"{count} steps differ by {worst:.1g} at most")
    else:
        advice = "a bug in rose_ad, not in the scene: please report it with the scene's file"
        yield Finding(what, "FAILED", f"a step differs by {worst:.3g}", advice)


def invariants(run: Run) -> Iterator[Finding]:
    """How far what the motion should keep drifts."""
    allowed = run.problem.scene.allowed_drift
    found = run.problem.invariants(run.values, run.trajectory)
    for name, values in found.items():
        change = values - values[0]
        low, high = float(np.min(change)), float(np.max(change))
        size = float(np.max(np.abs(values)))
        drift = max(-low, high)
        share = f" ({100 * drift / size:.2g} %)" if drift > 1e-12 * max(size, 1.0) else ""
        measured = f"{values[0]:.6g} to {values[-1]:.6g}, drift {low:.1e} .. {high:+.1e}{share}"
        limit = allowed.get(name)
        if limit is None:
            verdict: Outcome = "note" if math.isfinite(drift) else "FAILED"
            yield Finding(
                f"invariant: {name}", verdict, measured, "" if verdict == "note" else _DRIFT
            )
            continue
        below, above = limit if isinstance(limit, tuple) else (limit, limit)
        kept = -below <= low and high <= above
        yield Finding(
            f"invariant: {name}",
            "ok" if kept else "FAILED",
            measured + ("" if kept else f"; allowed is -{below:g} .. {above:+g}"),
            "" if kept else _DRIFT,
        )
    for name in allowed:
        if name not in found:
            advice = f"invariants() has {', '.join(found) or 'nothing'}; name one of them"
            yield Finding(f"invariant: {name}", "FAILED", "allowed_drift names it alone", advice)


_DRIFT = (
    "the motion does not keep it: a smaller dt, a symplectic or higher-order method, or a force or"
    " contact that is not what it should be; else say in allowed_drift what is right"
)


# --------------------------------------------------------------------------------------- pictures


def pictures(run: Run) -> Iterator[Finding]:
    """Whether the picture can be drawn, shows something, and holds what moves."""
    problem = run.problem
    if not problem.scene.pictured:
        yield Finding("picture", "note", "the scene has none")
        return
    times = np.unique(np.linspace(0, problem.steps, FRAMES).astype(int)).tolist()
    try:
        shown = [problem.picture(run.trajectory, t, run.values) for t in times]
        drawn = [_drawn_pixels(shown[k]) for k in (0, len(shown) // 2, -1)]
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        yield Finding(
            "picture", "FAILED", what, "rosephys/scene/picture.py says what each shape takes"
        )
        return
    if min(drawn) == 0:
        which = ("the first", "the middle", "the last")[drawn.index(0)]
        advice = "compare the view of the picture with the positions of its shapes; look for NaN"
        yield Finding("picture", "FAILED", f"{which} picture is blank", advice)
        return
    yield Finding("picture", "ok", f"{min(drawn)} to {max(drawn)} pixels drawn")
    yield _in_view(shown, times)


def _drawn_pixels(picture: Any) -> int:
    """How many pixels differ from an empty picture's."""
    from ..drawing.paint import backdrop, paint_shapes
    from ..sdl import pygame

    surface = pygame.Surface(SIZE, 0, 32)
    at = backdrop(surface, picture, surface.get_rect(), 0.62)
    empty = pygame.surfarray.array3d(surface)
    paint_shapes(surface, picture, at)
    return int((pygame.surfarray.array3d(surface) != empty).any(axis=2).sum())


def _in_view(shown: list[Any], times: list[int]) -> Finding:
    """Whether what moves stays in the view; what stands still, such as the ground, may reach beyond."""
    first = _points(shown[0])
    moving = np.zeros(len(first), bool)
    for picture in shown[1:]:
        moving |= np.abs(_points(picture) - first).max(axis=1) > 1e-9
    x0, y0, x1, y1 = shown[0].view
    for t, picture in zip(times, shown, strict=True):
        at = _points(picture)[moving]
        beyond = ~((at >= (x0, y0)) & (at <= (x1, y1))).all(axis=1)
        if beyond.any():
            where = ", ".join(f"{c:.3g}" for c in at[np.argmax(beyond)])
            return Finding(
                "in view",
                "note",
                f"{beyond.sum()} of {len(at)} moving points are outside at step {t}: ({where})",
                "widen the picture's view, if that is not meant",
            )
    return Finding("in view", "ok", f"{int(moving.sum())} moving points")


def _points(picture: Any) -> np.ndarray[Any, Any]:
    """The positions (n, 2) of all shapes of a picture."""
    names = ("centres", "starts", "ends", "points", "position", "start")
    found = [getattr(s, name) for s in picture.shapes for name in names if hasattr(s, name)]
    return np.concatenate([np.zeros((0, 2)), *(np.asarray(p, float).reshape(-1, 2) for p in found)])
