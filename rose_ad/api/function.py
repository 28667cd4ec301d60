"""`@fn`: a Python function becomes a composable, compiled one.

It is traced once for each structure and type of its arguments into one IR function. Called while another is
traced, it stays a call. Called with numbers and numpy arrays, it is compiled, kept, and run.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

import numpy as np

from ..base.errors import TraceError, TypeMismatch
from ..base.garbage import uncollected
from ..base.lazy import lazy
from ..base.meaning import meaning
from ..base.source import UNKNOWN, here, of_function
from ..base.static import Held, Unchanging
from ..base.tree import Structure, flatten, is_traced, unflatten
from ..base.turns import Turns
from ..ir.alike import one_of
from ..ir.core import Function, Var
from ..ir.in_force import in_force, under
from ..ir.pickling import Reference, reference
from ..ir.types import Array, Scalar, Type, Value, scalar_of, shape_of
from ..ir.verify import verify
from ..native.caller import MISS
from ..native.calling import fitted
from ..native.program import Program
from ..rewrite.schedule import SCHEDULE
from ..tracing.accumulator import Accumulator
from ..tracing.annotations import checked, parameter_types, static_names
from ..tracing.trace import Trace, current, tracing
from ..tracing.values import Traced, convert, lift, type_of, wrap
from . import pipeline
from .lowered import Lowered
from .nans import searching

Signature = tuple[Structure, tuple[Type, ...]]
Making = tuple[Structure, tuple[Type, ...], bool]  # and whether products and sums are contracted
K = TypeVar("K")
T = TypeVar("T")
# what functools.update_wrapper takes from a Python function and another process cannot have
_OF_PYTHON = ("__wrapped__", "__annotations__", "__annotate__", "__type_params__")
_DIRECT = 4  # calls that a function tries first
_REMEMBERED = 256  # functions that were given as Python functions; the oldest goes first
_by_meaning: dict[Hashable, PythonFunction] = {}


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
    """A program, the structure of its result and, where there can be one, its direct call: see `calling`."""

    program: Program
    result: Structure
    direct: Callable[..., Any] | None


class Fn(Unchanging):
    """A composable function; made by `fn`, `grad` and the other transformations.

    Calling it raises TypeMismatch for arguments that do not fit, TraceError for Python that cannot be traced,
    OutOfRange where an index left its array, MemoryLimit where it would need too much memory, NanFound where
    a NaN began if that is looked for (`debug_nans`).
    """

    static_in: PythonFunction | None = None  # the function whose static parameters it has, if any
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
        types = self.argument_types(structure, [v.type for v in values])
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
        types = self.argument_types(structure, given)
        compiled = self._program(structure, types)
        # arguments that are converted may mean another program than those that need not be
        if compiled.direct is not None and list(types) == given:
            if compiled.direct not in self._direct:
                self._direct = (compiled.direct, *self._direct[: _DIRECT - 1])
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
        program, direct = pipeline.compiled(special.ir, nans), None
        args, kwargs = structure.children
        if program.native is not None and not kwargs.children and not nans:
            direct = fitted(program.native, args, special.result)
        return Compiled(program, special.result, direct)

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
        return Lowered(self._program(*self._types(args, kwargs)).program)

    def trace(self, *args: Any, **kwargs: Any) -> Function:
        """The IR for such arguments, so that what is wrong with the function is raised; nothing is compiled."""
        return self.specialise(*self._types(args, kwargs)).ir

    def _types(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Structure, Sequence[Type]]:
        if self.static_in is not None:
            args, kwargs = self.static_in.held(args, kwargs)
        leaves, structure = flatten((args, kwargs))
        return structure, self.argument_types(structure, [_argument_type(leaf) for leaf in leaves])

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


class PythonFunction(Fn):
    """A function traced from Python."""

    def __init__(self, f: Callable[..., Any], static: Sequence[str] = (), fma: bool = True) -> None:
        super().__init__(getattr(f, "__name__", "function"))
        self.fma = fma
        functools.update_wrapper(self, f)
        self.python: Any = f  # or the Reference of one that stayed in another process
        self.static = (*static, *static_names(f))
        if self.static:
            self.static_in = self
            for name in self.static:
                if name not in self.signature.parameters:
                    raise TypeMismatch(f"{self.__name__} has no parameter {name}", here())

    def held(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with those of static parameters as constants."""
        names = list(self.signature.parameters)
        given = [
            self._held(n, a) if n in self.static else a for n, a in zip(names, args, strict=False)
        ]
        return (*given, *args[len(given) :]), {
            n: self._held(n, a) if n in self.static else a for n, a in kwargs.items()
        }

    def _held(self, name: str, value: Any) -> Held:
        if isinstance(value, Held):
            return value
        if is_traced(value):
            raise TraceError(
                f"the static argument {name} of {self.__name__} is not known while tracing",
                here(),
                "make it a static parameter of the function around it, too",
            )
        try:
            hash(value)
        except TypeError:
            raise TypeMismatch(
                f"the static argument {name} of {self.__name__} cannot be compared: {type(value).__name__}",
                here(),
                "a number, a string, a tuple of these, or an object of yours",
            ) from None
        return Held(value)

    def __getstate__(self) -> dict[str, Any]:
        """Its signature and all that it was traced for, without Python code; see `pickling`."""
        _ = self._annotated, self.signature  # which need that code: they are kept from now on
        foreign = {*_OF_PYTHON, *getattr(self.python, "__dict__", ())}
        state = {k: v for k, v in super().__getstate__().items() if k not in foreign}
        traced = dict(self._specialised)
        return state | {"python": reference(self.python, self.__name__), "_specialised": traced}

    @lazy
    def signature(self) -> inspect.Signature:
        """The parameters' names and kinds, and which may be left out."""
        parameters = inspect.signature(self.python).parameters.values()
        return inspect.Signature(
            [
                inspect.Parameter(
                    p.name, p.kind, default=p.default if p.default is p.empty else None
                )
                for p in parameters
            ]
        )

    @lazy
    def _annotated(self) -> dict[str, list[Type | None]]:
        return {n: t for n, t in parameter_types(self.python).items() if n not in self.static}

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        if not self._annotated:
            return types
        args, kwargs = unflatten(structure, range(len(types)))
        try:
            bound = self.signature.bind(*args, **kwargs).arguments
        except TypeError:
            return types  # the call itself will say what is wrong with the arguments
        out = list(types)
        for name, wanted in self._annotated.items():
            leaves = flatten(bound[name])[0] if name in bound else []
            if name in bound and len(leaves) != len(wanted):
                raise TypeMismatch(
                    f"argument {name} of {self.__name__} does not have its declared structure",
                    here(),
                    "a numpy array for a Vec, the declared class for a struct",
                )
            for k, t in zip(leaves, wanted, strict=False):
                out[k] = checked(types[k], t, f"{name} of {self.__name__}", here())
        return out

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        python = self._python(types)
        code = getattr(python, "__code__", None)
        loc = of_function(code) if code is not None else UNKNOWN
        trace = Trace(self.__name__)
        root = trace.frames[0]
        params = [root.builder.block.param(t) for t in types]
        args, kwargs = unflatten(structure, [wrap(p) for p in params])
        with tracing(trace):
            out = python(*map(_released, args), **{n: _released(a) for n, a in kwargs.items()})
            trace.check_innermost(root)
            leaves, result = flatten(out)
            root.builder.block.results = tuple(
                self._result(leaf, trace, loc).atom for leaf in leaves
            )
        block = in_force().run("traced", self.__name__, root.builder.block)
        return Specialised(Function(self.__name__, block, loc), result, tuple(trace.captured))

    def _python(self, types: Sequence[Type]) -> Callable[..., Any]:
        """The function to be traced, imported if it stayed in another process."""
        if isinstance(self.python, Reference):
            try:
                self.python = self.python.load()
            except (ImportError, AttributeError) as error:
                given = ", ".join(map(repr, types))
                raise TraceError(
                    f"{self.__name__} comes from another process, where it was not traced for such "
                    f"arguments ({given}), and its Python source is not here ({error})",
                    here(),
                    "call it with such arguments once before it is pickled, or define it at the top of a "
                    "module that can be imported here",
                ) from None
        python: Callable[..., Any] = self.python
        return python

    def _result(self, leaf: Any, trace: Trace, loc: int) -> Traced:
        if isinstance(leaf, complex):
            raise TypeMismatch(f"{self.__name__} returns a complex number", loc, "its two parts")
        if isinstance(leaf, Traced):
            trace.resolve(leaf.atom, loc)
        return lift(leaf)


