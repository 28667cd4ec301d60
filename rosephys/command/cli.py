"""The command line: `python -m rosephys COMMAND ...`; arguments.py has the commands.

A result goes to standard output, everything else to standard error. The exit code is 0 for
success, 1 for a failure, 2 for a command that cannot be understood and 130 for Ctrl-C. Heavy
imports wait until a command needs them: only what draws, or looks at a picture, loads pygame.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rosephys.command.arguments import parser
from rosephys.command.costs import costs, disagreement
from rosephys.command.ensembles import member_summary, print_members, problem_of
from rosephys.command.options import Run
from rosephys.command.report import (
    DISAGREE,
    explain,
    judged,
    print_findings,
    print_gradient,
    print_info,
    print_optimizers,
    print_scenes,
    print_solution,
    to_json,
    warn_of_gradient,
)
from rosephys.command.smoothing import print_smoothed, smoothed
from rosephys.command.solving import (
    compile_gradient,
    ending,
    found,
    replaying,
    rescued,
    solve,
    solving,
    tell,
)
from rosephys.console import progress, say, working
from rosephys.errors import SceneError
from rosephys.files.atomic import replacing
from rosephys.files.destination import kind, place, try_out
from rosephys.files.film import Film, before_and_after
from rosephys.files.keep import keep
from rosephys.scene.scene import constrained
from rosephys.solve.constraints import excesses
from rosephys.solve.iterate import Solution
from rosephys.solve.probes import probed

if TYPE_CHECKING:
    from rosephys.command.finding import Finding
    from rosephys.files.evaluations import Recorded
    from rosephys.scene.catalogue import Group
    from rosephys.solve.curves import Curves
    from rosephys.solve.problem import Problem


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing is raised."""
    try:
        arguments = parser(RUNS).parse_args(argv)
    except SystemExit as leaving:  # how argparse ends after --help or a wrong argument
        return leaving.code if isinstance(leaving.code, int) else 1
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:  # the reader, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, SystemExit) as error:  # a scene's own code may want to leave
        return explain(error)


# ---- Commands ------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    from rosephys.scene.catalogue import groups
    from rosephys.scene.optimizers import OPTIMIZERS

    if arguments.optimizers:
        rows = list(OPTIMIZERS.values())
        print(to_json({"optimizers": rows})) if arguments.json else print_optimizers(rows)
        return 0
    entries = sorted((e for group in groups() for e in group.entries), key=lambda e: e.name)
    if arguments.json:
        print(to_json({"scenes": [e.name for e in entries]}))
    else:
        print_scenes(entries)
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from rosephys.scene.about import about
    from rosephys.scene.finding import find_scene

    found = about(find_scene(arguments.scene))
    if arguments.json:
        print(to_json(found))
    else:
        print_info(_name(arguments), found)
    return 0


def _new(arguments: argparse.Namespace) -> int:
    from rosephys.scene.new import write_scene

    write_scene(arguments.file, arguments.world)
    say(f"wrote {arguments.file}; now: python -m rosephys scene {arguments.file}")
    return 0


def _scene(arguments: argparse.Namespace) -> int:
    if arguments.headless or arguments.out:
        return _record(arguments)
    from rosephys.window.reload import Source
    from rosephys.window.viewer import display_problem, view

    unseen = display_problem()
    if unseen is not None:
        replayed = arguments.load and arguments.iterations is None
        done = "what was loaded is shown" if replayed else "the scene is solved"
        say(f"no window can be opened ({unseen}), so {done} without one")
        return _record(arguments)

    def load() -> tuple[Problem, dict[str, Any]]:
        problem = _problem(arguments)
        return problem, replaying(problem, arguments)

    problem, how = load()
    theme = arguments.theme or problem.scene.theme
    view(problem, **how, source=Source(arguments.scene, load), theme=theme)
    return 0


