"""How the command line speaks: tables, JSON, warnings and errors in words for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.console import say, working
from rosephys.errors import SceneError, describe
from rosephys.solve.constraints import excesses
from rosephys.solve.probes import probes
from rosephys.solve.trust import LINES, MOST, Verdict, judge

if TYPE_CHECKING:
    from rosephys.command.finding import Finding
    from rosephys.scene.about import About
    from rosephys.scene.catalogue import Entry
    from rosephys.scene.optimizers import Optimizer
    from rosephys.solve.iterate import Solution
    from rosephys.solve.problem import Arrays, Problem, Values

WANTED = {"residuals": "a method residuals", "stages": "a row of controls for each step"}
DISAGREE = 1e-4  # a larger relative difference from central differences is called wrong


def to_json(result: object) -> str:
    """A result as one line of JSON."""
    return json.dumps(_plain(result), allow_nan=False)


def _plain(value: Any) -> Any:
    """The same in JSON's types: arrays are lists, what is not finite is null."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _numbers(values: Any, digits: int = 9) -> str:
    if isinstance(values, (str, int)):
        return str(values)
    flat = values.ravel().tolist() if hasattr(values, "ravel") else [values]
    shown = ", ".join(f"{value:.{digits}g}" for value in (flat if len(flat) <= 6 else flat[:3]))
    return shown + (f", ... ({len(flat)} numbers)" if len(flat) > 6 else "")


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest entry."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) for r in rows)
    return "\n".join(line.rstrip() for line in lines)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print columns, the first row being their heads."""
    print(_table(rows))


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"


def print_gradient(problem: Problem, result: Mapping[str, Any]) -> None:
    """Print what `gradient` found: the numbers, then what they cost."""
    gradient, differences = result["gradient"], result.get("central_differences")
    rows = [["control", "value", "gradient"] + ["central differences"] * bool(differences)]
    for name in problem.controls:
        row = [name, _numbers(problem.values[name]), _numbers(gradient[name], 12)]
        if differences:
            along = probes(problem.values[name])
            seen = _numbers(differences[name], 12)
            row.append(seen if along is None else f"along {len(along)} directions")
        rows.append(row)
    print(f"{result['scene']}, {problem.steps} steps\nloss {result['loss']:.12g}\n")
    print(_table(rows), end="\n\n")
    if "state_gradient" in result:
        _print_by_entry("the initial state", result["state_gradient"])
    forward, reverse = result["forward_seconds"], result["gradient_seconds"]
    origin = "from the cache" if result["from_cache"] else "compiled anew"
    costs = [
        ["compile", _milliseconds(result["compile_seconds"]), origin],
        ["forward", _milliseconds(forward), ""],
        ["gradient", _milliseconds(reverse), f"{reverse / max(forward, 1e-9):.2g} x forward"],
        ["scratch", f"{result['scratch_bytes'] / 1e6:.3g} MB", ""],
    ]
    print(_table(costs))
    if differences:
        worst = result["max_relative_difference"]
        verdict = "agree" if worst <= DISAGREE else "DISAGREE"
        print(f"\ngradient and central differences {verdict}: at most {worst:.2g} relative")


def _print_by_entry(name: str, value: Any) -> None:
    """Print the gradient in each entry of an array, or of every array in a struct."""
    if is_dataclass(value):
        for field_name, part in vars(value).items():
            _print_by_entry(f"{name}: {field_name}", part)
        return
    print(f"gradient in {name}")
    for i, entry in enumerate(value if np.ndim(value) else [value]):
        print(f"  {i:4}  {_numbers(entry, 12)}")
    print()


def print_scenes(entries: Sequence[Entry]) -> None:
    """Print what scenes there are, a line each."""
    widest = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        first = entry.summary.partition(". ")[0].rstrip(".")
        print(
            f"{entry.name.ljust(widest)}  {shorten(first, 96 - widest, placeholder=' ...')}".rstrip()
        )


def print_optimizers(rows: Sequence[Optimizer]) -> None:
    """Print what optimisers there are: what each suits, needs and keeps, and where it comes from."""
    table = [["optimiser", "take it when", "keeps constraints", "needs", "source"]]
    for row in rows:
        needs = [WANTED[row.needs]] if row.needs else []
        needs += [f"rosephys[{row.extra}]"] if row.extra else []
        kept = "yes" if row.constraints else ""
        table.append([row.name, row.suits, kept, ", ".join(needs), row.source])
    print(_table(table))


def print_info(name: str, found: About) -> None:
    """Print what a scene is: its text, its fields, how it is solved, and what to type next."""
    print(f"{name}, {found.file}\n\n{found.text or found.module}\n")
    title, _, rest = found.module.partition("\n")
    # a title says what the scene has said already
    more = rest if title.endswith(".") else found.module
    if found.text and more.strip():
        print(f"{more.strip()}\n")
    rows = [["field", "value", "unit", "", "takes", "what it is"]]
    for f in found.fields:
        takes = " | ".join(f["choices"] or ()) or _range(f["bounds"])
        value = _numbers(f["value"], 6)
        varied = f"; in an ensemble {f['spread']}" if f["spread"] else ""
        rows.append([f["name"], value, f["unit"], f["role"], takes, f["doc"] + varied])
    print(_table(rows))
    print("\ncontrol: the optimiser moves it. live: changed without compiling. fixed: compiled in.")
    how = ", ".join(f"{key} {value}" for key, value in found.solving.items())
    print(f"solved by {how}\nchange a field with --set {found.fields[-1]['name']}=...")


def _range(bounds: tuple[float, float] | None) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g}" if bounds else ""


def print_found(findings: Sequence[Finding]) -> None:
    """Print a line for each check: what it found."""
    print_table([["check", "", "found"], *([f.check, f.verdict, f.measured] for f in findings)])


def print_findings(result: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """Print what `check` found, and what to do about what is not right."""
    print(f"{result['scene']}, {result['steps']} steps\n")
    print_found(findings)
    for f in findings:
        if f.advice:
            print(f"\n{f.verdict}: {f.check}")
            print(*wrap(f.advice, 96, initial_indent="  ", subsequent_indent="  "), sep="\n")
    failed, notes = result["failed"], sum(f.verdict == "note" for f in findings)
    if result.get("stopped"):
        print(f"\ninterrupted: {counted(len(findings), 'check')} done, {failed} FAILED")
    elif failed:
        print(f"\n{failed} of {len(findings)} checks FAILED")
    else:
        print("\nnothing is wrong" + (f", but see {counted(notes, 'note')}" if notes else ""))


def print_solution(name: str, problem: Problem, solution: Solution) -> None:
    """Print how far the optimiser came and the controls it found."""
    first, best, last = solution.iterates[0], solution.best, solution.iterates[-1]
    among = f", the best of {solution.starts} starts" if solution.starts > 1 else ""
    print(f"{name}: {counted(last.iteration, 'iteration')} in {solution.seconds:.2f} s{among}")
    of = (
        "" if best is last else f", that of iteration {best.iteration}; the last is {last.loss:.6g}"
    )
    print(f"loss {first.loss:.6g} to {best.loss:.6g}{of}\n")
    if not problem.controls:
        print("no controls")
        return
    rows = [["control", "from", "to"]]
    for control in problem.controls:
        rows.append([control, *_moved(first.values[control], best.values[control])])
    print(_table(rows))
    stated = excesses(problem, best.values)
    if stated:
        kept = [[e.name, "kept" if e.kept else e.words.partition(" is ")[2]] for e in stated]
        print("\n" + _table([["constraint", ""], *kept]))


def counted(number: int, what: str) -> str:
    """A number of things, one or more."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _moved(first: Any, best: Any) -> tuple[str, str]:
    """The numbers of a control before and after; of one with many, those that have moved most."""
    a, b = np.ravel(first), np.ravel(best)
    if np.array_equal(a, b):
        return _numbers(a), "the same"
    if len(a) <= 6:
        return _numbers(a), _numbers(b)
    most = np.sort(np.argsort(-np.abs(b - a), kind="stable")[:3]).tolist()
    which = ", ".join(f"[{k}]" for k in most)
    rest = f"the {len(most)} of {len(a)} numbers that moved most: {which}"
    return _numbers(a[most], 6), f"{_numbers(b[most], 6)} ({rest})"


def judged(
    problem: Problem,
    values: Values,
    known: tuple[float, Arrays],
    *,
    thorough: bool = False,
    quiet: bool = False,
) -> Verdict:
    """The verdict on the gradient at these values, told of where it takes long; `known` is the loss and the
    gradient there."""
    with working("judging the gradient", quiet) as name:

        def told(done: int) -> None:
            most = MOST * (1 + LINES) if thorough else MOST
            name(f"judging the gradient, evaluation {done} of {most} at most")

        return judge(problem, values, told, known=known, thorough=thorough)


def warn_of_gradient(verdict: Verdict) -> None:
    """Say so if the gradient cannot be trusted."""
    if not verdict.trusted:
        say(f"warning: {verdict.sentence}")


def explain(error: BaseException) -> int:
    """Tell a person what went wrong, in the error's words; the result is the exit code."""
    say(f"error: {describe(error)}")
    return 2 if isinstance(error, SceneError) else 1
