"""Python functions as compiled code calls them."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import at, position
from ..base.tree import Structure, flatten, unflatten
from .types import Value, scalar_of, shape_of


class Host:
    """A Python function with the types of its arguments and results, as compiled code calls it."""

    def __init__(self, f: Callable[..., Any], structure: Structure, params: Sequence[Value],
                 results: Sequence[Value], result: Structure, loc: int) -> None:  # fmt: skip
        self.f, self.structure, self.loc = f, structure, loc
        self.params, self.results, self.result = tuple(params), tuple(results), result
        self.name = getattr(f, "__name__", type(f).__name__)
        self._failed = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k != "_failed"} | {"loc": position(self.loc)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, loc=at(state["loc"]))
        self._failed = threading.local()

    def values(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves of the function's result as arrays of its types; TypeMismatch where they are not."""
        args, kwargs = unflatten(self.structure, [_given(x) for x in leaves])
        found, structure = flatten(self.f(*args, **kwargs))
        if structure != self.result:
            raise TypeMismatch(
                f"{self.name} did not return the structure that was declared", self.loc
            )
        out = []
        for x, t in zip(found, self.results, strict=True):
            a = np.asarray(x)
            if a.shape != shape_of(t) or not np.can_cast(a.dtype, scalar_of(t).dtype, "same_kind"):
                raise TypeMismatch(
                    f"{self.name} returned {a.dtype} of shape {a.shape}, declared {t!r}", self.loc
                )
            out.append(a.astype(scalar_of(t).dtype))
        return out

    def callback(self, pointers: int) -> None:
        """What compiled code calls: pointers to each argument, to each result, and to a word that is 0.

        The word is set to 1 at the end. It stays 0 where the function raised, or where what handles a signal
        did, before this had begun.
        """
        places = ctypes.cast(pointers, ctypes.POINTER(ctypes.c_void_p))
        arrays = [_at(places[k], t) for k, t in enumerate((*self.params, *self.results))]
        inputs, outputs = arrays[: len(self.params)], arrays[len(self.params) :]
        try:
            for a in inputs:
                a.flags.writeable = False
            for out, value in zip(outputs, self.values([a.copy() for a in inputs]), strict=True):
                out[...] = value
            ctypes.c_int64.from_address(places[len(arrays)] or 0).value = 1
        except BaseException as error:
            self._failed.error = error

    def take_error(self) -> BaseException | None:
        """The exception since the last time this was asked in this thread, which is then forgotten."""
        error: BaseException | None = getattr(self._failed, "error", None)
        self._failed.error = None
        return error


def _given(x: Any) -> Any:
    return x.item() if x.shape == () else x


def _at(address: int | None, t: Value) -> np.ndarray[Any, Any]:
    """The array of that type at an address."""
    size = max(t.size, 1)
    raw = (
        (ctypes.c_char * size).from_address(address or 0)
        if t.size
        else ctypes.create_string_buffer(1)
    )
    count = t.size // scalar_of(t).size
    return np.frombuffer(memoryview(raw), scalar_of(t).dtype, count).reshape(shape_of(t))
