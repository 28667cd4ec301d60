"""The LLVM forms of the scalar primitives: templates of text, of which the rows of the table in
`prims` are made.

`{r}` is the result's name, `{0} {1} {2}` the operands, `{t}` the operands' type, `{f}` "f" for F32 libm names.
"""

from __future__ import annotations

from collections.abc import Callable

from .types import F32, F64, Scalar


def either(floating: str, integer: str) -> Callable[[Scalar], str]:
    return lambda t: floating if t is F64 or t is F32 else integer


def two(op: str, integer: str) -> Callable[[Scalar], str]:
    return either(
        f"{{r}} = {op} contract {{t}} {{0}}, {{1}}", f"{{r}} = {integer} i64 {{0}}, {{1}}"
    )


def function(name: str, arity: int = 1) -> str:
    """A call of a libm function or an intrinsic, named as LLVM or libm name it for F64."""
    operands = ", ".join(f"{{t}} {{{k}}}" for k in range(arity))
    suffix = "{s}" if name.startswith("llvm.") else "{f}"
    return f"{{r}} = call contract {{t}} @{name}{suffix}({operands})"


def compare(floating: str, integer: str) -> Callable[[Scalar], str]:
    return either(
        f"{{r}} = fcmp {floating} {{t}} {{0}}, {{1}}", f"{{r}} = icmp {integer} {{t}} {{0}}, {{1}}"
    )


def pick(floating: str, integer: str) -> Callable[[Scalar], str]:
    pick = "\n{r} = select i1 {r}.c, {t} {0}, {t} {1}"
    return either(
        f"{{r}}.c = fcmp {floating} {{t}} {{0}}, {{1}}{pick}",
        f"{{r}}.c = icmp {integer} {{t}} {{0}}, {{1}}{pick}",
    )


def pick_or_nan(floating: str, integer: str) -> Callable[[Scalar], str]:
    """As `pick`, and the first operand where it is a NaN: one in the second is given by every comparison
    that is ordered. A literal needs no test: see `literal` of the rows."""
    lines = (
        f"{{r}}.o = fcmp {floating} {{t}} {{0}}, {{1}}",
        "{r}.n = fcmp uno {t} {0}, {0}",
        "{r}.m = select i1 {r}.o, {t} {0}, {t} {1}",
        "{r} = select i1 {r}.n, {t} {0}, {t} {r}.m",
    )
    return lambda t: "\n".join(lines) if t is F64 or t is F32 else pick(floating, integer)(t)


# the machine traps on a division by 0, and on one of the least integer by -1
_FLOOR_DIVIDE = """{r}.z = icmp eq i64 {1}, 0
{r}.u = icmp eq i64 {1}, -1
{r}.g = or i1 {r}.z, {r}.u
{r}.d = select i1 {r}.g, i64 1, i64 {1}
{r}.q = sdiv i64 {0}, {r}.d
{r}.m = mul i64 {r}.q, {r}.d
{r}.o = sub i64 {0}, {r}.m
{r}.x = xor i64 {0}, {r}.d
{r}.n = icmp slt i64 {r}.x, 0
{r}.i = icmp ne i64 {r}.o, 0
{r}.a = and i1 {r}.n, {r}.i
{r}.b = sext i1 {r}.a to i64"""
FLOORDIV = (
    _FLOOR_DIVIDE
    + """
{r}.w = sub i64 0, {0}
{r}.e = add i64 {r}.q, {r}.b
{r}.f = select i1 {r}.u, i64 {r}.w, i64 {r}.e
{r} = select i1 {r}.z, i64 0, i64 {r}.f"""
)
MOD = (
    _FLOOR_DIVIDE
    + """
{r}.e = select i1 {r}.a, i64 {r}.d, i64 0
{r}.f = add i64 {r}.o, {r}.e
{r} = select i1 {r}.z, i64 0, i64 {r}.f"""
)
SIGN = """{r}.p = fcmp ogt {t} {0}, 0.0
{r}.n = fcmp olt {t} {0}, 0.0
{r}.a = select i1 {r}.p, {t} 1.0, {t} {0}
{r} = select i1 {r}.n, {t} -1.0, {t} {r}.a"""
SIGN_INT = """{r}.p = icmp sgt i64 {0}, 0
{r}.n = icmp slt i64 {0}, 0
{r}.a = zext i1 {r}.p to i64
{r} = select i1 {r}.n, i64 -1, i64 {r}.a"""
SCALE = """{r}.z = fcmp oeq {t} {0}, 0.0
{r}.m = fmul {t} {0}, {1}
{r} = select i1 {r}.z, {t} {0}, {t} {r}.m"""
