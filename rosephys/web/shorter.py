"""JavaScript of ours in fewer characters: without comments and spaces, and with short names of variables.

It is no parser: it reads tokens, and tells braces about fields from those about statements by what is before
them. What it takes for granted: statements end in a semicolon or a brace and none is empty, parameters stand in
parentheses, there are no regular expressions and no labels, and no variable has the name of something of the
browser's that is used as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product, zip_longest
from string import ascii_letters

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"|(?P<number>(?:\d|\.\d)(?:[eE][-+]|[\w.])*)|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<sign>\.\.\.|=>|===|!==|\*\*|\?\?|\?\.(?!\d)|&&|\|\||<<|>>>?|[-+*/%&|<>=!]=|\+\+|--|.)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r"[`}](?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_KEYWORDS = frozenset(
    "arguments async await break case catch class const constructor continue default delete do else extends"
    " false finally for function if in instanceof let new null of return static super switch this throw true"
    " try typeof undefined void while yield NaN Infinity".split()
)
_BEFORE_FIELDS = frozenset("( , = : [ ? ... && || ?? return const let yield".split())
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
TOP = 0  # the unit of what is declared at the top


@dataclass
class _Token:
    """A piece of the source. A word is the name of a variable, of a field, or, as in {x}, of both."""

    kind: str
    text: str
    variable: bool = False
    field: bool = False


@lru_cache(maxsize=32)  # the pages of many scenes have much of the same
def shorter(source: str) -> str:
    """The same program."""
    tokens = [token for token in _tokens(source) if token.kind != "space"]
    _tell_words(tokens)
    names = _short(tokens)
    out: list[str] = []
    for token, name, after in zip_longest(tokens, names, tokens[1:]):
        if token.text == ";" and after and after.text == "}":
            continue
        text = f"{token.text}:{name}" if token.field and name != token.text else name
        if out and _grown_together(out[-1], text):
            out.append(" ")
        out.append(text)
    return "".join(out)


def _tokens(source: str) -> Iterator[_Token]:
    at, open_braces = 0, [""]
    while at < len(source):
        within = source[at] == "}" and open_braces[-1] == "${"
        if source[at] == "`" or within:
            found = _TEMPLATE.match(source, at)
            assert found
            if within:
                open_braces.pop()
            if found[0].endswith("${"):
                open_braces.append("${")
            yield _Token("template", found[0])
        else:
            found = _TOKEN.match(source, at)
            assert found and found.lastgroup
            if found[0] in ("{", "}"):
                open_braces.append("{") if found[0] == "{" else open_braces.pop()
            yield _Token(found.lastgroup, found[0])
        at = found.end()


def _tell_words(tokens: Sequence[_Token]) -> None:
    """Say of each word whether it is a variable, a field or both."""
    around, in_class = ["statements"], False
    for before, token, after in _neighbours(tokens):
        if token.kind == "word" and token.text not in _KEYWORDS:
            _tell(before, token, after, around[-1])
        in_class |= token.text == "class"
        if token.text == "{":
            fields = before in _BEFORE_FIELDS
            around.append("class" if in_class else "fields" if fields else "statements")
            in_class = False
        elif token.text in "([" or token.text.endswith("${"):
            around.append(token.text)
        if token.text in _CLOSE or (token.kind == "template" and token.text[0] == "}"):
            around.pop(-2 if token.text.endswith("${") else -1)


def _tell(before: str, token: _Token, after: str, around: str) -> None:
    first = before in ("{", ",") or (around == "class" and before in ("}", ";", "*", "async"))
    if before in (".", "?."):
        token.field = True
    elif around == "class" and first:
        token.field = True
    elif around == "fields" and (first or before in ("async", "*")) and after in (":", "("):
        token.field = True
    else:
        token.variable = True
        token.field = around == "fields" and first and after in (",", "}", "=")


def _short(tokens: Sequence[_Token]) -> list[str]:
    """What stands for each token. A variable that is declared at the top has one short name; others have the
    shortest that are left, in each function at the top and each method of a class there anew."""
    units, depths = _units(tokens)
    declared = _declared(tokens)
    top = {tokens[k].text for k, by in declared if depths[by] == 0 and tokens[by].text != "("}
    known = {tokens[k].text for k, _ in declared}
    others = {t.text for t in tokens if t.variable and t.text not in known} | _KEYWORDS
    words: list[tuple[int, str] | None] = [
        (TOP if t.text in top else unit, t.text) if t.variable and t.text in known else None
        for t, unit in zip(tokens, units, strict=True)
    ]
    singles, doubles = list(ascii_letters), list(map("".join, product(ascii_letters, repeat=2)))
    short: dict[tuple[int, str], str] = {}
    free: dict[int, Iterator[str]] = {}  # of each unit, of which each gives its names in order
    counts = Counter(word for word in words if word)
    for unit, text in sorted(counts, key=lambda word: (word[0] != TOP, -counts[word])):
        if unit not in free:
            taken = others | {name for (at, _), name in short.items() if at == TOP}
            names = doubles if unit == TOP else singles + doubles
            free[unit] = iter([name for name in names if name not in taken])
        short[unit, text] = next(free[unit])
    return [short[word] if word else t.text for word, t in zip(words, tokens, strict=True)]


def _units(tokens: Sequence[_Token]) -> tuple[list[int], list[int]]:
    """The number of the statement at the top, or of the method of a class there, that each token is in; and how
    many brackets are about it."""
    depth, deep, unit = 0, 1, TOP + 1
    units, depths = [], []
    for token in tokens:
        template = token.kind == "template"
        deep = 2 if token.text == "class" and depth == 0 else deep
        depth -= token.text in _CLOSE or (template and token.text[0] == "}")
        units.append(unit)
        depths.append(depth)
        depth += token.text in _OPEN or (template and token.text.endswith("${"))
        if depth < deep and token.text in (";", "}"):
            unit += 1
            deep = deep if depth else 1
    return units, depths


def _declared(tokens: Sequence[_Token]) -> list[tuple[int, int]]:
    """Where variables are declared, and by what: `const` or its like, or the parenthesis about parameters."""
    ends = _matches(tokens)
    out: list[tuple[int, int]] = []
    texts = [t.text for t in tokens]
    for k, text in enumerate(texts):
        found: list[int] = []
        if text in ("const", "let"):
            found = _after_const(tokens, ends, k + 1)
        elif text in ("class", "function"):
            found = [k + 1 + (texts[k + 1] == "*")]
        elif text == "(" and texts[min(ends[k] + 1, len(texts) - 1)] in ("=>", "{"):
            if texts[k - 1] not in ("if", "for", "while", "switch"):
                found = _in_pattern(tokens, k + 1, ends[k])
        out += [(at, k) for at in found if tokens[at].variable]
    return out


def _after_const(tokens: Sequence[_Token], ends: dict[int, int], k: int) -> list[int]:
    """What is declared from a place after `const` on."""
    out: list[int] = []
    begins = True
    while k < len(tokens) and tokens[k].text not in (";", "of", ")"):
        stop = ends.get(k, k)
        if begins:
            out += _in_pattern(tokens, k, stop + 1)
        begins = tokens[stop].text == ","
        k = stop + 1
    return out


def _in_pattern(tokens: Sequence[_Token], start: int, stop: int) -> list[int]:
    """The variables of parameters or of a pattern: not those that their defaults are made of."""
    begins = ("(", ",", "[", "{", ":", "...")
    return [
        k
        for k in range(start, stop)
        if tokens[k].variable and (k == start or tokens[k - 1].text in begins)
    ]


def _neighbours(tokens: Sequence[_Token]) -> Iterator[tuple[str, _Token, str]]:
    """Each token with the text before and after it."""
    texts = ["", *(t.text for t in tokens), ""]
    return zip(texts, tokens, texts[2:], strict=False)


def _matches(tokens: Sequence[_Token]) -> dict[int, int]:
    """Where each bracket that opens is closed."""
    out: dict[int, int] = {}
    opened: list[int] = []
    for k, token in enumerate(tokens):
        template = token.kind == "template"
        if token.text in _CLOSE or (template and token.text[0] == "}"):
            out[opened.pop()] = k
        if token.text in _OPEN or (template and token.text.endswith("${")):
            opened.append(k)
    return out


def _grown_together(before: str, after: str) -> bool:
    """Whether two tokens would be another one without a space between them."""
    word = re.compile(r"[\w$]")
    if word.match(before[-1]) and word.match(after):
        return True
    return before[-1] == after[0] and after[0] in "+-/"
