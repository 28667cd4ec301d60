"""The checks of compiled code, written; what they mean is said in failures.py."""

from __future__ import annotations

from ..ir.core import Instr
from ..ir.types import Scalar, Type, is_float, value_type
from .failures import Check, HostCheck, IndexCheck, NanCheck
from .interrupts import ask
from .writer import Writer

# leaves a number in the status word, if there is none in it
FAIL = """define internal void @rose_fail(i64 %code, ptr %status) cold noinline nounwind willreturn {
entry:
  %first = load i64, ptr %status
  %none = icmp eq i64 %first, 0
  %kept = select i1 %none, i64 %code, i64 %first
  store i64 %kept, ptr %status
  ret void
}"""


def number(f: Writer, check: Check) -> int:
    """The number that a check leaves where it fails."""
    return f.module.checks.setdefault(check, len(f.module.checks) + 1)


def fail_where(f: Writer, wrong: str, check: Check) -> tuple[str, str]:
    """Emit a check that fails where `wrong` holds; the labels of the blocks from which the code goes on,
    where it holds and where it fails."""
    code = number(f, check)
    bad, after, before = f.fresh("bad"), f.fresh("ok"), f.label
    f.branch(wrong, bad, after, 1_000_000)
    f.start(bad)
    if FAIL not in f.module.globals:
        f.module.globals.append(FAIL)
    f.emit(f"call void @rose_fail(i64 {code}, ptr %status)")
    f.emit(f"br label {after}")
    f.start(after)
    return before, bad


def check_index(f: Writer, instr: Instr) -> None:
    """An index, or 0 where it is out of range."""
    n = instr.length
    i = f.atom(instr.args[0])
    wrong = f.assign(f"icmp uge i64 {i}, {n}")
    before, bad = fail_where(f, wrong, IndexCheck(instr.loc, n))
    f.values[instr.outs[0]] = f.assign(f"phi i64 [ {i}, %{before} ], [ 0, {bad} ]")


def check_nan(f: Writer, t: Type, value: str, operands: list[str], loc: int, op: str) -> None:
    """Fail where a result of type `t` is NaN and none of the operands, written with their types, is."""
    if not is_float(t):
        return
    assert isinstance(t, Scalar)
    wrong = f.assign(f"fcmp uno {t.llvm} {value}, 0.0")
    for x in operands:
        known = f.assign(f"fcmp ord {x}, 0.0")
        wrong = f.assign(f"and i1 {wrong}, {known}")
    fail_where(f, wrong, NanCheck(loc, op, f.name))


def call_host(f: Writer, instr: Instr) -> None:
    """A call of a Python function. Where it raises, the function that calls it is left."""
    host = instr.host
    if f.module.work:
        ask(f)
    if host not in f.module.hosts:
        f.module.hosts.append(host)
    name = f"@rose_host{f.module.hosts.index(host)}"
    f.module.declarations.add(f"void {name}(ptr)")
    values = [*instr.args, *instr.outs]
    pointers, done = f.fresh("h"), f.fresh("done")
    f.entry_lines.append(f"  {pointers} = alloca [{len(values) + 1} x ptr]")
    f.entry_lines.append(f"  {done} = alloca i64")
    f.emit(f"store i64 0, ptr {done}")
    places = [*(f.slot(value_type(v.type).size, instr.loc) for v in values), done]
    for k, place in enumerate(places):
        if k < len(instr.args):
            f.store(instr.args[k].type, f.atom(instr.args[k]), place)
        f.emit(f"store ptr {place}, ptr {f.assign(f'getelementptr ptr, ptr {pointers}, i64 {k}')}")
    f.emit(f"call void {name}(ptr {pointers})")
    finished = f.assign(f"load i64, ptr {done}")
    code = number(f, HostCheck(host))
    f.leave_where(f.assign(f"icmp eq i64 {finished}, 0"), str(code))
    for o, place in zip(instr.outs, places[len(instr.args) : -1], strict=True):
        f.values[o] = f.read(o, place)
