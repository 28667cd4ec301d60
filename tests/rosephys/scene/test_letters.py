"""How wide words are thought to be, against how wide they are drawn."""

from __future__ import annotations

import pytest

from rosephys.drawing.words import BOLD_SIZE, text_width
from rosephys.scene.letters import UNKNOWN, WIDTHS, extent


@pytest.mark.parametrize(
    "text", ["A", "Hello, world", "iiii", "MMMM", "WWW", "x₀ = 3.14", "Größe", "αβγδ", "(a + b)²"]
)
def test_words_are_as_wide_as_they_are_drawn(text: str) -> None:
    known = all(letter in WIDTHS for letter in text)
    drawn = text_width(text, 100 / BOLD_SIZE, "bold")
    assert extent(text, 100.0)[0] == pytest.approx(drawn, rel=0.03 if known else 0.15)


def test_letters_that_are_not_known_have_some_width() -> None:
    assert extent("ж", 10.0)[0] == 10 * UNKNOWN and extent("", 10.0)[0] == 0


def test_letters_in_squares_are_as_wide_as_high_and_accents_have_no_width() -> None:
    for text in ("東京", "한국", "ｗａ", "🎱🎱"):
        assert extent(text, 10.0)[0] == 20.0
    assert extent("e\N{COMBINING ACUTE ACCENT}", 10.0) == extent("e", 10.0)
    assert extent("a\N{ZERO WIDTH JOINER}", 10.0) == extent("a", 10.0)
