"""Sixty diagrams of eight kinds: what must hold does, and no word lies over a line that is drawn.

The second is judged by what is in the picture alone: boxes of words against lines, edges and outlines.
"""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.scene.picture import Ellipses, Lines, Picture, Text
from tests.docs.test_examples import example
from tests.support.words import covered

EXAMPLES = example("diagrams").examples()
ONE_OF_EACH = [
    next(n for n in EXAMPLES if n.startswith(k))
    for k in dict.fromkeys(n.split(",")[0] for n in EXAMPLES)
]
TOLERANCE = 1e-3


def check(name: str) -> None:
    layout = EXAMPLES[name]().layout()
    assert layout.violation < TOLERANCE and not layout.off()
    assert covered(layout.picture) == []


def test_there_are_sixty() -> None:
    assert len(EXAMPLES) == 60


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_diagram_of_each_kind_is_as_it_should(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ONE_OF_EACH])
def test_diagrams_are_as_they_should(name: str) -> None:
    check(name)


def test_a_word_over_a_line_is_found() -> None:
    word = Text(np.zeros(2), "word", "text", 16.0, scaled=True)
    for over in (
        Lines([(-50.0, 3.0)], [(50.0, -3.0)], "dim"),
        Ellipses(np.array([(0.0, 0.0)]), np.array([(10.0, 10.0)]), "", "dim"),
        Ellipses(np.array([(0.0, 0.0)]), np.array([(3.0, 3.0)]), "dim"),
        Text(np.array([5.0, 2.0]), "other", "text", 16.0, scaled=True),
    ):
        assert covered(Picture((over, word), (-60.0, -40.0, 60.0, 40.0)))
    beside = Lines([(-50.0, 30.0)], [(50.0, 30.0)], "dim")
    around = Ellipses(np.array([(0.0, 0.0)]), np.array([(40.0, 30.0)]), "dim", "dim")
    assert not covered(Picture((beside, around, word), (-60.0, -40.0, 60.0, 40.0)))
