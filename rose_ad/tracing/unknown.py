"""What Python asks of a value that is known only when the compiled function runs: each answer is what to write
in place of that."""

from __future__ import annotations

from typing import Any, NoReturn

from ..base.errors import TraceError
from ..base.source import here
from ..base.tree import Leaf

_SHOW = "ra.debug.print('{}', x) prints the value when the function runs"


class Unknown(Leaf):
    """A value of which there is none yet: Python asks these when a program needs one now."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TraceError(
            "`if`, `while`, `and`, `or`, `not` and `assert` need a value that is known while tracing; this "
            "one is known only when the compiled function runs",
            here(),
            "ra.where(c, a, b) to choose between values, ra.cond(c, f, g) for a real branch, "
            "`with ra.when(c):` to guard effects; & | ~ combine conditions",
        )

    def _no_value(self, what: str, instead: str) -> NoReturn:
        raise TraceError(
            f"{what} of a value that is known only when the compiled function runs", here(), instead
        )

    def __float__(self) -> float:
        self._no_value(
            "float()",
            "use it as it is, for traced numbers take arithmetic and ra.sin(x) etc.; a numpy array cannot hold "
            "it: v = ra.zeros(n).at[i].set(x) for v[i] = x, or ra.array([x, y]); to look at it, "
            + _SHOW,
        )

    def __format__(self, spec: str) -> str:
        if spec:
            self._no_value(f"a text, in the format {spec!r},", _SHOW)
        return str(self)

    def item(self, *_: Any) -> NoReturn:
        """A number of Python, which there is none of while tracing: TraceError."""
        self._no_value("item()", f"use it as it is, x[i] of an array; to look at it, {_SHOW}")

    def tolist(self) -> NoReturn:
        """Numbers of Python, which there are none of while tracing: TraceError."""
        self._no_value("tolist()", f"use it as it is; to look at it, {_SHOW}")

    def __int__(self) -> int:
        self._no_value("int()", "ra.to_int(x) rounds toward zero in the compiled function")

    def __index__(self) -> int:
        self._no_value(
            "a Python index, range() or list subscript", "for i in ra.range(n): ... or an array"
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._no_value(
            "a numpy array", "ra.array([x, y]) for np.array([x, y]), and ra.array(a)[i] for a[i]"
        )
