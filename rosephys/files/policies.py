"""A policy as plain numbers: its kind, what makes it, and its weights by name, in an .npz file without pickle.

A program that knows nothing of this package can read it: `weights0` (16, 4), `bias0` (16,) and so on of a
network, each layer tanh(weights @ signal + bias) but the last, which has no tanh.
"""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SceneError
from ..scene.policies import KINDS, Policy
from .atomic import replacing

VERSION = 1
MADE = "policy/"  # what the names of what makes a policy begin with


def save_policy(path: str | Path, policy: Policy, weights: ArrayLike) -> None:
    """Write a policy to an .npz file. Raises SceneError for weights that are not its own or not
    finite, OSError."""
    numbers = np.asarray(weights, float)
    if numbers.shape != (policy.size,):
        raise SceneError(f"the policy has {policy.size} weights, not {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise SceneError(f"weight {np.argmin(np.isfinite(numbers))} of the policy is not finite")
    kind = next(name for name, known in KINDS.items() if isinstance(policy, known))
    made = {MADE + f.name: getattr(policy, f.name) for f in dataclasses.fields(policy)}
    parts = {name: np.asarray(part) for name, part in policy.parts(numbers).items()}
    arrays: dict[str, Any] = {"kind": kind, "version": VERSION, **made, **parts}
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def load_policy(path: str | Path) -> tuple[Policy, NDArray[np.float64]]:
    """The policy in such a file, and its weights (size,). Raises SceneError for another file, OSError."""
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        if int(arrays["version"]) != VERSION:
            raise SceneError(
                f"{path} is of version {arrays['version']}; this rosephys knows {VERSION}"
            )
        kind = KINDS[str(arrays["kind"])]
        given = {n[len(MADE) :]: _plain(v) for n, v in arrays.items() if n.startswith(MADE)}
        policy = kind(**given)
        names = policy.parts(np.zeros(policy.size))
        weights = np.concatenate([np.ravel(arrays[name]) for name in names])
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        raise SceneError(f"{path} is no file of a policy; save_policy writes one") from None
    if weights.shape != (policy.size,):
        raise SceneError(f"{path} has {weights.size} weights, and its policy {policy.size}")
    return policy, np.asarray(weights, float)


def _plain(value: NDArray[Any]) -> Any:
    return tuple(value.tolist()) if value.ndim else value.item()
