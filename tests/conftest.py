"""Every test runs with the verifier on and a cache of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.support")  # its assertions show their values too


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROSE_AD_CHECK", "1")
        patch.setenv("ROSE_AD_CACHE", os.fspath(tmp_path_factory.mktemp("cache")))
        yield