def _gallery(arguments: argparse.Namespace) -> int:
    from rosephys.scene.catalogue import groups
    from rosephys.window.gallery import browse
    from rosephys.window.viewer import display_problem

    found = groups(arguments.folder)
    unseen = None if arguments.out else display_problem()
    if unseen is not None:
        say(f"no window can be opened ({unseen}), so the gallery is written to a file")
    if arguments.out or unseen is not None:
        _write_gallery(found, arguments.out or Path("gallery.png"))
    else:
        browse(found, lambda typed: _scene(parser(RUNS).parse_args(["scene", typed])))
    return 0


def _write_gallery(found: Sequence[Group], out: Path) -> None:
    from rosephys.window.gallery import write_sheet

    if kind(out) != ".png":
        raise SceneError(f"a gallery is written as a .png, not to {out}")
    try_out(out)
    with progress() as show:
        write_sheet(found, out, progress=show)
    say(f"wrote {out}")


def _record(arguments: argparse.Namespace) -> int:
    problem = _problem(arguments)
    path = place(arguments.out, _name(arguments), arguments.size)
    how = replaying(problem, arguments)
    solution = solve(problem, how)
    print_solution(_name(arguments), problem, solution)
    drawn = {name: getattr(arguments, name) for name in ("size", "fps", "at", "theme")}
    with rescued(problem, solution, _name(arguments)):
        keep(Film(problem, found(problem, solution), **drawn), path)
    tell(arguments, ending(problem, solution, how))
    return solution.code


def _export(arguments: argparse.Namespace) -> int:
    from rosephys.command.exporting import export

    return export(arguments)


def _optimize(arguments: argparse.Namespace) -> int:
    from rosephys.command.runs import kept, take_up

    if arguments.resume:
        take_up(arguments)
    problem = _problem(arguments, drawn=bool(arguments.out or arguments.picture))
    for path in filter(
        None, (arguments.out and arguments.out / f"{_name(arguments)}.npz", arguments.picture)
    ):
        try_out(path)
    how = solving(problem, arguments)
    with kept(arguments, problem, how) as (noted, ended):
        solution = solve(problem, how, quiet=arguments.json, noted=noted)
        with rescued(problem, solution, _name(arguments)):  # at once: Ctrl-C may be pressed again
            ended(solution)
            if arguments.out:
                _save(arguments, problem, solution)
    if not arguments.json:
        print_solution(_name(arguments), problem, solution)
        print_members(problem, solution.iterates[0].values, solution.best.values)
    asked = {"thorough": arguments.thorough, "quiet": arguments.json}
    end = ending(problem, solution, how, **asked)
    if not arguments.json:
        tell(arguments, end)
    if arguments.json or arguments.out:
        result = _result(arguments, problem, solution, how)
        result |= {"verdict": end.verdict.reason or "trusted", "outcome": end.outcome}
        result |= costs(problem)
        if arguments.json:
            print(to_json(result))
        if arguments.out:
            _write_results(arguments, problem, solution, result)
    if arguments.picture:
        _draw_both(problem, solution, arguments.picture)
    return solution.code or int(end.verdict.reason == "limit")


def _result(
    arguments: argparse.Namespace, problem: Problem, solution: Solution, how: dict[str, Any]
) -> dict[str, Any]:
    """All that is known of a solve, for JSON."""
    best = solution.best
    result: dict[str, Any] = {"scene": _name(arguments), "settings": dict(arguments.settings)}
    if constrained(problem.scene):
        result |= {"violation": best.violation, "constraints": excesses(problem, best.values)}
    result |= how | {"loss": best.loss, "iteration": best.iteration, "gradient": best.gradient}
    result |= member_summary(problem, best.values)
    result["controls"] = solution.controls(problem)
    result["losses"] = solution.losses
    result["solve_seconds"] = solution.seconds
    if solution.stopped:
        result["stopped"] = solution.stopped
    return result


