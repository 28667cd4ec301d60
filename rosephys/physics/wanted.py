"""What an annotation asks of a value. `checked` asks, and `quantities` has the annotations."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import repeat
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

import rose_ad as ra
from rosephys.given import is_traced, kind_of, shape_of, told

from . import quantities as q

SPACE = "d"
"""The size that is 2 or 3."""


@dataclass(eq=False, repr=False)
class Sizes:
    """The sizes that have a value in a call, each with the argument that says it; the numbers of things, which
    are looked at when all sizes are known; and the shapes of what has a type variable."""

    known: dict[str, tuple[int, str]] = field(default_factory=dict)
    numbers: list[tuple[str, Any, str]] = field(default_factory=list)
    shapes: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)

    def copy(self) -> Sizes:
        """The same, to be tried."""
        return Sizes(dict(self.known), list(self.numbers), dict(self.shapes))

    def take(self, other: Sizes) -> None:
        """What has been tried with success."""
        self.known, self.numbers, self.shapes = other.known, other.numbers, other.shapes

    def fit(self, sizes: q.AxisSizes, shape: tuple[int, ...], name: str) -> bool:
        """Whether a shape has these sizes, each of which it is the first to say or agrees with."""
        if Ellipsis in sizes and len(shape) >= len(sizes) - 1:
            k = sizes.index(Ellipsis)  # as many as there are stand there
            rest = len(shape) - len(sizes) + 1 + k
            sizes, shape = sizes[:k] + sizes[k + 1 :], shape[:k] + shape[rest:]
        before = dict(self.known)
        fits = len(sizes) == len(shape) and all(map(self._fit, sizes, shape, repeat(name)))
        if not fits:
            self.known = before
        return fits

    def take_from(self, value: Any, name: str) -> None:
        """The sizes that an object has."""
        for size, n in getattr(value, "sizes", {}).items():
            self.known.setdefault(size, (n, name))

    def alike(self, name: str, shape: tuple[int, ...], of: str) -> tuple[int, ...]:
        """The shape that all arguments of a type variable have: that of the first."""
        return self.shapes.setdefault(of, (shape, name))[0]

    def _fit(self, size: Any, n: int, name: str) -> bool:
        if isinstance(size, int):
            return size == n
        size, more = _parted(size)
        n -= more
        if size == SPACE and n not in (2, 3):
            return False
        return self.known.setdefault(size, (n, name))[0] == n

    def told(self, sizes: q.AxisSizes) -> str:
        """A shape in words: "(n, 2), with n = 3 as in position"."""
        names = dict.fromkeys(_parted(s)[0] for s in sizes if isinstance(s, str))
        by: dict[str, list[str]] = {}
        for name in names:
            if name in self.known:
                by.setdefault(self.known[name][1], []).append(name)
        said = [
            f"{', '.join(own)} = {', '.join(str(self.known[n][0]) for n in own)} as in {argument}"
            for argument, own in by.items()
        ]
        said += [f"{SPACE} = 2 or 3"] if SPACE in names and SPACE not in self.known else []
        axes = ", ".join("..." if size is Ellipsis else str(size) for size in sizes)
        shape = f"({axes}{',' * (len(sizes) == 1)})"
        return f"{shape}, with {' and '.join(said)}" if said else shape

    def wrong(self) -> str:
        """The first number of a thing that is not there; "" if all are."""
        for name, entries, size in self.numbers:
            count, _ = self.known.get(size, (np.iinfo(int).max, ""))
            bad = np.argwhere((entries < 0) | (entries >= count))
            if len(bad):
                at = tuple(bad[0])
                there = f"from 0 to {count - 1}" if size in self.known else "from 0 on"
                return f"{_entry(name, at)} is {entries[at]}; wanted a whole number {there}"
        return ""


def _parted(size: str) -> tuple[str, int]:
    """The name of a size, and what is more: "n+1" is n and 1."""
    name, sign, more = size.partition("+")
    return name, int(more) if sign else 0


def _entry(name: str, at: tuple[int, ...]) -> str:
    return name + (f"[{', '.join(map(str, at))}]" if at else "")


# ----------------------------------------------------------------------------------------- rules


class Rule:
    """What one annotation asks for; this one for nothing."""

    @property
    def wanted(self) -> str:
        """What it asks for, in words."""
        return "anything"

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        """What is wrong with a value of that name, in a sentence; "" if nothing is."""
        return "" if self.fits(value) else self.no(name, value)

    def in_full(self, sizes: Sizes) -> str:
        """The same, with what is known of the sizes."""
        return self.wanted

    def fits(self, value: Any) -> bool:
        """Whether a value is right, whatever the sizes."""
        return True

    def no(self, name: str, value: Any, wanted: str = "") -> str:
        """A sentence that says what came, and what was wanted."""
        return f"{name} is {told(value)}; wanted {wanted or self.wanted}"


class Owner(Rule):
    """What a method is of, with the sizes that it has."""

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        sizes.take_from(value, f"the {type(value).__name__}")
        return ""


@dataclass(eq=False, repr=False)
class Numbers(Rule):
    """Numbers of a shape, or of any; `kinds` are those of `kind_of`."""

    shape: q.AxisSizes | None = None
    like: str = ""  # or, where there is none, that of all arguments of this type variable
    least: int = 0  # how many axes there are, if there is no shape
    kinds: str = "if"
    known: bool = False  # before anything is traced
    numpy: bool = False  # an array of numpy
    lists: bool = False  # or nested sequences
    between: q.Between | None = None
    holes: bool = False
    of: str = ""  # they are numbers of things that are counted by that size

    @property
    def one(self) -> str:
        """One of them, in words."""
        noun = {"b": "True or False", "i": "a whole number"}.get(self.kinds, "a number")
        b = self.between
        if b is None:
            return noun
        if b.most < np.inf:
            above = " above 0," if 0 < b.least < 1e-9 else ""
            return f"{noun}{above} from {b.least:g} to {b.most:g}"
        return f"{noun} above {b.least:g}" if b.open else f"{noun}, {b.least:g} or more"

    @property
    def wanted(self) -> str:
        if self.shape == ():
            return self.one
        noun = {"b": "truth values", "i": "whole numbers"}.get(self.kinds, "numbers")
        kind = "an array of " if self.least else "a list of " if self.lists else ""
        kind = "a numpy array of " if self.numpy else kind
        return kind + noun

    def fits(self, value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return self.lists and shape_of(value) is not None
        right = kind_of(value) in self.kinds if shape_of(value) is not None else False
        if hasattr(value, "as_traced"):
            return right and not self.known
        return right and (isinstance(value, np.ndarray) or not self.numpy)

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        fits = self.fits(value)
        shape = shape_of(value) if fits else None
        if shape is None or len(shape) < self.least:
            return self.no(name, value, self.in_full(sizes))
        if self.shape is not None and not sizes.fit(self.shape, shape, name):
            return self.no(name, value, self.in_full(sizes))
        if self.like and sizes.alike(name, shape, self.like) != shape:
            wanted, first = sizes.shapes[self.like]
            return self.no(name, value, f"numbers of shape {wanted} as {first} is")
        return "" if is_traced(value) else self._wrong_entry(name, np.asarray(value), sizes)

    def in_full(self, sizes: Sizes) -> str:
        return self.wanted + (f" of shape {sizes.told(self.shape)}" if self.shape else "")

    def no(self, name: str, value: Any, wanted: str = "") -> str:
        hint = ", known before the program is compiled" * (
            self.known and hasattr(value, "as_traced")
        )
        if isinstance(value, (tuple, list)) and shape_of(value) and not self.lists:
            hint = "; np.array makes one of a list"
        return super().no(name, value, wanted) + hint

    def _wrong_entry(self, name: str, entries: q.NumpyArray, sizes: Sizes) -> str:
        """What is wrong with numbers that are known."""
        if entries.dtype.kind not in self.kinds + "u" * ("i" in self.kinds):
            return self.no(name, entries)
        good = np.isfinite(entries) | self.holes
        if self.between is not None:
            b = self.between
            good &= (entries > b.least if b.open else entries >= b.least) & (entries <= b.most)
        if not good.all():
            at = tuple(np.argwhere(~good)[0])
            finite = "" if np.isfinite(entries[at]) else ", and finite"
            return f"{_entry(name, at)} is {entries[at]}; wanted {self.one}{finite}"
        if self.of:
            sizes.numbers.append((name, entries, self.of))
        return ""


@dataclass(eq=False, repr=False)
class Word(Rule):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.words)}"

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.words


class Function(Rule):
    """What can be called."""

    @property
    def wanted(self) -> str:
        return "a function"

    def fits(self, value: Any) -> bool:
        return callable(value)


@dataclass(eq=False, repr=False)
class Instance(Rule):
    """An instance of a class, with the sizes that it has, and with its fields if it is plain data."""

    kind: type

    @property
    def wanted(self) -> str:
        name = self.kind.__name__
        return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"

    def fits(self, value: Any) -> bool:
        return isinstance(value, self.kind)

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        if not self.fits(value):
            return self.no(name, value)
        sizes.take_from(value, name)
        parts = data_rules(self.kind) if is_dataclass(self.kind) else {}
        wrongs = (
            r.wrong(f"{name}.{part}", getattr(value, part), sizes) for part, r in parts.items()
        )
        return next(filter(None, wrongs), "")


@dataclass(eq=False, repr=False)
class Having(Rule):
    """Whatever has the attributes that a protocol names."""

    kind: type

    @property
    def wanted(self) -> str:
        return f"an object with {', '.join(data_rules(self.kind))}"

    def fits(self, value: Any) -> bool:
        return all(hasattr(value, name) for name in data_rules(self.kind))

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        if not self.fits(value):
            return self.no(name, value)
        parts = data_rules(self.kind)
        wrongs = (
            r.wrong(f"{name}.{part}", getattr(value, part), sizes) for part, r in parts.items()
        )
        return next(filter(None, wrongs), "")


class Nothing(Rule):
    """None."""

    @property
    def wanted(self) -> str:
        return "None"

    def fits(self, value: Any) -> bool:
        return value is None


@dataclass(eq=False, repr=False)
class Either(Rule):
    """What fits one of some rules."""

    rules: tuple[Rule, ...]

    @property
    def wanted(self) -> str:
        return " or ".join(dict.fromkeys(rule.wanted for rule in self.rules))

    def in_full(self, sizes: Sizes) -> str:
        return " or ".join(dict.fromkeys(rule.in_full(sizes) for rule in self.rules))

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        wrongs = []
        for rule in self.rules:
            tried = sizes.copy()
            wrong = rule.wrong(name, value, tried)
            if not wrong:
                sizes.take(tried)
                return ""
            if rule.fits(value):  # the fault is in a part of it, or in its size
                wrongs.append(wrong)
        return wrongs[0] if wrongs else self.no(name, value, self.in_full(sizes))


@dataclass(eq=False, repr=False)
class Each(Rule):
    """A sequence of what fits a rule; structs among them have sizes of their own."""

    rule: Rule
    kind: Any
    count: int | None = None

    @property
    def wanted(self) -> str:
        of = f" of {self.rule.kind.__name__}" if isinstance(self.rule, Instance) else ""
        kind = "a tuple" if self.kind is tuple else "a sequence"
        return kind + (of if self.count is None else f" of {self.count}, each {self.rule.wanted}")

    def fits(self, value: Any) -> bool:
        kind = isinstance(value, self.kind) and not isinstance(value, (str, bytes))
        return kind and self.count in (None, len(value))

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        if not self.fits(value):
            return self.no(name, value)
        if not isinstance(value, Sequence):
            return ""  # what comes one after the other is seen as it comes
        for k, part in enumerate(value):
            own = sizes.copy() if isinstance(self.rule, Instance) else sizes
            wrong = self.rule.wrong(f"{name}[{k}]", part, own) or own.wrong()
            if wrong:
                return wrong
        return ""


@dataclass(eq=False, repr=False)
class Row(Rule):
    """A tuple with a rule for each of its parts."""

    rules: tuple[Rule, ...]

    @property
    def wanted(self) -> str:
        parts = [rule.wanted for rule in self.rules]
        each = f", each {parts[0]}" if len(set(parts)) == 1 else f": {', '.join(parts)}"
        return f"a tuple of {len(parts)}{each}"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (tuple, list)) and len(value) == len(self.rules)

    def wrong(self, name: str, value: Any, sizes: Sizes) -> str:
        if not self.fits(value):
            return self.no(name, value)
        wrongs = (r.wrong(f"{name}[{k}]", value[k], sizes) for k, r in enumerate(self.rules))
        return next(filter(None, wrongs), "")


# ------------------------------------------------------------------------------ from annotations

NUMBERS: dict[Any, Numbers] = {
    q.Quantity: Numbers(),
    q.Scalar: Numbers(()),
    q.Index: Numbers((), kinds="i"),
    q.Condition: Numbers((), kinds="b"),
    q.Array: Numbers(least=1),
    q.NumpyArray: Numbers(least=1, known=True, numpy=True),
    float: Numbers((), known=True),
    int: Numbers((), kinds="i", known=True),
    bool: Numbers((), kinds="b", known=True),
    ra.Real: Numbers(()),
    ra.Vec: Numbers(least=1),
}


@functools.cache
def data_rules(kind: type) -> dict[str, Rule]:
    """The rules of the fields of a dataclass, or of the attributes of a protocol, by name."""
    return {name: rule_of(a) for name, a in inspect.get_annotations(kind, eval_str=True).items()}


def rule_of(annotation: Any, *asked: Any) -> Rule:
    """The rule of an annotation, of which that is asked as well."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return rule_of(inside[0], *asked, *inside[1:])
    if annotation in (None, type(None)):
        return Nothing()
    if origin in (Union, types.UnionType):
        return Either(tuple(rule_of(a, *asked) for a in inside))
    if origin is Literal:
        return Word(inside)
    if annotation is str:
        return next((Word(a.words) for a in asked if isinstance(a, q.OneOf)), Instance(str))
    numbers = _numbers(annotation, origin, inside)
    if numbers is not None:
        return functools.reduce(_asked, asked, numbers)
    rule = _other(annotation, origin, inside)
    for shape in asked:
        if isinstance(rule, Each) and isinstance(shape, q.Axes) and isinstance(shape.sizes[0], int):
            rule = replace(rule, count=shape.sizes[0])
    return rule


