"""Policies as files: what is read is what was written, and another file is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import Linear, Network, SceneError, load_policy, save_policy
from tests.rosephys.scene.test_policies import POLICIES


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_policy_comes_back(tmp_path: Path, policy: Any) -> None:
    weights = np.random.default_rng(0).standard_normal(policy.size)
    save_policy(tmp_path / "p.npz", policy, weights)
    again, found = load_policy(tmp_path / "p.npz")
    assert again == policy
    np.testing.assert_array_equal(found, weights)


def test_it_is_plain_numbers_that_numpy_reads(tmp_path: Path) -> None:
    save_policy(tmp_path / "p.npz", Linear(2, 1), [1.0, 2.0, 3.0])
    with np.load(tmp_path / "p.npz", allow_pickle=False) as found:
        assert str(found["kind"]) == "linear"
        np.testing.assert_array_equal(found["weights"], [[1.0, 2.0]])
        np.testing.assert_array_equal(found["bias"], [3.0])


def test_what_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    with pytest.raises(SceneError, match="the policy has 3 weights"):
        save_policy(path, Linear(2, 1), np.zeros(4))
    path.write_bytes(b"no zip")
    with pytest.raises(SceneError, match="no file of a policy"):
        load_policy(path)
    np.savez(path, kind="linear", version=1)
    with pytest.raises(SceneError, match="no file of a policy"):
        load_policy(path)
    np.savez(path, kind="linear", version=9)
    with pytest.raises(SceneError, match="of version 9"):
        load_policy(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path, bad: float) -> None:
    weights = Network((2, 3, 1)).first(0)
    weights[4] = bad
    with pytest.raises(SceneError, match="weight 4 of the policy is not finite"):
        save_policy(tmp_path / "a.npz", Network((2, 3, 1)), weights)
    assert not (tmp_path / "a.npz").exists()