def _released(x: Any) -> Any:
    return x.value if isinstance(x, Held) else x


@overload
def fn(f: Callable[..., Any], *, static: Sequence[str] = (), fma: bool = True) -> Fn: ...


@overload
def fn(*, static: Sequence[str] = (), fma: bool = True) -> Callable[[Callable[..., Any]], Fn]: ...


def fn(f: Callable[..., Any] | None = None, *, static: Sequence[str] = (), fma: bool = True) -> Any:
    """Make a Python function a composable, compiled one; a decorator.

    Its arguments and result are numbers, numpy arrays, and tuples, lists, dicts or dataclasses of them.
    Types come from annotations (Real, Int, Bool, Vec[n, T], structs), else from the arguments. Called with
    numbers, it gives arrays of its caller's own, and float, int and bool (np.float32 for a Real32). What is one
    already stays as it is.

    Parameters named in `static`, or annotated as `ra.Static`, are known while tracing: lengths, say. For each
    value of theirs, which must be hashable, the function is traced anew.

    A product and a sum may become one operation of the machine, which rounds once. Without `fma` each rounds
    for itself, in the function, all that it calls and their derivatives, as in NumPy: x * y - y * x is then
    always 0. It costs speed.
    """
    names = (static,) if isinstance(static, str) else tuple(static)
    if f is None:
        return functools.partial(fn, static=names, fma=fma)
    if isinstance(f, Fn):
        if names or not fma:
            raise TypeMismatch(f"{f.__name__} is a function of rose_ad already", here())
        return f
    return PythonFunction(f, names, fma)


def as_fn(f: Any) -> Fn:
    """A function as an Fn: of Python functions that mean the same, the same one."""
    if isinstance(f, Fn):
        return f
    if not callable(f):
        raise TypeMismatch(f"{f!r} is not a function", here())
    key = meaning(f)
    if key is None:
        return PythonFunction(f)
    known = _by_meaning.get(key) or _by_meaning.setdefault(key, PythonFunction(f))
    with contextlib.suppress(KeyError, RuntimeError):  # another thread does so, too
        while len(_by_meaning) > _REMEMBERED:
            del _by_meaning[next(iter(_by_meaning))]
    return known


def derived(base: Fn, key: Any, make: Callable[[], Fn]) -> Fn:
    """A transformation of a function, made once for what it is known by."""
    try:
        known = base.derived.get(key)
    except TypeError:  # axes in lists and dicts
        return make()
    return known or base.derived.setdefault(key, make())


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
