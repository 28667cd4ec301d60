"""What functions and classes of physics are given, compared with what their signatures ask for.

`@checked` compares each argument with its annotation (`quantities`): its kind, its shape, its words, and the
numbers themselves where they are known. A traced number is known only when the program runs, and has a shape
already. What does not fit is told before anything is computed: the argument, what came, what was wanted. All of
this is done while a program is traced, and leaves nothing in it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, TypeVar

from rosephys.errors import ArgumentError

from .wanted import Owner, Rule, Sizes, data_rules, rule_of

T = TypeVar("T")


def checked(f: T) -> T:
    """The same function or class, which raises ArgumentError for an argument that it cannot take."""
    made: Any = f
    if isinstance(f, type):
        made.__init__ = _looking(made.__init__, made)
        return f
    looking: T = _looking(made, made)
    return looking


def _looking(f: Any, named: Any) -> Any:
    """The function f, which looks at its arguments first; `named` is what they are arguments of."""

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        made.look(args, kwargs)
        return f(*args, **kwargs)

    made: Any = call
    made.rules = functools.cache(functools.partial(_rules, f, named))
    # an attribute, neither a name nor in the closure: so to rose_ad it is no part of what the function means
    made.look = functools.partial(_look, named.__qualname__, made.rules)
    return call


def _look(
    of: str, rules: Callable[[], dict[str, Rule]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise ArgumentError for the first argument that does not fit."""
    known, sizes = rules(), Sizes()
    for name, value in (*zip(known, args, strict=False), *kwargs.items()):
        wrong = known[name].wrong(name, value, sizes) if name in known else ""
        if wrong:
            raise ArgumentError(f"{of}: {wrong}")
    wrong = sizes.wrong()
    if wrong:
        raise ArgumentError(f"{of}: {wrong}")


def _rules(f: Any, named: Any) -> dict[str, Rule]:
    """The rules of the parameters by name, in their order."""
    made = isinstance(named, type)
    if isinstance(named, type) and is_dataclass(named):
        return {"self": Rule(), **data_rules(named)}
    hints = inspect.get_annotations(f, eval_str=True)
    rules = {name: rule_of(hints.get(name, Any)) for name in inspect.signature(f).parameters}
    return rules if made or "self" not in rules else rules | {"self": Owner()}
