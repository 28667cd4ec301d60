"""How large words are, without anything to draw them with.

The widths are those of a bold sans-serif (`freesansbold.ttf`, which comes with pygame), measured at a size of
4000 pixels, in thousandths of the size; Helvetica and Arial have the same to a thousandth.
"""

from __future__ import annotations

import unicodedata

_OF_WIDTH = {
    238: "'",
    278: " ,./Iijl·ı‘’",
    280: "|¦",
    292: "ÌìÍíÏïÎîΙ",
    333: "!()-:;[]`ft¡¨¯´¸ιί\\",
    351: "²³¹ªº",
    389: "*r{}",
    474: '"',
    500: "z“”∂ζ",
    541: "ξ√≠",
    556: "#$0123456789Jaceksvxy¢£¤¥§«¶»àáâãäåçèéêëýÿ–έε",
    576: "βκΰυ",
    584: "+<=>^~¬±×÷≤≥−θνγητς_ή°",
    611: "?FLTZbdghnopquµ¿ßðñòóôõöøùúûüþοδ",
    630: "λρΓ",
    667: "EPSVXYÈÉÊËÝÞμάαχσ",
    694: "ΒΖΣΤΞΡΕ",
    722: "&ABCDHKNRUÀÁÂÃÄÅÇÐÑÙÚÛÜψπ∑Ν",
    760: "ΗΚ©®ΔΛ",
    778: "GOQwÒÓÔÕÖØΥΦΩΠΑ",
    805: "ωφΧΨΘ",
    833: "MΟ",
    869: "¼½¾Μ",
    889: "%mæ",
    944: "Wœ",
    1000: "@Æ…—",
}
WIDTHS = {letter: width / 1000 for width, letters in _OF_WIDTH.items() for letter in letters}
UNKNOWN = 0.6  # the width of other letters, of scripts that are not written in squares
HEIGHT = 0.95  # of a line, from the tips of the highest letters to the feet of the lowest


def extent(text: str, size: float) -> tuple[float, float]:
    """The width and the height of a word in letters of this size."""
    return size * sum(map(_width, text)), size * HEIGHT


def _width(letter: str) -> float:
    if letter in WIDTHS:
        return WIDTHS[letter]
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):  # an accent, a joiner
        return 0.0
    square = unicodedata.east_asian_width(letter) in ("W", "F")
    return 1.0 if square else UNKNOWN
