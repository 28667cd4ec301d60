"""A function with a gradient, from whatever tool, as what the checks of gradients ask of a problem.

A subject is a loss of named arrays. A function of rose_ad or JAX, or of torch tensors, is differentiated by its
own tool. One of plain Python gives its gradient itself: it returns (value, gradient), or is an object with
`value(x, ...)` and `vjp(cotangent, x, ...)`. A function whose value is an array becomes a loss by a cotangent
drawn at random, so that its products of vectors and Jacobian are what is tried.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

import rose_ad as ra

from ..errors import SceneError
from ..scene.author import names_in
from ..solve.problem import Arrays
from ..solve.trust import REACH
from .tools import TOOLS, Tool

Evaluate: TypeAlias = "Callable[[Sequence[Any]], tuple[float, Sequence[Any]]]"
Slope: TypeAlias = "Callable[[Sequence[Any], Sequence[Any]], float]"


@dataclass(frozen=True)
class Subject:
    """A loss of the arrays `values`, by name; `forward` gives its slope along a direction, by other means."""

    name: str
    tool: Tool
    values: Arrays
    evaluate: Evaluate
    forward: Slope | None
    plain: Callable[[Sequence[Any]], float]
    blame: Callable[[], str] | None = None
    """The line that makes the value, or its slope, jump near these values, where there is source to read."""

    def value_and_gradient(self, values: Mapping[str, Any]) -> tuple[float, Arrays]:
        """The loss and its gradient, each entry of the shape of what it is of."""
        given = [np.asarray(values[n], float) for n in self.values]
        loss, gradient = self.evaluate(given)
        found = {}
        for name, at, g in zip(self.values, given, gradient, strict=True):
            g = np.asarray(g, float)
            if g.shape != at.shape:
                wanted = f"the gradient in {name} is of shape {g.shape}; wanted {at.shape}"
                raise SceneError(f"{self.name}: {wanted}")
            found[name] = g
        return loss, found

    def loss(self, values: Mapping[str, Any]) -> float:
        """The loss."""
        return self.plain([np.asarray(values[n], float) for n in self.values])

    def slope(self, values: Mapping[str, Any], direction: Mapping[str, Any]) -> float:
        """The loss's slope along a direction, by forward mode."""
        assert self.forward is not None
        return self.forward(
            [np.asarray(values[n], float) for n in self.values],
            [np.asarray(direction.get(n, 0.0 * v), float) for n, v in self.values.items()],
        )

    def within(self, values: Arrays) -> Arrays:
        """The same: there are no bounds."""
        return values


def subject(name: str, f: Any, values: Mapping[str, Any], tool: Tool | None, seed: int) -> Subject:
    """`f` as a subject at these values, one for each of its arguments, of the `tool` that differentiates it.

    Where no tool is named it is told from what f is and what it gives. Raises SceneError for what cannot be
    differentiated by the tool, or gives no number.
    """
    at = {n: np.array(v, float) for n, v in values.items()}
    tool = tool or _told(f, list(at.values()))
    evaluate, plain, forward = _MAKERS[tool](name, f, list(at.values()), seed)
    blame = partial(_jumping, f, list(at.values())) if tool == "rose_ad" else None
    return Subject(name, tool, at, evaluate, forward, plain, blame)


def _jumping(f: Any, values: list[Any]) -> str:
    """Where a function of ours jumps, or its slope."""
    found = ra.check_continuity(f, values, radius=REACH, kinks=True)
    return str(found[0]) if found else ""


def parameters(f: Any) -> list[str]:
    """The names of a function's arguments."""
    of = f.value if hasattr(f, "vjp") and hasattr(f, "value") else getattr(f, "__wrapped__", f)
    return list(inspect.signature(of).parameters)


def _told(f: Any, values: list[Any]) -> Tool:
    """The tool that a function is written with."""
    if hasattr(f, "value") and hasattr(f, "vjp"):
        return "value and vjp"
    if isinstance(f, ra.Fn):
        return "rose_ad"
    if type(f).__module__.split(".")[0] in ("jax", "jaxlib"):
        return "jax"
    code = getattr(f, "__code__", None)
    free = zip(
        getattr(code, "co_freevars", ()), getattr(f, "__closure__", None) or (), strict=False
    )
    known = {**getattr(f, "__globals__", {}), **{name: cell.cell_contents for name, cell in free}}
    named = [known.get(name) for name in names_in(code)]
    marks = ("__name__", "__module__")
    homes = [getattr(of, mark, "") for n in named for of in (n, type(n)) for mark in marks]
    used = {str(home).split(".")[0] for home in homes}
    for tool in ("torch", "jax", "rose_ad"):
        if tool in used:
            return TOOLS[tool]
    return "value and gradient"


_Made: TypeAlias = "tuple[Evaluate, Callable[[Sequence[Any]], float], Slope | None]"


