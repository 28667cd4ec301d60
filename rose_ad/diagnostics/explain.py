"""What the schedule does to a function, step by step.

The function is made again by the same schedule, each rule and pass of which is watched: what is shown is what
ran.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..api.python_function import as_fn
from ..base.source import UNKNOWN
from ..ir.builder import Builder
from ..ir.core import Atom, Block, Function
from ..ir.in_force import Stage, in_force, under
from ..ir.queries import callees, instructions
from ..ir.text import show_function
from ..rewrite.loops.arrange import arranged
from ..rewrite.strategy import Apply, Pass, Rule, Schedule

# stages that begin with a function just emitted
_MADE: set[Stage] = {"traced", "derived", "transposed"}


@dataclass(frozen=True)
class Step:
    """What a pass, or at first the emission, has made of a function, named in the stage.

    `before` and `after` are numbers of instructions, None before there were any; `fired` says how often each
    rule was applied; `text` is the function afterwards.
    """

    stage: Stage
    function: str
    name: str
    before: int | None
    after: int
    fired: Mapping[str, int]
    text: str

    def heading(self) -> str:
        """The step in a line."""
        count = f"{self.after}" if self.before is None else f"{self.before} → {self.after}"
        head = f"{self.function}, {self.stage}: {self.name}, {count} instruction{'s' * (self.after != 1)}"
        rules = ", ".join(f"{name} {k}×" for name, k in sorted(self.fired.items()))
        return f"{head} ({rules})" if rules else head


@dataclass(frozen=True)
class Explanation:
    """The steps that changed anything, in order, and the IR function that came of them, to be lowered."""

    steps: Sequence[Step]
    result: Function

    def summary(self) -> str:
        """A line for each step, then the sizes of the functions of the result."""
        return "\n".join([*(s.heading() for s in self.steps), self._sizes()])

    def _sizes(self) -> str:
        sizes = [f"{f.name} {_size(f.block)}" for f in callees(self.result)]
        return f"result: {', '.join(sizes)} instructions"

    def __str__(self) -> str:
        parts = [f"{s.heading()}\n{s.text}" for s in self.steps]
        return "\n\n".join([*parts, self._sizes()])


def explain(f: Any, *args: Any, **kwargs: Any) -> Explanation:
    """How a function comes to be for such arguments: `print(ra.explain(ra.grad(f), 2.0))`.

    It is traced again for this, and not run. TraceError and TypeMismatch as for a call.
    """
    function = as_fn(f)
    structure, types = function.types_of(args, kwargs)
    watch = _Watch()
    schedule = in_force()
    assert isinstance(schedule, Schedule)
    with under(watch.over(schedule)):
        result = arranged(function.specialise(structure, types).ir)
    return Explanation(watch.steps, result)


class _Watch:
    """Notes what the rules and passes of the schedules that it is put over do."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.fired: dict[Block, Counter[str]] = {}  # rules applied, by the function being emitted
        self.at: tuple[Stage, str] = "traced", ""
        self._known: dict[Schedule, Schedule] = {}

    def over(self, schedule: Schedule) -> Schedule:
        """The schedule, watched."""
        if schedule not in self._known:
            parts = {part.name: getattr(schedule, part.name) for part in fields(Schedule)}
            watched = _Watched(**parts, watch=self)
            self._known[schedule] = watched.mapped(self._rule, self._pass)
        return self._known[schedule]

    def note(self, name: str, before: int | None, block: Block) -> None:
        """A step that has ended, with this block."""
        stage, function = self.at
        fired = self.fired.pop(block, Counter())
        step = Step(stage, function, name, before, _size(block), fired, self._text(block))
        self.steps.append(step)

    def _text(self, block: Block) -> str:
        return show_function(Function(self.at[1], block, UNKNOWN))

    def _rule(self, rule: Rule) -> Rule:
        def counted(apply: Apply) -> Apply:
            def f(b: Builder, *operands: Any) -> Atom | None:
                found = apply(b, *operands)
                if found is not None:
                    self.fired.setdefault(b.root.block, Counter())[rule.name] += 1
                return found

            return f

        return Rule(rule.name, rule.equation, {h: counted(f) for h, f in rule.by_head.items()})

    def _pass(self, step: Pass) -> Pass:
        def f(block: Block, *known: Any) -> Block | None:
            before, text = _size(block), self._text(block)
            found = step.apply(block, *known)
            if found is not None and self._text(found) != text:  # a copy may be the same
                self.note(step.name, before, found)
            return found

        return Pass(step.name, step.about, f)


@dataclass(frozen=True, eq=False)
class _Watched(Schedule):
    watch: _Watch

    def run(self, stage: Stage, name: str, block: Block, *known: Any) -> Block:
        outside, self.watch.at = self.watch.at, (stage, name)
        if stage in _MADE:
            self.watch.note("emitted", None, block)
        new = super().run(stage, name, block, *known)
        self.watch.at = outside
        return new

    def overridden_by(self, schedule: Schedule) -> Schedule:
        return self.watch.over(schedule)


def _size(block: Block) -> int:
    return sum(1 for _ in instructions(block))
