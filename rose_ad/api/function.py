"""`@fn`: a Python function becomes a composable, compiled one.

It is traced once for each structure and type of its arguments into one IR function. Called while another is
traced, it stays a call. Called with numbers and numpy arrays, it is compiled, kept, and run.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..base.errors import TraceError, TypeMismatch
from ..base.garbage import uncollected
from ..base.source import here
from ..base.static import Unchanging
from ..base.tree import Structure, flatten, unflatten, weakened
from ..base.turns import Turns
from ..ir.alike import one_of
from ..ir.core import Function, Var
from ..ir.in_force import in_force, under
from ..ir.types import F32, Array, Scalar, Type, Value, scalar_of, shape_of
from ..ir.verify import verify
from ..native.caller import MISS
from ..native.calling import fitted
from ..native.program import Program
from ..rewrite.schedule import SCHEDULE
from ..tracing.accumulator import Accumulator
from ..tracing.trace import current
from ..tracing.values import Traced, convert, lift, type_of, wrap
from . import pipeline
from .lowered import Lowered
from .nans import searching

Signature = tuple[Structure, tuple[Type, ...]]
Making = tuple[Structure, tuple[Type, ...], bool]  # and whether products and sums are contracted
K = TypeVar("K")
T = TypeVar("T")
_DIRECT = 4  # calls that a function tries first


class _State(threading.local):
    def __init__(self) -> None:
        self.being_made: set[tuple[Fn, Making]] = set()
        self.alike: dict[Hashable, Function] = {}  # those made while one is, by what they do


_state = _State()


@dataclass(frozen=True)
class Specialised:
    """A function for one structure and type of arguments: its IR, and the structure of its result.

    `captured` are values of the functions around it that it uses: its last arguments.
    """

    ir: Function
    result: Structure
    captured: tuple[Var, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """A program, the structure of its result and, by the types of arguments that it has been given, its direct
    calls: see `calling`."""

    program: Program
    result: Structure
    direct: dict[tuple[Type, ...], Callable[..., Any] | None]


class Fn(Unchanging):
    """A composable function; made by `fn`, `grad` and the other transformations.

    Calling it raises TypeMismatch for arguments that do not fit, TraceError for Python that cannot be traced,
    OutOfRange where an index left its array, MemoryLimit where it would need too much memory, NanFound where
    a NaN began if that is looked for (`debug_nans`).
    """

    static_in: Fn | None = None  # the function whose static parameters it has, if any
    fma = True  # whether a product and a sum may become one operation

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.derived: dict[Any, Fn] = {}  # its transformations, each made once
        self._specialised: dict[Making, Specialised] = {}  # by the default schedule
        # without and with the search for NaNs
        self._compiled: dict[bool, dict[Signature, Compiled]] = {}
        self._direct: tuple[Callable[..., Any], ...] = ()  # of the last programs run, without
        self._turns = Turns()

    # ------------------------------------------------------------------------------ to be defined

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        """Trace or derive the function for arguments ((args), {kwargs}) of that structure and types."""
        raise NotImplementedError

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        """The types that arguments of the given types are converted to."""
        return types

    def held(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with those of static parameters as constants."""
        return args, kwargs

    # ------------------------------------------------------------------------------------- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.static_in is not None:
            args, kwargs = self.static_in.held(args, kwargs)
        if not (kwargs or current() or searching()):
            for direct in self._direct:
                out = direct(*args)
                if out is not MISS:
                    return out
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        trace = current()
        if trace is None:
            return self._outermost(args, kwargs)
        leaves, structure = flatten((args, kwargs))
        values = [lift(leaf) for leaf in leaves]
        given = [v.type for v in values]
        structure = _with_weak(structure, given, (v.weak for v in values))
        types = self.argument_types(structure, given)
        values = [convert(v, scalar_of(t)) for v, t in zip(values, types, strict=True)]
        special = self.specialise(structure, types)
        if not special.ir.results and any(isinstance(leaf, Accumulator) for leaf in leaves):
            raise TraceError(
                f"an accumulator is given to {self.__name__}, which returns nothing: there it is a value, and "
                "what is added to that is lost",
                here(),
                f"let {self.__name__} return what is to be added: acc += {self.__name__}(x)",
            )
        b = trace.builder
        b.loc = here()
        passed = [*(v.atom for v in values), *(trace.resolve(v) for v in special.captured)]
        outs = b.call(special.ir, passed)
        return unflatten(special.result, [wrap(o) for o in outs])

    def _outermost(self, args: Any, kwargs: Any) -> Any:
        try:
            return self._run(*flatten((args, kwargs)))
        except RecursionError as error:
            raise TraceError(
                f"{self.__name__}, or an argument of it, is nested too deeply, or contains itself",
                here(),
                "fewer loops, branches, calls and tuples inside each other; a loop for what repeats; or a "
                "higher limit, sys.setrecursionlimit(n)",
            ) from error

    def _run(self, leaves: list[Any], structure: Structure) -> Any:
        given = [_argument_type(leaf) for leaf in leaves]
        structure = _with_weak(structure, given, (type(leaf) is float for leaf in leaves))
        types = self.argument_types(structure, given)
        compiled = self._program(structure, types)
        direct = _direct_call(compiled, structure, given, types)
        if direct is not None and direct not in self._direct:
            self._direct = (direct, *self._direct[: _DIRECT - 1])
        arrays = [_as_array(leaf, t) for leaf, t in zip(leaves, types, strict=True)]
        return unflatten(compiled.result, compiled.program(arrays))

    def _program(self, structure: Structure, types: Sequence[Type]) -> Compiled:
        key, nans = (structure, tuple(types)), searching()
        programs = self._compiled.setdefault(nans, {})
        known = self._look_up(programs, key)
        if known is None:
            with self._turns.taken():
                known = programs.get(key)
                if known is None:
                    with uncollected():
                        known = programs[key] = self._compile(structure, types, nans)
        return known

    def _compile(self, structure: Structure, types: Sequence[Type], nans: bool) -> Compiled:
        special = self.specialise(structure, types)
        if os.environ.get("ROSE_AD_CHECK") == "1":
            verify(special.ir)
        return Compiled(pipeline.compiled(special.ir, nans), special.result, {})

    def specialise(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        """The function for arguments of that structure and types, made once by each schedule."""
        schedule = in_force() if self.fma else in_force().exact
        key = structure, tuple(types), schedule.contract
        usual = schedule is SCHEDULE or schedule is SCHEDULE.exact
        made: dict[Making, Specialised] = (
            self._specialised if usual else schedule.made.setdefault(self, {})
        )
        known = self._look_up(made, key)
        if known is not None:
            return known
        making = self, key
        if making in _state.being_made:
            raise TraceError(
                f"{self.__name__} calls itself: recursion cannot be traced",
                here(),
                "a loop: ra.fori_loop, ra.scan or for i in ra.range(n)",
            )
        with self._turns.taken(), uncollected(), under(schedule):
            _state.being_made.add(making)
            try:
                known = made.get(key) or self.make(structure, types)
                known = replace(known, ir=one_of(known.ir, _state.alike))
            finally:
                _state.being_made.discard(making)
                if not _state.being_made:
                    _state.alike = {}
            if known.captured:  # which may be other values the next time
                return known
            return made.setdefault(key, known)

    def _look_up(self, known: dict[K, T], key: K) -> T | None:
        try:
            return known.get(key)
        except TypeError:
            raise TypeMismatch(
                f"an argument of {self.__name__} is neither a number, an array nor a hashable constant",
                here(),
                "pass numbers, arrays, and structures of them",
            ) from None

    # ------------------------------------------------------------------------- copying, pickling

    def __copy__(self) -> Fn:
        return self  # like a Python function, it is the same for all

    def __deepcopy__(self, _: Any) -> Fn:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What it is made of. What it has made of that, Fn() has places for; it is made again."""
        made = vars(Fn(self.__name__))
        return {k: v for k, v in vars(self).items() if k == "__name__" or k not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Fn.__init__(self, state["__name__"])
        vars(self).update(state)

    # ------------------------------------------------------------------------------------- looking

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The compiled function for such arguments, to be looked at."""
        return Lowered(self._program(*self.types_of(args, kwargs)).program)

    def trace(self, *args: Any, **kwargs: Any) -> Function:
        """The IR for such arguments, so that what is wrong with the function is raised; nothing is compiled."""
        return self.specialise(*self.types_of(args, kwargs)).ir

    def types_of(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Structure, Sequence[Type]]:
        """The structure of such arguments, and the types that they are converted to."""
        if self.static_in is not None:
            args, kwargs = self.static_in.held(args, kwargs)
        leaves, structure = flatten((args, kwargs))
        given = [_argument_type(leaf) for leaf in leaves]
        structure = _with_weak(structure, given, (type(leaf) is float for leaf in leaves))
        return structure, self.argument_types(structure, given)

    def __str__(self) -> str:
        shown = [str(s.ir) for s in self._specialised.values()]
        return (
            "\n\n".join(shown)
            or f"fn {self.__name__}: not traced yet; call it, or use .lower(args)"
        )

    def __repr__(self) -> str:
        return f"<rose_ad function {self.__name__}>"

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else functools.partial(self, owner)


def derived(base: Fn, key: Any, make: Callable[[], Fn]) -> Fn:
    """A transformation of a function, made once for what it is known by."""
    try:
        known = base.derived.get(key)
    except TypeError:  # axes in lists and dicts
        return make()
    return known or base.derived.setdefault(key, make())


def _direct_call(
    compiled: Compiled, structure: Structure, given: Sequence[Type], types: Sequence[Type]
) -> Callable[..., Any] | None:
    """The direct call for arguments of types `given`, of which the program's are made, if there can be one."""
    args, kwargs = structure.children
    native, key = compiled.program.native, tuple(given)
    if native is None or kwargs.children or searching():
        return None
    if key not in compiled.direct:
        compiled.direct[key] = fitted(native, args, compiled.result, given, types)
    return compiled.direct[key]


def _with_weak(structure: Structure, types: Sequence[Type], weak: Iterable[bool]) -> Structure:
    """The structure with numbers of Python marked, where some argument has 32 bits, as they have beside it."""
    if all(scalar_of(t) is not F32 for t in types):
        return structure
    return weakened(structure, iter(weak))


def _argument_type(x: Any) -> Value:
    if isinstance(x, Traced | Accumulator):
        raise TraceError(
            "a traced value is used after its function has been traced",
            here(),
            "return it from the function instead",
        )
    return type_of(x)


def _as_array(x: Any, t: Type) -> np.ndarray[Any, Any]:
    """An argument as a C-contiguous, aligned array of its type; a copy only where that is needed."""
    assert isinstance(t, Scalar | Array)
    dtype = scalar_of(t).dtype
    if type(x) is np.ndarray and x.dtype == dtype and x.flags.c_contiguous and x.flags.aligned:
        out = x
    else:
        out = np.require(x, dtype, ["C", "A", "E"]).reshape(shape_of(t))
    return out if out.dtype is dtype else out.view(dtype)  # equal types may be different objects