def _numbers(annotation: Any, origin: Any, inside: tuple[Any, ...]) -> Numbers | None:
    """The rule of numbers and arrays, and of nested sequences of them."""
    if annotation in NUMBERS:
        return NUMBERS[annotation]
    if isinstance(annotation, TypeVar) and annotation.__bound__ is not None:
        return Numbers(like=annotation.__name__)
    if origin is tuple and inside == (int, Ellipsis):
        return replace(NUMBERS[int], shape=None, lists=True)
    if origin is Sequence and inside[0] in (float, int):
        return replace(NUMBERS[inside[0]], shape=None, lists=True)
    nested = origin is Sequence and get_origin(inside[0]) is Sequence
    return _numbers(inside[0], Sequence, get_args(inside[0])) if nested else None


def _asked(numbers: Numbers, asked: Any) -> Numbers:
    """The same of which that is asked as well."""
    if isinstance(asked, q.Axes):
        return replace(numbers, shape=asked.sizes)
    if isinstance(asked, q.Between):
        return replace(numbers, between=asked)
    if isinstance(asked, q.NumberOf):
        return replace(numbers, of=asked.size, kinds="i")
    if isinstance(asked, q.Holes):
        return replace(numbers, holes=True)
    if isinstance(asked, q.Truth):
        return replace(numbers, kinds="b" if asked.only else "bif")
    return numbers


def _other(annotation: Any, origin: Any, inside: tuple[Any, ...]) -> Rule:
    if origin is tuple and inside[-1] is Ellipsis:
        return Each(rule_of(inside[0]), tuple)
    if origin is tuple:
        return Row(tuple(map(rule_of, inside)))
    if origin in (Sequence, Iterable):
        return Each(rule_of(inside[0]), origin)
    if origin is Callable or annotation is Callable:
        return Function()
    kind = origin or annotation
    if annotation is Any or not isinstance(kind, type):
        return Rule()  # for a type variable for whatever has a structure
    return Having(kind) if getattr(kind, "_is_protocol", False) else Instance(kind)
