"""Each misuse is told as what it is, at the user's line, with what to write instead.

A mistake is a function whose wrong line ends with `# here`; the error must show that line of this file.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.base.errors import RoseError

V = np.array([1.0, 2.0, 3.0])


class Mistake:
    """A wrong program: how it is run, the error it must raise, and words the message must have."""

    def __init__(self, f: Callable[..., Any], error: type, words: str, instead: str, args: tuple):
        self.f, self.error, self.words, self.instead, self.args = f, error, words, instead, args

    def line(self) -> int:
        """The line marked `# here`."""
        lines, first = inspect.getsourcelines(self.f)
        (found,) = [first + k for k, text in enumerate(lines) if text.rstrip().endswith("# here")]
        return found


MISTAKES: dict[str, Mistake] = {}


def mistake(error: type, words: str, instead: str, *args: Any) -> Callable[[Any], Any]:
    """Register the function below as a mistake; it is run on `args` by `ra.fn`."""

    def register(f: Callable[..., Any]) -> Callable[..., Any]:
        MISTAKES[f.__name__] = Mistake(f, error, words, instead, args)
        return f

    return register


# ------------------------------------------------------------- values that are not known yet


@mistake(ra.TraceError, "`if`", "ra.where", 1.0)
def if_on_a_traced_value(x: Any) -> Any:
    if x > 0.0:  # here
        return x
    return -x


@mistake(ra.TraceError, "`while`", "ra.cond", 1.0)
def while_on_a_traced_value(x: Any) -> Any:
    while x > 0.0:  # here
        x = x - 1.0
    return x


@mistake(ra.TraceError, "`and`", "& | ~", 1.0)
def and_of_traced_values(x: Any) -> Any:
    return ra.where((x > 0.0) and (x < 1.0), 1.0, 2.0)  # here


@mistake(ra.TraceError, "`if`", "ra.where", 1.0)
def if_on_an_accumulator(x: Any) -> Any:
    acc = ra.accum()
    acc += x
    return 1.0 if acc else 2.0  # here


@mistake(ra.TraceError, "float()", "ra.sin", 1.0)
def float_of_a_traced_value(x: Any) -> Any:
    return float(x)  # here


@mistake(ra.TraceError, "float()", "ra.sin", 1.0)
def function_of_math(x: Any) -> Any:
    return math.sin(x)  # here


@mistake(ra.TraceError, "int()", "ra.to_int", 1.0)
def int_of_a_traced_value(x: Any) -> Any:
    return int(x)  # here


@mistake(ra.TraceError, "range()", "ra.range", 3)
def range_of_a_traced_value(n: Any) -> Any:
    total = 0.0
    for _ in range(n):  # here
        total += 1.0
    return total


@mistake(ra.TraceError, "list subscript", "an array", 1)
def list_at_a_traced_index(k: Any) -> Any:
    return [1.0, 2.0][k]  # here


@mistake(ra.TraceError, "numpy array", "ra.array", 1)
def numpy_array_at_a_traced_index(k: Any) -> Any:
    return V[k]  # here


@mistake(ra.TraceError, "numpy array", "ra.array", 1.0)
def numpy_array_of_traced_values(x: Any) -> Any:
    return np.array([x, 1.0])  # here


@mistake(ra.TraceError, "known while tracing", "static parameter", 3)
def build_of_a_traced_length(n: Any) -> Any:
    return ra.build(n, lambda i: 1.0)  # here


@mistake(ra.TypeMismatch, "must be Ints", "ra.to_int", 3.0)
def fori_loop_to_a_real(n: Any) -> Any:
    return ra.fori_loop(0, n, lambda i, c: c, 1.0)  # here


@mistake(ra.TraceError, "bounds of a slice", "ra.build", V, 2)
def slice_to_a_traced_bound(v: Any, n: Any) -> Any:
    return v[:n]  # here


@mistake(ra.TraceError, "iterated", "", 1.0)
def unpacked_number(x: Any) -> Any:
    a, b = x  # here
    return a + b


# ------------------------------------------------------------------------------------- loops


@mistake(ra.TraceError, "left by break or return", "ra.when", 1.0)
def break_out_of_a_loop(x: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(3):
        acc += x * i
        break  # here
    return acc


@mistake(ra.TraceError, "left by break or return", "ra.when", 1.0)
def break_and_go_on(x: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(3):
        acc += x * i
        break  # here
    return acc.freeze() * 2.0


@mistake(ra.TraceError, "left by break or return", "ra.when", 1.0)
def break_out_of_an_inner_loop(x: Any) -> Any:
    for _ in ra.range(3):
        for _ in ra.range(3):
            break  # here
    return x


@mistake(ra.TraceError, "left by break or return", "ra.when", 1.0)
def return_inside_a_loop(x: Any) -> Any:
    for i in ra.range(3):
        return x * i  # here


@mistake(ra.TraceError, "after the loop that made it", "ra.fori_loop", 1.0)
def value_after_its_loop(x: Any) -> Any:
    y = x
    for i in ra.range(3):
        y = x * i
    return y + 1.0  # here


@mistake(ra.TraceError, "after the loop that made it", "ra.scan", 1.0)
def index_after_its_loop(x: Any) -> Any:
    for i in ra.range(3):  # noqa: B007
        pass
    return x * i  # here


@mistake(ra.TraceError, "after the loop that made it", "ra.build", 1.0)
def value_of_a_build_kept(x: Any) -> Any:
    kept: list[Any] = []
    ra.build(3, lambda i: kept.append(x * i) or x)
    return kept[0] + 1.0  # here


@mistake(ra.TraceError, "after the loop that made it", "ra.accum", 1.0)  # here
def returned_value_of_a_loop(x: Any) -> Any:
    for i in ra.range(3):
        y = x * i
    return y


@mistake(ra.TypeMismatch, "bounds must be Ints", "ra.to_int", 1.0)
def range_to_a_real(x: Any) -> Any:
    for _ in ra.range(x):  # here
        pass
    return x


@mistake(ra.TypeMismatch, "must not be negative", "", 1.0)
def build_of_a_negative_length(x: Any) -> Any:
    return ra.build(-1, lambda i: x)  # here


@mistake(ra.TypeMismatch, "becomes [2]F64", "type and shape", V)
def carry_that_changes_its_shape(v: Any) -> Any:
    return ra.fori_loop(0, 3, lambda i, c: np.zeros(2) * c[0], v)  # here


@mistake(ra.TypeMismatch, "becomes F64", "type and shape", 1)
def carry_that_changes_its_type(k: Any) -> Any:
    return ra.fori_loop(0, 3, lambda i, c: c * 0.5, k)  # here


@mistake(ra.TypeMismatch, "another structure", "same fields", 1.0)
def carry_that_changes_its_structure(x: Any) -> Any:
    return ra.scan(lambda c, _: ((c, c), None), x, length=3)  # here


@mistake(ra.TypeMismatch, "(carry, y)", "return carry, None", 1.0)
def scan_that_returns_the_carry_only(x: Any) -> Any:
    return ra.scan(lambda c, _: c, x, length=3)  # here


@mistake(ra.TypeMismatch, "length of a scan is not clear: [3, 4]", "", 1.0)
def scan_over_different_lengths(x: Any) -> Any:
    return ra.scan(lambda c, a: (c, a), x, (V, np.zeros(4)))  # here


# ----------------------------------------------------------------------------------- branches


@mistake(ra.TraceError, "after the branch that made it", "ra.cond", 1.0)
def value_after_its_branch(x: Any) -> Any:
    with ra.when(x > 0.0):
        y = x * 2.0
    return y + 1.0  # here


@mistake(ra.TypeMismatch, "different structures", "same fields", 1.0)
def sides_of_different_structure(x: Any) -> Any:
    return ra.cond(x > 0.0, lambda: x, lambda: (x, x))  # here


@mistake(ra.TypeMismatch, "shapes () and (3,)", "", 1.0)
def sides_of_different_shape(x: Any) -> Any:
    return ra.cond(x > 0.0, lambda: x, lambda: V)  # here


@mistake(ra.TypeMismatch, "must be a Bool", "x > 0", 1.0)
def branch_on_a_number(x: Any) -> Any:
    return ra.cond(x, lambda: x, lambda: x)  # here


@mistake(ra.TypeMismatch, "must be a Bool", "x > 0", 1.0)
def where_on_a_number(x: Any) -> Any:
    return ra.where(x, x, x)  # here


@mistake(ra.TypeMismatch, "& and |", "parentheses", 1.0)
def and_of_numbers(x: Any) -> Any:
    return x & 1.0  # here


# ------------------------------------------------------------------------------- accumulators


@mistake(ra.TraceError, "cannot be assigned into", "ra.build", V)
def assignment_into_an_array(v: Any) -> Any:
    v[0] = 1.0  # here
    return v


@mistake(ra.TraceError, "cannot be assigned into", "ra.accum", V)
def addition_into_an_array(v: Any) -> Any:
    v[0] += 1.0  # here
    return v


@mistake(ra.TraceError, "cannot be assigned to", "acc[i] += v", 1.0)
def assignment_to_an_accumulator(x: Any) -> Any:
    acc = ra.accum(3)
    acc[0] = x  # here
    return acc


@mistake(ra.TraceError, "only be added into until it is read", "acc.freeze()", 1.0)
def read_part_of_an_accumulator(x: Any) -> Any:
    acc = ra.accum(3)
    for i in ra.range(3):
        acc[i] += acc[0] * x  # here
    return acc


@mistake(ra.TraceError, "read inside a loop", "after the loop", 1.0)
def accumulator_read_in_a_loop(x: Any) -> Any:
    acc = ra.accum()
    for _ in ra.range(3):
        acc += acc * x  # here
    return acc


@mistake(ra.TraceError, "read inside a loop or branch", "after the loop", 1.0)
def accumulator_read_in_a_branch(x: Any) -> Any:
    acc = ra.accum()
    return ra.cond(x > 0.0, lambda: acc * 2.0, lambda: x)  # here


@mistake(ra.TraceError, "after its value was read", "a new accumulator", 1.0)
def accumulator_added_to_when_read(x: Any) -> Any:
    acc = ra.accum()
    acc += x
    y = acc * 2.0
    acc += x  # here
    return y


@ra.fn
def adds_to_what_it_is_given(acc: Any, x: Any) -> Any:
    acc += x


@ra.fn
def gives_back_more(acc: Any, x: Any) -> Any:
    return acc + x


@mistake(ra.TraceError, "which returns nothing", "acc += adds_to_what_it_is_given(x)", 1.0)
def accumulator_given_to_what_adds(x: Any) -> Any:
    acc = ra.accum()
    adds_to_what_it_is_given(acc, x)  # here
    return acc


@mistake(
    ra.TraceError, "after its value was read", "returns what is to be added. It was read here", 1.0
)
def accumulator_added_to_when_given(x: Any) -> Any:
    acc = ra.accum()
    more = gives_back_more(acc, x)
    acc += more  # here
    return acc


@mistake(ra.TypeMismatch, "a value of shape (2, 3)", "", 1.0)
def wrong_shape_added(x: Any) -> Any:
    acc = ra.accum(3)
    acc += np.zeros((2, 3))  # here
    return acc


@mistake(ra.TypeMismatch, "accumulator of Ints", "ra.to_int", 1.0)
def real_added_to_integers(x: Any) -> Any:
    acc = ra.accum(ra.Int)
    acc += x  # here
    return acc


@mistake(ra.TypeMismatch, "Bools cannot be added", "Ints", 1.0)
def accumulator_of_bools(x: Any) -> Any:
    return ra.accum(ra.Vec[3, ra.Bool])  # here


@mistake(ra.OutOfRange, "index 3 is outside an array of length 3", "", 1.0)
def accumulator_out_of_range(x: Any) -> Any:
    acc = ra.accum(3)
    acc[3] += x  # here
    return acc


# ---------------------------------------------------------------------------------- functions


@ra.fn
def endless(x: Any) -> Any:
    return endless(x) * 2.0


@ra.fn
def ping(x: Any) -> Any:
    return pong(x)


@ra.fn
def pong(x: Any) -> Any:
    return ping(x)


def test_recursion() -> None:
    for f, inner in ((endless, endless), (ping, pong)):
        with pytest.raises(ra.TraceError, match="calls itself") as caught:
            f(1.0)
        assert "ra.fori_loop" in str(caught.value)
        assert f"{__file__}:{inspect.getsourcelines(inner.python)[1] + 2}\n" in str(caught.value)


@mistake(ra.TypeMismatch, "complex", "numpy arrays", 1.0)
def complex_number(x: Any) -> Any:
    return x * 1j  # here


@mistake(ra.TypeMismatch, "complex128", "", 1.0)
def complex_array(x: Any) -> Any:
    return x * np.array([1j])  # here


@mistake(ra.TypeMismatch, "dtype object", "", 1.0)
def array_of_objects(x: Any) -> Any:
    return x + np.array([None, 1.0])  # here


@mistake(ra.TypeMismatch, "64 bits", "a float", 1)
def too_large_an_integer(k: Any) -> Any:
    return k + 2**64  # here


@mistake(ra.TypeMismatch, "np.heaviside", "of that name", 1.0)
def unknown_function_of_numpy(x: Any) -> Any:
    return np.heaviside(x, x)  # here


# ------------------------------------------------------------------------- shapes and indices


@mistake(ra.TypeMismatch, "(3,) and (2,) do not broadcast", "", V)
def shapes_that_do_not_broadcast(v: Any) -> Any:
    return v + np.zeros(2)  # here


@mistake(ra.TypeMismatch, "(3,) and (2,)", "", V)
def dot_of_different_lengths(v: Any) -> Any:
    return ra.dot(v, np.zeros(2))  # here


@mistake(ra.TypeMismatch, "(2,)", "", 1.0)
def rows_of_different_shapes(x: Any) -> Any:
    return ra.array([V * x, np.zeros(2)])  # here


@mistake(ra.OutOfRange, "index 5 is outside an array of length 3", "", V)
def static_index_out_of_range(v: Any) -> Any:
    return v[5]  # here


@mistake(ra.OutOfRange, "index -4 is outside an array of length 3", "", V)
def negative_index_out_of_range(v: Any) -> Any:
    return v[-4]  # here


@mistake(ra.OutOfRange, "index -4 is outside an axis of length 3", "", V)
def static_indices_out_of_range(v: Any) -> Any:
    return ra.take(v, np.array([[-3, 2], [0, -4]]))  # here


@mistake(ra.TypeMismatch, "integer, not float", "", V)
def index_by_a_float(v: Any) -> Any:
    return v[1.0]  # here


@mistake(ra.TypeMismatch, "must be an Int", "ra.to_int", V)
def index_by_a_traced_real(v: Any) -> Any:
    return v[v[0]]  # here


@mistake(ra.TypeMismatch, "2 indices for an array of 1 axes", "", V)
def too_many_indices(v: Any) -> Any:
    return v[0, 1]  # here


@mistake(ra.OutOfRange, "outside its array of length 3", "ra.clip", V, 3)
def dynamic_index_out_of_range(v: Any, k: Any) -> Any:
    w = v * 2.0
    return w[0] + w[k]  # here


@mistake(ra.OutOfRange, "outside its array of length 3", "ra.clip", V, -1)
def dynamic_index_below_zero(v: Any, k: Any) -> Any:
    return v[k]  # here


@mistake(ra.OutOfRange, "outside its array of length 3", "ra.clip", V, 6)
def first_of_many_out_of_range(v: Any, k: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(1, k):
        acc += v[i]  # here
        acc += v[i - 1]
    return acc


@mistake(ra.OutOfRange, "outside its array of length 3", "ra.clip", V, 9)
def accumulated_out_of_range(v: Any, k: Any) -> Any:
    acc = ra.accum(3)
    acc[k] += v[0]  # here
    return acc


@pytest.mark.parametrize("m", MISTAKES.values(), ids=MISTAKES)
def test_mistake(m: Mistake) -> None:
    with pytest.raises(m.error) as caught:
        ra.fn(m.f)(*m.args)
    message = str(caught.value)
    assert isinstance(caught.value, RoseError)
    assert m.words in message
    assert (m.instead in message.partition("instead: ")[2]) if m.instead else True
    shown = message.partition("instead: ")[0]
    assert f"at {__file__}:{m.line()}\n" in shown, message
    assert f"at {__file__}:" in shown.splitlines()[1], "the user's line comes first"


def test_errors_are_also_of_the_usual_classes() -> None:
    assert issubclass(ra.OutOfRange, IndexError)
    assert issubclass(ra.TypeMismatch, TypeError)
    assert issubclass(ra.MemoryLimit, MemoryError)


def test_the_caret_is_under_the_expression() -> None:
    with pytest.raises(ra.TypeMismatch) as caught:
        ra.fn(lambda v: 1.0 + ra.dot(v, np.zeros(2)))(V)
    at, line, caret, *_ = str(caught.value).splitlines()[1:]
    assert at.startswith(f"  at {__file__}:")
    if "^" in caret:  # columns are known from Python 3.11 on
        start = caret.index("^")
        assert line[start : caret.rindex("^") + 1] == "ra.dot(v, np.zeros(2))"


def test_an_out_of_range_index_is_told_in_derivatives_too() -> None:
    f = MISTAKES["dynamic_index_out_of_range"]
    for g in (ra.grad(f.f), ra.grad(lambda v, k: ra.sum(ra.grad(f.f)(v, k)))):
        with pytest.raises(ra.OutOfRange, match=f":{f.line()}\n"):
            g(V, 7)
        assert g(V, 1).shape == (3,)  # the program is as good as before


# ------------------------------------------------------------- what is wrong with a call from outside


def called_here(error: type, words: str, call: Callable[[], Any]) -> str:
    """The message of an error that must point to the line of the call."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    line = inspect.getsourcelines(call)[1]
    assert words in message
    assert f"at {__file__}:{line}" in message, message
    return message


