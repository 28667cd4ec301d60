"""Elementary functions are as near to the truth as docs/rose_ad.md says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.docs.test_examples import DOCS, example

mpmath = pytest.importorskip("mpmath")
accuracy = example("accuracy")
ROWS = {
    name: (float(double), float(single))
    for name, double, single in re.findall(
        r"^\| `(.+?)` \| (\d+\.\d+) \| (\d+\.\d+) \|$",
        (DOCS / "rose_ad.md").read_text("utf-8"),
        re.M,
    )
}


def test_every_function_is_in_the_table() -> None:
    assert set(ROWS) == set(accuracy.FUNCTIONS)


@pytest.mark.parametrize("name", ROWS)
def test_errors_are_those_of_the_table(name: str) -> None:
    """Within a tenth more: other machines have other libraries."""
    with mpmath.workprec(120):
        for dtype, stated in zip((np.float64, np.float32), ROWS[name], strict=True):
            assert max(accuracy.errors(name, dtype, 300)) < 1.1 * stated + 0.1
