"""Fitting a formula to a histogram: two peaks on a falling background, by maximum likelihood.

As TFormula of ROOT does with derivatives by clad (Vassilev, Efremov, Shadura, "Automatic differentiation in
ROOT", CHEP 2019): the formula is written once, and its gradient and Hessian are compiled. The counts are
Poisson numbers, the likelihood is the extended one; the errors are the roots of the diagonal of the inverse
Hessian at the minimum.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import rose_ad as ra

NAMES = ("events 1", "mean 1", "width 1", "events 2", "mean 2", "width 2", "background", "decay")
TRUTH = np.array([900.0, 3.1, 0.25, 400.0, 5.6, 0.4, 6000.0, 2.5])
START = np.array([500.0, 2.8, 0.4, 600.0, 6.0, 0.3, 5000.0, 4.0])
EDGES = np.linspace(0.0, 10.0, 121)
CENTRES, WIDTH = (EDGES[1:] + EDGES[:-1]) / 2, EDGES[1] - EDGES[0]


def gaussian(x: Any, mean: Any, width: Any) -> Any:
    """The normal density."""
    z = (x - mean) / width
    return ra.exp(-0.5 * z * z) / (width * np.sqrt(2 * np.pi))


def formula(p: Any, x: Any) -> Any:
    """Events per unit of x."""
    signal = p[0] * gaussian(x, p[1], p[2]) + p[3] * gaussian(x, p[4], p[5])
    return signal + p[6] / p[7] * ra.exp(-x / p[7])


@ra.fn
def negative_log_likelihood(p: Any, counts: Any) -> Any:
    """-log of the probability of the counts, up to a constant: the sum of expected - n log(expected)."""
    total = ra.accum()
    for i in ra.range(counts.shape[0]):
        expected = WIDTH * formula(p, ra.array(CENTRES)[i])
        total += expected - counts[i] * ra.log(expected)
    return total


value_and_gradient = ra.value_and_grad(negative_log_likelihood)
hessian = ra.hessian(negative_log_likelihood)


def newton(p: Any, counts: Any, steps: int = 100) -> tuple[Any, Any, int]:
    """The minimum, the Hessian there, and the number of steps: Newton's method in a trust region.

    Parameters are measured in units of their starting values. Directions of negative curvature are
    descended, too: the step is along -g / |curvature|, shortened to the radius that has proved right.
    """
    unit, radius = np.abs(p), 0.3
    value, gradient = value_and_gradient(p, counts)
    for step in range(steps):
        curvature = hessian(p, counts)
        values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
        slope = vectors.T @ (gradient * unit)
        if float(slope @ (slope / np.abs(values))) < 1e-16 * abs(value):
            return p, curvature, step
        move = -slope / np.abs(values)
        move *= min(1.0, radius / float(np.linalg.norm(move)))
        promised = float(slope @ move + 0.5 * move @ (values * move))
        trial = p + unit * (vectors @ move)
        new, new_gradient = value_and_gradient(trial, counts)
        gained = (new - value) / promised if np.isfinite(new) else 0.0
        radius = radius / 4 if gained < 0.25 else 2 * radius if gained > 0.75 else radius
        if gained > 0:
            p, value, gradient = trial, new, new_gradient
    raise RuntimeError(f"no minimum in {steps} steps")


def data(seed: int = 3) -> Any:
    """Counts drawn from the formula with the true parameters."""
    expected = WIDTH * np.array([ra.fn(formula)(TRUTH, x) for x in CENTRES])
    return np.random.default_rng(seed).poisson(expected).astype(float)


def main() -> tuple[Any, Any, Any]:
    """Fit, and print the parameters with their errors beside the truth."""
    counts = data()
    start = time.perf_counter()
    found, curvature, steps = newton(START, counts)
    seconds = time.perf_counter() - start
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    print(f"{'':12}{'truth':>10}{'fitted':>12}{'error':>10}{'pull':>8}")
    for name, true, value, error in zip(NAMES, TRUTH, found, errors, strict=True):
        print(f"{name:12}{true:10.3f}{value:12.4f}{error:10.4f}{(value - true) / error:8.2f}")
    print(f"{steps} steps of Newton's method in {seconds:.2f} s, compilation included")
    return found, errors, counts


if __name__ == "__main__":
    main()
