"""How it is written what is varied."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.sweeps.varied import varied


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.5:1:6", [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("1:100:3:log", [1.0, 10.0, 100.0]),
        ("-1:1:3:linear", [-1.0, 0.0, 1.0]),
        ("0.3", [0.3]),
        ("3,1,2", [3.0, 1.0, 2.0]),
        ("2:2:1", [2.0]),
    ],
)
def test_values(text: str, values: list[float]) -> None:
    assert np.allclose(varied(text), values, rtol=1e-15)


def test_a_range_is_a_pair() -> None:
    assert varied("0.5:1") == (0.5, 1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a number, not ''"),
        ("high", "expected a number, not 'high'"),
        ("1,,2", "expected a number, not ''"),
        ("nan", "expected a finite number, not 'nan'"),
        ("0:inf:3", "expected a finite number, not 'inf'"),
        ("1:0.5", "a range goes from its lower end to its higher"),
        ("1:1", "a range goes from its lower end to its higher"),
        ("1:0.5:4", "a grid goes from its lower end to its higher"),
        ("0:1:0", "expected how many values, from 1 to 10,000,000, not '0'"),
        ("0:1:2.5", "expected how many values, from 1 to 10,000,000, not '2.5'"),
        ("0:1:1", "one value is not a range: write it alone"),
        ("0:1:4:log", "values by their logarithms are above 0"),
        ("0:1:4:cubic", "expected LOW:HIGH:N, or LOW:HIGH:N:log"),
        ("0:1:4:log:5", "expected LOW:HIGH:N, or LOW:HIGH:N:log"),
    ],
)
def test_what_stands_for_nothing(text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        varied(text)
    assert str(error.value) == said
