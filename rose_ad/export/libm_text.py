"""Programs without a C library: their calls of its functions become calls of our own, which are added."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..lower.elementary_text import Number
from .arithmetic import Arithmetic
from .libm import ONE, TWO

_PREFIX = "own_"
_NAMES = "|".join(sorted([*ONE, *TWO], key=len, reverse=True))
_CALL = re.compile(rf"@(?:llvm\.({_NAMES})\.(?:v(\d+))?f(64|32)|({_NAMES})(f?))\(")
_REM = re.compile(r"= frem (?:contract )?(?:<(\d+) x )?(double|float)>? (\S+), (\S+)")
_DECLARED = re.compile(rf"^declare .*@{_PREFIX}\w+\(.*\n?", re.MULTILINE)


class _Called(NamedTuple):
    """A function of the library that is called: its name, the lanes of its vectors, whether they are floats."""

    name: str
    lanes: int
    single: bool

    @property
    def symbol(self) -> str:
        lanes = f"_v{self.lanes}" if self.lanes > 1 else ""
        return f"{_PREFIX}{self.name}{'f' if self.single else ''}{lanes}"

    @property
    def kind(self) -> str:
        scalar = "float" if self.single else "double"
        return f"<{self.lanes} x {scalar}>" if self.lanes > 1 else scalar


def without_libm(text: str) -> str:
    """The program with its own functions in place of those of the C library."""
    called: set[_Called] = set()

    def call(found: re.Match[str]) -> str:
        intrinsic, lanes, bits, name, single = found.groups()
        function = _Called(intrinsic or name, int(lanes or 1), bits == "32" or single == "f")
        called.add(function)
        return f"@{function.symbol}("

    def remainder(found: re.Match[str]) -> str:
        lanes, scalar, x, y = found.groups()
        function = _Called("rem", int(lanes or 1), scalar == "float")
        called.add(function)
        return (
            f"= call {function.kind} @{function.symbol}({function.kind} {x}, {function.kind} {y})"
        )

    text = _DECLARED.sub("", _REM.sub(remainder, _CALL.sub(call, text)))
    missing = [i for i in _INTRINSICS if called and f"declare double @llvm.{i}.f64(" not in text]
    declared = [f"declare double @llvm.{i}.f64({_INTRINSICS[i]})" for i in missing]
    return "\n\n".join([text.rstrip("\n"), *declared, *_definitions(called)]) + "\n"


_INTRINSICS = {"sqrt": "double", "floor": "double", "fabs": "double", "copysign": "double, double"}


def _definitions(called: Iterable[_Called]) -> list[str]:
    wanted = set(called)
    wanted |= {c._replace(lanes=1) for c in wanted}
    wanted |= {c._replace(single=False) for c in wanted if c.lanes == 1}
    out = []
    for function in sorted(wanted):
        if function.lanes > 1:
            out.append(_of_lanes(function))
        elif function.single:
            out.append(_of_floats(function))
        elif function.name == "rem":
            out.append(_REMAINDER)
        else:
            given = Arithmetic()
            x, y = Number(given, "%x"), Number(given, "%y")
            one = ONE.get(function.name)
            found = one(given, x) if one else TWO[function.name](given, x, y)
            out.append(_function(function.symbol, 1 if one else 2, given.text, found.name))
    return out


def _arity(name: str) -> int:
    return 2 if name in TWO or name == "rem" else 1


def _function(symbol: str, arity: int, lines: list[str], result: str, kind: str = "double") -> str:
    params = ", ".join(f"{kind} {x}" for x in ("%x", "%y")[:arity])
    head = f"define internal {kind} @{symbol}({params})"
    body = [
        f"{head} noinline nounwind willreturn memory(none) {{",
        *lines,
        f"  ret {kind} {result}",
    ]
    return "\n".join([*body, "}"])


def _of_floats(function: _Called) -> str:
    double = function._replace(single=False)
    names = ("%x", "%y")[: _arity(function.name)]
    lines = [f"  {x}.d = fpext float {x} to double" for x in names]
    given = ", ".join(f"double {x}.d" for x in names)
    lines.append(f"  %r = call double @{double.symbol}({given})")
    lines.append("  %s = fptrunc double %r to float")
    return _function(function.symbol, len(names), lines, "%s", "float")


def _of_lanes(function: _Called) -> str:
    one = function._replace(lanes=1)
    names = ("%x", "%y")[: _arity(function.name)]
    lines, result = [], "poison"
    for k in range(function.lanes):
        for x in names:
            lines.append(f"  {x}{k} = extractelement {function.kind} {x}, i64 {k}")
        given = ", ".join(f"{one.kind} {x}{k}" for x in names)
        lines.append(f"  %r{k} = call {one.kind} @{one.symbol}({given})")
        whole = f"insertelement {function.kind} {result}, {one.kind} %r{k}, i64 {k}"
        lines.append(f"  %s{k} = {whole}")
        result = f"%s{k}"
    return _function(function.symbol, len(names), lines, result, function.kind)


# long division: the greatest y 2^n that fits is taken off until none does, each time exactly
_REMAINDER = f"""define internal double @{_PREFIX}rem(double %x, double %y) noinline nounwind {{
  %a0 = call double @llvm.fabs.f64(double %x)
  %b = call double @llvm.fabs.f64(double %y)
  %whole = fcmp oeq double %b, 0x7FF0000000000000
  %finite = fcmp olt double %a0, 0x7FF0000000000000
  %other = fcmp ogt double %b, 0.0
  %proper = and i1 %finite, %other
  br i1 %proper, label %loop, label %wrong
wrong:
  ret double 0x7FF8000000000000
loop:
  %a = phi double [ %a0, %0 ], [ %rest, %off ]
  %less = fcmp olt double %a, %b
  %stop = or i1 %less, %whole
  br i1 %stop, label %done, label %fit
fit:
  %t = phi double [ %b, %loop ], [ %twice, %more ]
  %twice = fmul double %t, 2.0
  %fits = fcmp ole double %twice, %a
  br i1 %fits, label %more, label %off
more:
  br label %fit
off:
  %rest = fsub double %a, %t
  br label %loop
done:
  %out = call double @llvm.copysign.f64(double %a, double %x)
  ret double %out
}}"""