@ra.fn
def declared(v: ra.Vec[3, ra.Real], k: ra.Int, flag: ra.Bool) -> Any:
    return v * ra.to_real(k)


@ra.struct
class Point:
    x: ra.Real
    y: ra.Vec[2, ra.Real]


@ra.fn
def of_a_point(p: Point) -> Any:
    return p.x


def test_arguments_that_do_not_fit_their_annotations() -> None:
    called_here(ra.TypeMismatch, "argument v of declared", lambda: declared(V[:2], 1, True))
    called_here(ra.TypeMismatch, "argument v of declared", lambda: declared(1.0, 1, True))
    called_here(ra.TypeMismatch, "argument k of declared", lambda: declared(V, 1.5, True))
    called_here(ra.TypeMismatch, "argument flag of declared", lambda: declared(V, 1, 1))
    message = called_here(ra.TypeMismatch, "structure", lambda: declared([1.0, 2.0, 3.0], 1, True))
    assert "a numpy array" in message
    called_here(ra.TypeMismatch, "argument p of of_a_point", lambda: of_a_point((1.0, V)))
    called_here(ra.TypeMismatch, "structure", lambda: of_a_point(1.0))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'flag'"):
        declared(V, 1)
    assert declared(np.array([1, 2, 3]), True, np.bool_(True)).tolist() == [1.0, 2.0, 3.0]


