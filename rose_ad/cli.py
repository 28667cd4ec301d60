"""The command line: `python -m rose_ad schedule|explain`.

A result goes to standard output, everything else to standard error. The exit code is 0 for success, 1 for a
failure, 2 for a command that cannot be understood and 130 for Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import rose_ad as ra

from .api.function import Fn
from .api.python_function import PythonFunction, as_fn
from .base.errors import RoseError
from .base.tree import flatten
from .diagnostics.explain import Explanation, explain
from .ir.types import is_float
from .tracing.annotations import ones_of, parameter_types
from .tracing.values import type_of

EXAMPLES = """\
examples:
  python -m rose_ad schedule
  python -m rose_ad explain model.py:energy --args "np.ones(8), 3.0"
  python -m rose_ad explain model.py:energy --args "np.ones(8), stiffness=3.0" --derivative grad
  python -m rose_ad explain model.py:loss --derivative vjp --summary

Arguments are written as in a call, in Python, where the file's own names, np and ra are known. Only their types
and shapes matter. Without --args they are the defaults of the parameters, or ones of the annotated types.
"""


class UsageError(Exception):
    """A command that cannot be understood."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing is raised."""
    try:
        options = _parser().parse_args(argv)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # how argparse ends after --help or a wrong argument
        return leaving.code if isinstance(leaving.code, int) else 1
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UsageError as error:
        return _fail(str(error), 2)
    except RoseError as error:
        return _fail(str(error), 1)
    except Exception as error:
        return _fail(_with_line(error), 1)


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _with_line(error: Exception) -> str:
    """An exception of the user's code, with its innermost line that is not of this package."""
    what = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parent)
    own = [f for f in frames if not f.filename.startswith((package, "<frozen"))] or frames
    at = own[-1]
    return f"{what}\n  at {at.filename}:{at.lineno}\n    {at.line}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rose_ad",
        description="See what is done to a function between tracing and lowering.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    purpose = "print the rules and strategies, as they are run"
    schedule = commands.add_parser("schedule", help=purpose, description=purpose)
    schedule.set_defaults(run=_schedule)

    purpose = "show a function's IR after each step of the schedule that changed it"
    command = commands.add_parser("explain", help=purpose, description=purpose)
    command.add_argument("function", metavar="FILE:FUNCTION")
    command.add_argument("--args", metavar='"ARGUMENTS"', help="its arguments, as in a call")
    command.add_argument("--derivative", choices=tuple(DERIVATIVES), help="of a derivative of it")
    command.add_argument("--summary", action="store_true", help="one line for each step, no IR")
    command.set_defaults(run=_explain)
    return parser


def _schedule(_: argparse.Namespace) -> int:
    print(ra.SCHEDULE)
    return 0


def _explain(options: argparse.Namespace) -> int:
    file, colon, name = options.function.rpartition(":")
    if not colon or not file or not name:
        raise UsageError(f"expected FILE:FUNCTION, got {options.function!r}")
    module = _load(Path(file))
    f = _find(module, name)
    args, kwargs = _arguments(f, options.args, module)
    _check_call(f, args, kwargs)
    if options.derivative:
        f = DERIVATIVES[options.derivative](f, args, kwargs)
    explanation = explain(f, *args, **kwargs)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = explanation.summary() if options.summary else str(explanation)
    print(_coloured(text, explanation) if colour else text)
    return 0


# ---------------------------------------------------------------------------------- the function


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    name = f"explained {path.stem}"  # no other module's
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look their annotations up
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    return module


def _find(module: ModuleType, name: str) -> Fn:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        known = [n for n, v in vars(module).items() if isinstance(v, Fn)]
        known = known or [n for n, v in vars(module).items() if inspect.isfunction(v)]
        listed = f"; it has {', '.join(known)}" if known else ""
        raise UsageError(f"{module.__file__} has no function {name}{listed}")
    return as_fn(found)


def _arguments(
    f: Fn, written: str | None, module: ModuleType
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of the right types: those that are written, or as the parameters say."""
    if written is None:
        return _from_parameters(f), {}
    names = {"np": np, "ra": ra, **vars(module), "_arguments": lambda *a, **k: (a, k)}
    try:
        found: tuple[tuple[Any, ...], dict[str, Any]] = eval(f"_arguments({written})", names)
        flatten(found)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"--args {written!r} are no arguments in Python: {what}") from error
    return found


def _check_call(f: Fn, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if isinstance(f, PythonFunction):
        try:
            inspect.signature(f.python).bind(*args, **kwargs)
        except TypeError as error:
            raise UsageError(f"these are not the arguments of {f.__name__}: {error}") from None


def _from_parameters(f: Fn) -> tuple[Any, ...]:
    python = f.python if isinstance(f, PythonFunction) else None
    if python is None:
        raise UsageError(f"the types of the arguments of {f.__name__} are not known; give --args")
    values = []
    known = parameter_types(python)
    hints = inspect.get_annotations(python, eval_str=True) if known else {}
    for name, p in inspect.signature(python).parameters.items():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY):
            continue
        if p.default is not p.empty:
            values.append(p.default)
        elif name in known and None not in known[name]:
            values.append(ones_of(hints[name]))
        else:
            raise UsageError(
                f"the type of {name}, an argument of {f.__name__}, is not known: it has no default and no "
                'annotation that says it; give --args, as in --args "2.0, np.ones(3)"'
            )
    return tuple(values)


# ----------------------------------------------------------------------------------- derivatives

Derive = Callable[[Fn, tuple[Any, ...], dict[str, Any]], Fn]


def _differentiable(args: tuple[Any, ...]) -> tuple[int, ...]:
    """The arguments that are all floats."""
    leaves = [flatten(a)[0] for a in args]
    return tuple(k for k, a in enumerate(leaves) if a and all(is_float(type_of(x)) for x in a))


def _gradient(transform: Callable[..., Fn]) -> Derive:
    def derive(f: Fn, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fn:
        wrt = _differentiable(args)
        if not wrt:
            raise UsageError(f"{f.__name__} has no argument of floats to take a derivative by")
        return transform(f, wrt[0] if len(wrt) == 1 else wrt)

    return derive


def _mode(of: Callable[..., Any]) -> Derive:
    def derive(f: Fn, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fn:
        if kwargs:
            raise UsageError("this derivative is by positional arguments; give them in order")
        return ra.fn(lambda *a: of(f, a))

    return derive


def _vjp(f: Fn, args: tuple[Any, ...]) -> Any:
    value, backward = ra.vjp(f, *args)
    return backward(value)


DERIVATIVES: dict[str, Derive] = {
    "grad": _gradient(ra.grad),
    "value_and_grad": _gradient(ra.value_and_grad),
    "jvp": _mode(lambda f, a: ra.jvp(f, a, a)),
    "vjp": _mode(_vjp),
}


# --------------------------------------------------------------------------------------- colours

_BOLD, _DIM, _GREEN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"


def _coloured(text: str, explanation: Explanation) -> str:
    """Headings bold, the rules that fired green, types dim."""
    headings = {s.heading() for s in explanation.steps}
    return "\n".join(
        _heading(line)
        if line in headings
        else re.sub(r": [\[\]\dFIBool]+", rf"{_DIM}\g<0>{_PLAIN}", line)
        for line in text.split("\n")
    )


def _heading(line: str) -> str:
    step, bracket, rules = line.partition(" (")
    return f"{_BOLD}{step}{_PLAIN}{_GREEN}{bracket}{rules}{_PLAIN}"
