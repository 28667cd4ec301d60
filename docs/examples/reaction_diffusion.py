"""Finding the source of a reaction-diffusion process with randomised gradients.

    d phi / dt = D laplace(phi) + S(x, y, t; theta) phi        on the unit square, phi = 0 on its border

S is a polynomial with seven coefficients theta. Given the field at the end, theta is sought: the last example
of Oktay et al., "Randomized automatic differentiation", ICLR 2021, on a smaller lattice. The equation is linear
in phi, so the gradient is linear in the fields that the reverse pass remembers, and random entries of them give
an unbiased estimate of it.

    python docs/examples/reaction_diffusion.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import rose_ad as ra

N = 15  # lattice points along a side, inside the border
STEPS = 500
D = 0.05
H = 1.0 / (N + 1)
DT = 0.05 * H * H / D  # explicit Euler is stable below 0.25
KEEP = (N * N // 10, N * N // 100, 1)
TRUTH = np.array([1.0, -2.0, 0.5, 1.0, 2.0, -1.0, 0.5])


def source(theta: Any, x: Any, y: Any, t: Any) -> Any:
    """The reaction rate S at a point and an instant."""
    basis = (1.0, x, y, x * x, y * y, x * y, t)
    return sum(theta[k] * basis[k] for k in range(7))


def step(theta: Any, phi: Any, i: Any) -> Any:
    """The field a time DT later, by explicit Euler with the five-point Laplacian."""
    wide = ra.pad(phi, 1)
    t = i * DT

    def point(j: Any, k: Any) -> Any:
        near = wide[j, k + 1] + wide[j + 2, k + 1] + wide[j + 1, k] + wide[j + 1, k + 2]
        rate = source(theta, (j + 1) * H - 0.5, (k + 1) * H - 0.5, t)
        here = phi[j, k]
        return here + DT * (D / H**2 * (near - 4.0 * here) + rate * here)

    return ra.build(N, lambda j: ra.build(N, lambda k: point(j, k)))


def start() -> np.ndarray:
    """The field at the beginning: a lump off the centre."""
    at = (np.arange(N) + 1) * H
    x, y = np.meshgrid(at, at, indexing="ij")
    return np.asarray(np.exp(-20.0 * ((x - 0.4) ** 2 + (y - 0.55) ** 2)))


def final(theta: Any, checkpoint: Any = "all") -> Any:
    """The field at the end."""
    return ra.fori_loop(
        0, STEPS, lambda i, phi: step(theta, phi, i), start(), checkpoint=checkpoint
    )


def mismatch(phi: Any, target: Any) -> Any:
    """How far a field is from the target, relative to it."""
    return ra.sum((phi - target) ** 2) / ra.sum(target**2)


def exact(checkpoint: Any = "all") -> ra.Fn:
    """The loss's gradient by reverse mode that keeps as many fields."""
    return ra.value_and_grad(lambda theta, target: mismatch(final(theta, checkpoint), target))


def sampled(keep: int) -> ra.Fn:
    """The same from `keep` random entries of each field; the last argument is the key of the draw."""

    def loss(theta: Any, target: Any, key: Any) -> Any:
        return mismatch(ra.sampled_scan(step, theta, start(), STEPS, keep, key), target)

    return ra.value_and_grad(loss)


def adam(gradient: Callable[[Any, int], Any], steps: int, rate: float = 0.1) -> tuple[Any, float]:
    """Descent from zero (Kingma and Ba, "Adam", ICLR 2015): the coefficients and their loss."""
    theta, m, v = np.zeros(7), np.zeros(7), np.zeros(7)
    for k in range(1, steps + 1):
        _, g = gradient(theta, k)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta = theta - rate * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    return theta, float(gradient(theta, 0)[0])


def statistics(draws: np.ndarray, gradient: np.ndarray) -> tuple[float, float]:
    """How far the mean of draws is from the gradient, in standard errors of the worst coefficient, and the
    relative standard deviation of one draw."""
    spread = draws.std(axis=0, ddof=1)
    errors = np.abs(draws.mean(axis=0) - gradient) / (spread / np.sqrt(len(draws)))
    return float(errors.max()), float(np.linalg.norm(spread) / np.linalg.norm(gradient))


def main(draws: int = 100, descent: int = 60) -> None:
    target = ra.fn(final)(TRUTH)
    whole = exact()
    theta = np.zeros(7)
    loss, gradient = whole(theta, target)
    print(
        f"{N} x {N} points, {STEPS} steps; loss {loss:.4f}, |gradient| {np.linalg.norm(gradient):.4f}"
    )
    print(f"{'reverse pass keeps':28}{'memory':>12}{'|mean - exact|':>16}{'std of a draw':>15}")
    for name, checkpoint in (("all fields", "all"), (f"{int(STEPS**0.5) + 1} fields", "sqrt")):
        function = exact(checkpoint)
        gap = np.abs(function(theta, target)[1] - gradient).max()
        memory = function.lower(theta, target).memory
        print(f"{name:28}{memory:10,} B{gap:16.1e}{0.0:15.3f}")
    for keep in KEEP:
        function = sampled(keep)
        found = np.array([function(theta, target, key)[1] for key in range(draws)])
        errors, relative = statistics(found, gradient)
        memory = function.lower(theta, target, 0).memory
        name = f"{keep} of {N * N} entries"
        print(f"{name:28}{memory:10,} B{errors:11.2f} s.e.{relative:15.3f}")
    print(f"after {descent} steps of Adam from loss {loss:.4f}:")
    print(
        f"  exact gradients            loss {adam(lambda p, _: whole(p, target), descent)[1]:.2e}"
    )
    for keep in KEEP:
        function = sampled(keep)
        end = adam(lambda p, key, f=function: f(p, target, key), descent)[1]  # type: ignore[misc]
        print(f"  {keep:3} entries of a field     loss {end:.2e}")


if __name__ == "__main__":
    main()