def test_arguments_that_are_no_numbers() -> None:
    f = ra.fn(lambda x: x)
    called_here(ra.TypeMismatch, "complex", lambda: f(1j))
    called_here(ra.TypeMismatch, "complex128", lambda: f(np.array([1j])))
    called_here(ra.TypeMismatch, "dtype object", lambda: f(np.array([None])))
    called_here(ra.TypeMismatch, "dtype <U1", lambda: f(np.array(["a"])))
    called_here(ra.TypeMismatch, "hashable", lambda: f({1, 2}))
    called_here(ra.TypeMismatch, "64 bits", lambda: f(2**64))


def test_traced_values_that_got_out() -> None:
    kept: list[Any] = []
    ra.fn(lambda x: kept.append(x * 2.0) or x)(1.0)
    called_here(ra.TraceError, "being traced", lambda: kept[0] * 2.0)
    called_here(ra.TraceError, "being traced", lambda: ra.sin(kept[0]))
    called_here(ra.TraceError, "has been traced", lambda: declared(kept[0], 1, True))
    called_here(ra.TraceError, "value of another function", lambda: ra.fn(lambda: kept[0])())


def test_what_needs_a_trace() -> None:
    called_here(ra.TraceError, "ra.accum", lambda: ra.accum())
    called_here(ra.TraceError, "ra.range", lambda: list(ra.range(3)))
    called_here(ra.TraceError, "ra.when", lambda: ra.when(True))
    called_here(ra.TraceError, "ra.build", lambda: ra.build(3, lambda i: i))
    called_here(ra.TraceError, "ra.scan", lambda: ra.scan(lambda c, x: (c, x), 0.0, V))


