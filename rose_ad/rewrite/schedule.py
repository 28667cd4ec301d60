"""The schedule: everything that is done to a function from tracing to lowering, in one expression."""

from __future__ import annotations

from ..ir.copying import copied
from ..ir.in_force import register_default
from .loops.arrange import arrange
from .passes.dead import remove_dead
from .passes.own_index import adds_to_builds
from .passes.pull import pull_adds
from .passes.record import record
from .passes.settle import settle
from .passes.sink import sink
from .passes.unwind import unwind
from .rules import RULES
from .strategy import Pass, Schedule, attempt, seq

dead = Pass("dead", "take out what no result and no effect needs", remove_dead)
sweep = Pass("sweep", "emit everything again, by the rules", copied)
own_index = Pass("own_index", "build what a loop adds at its own index", adds_to_builds)
sinking = Pass("sink", "compute in one side of a branch what only that side uses", sink)
settling = Pass("settle", "add in a branch what is added to in that branch only", settle)
pull = Pass("pull", "read from shifted places in place of adding to them", pull_adds)
recording = Pass("record", "list which iterations of a loop did anything", record)
arranging = Pass("arrange", "join, part and cut loops as suits the machine", arrange)
unwinding = Pass("unwind", "write rewinds out as scans", unwind)

tidy = seq(dead, attempt(own_index, seq(sweep, dead)), sinking, settling, name="tidy")

SCHEDULE = Schedule(
    rules=tuple(RULES.values()),
    traced=tidy,
    differentiated=unwinding,
    linearised=recording,
    derived=tidy,
    transposed=seq(tidy, attempt(pull, tidy)),
    lowered=arranging,
)
register_default(SCHEDULE)
