"""What functions and classes of physics are given, compared with what their signatures ask for.

`@checked` compares each argument with its annotation (`quantities`): its kind, its shape, its words, and the
numbers themselves where they are known. A traced number is known only when the program runs, and has a shape
already. What does not fit is told before anything is computed: the argument, what came, what was wanted. All of
this is done while a program is traced, and leaves nothing in it.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import is_dataclass
from typing import Any, TypeVar

from rosephys.errors import ArgumentError

from .rules import Owner, Rule, Sizes, data_rules, rule_of

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
        _look(call, args, kwargs)
        return f(*args, **kwargs)

    made: Any = call
    # an attribute and nothing in the closure, so that to rose_ad it is no part of what the function means
    made.rules = functools.cache(functools.partial(_rules, f, named))
    made.named = named.__qualname__
    return call


def _look(call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise ArgumentError for the first argument that does not fit."""
    rules: dict[str, Rule] = call.rules()
    sizes = Sizes()
    for name, value in (*zip(rules, args, strict=False), *kwargs.items()):
        wrong = rules[name].wrong(name, value, sizes) if name in rules else ""
        if wrong:
            raise ArgumentError(f"{call.named}: {wrong}")
    wrong = sizes.wrong()
    if wrong:
        raise ArgumentError(f"{call.named}: {wrong}")


def _rules(f: Any, named: Any) -> dict[str, Rule]:
    """The rules of the parameters by name, in their order."""
    made = isinstance(named, type)
    if isinstance(named, type) and is_dataclass(named):
        return {"self": Rule(), **data_rules(named)}
    hints = inspect.get_annotations(f, eval_str=True)
    rules = {name: rule_of(hints.get(name, Any)) for name in inspect.signature(f).parameters}
    return rules if made or "self" not in rules else rules | {"self": Owner()}