def test_gradients_that_do_not_exist() -> None:
    message = called_here(ra.TypeMismatch, "is I64", lambda: ra.grad(lambda k: k * 1.0)(3))
    assert "pass a float" in message
    not_one = "a function whose result is one Real"
    message = called_here(ra.TypeMismatch, not_one, lambda: ra.grad(lambda v: v * 1.0)(V))
    assert "ra.vjp" in message
    called_here(ra.TypeMismatch, not_one, lambda: ra.grad(lambda x: (x, x))(1.0))
    called_here(ra.TypeMismatch, not_one, lambda: ra.grad(lambda x: x > 0.0)(1.0))
    called_here(ra.TypeMismatch, "argnums 2", lambda: ra.grad(lambda x: x, argnums=2)(1.0))
    called_here(ra.TypeMismatch, "(value, more)", lambda: ra.grad(lambda x: x, has_aux=True)(1.0))
    called_here(ra.TypeMismatch, "is not a function", lambda: ra.grad(3.0))


def test_tangents_and_cotangents_that_do_not_fit() -> None:
    f = ra.fn(lambda v: v)
    called_here(ra.TypeMismatch, "structure of the primals", lambda: ra.jvp(f, (V,), (V, V)))
    called_here(ra.TypeMismatch, "a tangent is F64", lambda: ra.jvp(f, (V,), (1.0,)))
    called_here(ra.TypeMismatch, "a cotangent is F64", lambda: ra.vjp(f, V)[1](1.0))
    called_here(ra.TypeMismatch, "structure of the result", lambda: ra.vjp(f, V)[1]((V, V)))


