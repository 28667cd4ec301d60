"""`fn`: a Python function becomes a composable, compiled one, traced when it is first called."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator, Sequence
from typing import Any, overload

from ..base.errors import TraceError, TypeMismatch
from ..base.lazy import lazy
from ..base.meaning import meaning
from ..base.source import UNKNOWN, here, of_function
from ..base.static import Held
from ..base.tree import Structure, flatten, is_traced, unflatten, weak_leaves
from ..ir.core import Function, Var
from ..ir.in_force import in_force
from ..ir.pickling import Reference, reference
from ..ir.types import F64, Type
from ..tracing.annotations import checked, parameter_types, static_names
from ..tracing.trace import Trace, tracing
from ..tracing.values import Traced, WeakReal, lift, wrap
from .function import Fn, Specialised

# what functools.update_wrapper takes from a Python function and another process cannot have
_OF_PYTHON = ("__wrapped__", "__annotations__", "__annotate__", "__type_params__")
_REMEMBERED = 256  # functions that were given as Python functions; the oldest goes first
_by_meaning: dict[Hashable, PythonFunction] = {}


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
        out = list(types)
        for name, leaves, wanted in self._declared(structure, len(types)):
            if len(leaves) != len(wanted):
                raise TypeMismatch(
                    f"argument {name} of {self.__name__} does not have its declared structure",
                    here(),
                    "a numpy array for a Vec, the declared class for a struct",
                )
            for k, t in zip(leaves, wanted, strict=False):
                out[k] = checked(types[k], t, f"{name} of {self.__name__}", here())
        return out

    def _declared(
        self, structure: Structure, count: int
    ) -> Iterator[tuple[str, list[int], list[Type | None]]]:
        """Of each annotated parameter: its name, the places of its leaves, and their types."""
        args, kwargs = unflatten(structure, range(count))
        try:
            bound = self.signature.bind(*args, **kwargs).arguments
        except TypeError:
            return  # the call itself will say what is wrong with the arguments
        for name, wanted in self._annotated.items():
            if name in bound:
                yield name, flatten(bound[name])[0], wanted

    def _parameters(self, structure: Structure, params: Sequence[Var]) -> list[Traced]:
        """What stands for the arguments: a number of Python is weak, but for one whose type is declared."""
        weak = list(weak_leaves(structure))
        for _, leaves, wanted in self._declared(structure, len(params)) if any(weak) else ():
            for k, t in zip(leaves, wanted, strict=True):
                weak[k] = weak[k] and t is None
        return [
            WeakReal(p) if w and p.type is F64 else wrap(p)
            for p, w in zip(params, weak, strict=True)
        ]

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        python = self._python(types)
        code = getattr(python, "__code__", None)
        loc = of_function(code) if code is not None else UNKNOWN
        trace = Trace(self.__name__)
        root = trace.frames[0]
        params = [root.builder.block.param(t) for t in types]
        args, kwargs = unflatten(structure, self._parameters(structure, params))
        with tracing(trace):
            out = python(*map(_released, args), **{n: _released(a) for n, a in kwargs.items()})
            trace.check_innermost(root)
            if isinstance(out, Iterator | Coroutine | AsyncIterator):
                what = f"{self.__name__} returns a {type(out).__name__}, of which nothing has been run yet"
                raise TraceError(what, loc, "return its values: a list or a tuple of them")
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