def _number(name: str, value: Any) -> float:
    if np.shape(value) != ():
        raise SceneError(f"{name} gives numbers of shape {np.shape(value)}; wanted one number")
    return float(value)


def _cotangent(shape: tuple[int, ...], seed: int) -> Any:
    """What makes a number of an array; 1 for a number."""
    return np.random.default_rng(seed).standard_normal(shape) if shape else np.float64(1.0)


def _rose(name: str, f: Any, values: list[Any], seed: int) -> _Made:
    f = f if isinstance(f, ra.Fn) else ra.fn(f)
    shape = np.shape(f(*values))
    weights = _cotangent(shape, seed)
    loss = ra.fn(lambda *x: ra.sum(weights * f(*x)) if shape else f(*x))
    gradient = ra.value_and_grad(loss, argnums=tuple(range(len(values))))

    def slope(x: Sequence[Any], along: Sequence[Any]) -> float:
        return float(ra.jvp(loss, tuple(x), tuple(along))[1])

    return lambda x: gradient(*x), lambda x: _number(name, loss(*x)), slope


def _jax(name: str, f: Any, values: list[Any], seed: int) -> _Made:
    try:
        import jax
    except ImportError:
        raise _without("jax") from None
    shape = np.shape(f(*values))
    weights = _cotangent(shape, seed)

    def loss(*x: Any) -> Any:
        return (weights * f(*x)).sum() if shape else f(*x)

    gradient = jax.value_and_grad(loss, argnums=tuple(range(len(values))))

    def evaluate(x: Sequence[Any]) -> tuple[float, Sequence[Any]]:
        value, found = gradient(*x)
        return _number(name, value), found

    def slope(x: Sequence[Any], along: Sequence[Any]) -> float:
        return float(jax.jvp(loss, tuple(x), tuple(along))[1])

    try:
        slope(values, values)
    except TypeError:  # of a function with a reverse mode of its own there is no other
        return evaluate, lambda x: _number(name, loss(*x)), None
    return evaluate, lambda x: _number(name, loss(*x)), slope


def _torch(name: str, f: Any, values: list[Any], seed: int) -> _Made:
    try:
        import torch
    except ImportError:
        raise _without("torch") from None

    def made(x: Sequence[Any]) -> list[Any]:
        return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in x]

    shape = tuple(f(*made(values)).shape)
    weights = torch.as_tensor(_cotangent(shape, seed))

    def evaluate(x: Sequence[Any]) -> tuple[float, Sequence[Any]]:
        given = made(x)
        value = (weights * f(*given)).sum()
        found = torch.autograd.grad(value, given, allow_unused=True, materialize_grads=True)
        return float(value.detach()), [g.numpy() for g in found]

    return evaluate, lambda x: float((weights * f(*made(x))).sum().detach()), None


def _pair(name: str, f: Any, values: list[Any], seed: int) -> _Made:
    def evaluate(x: Sequence[Any]) -> tuple[float, Sequence[Any]]:
        found = f(*(v.copy() for v in x))
        if not (isinstance(found, tuple) and len(found) == 2):
            wanted = "wanted (value, gradient); --by names another tool: " + ", ".join(TOOLS)
            raise SceneError(f"{name} returned a {type(found).__name__}; {wanted}")
        value, gradient = found
        return _number(name, value), _each(name, gradient, x)

    evaluate(values)
    return evaluate, lambda x: evaluate(x)[0], None


def _vjp(name: str, f: Any, values: list[Any], seed: int) -> _Made:
    f = f() if inspect.isclass(f) else f
    weights = _cotangent(np.shape(f.value(*values)), seed)

    def plain(x: Sequence[Any]) -> float:
        return float(np.sum(weights * f.value(*(v.copy() for v in x))))

    def evaluate(x: Sequence[Any]) -> tuple[float, Sequence[Any]]:
        return plain(x), _each(name, f.vjp(weights, *(v.copy() for v in x)), x)

    return evaluate, plain, None


def _each(name: str, gradient: Any, x: Sequence[Any]) -> Sequence[Any]:
    """The parts of a gradient, one for each argument; of a single one it may be the gradient itself."""
    several = isinstance(gradient, tuple | list)
    if len(x) == 1 and (not several or np.shape(gradient) == x[0].shape):
        return [gradient]
    if not several or len(gradient) != len(x):
        raise SceneError(f"{name}: its gradient has not {len(x)} parts, one for each argument")
    found: Sequence[Any] = gradient
    return found


def _without(tool: str) -> SceneError:
    return SceneError(f"a function of {tool} needs it: pip install 'rosephys[{tool}]'")


_MAKERS: dict[str, Callable[[str, Any, list[Any], int], _Made]] = {
    "rose_ad": _rose,
    "jax": _jax,
    "torch": _torch,
    "value and gradient": _pair,
    "value and vjp": _vjp,
}