# ------------------------------------------------------------------------------------- memory


def test_too_much_memory_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def states(x: Any) -> Any:
        ys = ra.scan(lambda c, _: (ra.sin(c), c), x, length=10**11)[1]
        return ra.sum(ys * ys)

    line = inspect.getsourcelines(states)[1] + 1
    for f in (ra.fn(states), ra.grad(states)):
        with pytest.raises(ra.MemoryLimit) as caught:
            f(1.0)
        message = str(caught.value)
        assert "800,000,000,000 bytes" in message and "ROSE_AD_MEMORY" in message
        assert f"at {__file__}:{line}\n" in message

    small = ra.fn(lambda x: ra.scan(lambda c, _: (ra.sin(c), c), x, length=1000)[1])
    assert small(1.0).shape == (1000,)
    monkeypatch.setenv("ROSE_AD_MEMORY", "1000")
    with pytest.raises(ra.MemoryLimit, match="the results of this function take 8,000 bytes"):
        ra.fn(small.python)(1.0)


@pytest.mark.parametrize("limit", ["0", "100", "1000"])
def test_batches_that_do_not_fit_are_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSE_AD_MEMORY", limit)
    steps = ra.fn(lambda x: ra.sum(ra.fori_loop(0, 50, lambda i, c: ra.sin(c) * x, x)))
    for f in (ra.vmap(steps), ra.vmap(ra.grad(steps)), ra.vmap(steps, threads=2)):
        with pytest.raises(ra.MemoryLimit, match=f"the limit of {int(limit):,}"):
            f(np.ones((400, 10)))


@pytest.mark.parametrize("limit", ["-5", "4 GB", "1e9"])
def test_a_limit_that_is_no_number(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSE_AD_MEMORY", limit)
    with pytest.raises(ra.RoseError, match="a number of bytes"):
        ra.fn(lambda x: x * 2.0)(1.0)
    monkeypatch.setenv("ROSE_AD_MEMORY", "")
    assert ra.fn(lambda x: x * 3.0)(1.0) == 3.0