def _landscape(arguments: argparse.Namespace) -> int:
    from rosephys.drawing.landscape_picture import landscape_picture
    from rosephys.drawing.pixels import pixels
    from rosephys.files.png import write_png
    from rosephys.solve.landscape import SPAN, component, explored, framed, pairs

    problem = _problem(arguments)
    if not problem.controls:
        raise SceneError(f"{problem.scene.name} has no controls, and so its loss no landscape")
    named = arguments.controls.split(",") if arguments.controls else []
    parts = tuple(component(problem, name.strip()) for name in named)
    if len(parts) > 2 or len(set(parts)) < len(parts):
        raise SceneError(
            f"--controls takes one number or two different ones, not {arguments.controls}"
        )
    out = arguments.out or Path(".")
    if kind(out) != ".png":
        out = out / f"{_name(arguments)}-landscape.png"
    try_out(out)
    how = replaying(problem, arguments)
    solution = solve(problem, how)
    best = found(problem, solution)
    path = [i.values for i in solution.iterates if i.iteration <= solution.best.iteration]
    parts = parts or pairs(problem, solution.iterates[0].gradient)[0]
    about = [best] if arguments.span else path
    axes = framed(problem, parts, about, (arguments.span or SPAN) / SPAN)
    *_, landscape = filter(None, explored(problem, best, axes))
    print_solution(_name(arguments), problem, solution)
    write_png(out, pixels(landscape_picture(problem, landscape, path, solution.best.loss)))
    say(f"wrote {out}")
    tell(arguments, ending(problem, solution, how))
    return solution.code


def _plot(arguments: argparse.Namespace) -> int:
    from rosephys.files.csv import write_csv
    from rosephys.solve.curves import curves

    out = arguments.out or Path(f"{_name(arguments)}.png")
    if kind(out) not in (".png", ".csv"):
        raise SceneError(f"{out}: a plot is a .png, or a .csv of its numbers")
    try_out(out)
    problem = _problem(arguments, drawn=False)
    names = [name.strip() for name in arguments.of.split(",")]
    curves(problem, problem.values, [0.0], names)  # a wrong name is told before the solving
    how = replaying(problem, arguments)
    solution = solve(problem, how)
    print_solution(_name(arguments), problem, solution)
    plots = curves(problem, found(problem, solution), solution.losses, names)
    if kind(out) == ".csv":
        write_csv(out, plots)
    else:
        _write_plot(problem, plots, arguments.theme or problem.scene.theme, out)
    say(f"wrote {out}")
    tell(arguments, ending(problem, solution, how))
    return solution.code


def _write_plot(problem: Problem, plots: Sequence[Curves], theme: str, out: Path) -> None:
    from rosephys.drawing.palette import themed
    from rosephys.drawing.pixels import pixels
    from rosephys.drawing.plot import plot_picture
    from rosephys.files.png import write_png

    with themed(theme):
        write_png(out, pixels(plot_picture(problem.scene.name.capitalize(), plots)))


def _gradient(arguments: argparse.Namespace) -> int:
    from rosephys.solve.guard import check_finite, evaluate

    problem = _problem(arguments, drawn=False)
    compile_gradient(problem, arguments.json)
    loss, gradient = evaluate(problem, problem.values)
    check_finite(problem, problem.values, loss, gradient)
    how = {"thorough": arguments.thorough, "quiet": arguments.json}
    verdict = judged(problem, problem.values, (loss, gradient), **how)
    warn_of_gradient(verdict)
    result: dict[str, Any] = {"scene": _name(arguments), "loss": loss, "gradient": gradient}
    result |= costs(problem, arguments.repeat)
    if arguments.smooth:
        result["smoothed"] = smoothed(problem, arguments.smooth, arguments.seed)
    if arguments.by_state:
        result["state_gradient"] = problem.state_gradient(problem.values)
    if arguments.check:
        differences = problem.central_differences(problem.values)
        result["central_differences"] = differences
        result["max_relative_difference"] = disagreement(probed(gradient), differences, loss)
    if arguments.json:
        print(to_json(result))
    else:
        print_gradient(problem, result)
        print_smoothed(problem, result.get("smoothed"))
    agrees = result.get("max_relative_difference", 0.0) <= DISAGREE
    return int(not agrees or verdict.reason == "limit")


