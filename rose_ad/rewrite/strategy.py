"""Strategies: what is done to a function, where and in which order, as data that prints what it runs.

    Rule              one instruction, as it is emitted, or None where the rule does not apply
    Pass              a whole block, or None where there was nothing to do
    seq(s, t, ...)    each in turn
    attempt(s, t)     s and, where it changed something, t
    Schedule          the rules, and a strategy for each stage between tracing and lowering

Rules need no combinators: the builder tries them on every instruction that anything emits, operands first,
until none applies. SSA order being bottom-up order, that is the strategy `innermost`, in one pass.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..base.errors import RoseError
from ..base.lazy import lazy
from ..ir.core import Atom, Block
from ..ir.in_force import Stage, default
from ..ir.prims import HEADS

Apply = Callable[..., "Atom | None"]  # (builder, *operands) -> what the instruction is replaced by


@dataclass(frozen=True, eq=False)
class Rule:
    """A local rule: for each head operation, the function that is tried on its operands."""

    name: str
    equation: str
    by_head: Mapping[str, Apply]

    def __repr__(self) -> str:
        return self.name


class Strategy:
    """Rewrites a block: called with it, answers with what it has become, or None where nothing changed.

    What it has become may be the same block, changed in place.
    """

    def __call__(self, block: Block, *known: Any) -> Block | None:
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Strategy, ...]:
        """The strategies that it is made of."""
        return ()

    def mapped(self, change: Callable[[Pass], Pass]) -> Strategy:
        """The strategy with its passes replaced."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Pass(Strategy):
    """A named rewriting of whole blocks. Besides the block it is given what its stage knows."""

    name: str
    about: str
    apply: Callable[..., Block | None]

    def __call__(self, block: Block, *known: Any) -> Block | None:
        return self.apply(block, *known)

    def mapped(self, change: Callable[[Pass], Pass]) -> Strategy:
        return change(self)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Seq(Strategy):
    """Each strategy in turn; made by `seq`."""

    steps: tuple[Strategy, ...]
    name: str = ""

    def __call__(self, block: Block, *known: Any) -> Block | None:
        changed = None
        for step in self.steps:
            new = step(block, *known)
            if new is not None:
                block = changed = new
        return changed

    @property
    def parts(self) -> tuple[Strategy, ...]:
        return self.steps

    def mapped(self, change: Callable[[Pass], Pass]) -> Strategy:
        return Seq(tuple(s.mapped(change) for s in self.steps), self.name)

    def written(self) -> str:
        """What it is made of."""
        return f"seq({', '.join(map(repr, self.steps))})"

    def __repr__(self) -> str:
        return self.name or self.written()


@dataclass(frozen=True, eq=False)
class Attempt(Strategy):
    """A strategy and, where it changed something, another; made by `attempt`."""

    first: Strategy
    then: Strategy

    def __call__(self, block: Block, *known: Any) -> Block | None:
        new = self.first(block, *known)
        return None if new is None else self.then(new, *known) or new

    @property
    def parts(self) -> tuple[Strategy, ...]:
        return self.first, self.then

    def mapped(self, change: Callable[[Pass], Pass]) -> Strategy:
        return Attempt(self.first.mapped(change), self.then.mapped(change))

    def __repr__(self) -> str:
        return f"attempt({self.first!r}, {self.then!r})"


def seq(*steps: Strategy, name: str = "") -> Strategy:
    """Each of these strategies in turn. With a name, it is printed as that, and once what it is."""
    return Seq(steps, name)


def attempt(first: Strategy, then: Strategy) -> Strategy:
    """The first strategy and, where it changed something, the other."""
    return Attempt(first, then)


