"""The schedule: what is done to every function that tracing or a transformation has made.

Local rules, sharing and hoisting happen wherever instructions are emitted, so a copy is a sweep of them too.
"""

from __future__ import annotations

from ..copying import copied
from ..ir import Block
from .dead import remove_dead
from .own_index import adds_to_builds
from .settle import settle
from .sink import sink


def tidy(block: Block) -> Block:
    """The block, which is changed, without dead code, without accumulators that are arrays, and with work
    sunk, and accumulators settled, in the branches that need it."""
    remove_dead(block)
    if adds_to_builds(block):
        block = copied(block)
        remove_dead(block)
    sink(block)
    settle(block)
    return block
