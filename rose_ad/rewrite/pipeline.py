"""The schedule: what is done to every function that tracing or a transformation has made.

Local rules, sharing and hoisting happen wherever instructions are emitted, so a copy is a sweep of them too.
"""

from __future__ import annotations

from ..copying import Env
from ..ir import Block, Function
from .dead import remove_dead
from .own_index import adds_to_builds
from .sink import sink


def tidy(block: Block, env: Env | None = None) -> Block:
    """A simplified copy of a block: without dead code, without accumulators that are arrays, and with work
    sunk into the branches that need it."""
    out = remove_dead(block, env)
    adds_to_builds(out)
    out = remove_dead(out)
    sink(out)
    return out


def tidied(function: Function) -> Function:
    """A simplified copy of a function."""
    return Function(function.name, tidy(function.block), function.loc)