@dataclass(frozen=True, eq=False)
class Schedule:
    """All that is done to a function from tracing to lowering. A new one is made with `dataclasses.replace`
    or `with_rules`, and given to a function by `scheduled`; two are the same only if they are one object.
    """

    rules: tuple[Rule, ...]  # on each instruction as it is emitted, the first that applies
    traced: Strategy  # on f
    differentiated: Strategy  # on f before any derivative of it is made
    linearised: Strategy  # on f before f.fwd and f.lin are made; is given the active variables
    derived: Strategy  # on f.jvp, or on f.fwd and f.lin
    transposed: Strategy  # on the transpose of a linear function
    lowered: Strategy  # on what is to be lowered; is given whether it is for SIMD lanes
    # whether a product and a sum may become one operation, which rounds once
    contract: bool = field(default=True, kw_only=True)

    def run(self, stage: Stage, name: str, block: Block, *known: Any) -> Block:
        """What a stage makes of the block of the function of that name; the block may be changed."""
        strategy: Strategy = getattr(self, stage)
        return strategy(block, *known) or block

    @lazy
    def table(self) -> dict[str, tuple[Apply, ...]]:
        """For each head operation, what is tried on its operands, in order."""
        return {h: tuple(r.by_head[h] for r in self.rules if h in r.by_head) for h in HEADS}

    @lazy
    def exact(self) -> Schedule:
        """This schedule without contraction."""
        return replace(self, contract=False) if self.contract else self

    @lazy
    def made(self) -> dict[Any, dict[Any, Any]]:
        """What `Fn`s were made into by it, if it is not the default one: gone when it is."""
        return {}

    def with_rules(self, *rules: Rule) -> Schedule:
        """This schedule with further rules, tried after its own."""
        return replace(self, rules=(*self.rules, *rules))

    def overridden_by(self, schedule: Schedule) -> Schedule:
        """What is in force for a function that has that schedule, called under this one."""
        return schedule

    def mapped(self, rule: Callable[[Rule], Rule], change: Callable[[Pass], Pass]) -> Schedule:
        """The schedule with its rules and passes replaced."""
        return replace(
            self,
            rules=tuple(map(rule, self.rules)),
            **{stage: getattr(self, stage).mapped(change) for stage in STAGES},
        )

    def __str__(self) -> str:
        passes: dict[str, str] = {}
        named: dict[str, str] = {}

        def look(s: Strategy) -> None:
            if isinstance(s, Pass):
                passes[s.name] = s.about
            for part in s.parts:
                look(part)
            if isinstance(s, Seq) and s.name:
                named[s.name] = s.written()

        for stage in STAGES:
            look(getattr(self, stage))
        rows = {stage: (repr(getattr(self, stage)), on) for stage, on in STAGES.items()}
        width = max(len(strategy) for strategy, _ in rows.values())
        return "\n".join([
            "emitted, on each instruction, operands first:",
            "  the first rule that applies, until none does:",
            textwrap.indent(textwrap.fill(" ".join(r.name for r in self.rules), 96), "    "),
            "  then share: an equal instruction that is in sight is used in its place",
            "  then hoist: out of the loops that make none of its operands",
            *(f"{stage:14}  {strategy:{width}}  {on}" for stage, (strategy, on) in rows.items()),
            "where",
            *(f"  {name} = {strategy}" for name, strategy in named.items()),
            *(f"  {name:{max(map(len, passes))}}  {about}" for name, about in passes.items()),
        ])  # fmt: skip

    def __repr__(self) -> str:
        return f"<schedule of {len(self.rules)} rules>"

    def __reduce__(self) -> Any:
        if self is default():
            return default, ()
        raise RoseError(
            "a function with a schedule of its own cannot be pickled",
            instead="pickle the function without, and give it the schedule where it is loaded",
        )


STAGES: dict[Stage, str] = {
    "traced": "on f, when it has been traced",
    "differentiated": "on f, before any derivative of it",
    "linearised": "on f, before f.fwd and f.lin",
    "derived": "on f.fwd, f.lin and f.jvp",
    "transposed": "on f.lin.T",
    "lowered": "on what is compiled, then lowered",
}