def _check(arguments: argparse.Namespace) -> int:
    from rosephys.command.check import check

    problem = _problem(arguments)
    findings: list[Finding] = []
    stopped = False
    try:
        with working("checking", arguments.json) as name:
            for finding in check(
                problem, arguments.thorough, lambda what: name(f"checking {what}")
            ):
                findings.append(finding)
    except KeyboardInterrupt:
        stopped = True
    failed = sum(f.verdict == "FAILED" for f in findings)
    result = {"scene": _name(arguments), "steps": problem.steps, "failed": failed}
    if stopped:
        result["stopped"] = True
    if arguments.json:
        print(to_json(result | {"checks": findings}))
    else:
        print_findings(result, findings)
    return 130 if stopped else int(failed > 0)


def _certify(arguments: argparse.Namespace) -> int:
    from rosephys.command.certifying import certify_function

    return certify_function(arguments)


def _identify(arguments: argparse.Namespace) -> int:
    from rosephys.command.identifying import identify_scene

    return identify_scene(arguments)


def _sweep(arguments: argparse.Namespace) -> int:
    from rosephys.command.sweeping import sweep

    return sweep(arguments, _problem(arguments, drawn=False))


def _mpc(arguments: argparse.Namespace) -> int:
    from rosephys.command.driving import drive_scene

    return drive_scene(arguments, _problem(arguments))


def _runs(arguments: argparse.Namespace) -> int:
    from rosephys.command.runs import list_runs

    return list_runs(arguments)


def _compare(arguments: argparse.Namespace) -> int:
    from rosephys.command.runs import compare_runs

    return compare_runs(arguments)


def _replay(arguments: argparse.Namespace) -> int:
    from rosephys.command.runs import replayed

    return _scene(parser(RUNS).parse_args(replayed(arguments)))


def _problem(arguments: argparse.Namespace, drawn: bool = True) -> Recorded:
    from rosephys.scene.finding import find_scene

    settings = dict(arguments.settings)
    if arguments.load:
        from rosephys.files.values import load

        settings = {**load(arguments.load), **settings}
    problem = problem_of(find_scene(arguments.scene, settings), arguments)
    problem.inspect(drawn)
    return problem


def _name(arguments: argparse.Namespace) -> str:
    return Path(arguments.scene).stem


def _save(arguments: argparse.Namespace, problem: Problem, solution: Solution) -> None:
    from rosephys.files.values import save

    path = arguments.out / f"{_name(arguments)}.npz"
    save(path, problem.scene, found(problem, solution))
    say(f"wrote {path}")


def _write_results(
    arguments: argparse.Namespace, problem: Problem, solution: Solution, result: object
) -> None:
    path = arguments.out / f"{_name(arguments)}.json"
    with replacing(path) as beside:
        beside.write_text(to_json(result) + "\n", encoding="utf-8")
    say(f"wrote {path}")
    keep(Film(problem, found(problem, solution)), path.with_suffix(".gif"))


def _draw_both(problem: Problem, solution: Solution, path: Path) -> None:
    """Write how the motion ends, before and after, as a PNG."""
    if not problem.scene.pictured:
        say("no PNG: the scene has no picture")
        return
    before_and_after(Film(problem, found(problem, solution)), path)
    say(f"wrote {path}")


def _doctor(arguments: argparse.Namespace) -> int:
    from rosephys.command.doctor import doctor

    return doctor(arguments.json)


RUNS: dict[str, Run] = {
    "scene": _scene,
    "gallery": _gallery,
    "record": _record,
    "export": _export,
    "optimize": _optimize,
    "sweep": _sweep,
    "landscape": _landscape,
    "plot": _plot,
    "identify": _identify,
    "mpc": _mpc,
    "runs": _runs,
    "compare": _compare,
    "replay": _replay,
    "gradient": _gradient,
    "check": _check,
    "certify": _certify,
    "doctor": _doctor,
    "new": _new,
    "list": _list,
    "info": _info,
}
