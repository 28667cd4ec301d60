"""Calls: the direct way and the general one, natively and through ctypes, give the same; nothing leaks."""

from __future__ import annotations

import enum
import functools
import gc
import sys
import threading
import tracemalloc
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.queries import callees
from rose_ad.native import caller
from rose_ad.native import python_layout as layout
from rose_ad.native.caller import MISS

M = np.arange(12.0).reshape(3, 4)
V = np.array([1.0, -2.0, 3.5, 0.25])


@pytest.fixture(params=["native", "ctypes"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two ways functions made in the test are called."""
    if request.param == "ctypes":
        monkeypatch.setattr("rose_ad.native.program.native", lambda *_: None)
    name: str = request.param
    return name


@pytest.fixture
def general(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The arguments of the calls that went the general way."""
    seen: list[Any] = []
    usual = ra.Fn._call

    def call(self: ra.Fn, args: Any, kwargs: Any) -> Any:
        seen.append(args)
        return usual(self, args, kwargs)

    monkeypatch.setattr(ra.Fn, "_call", call)
    return seen


def native_of(f: ra.Fn, *args: Any) -> Callable[..., Any]:
    f(*args)
    native = f.lower(*args).program.native
    assert native is not None
    return native


def test_this_python_and_numpy_are_known() -> None:
    gil = sys.implementation.name == "cpython" and object.__basicsize__ == 16
    assert layout.is_known() == gil
    assert (f := ra.fn(lambda x: x)).lower(1.0).program.native is not None or not gil
    assert f(1.0) == 1.0


# ------------------------------------------------------------------------------- kinds of values


def everything(x: Any, k: Any, b: Any, s: Any, v: Any, m: Any, flags: Any, counts: Any) -> Any:
    picked = ra.where(b, x, -x)
    rows = ra.build(3, lambda i: ra.sum(m[i] * v) * picked)
    return (
        *(picked, k * 3 - 1, ~b, s * 2, v * x, m + picked, rows),
        *(~flags, counts + k, counts[:0], ra.sum(rows), ra.sum(v) > 0, x, v),
    )


ARGUMENTS: tuple[Any, ...] = (
    *(0.1, -7, True, np.float32(0.3), V, M),
    *(np.array([True, False]), np.array([2**62, -5, 0])),
)


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, of the same types."""
    if type(a) is not type(b) or np.asarray(a).dtype is not np.asarray(b).dtype:
        return False
    return np.shape(a) == np.shape(b) and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_every_kind_of_value(path: str, general: list[Any]) -> None:
    f = ra.fn(everything)
    first, second = f(*ARGUMENTS), f(*ARGUMENTS)
    assert len(general) == (1 if path == "native" else 2)
    assert all(map(same, first, second))
    (special,) = f._specialised.values()
    for ours, oracle in zip(first, interpret(special.ir, ARGUMENTS), strict=True):
        assert np.shape(ours) == np.shape(oracle)
        np.testing.assert_allclose(ours, oracle, rtol=1e-15)
    kinds = [type(r) for r in first if not isinstance(r, np.ndarray)]
    assert kinds == [float, int, bool, np.float32, float, bool, float]
    for r in first:
        if isinstance(r, np.ndarray):
            assert r.flags.c_contiguous and r.flags.owndata and r.flags.writeable


def test_both_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    directly = ra.fn(everything)
    directly(*ARGUMENTS)
    monkeypatch.setattr("rose_ad.native.program.native", lambda *_: None)
    through_ctypes = ra.fn(everything)
    assert all(map(same, directly(*ARGUMENTS), through_ctypes(*ARGUMENTS)))


class Half(float):
    pass


class Ours(np.ndarray[Any, Any]):
    pass


class Number(enum.IntEnum):
    two = 2


def misaligned(a: np.ndarray) -> np.ndarray:
    out = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


def read_only() -> np.ndarray:
    out = M.copy()
    out.flags.writeable = False
    return out


def matrix() -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix(M)


def labelled() -> np.ndarray:
    return M.astype(np.dtype(np.float64, metadata={"unit": "m"}))


TAKEN: dict[str, Any] = {
    "plain": lambda: M,
    "read-only": read_only,
    "a part": lambda: np.vstack([M, M])[3:],
    "reshaped": lambda: np.arange(12.0).reshape(3, 4),
}
CONVERTED: dict[str, Any] = {
    "float32": lambda: M.astype(np.float32),
    "int64": lambda: M.astype(np.int64),
    "Fortran order": lambda: np.asfortranarray(M),
    "strided": lambda: np.repeat(M, 2, 1)[:, ::2],
    "misaligned": lambda: misaligned(M),
    "other byte order": lambda: M.astype(M.dtype.newbyteorder()),
    "another object for its dtype": labelled,
    "subclass": lambda: M.view(Ours),
    "matrix": matrix,
    "masked": lambda: np.ma.masked_array(M),
}


@pytest.mark.parametrize("name", [*TAKEN, *CONVERTED])
def test_which_arrays_are_taken_as_they_are(name: str, path: str) -> None:
    def f(m: ra.Vec[3, ra.Vec[4, ra.Real]]) -> Any:
        return m * 2.0

    f = ra.fn(f)
    f(M)
    a = {**TAKEN, **CONVERTED}[name]()
    count = sys.getrefcount(a)
    for _ in range(3):
        assert same(f(a), M * 2.0)
    if path == "native":
        assert (native_of(f, M)(a) is MISS) == (name in CONVERTED)
    assert sys.getrefcount(a) == count


@pytest.mark.parametrize(
    "a", [M[:2], M[0], M.ravel(), M.T, M[None], M[:0], np.array(1.0), 1.0, None, [M], "text"]
)
def test_other_shapes_are_other_programs(a: Any) -> None:
    f = ra.fn(lambda x: x)
    assert native_of(f, M)(a) is MISS
    out = f(a)
    assert np.shape(out) == np.shape(a)
    assert f(M).shape == (3, 4)


@pytest.mark.parametrize(
    ("kind", "taken", "others"),
    [
        (
            float,
            [0.0, -0.0, np.inf, np.nan, np.float64(0.1), np.array(2.5)],
            [1, True, np.float32(1.5), np.int64(1), Half(0.5), np.array(1), np.array([1.0]), "1"],
        ),
        (
            int,
            [0, -1, 2**63 - 1, -(2**63), np.array(3), np.int64(-7), np.int64(-(2**63))],
            [True, 1.0, 2**63, -(2**70), Number.two, np.int32(1), np.uint64(1), np.True_],
        ),
        (bool, [True, False, np.array(True), np.True_, np.False_], [1, 0, 1.0, np.int64(1), None]),
        (np.float32, [np.float32(0.1), np.array(0.1, np.float32)], [0.1, np.float64(0.1), 1]),
    ],
)
def test_which_numbers_are_taken_as_they_are(kind: Any, taken: list, others: list) -> None:
    f = ra.fn(lambda x: x)
    native = native_of(f, kind(1))
    for x in taken:
        out = native(x)
        assert type(out) is kind and same(out, f(x)) and same(out, kind(x))
    for x in others:
        assert native(x) is MISS
    assert native() is MISS and native(taken[0], taken[0]) is MISS


def test_numbers_are_told_apart() -> None:
    f = ra.fn(lambda x: (x, ra.where(x > 0, 1.0, 2.0)))
    for _ in range(2):
        for x in (1, 1.0, True, 2, 2.0, False, np.float32(1)):
            out = f(x)[0]
            assert type(out) is type(x) and out == x
    with pytest.raises(ra.TypeMismatch, match="does not fit"):
        f(2**63)


def test_annotations_convert() -> None:
    def half(x: ra.Real, v: ra.Vec[2, ra.Real]) -> Any:
        return x / 2, v

    half = ra.fn(half)
    v = np.ones(2)
    for x in (3, 3.0, True, np.int64(5), 7, 7.0, np.float64(9)):
        out = half(x, v)[0]
        assert type(out) is float and out == x / 2
    assert half(3, np.array([1, 2]))[1].dtype == np.float64
    with pytest.raises(ra.TypeMismatch):
        half(1.0, np.ones(3))


WHOLE = [0, -3, 2**53 + 1, 2**60 + 2**36 + 1, 2**63 - 1, -(2**63)]
REALS = [0.1, -0.0, np.inf, np.nan, 1e-42, 1 + 2.0**-24 + 2.0**-53]
SINGLES = [np.float32(x) for x in REALS]
NUMBERS = [
    *WHOLE, *map(np.int64, WHOLE), *REALS, *map(np.float64, REALS), *SINGLES, True, np.False_,
]  # fmt: skip


@pytest.mark.parametrize(
    "beside", [2.0, np.float64(2.0), np.float32(2.0), 2, np.ones(3, np.float32)]
)
@pytest.mark.parametrize("declared", [None, ra.Real, ra.Real32, ra.Int], ids=str)
def test_numbers_go_directly_the_second_time(
    declared: Any, beside: Any, general: list[Any]
) -> None:
    """With what a new function gives for them, to the bit, in whatever order they come."""

    def make() -> ra.Fn:
        def f(x: Any, y: Any) -> Any:
            return x, x * y, y

        if declared is not None:
            f.__annotations__["x"] = declared
        return ra.fn(f)

    f, generally = make(), functools.partial(ra.Fn._call, make())
    for x in NUMBERS:
        try:
            first = generally((x, beside), {})
        except ra.TypeMismatch:  # a Real for an Int
            with pytest.raises(ra.TypeMismatch, match="declared"):
                f(x, beside)
            continue
        f(x, beside)
        general.clear()
        for out in (f(x, beside), f(x, beside)):
            assert all(map(same, out, first)), x
        assert not general, x


def test_an_int_that_is_too_large_stays_an_error() -> None:
    @ra.fn
    def half(x: ra.Real) -> Any:
        return x / 2

    for x in (1, 2, 2**63, 3, -(2**63) - 1, 2**63):
        if abs(x) < 2**63:
            assert half(x) == x / 2
            continue
        with pytest.raises(ra.TypeMismatch, match="does not fit"):
            half(x)


def test_arrays_that_are_converted_go_the_general_way(general: list[Any]) -> None:
    @ra.fn
    def half(x: ra.Vec[2, ra.Real]) -> Any:
        return x / 2

    for _ in range(2):
        assert same(half(np.array([1, 2])), np.array([0.5, 1.0]))
        assert same(half(np.array([1.0, 2.0])), np.array([0.5, 1.0]))
    assert len(general) == 3


def test_nothing_in_and_nothing_out(path: str) -> None:
    assert ra.fn(lambda: 3.0)() == 3.0
    for empty in ((), None, {}, [], "text", ((), {"a": None})):
        f = ra.fn(lambda x, empty=empty: empty)
        g = ra.fn(lambda empty=empty: empty)
        for _ in range(3):
            assert f(V) == empty and type(f(V)) is type(empty)
            assert g() == empty
    f = ra.fn(lambda v: (v, ra.sum(v)))
    for _ in range(2):
        same_, total = f(np.zeros(0))
        assert same_.shape == (0,) and total == 0.0
        assert f(np.zeros((2, 0)))[0].shape == (2, 0)


def test_more_values_than_the_stack_holds(path: str) -> None:
    f = ra.fn(lambda *xs: tuple(x * 2.0 if k % 2 else x for k, x in enumerate(xs)))
    args = [float(k) if k % 3 else np.full(2, float(k)) for k in range(300)]
    for _ in range(3):
        for k, r in enumerate(f(*args)):
            assert np.all(r == (1 + k % 2) * k) and np.shape(r) == np.shape(args[k])


# ------------------------------------------------------------------------------------ structures


@ra.struct
class Body:
    at: Any
    v: Any


@ra.struct
class Other:
    at: Any
    v: Any


class Pair(NamedTuple):
    a: Any
    b: Any


class Named(dict[str, Any]):
    pass


def doubled(*args: Any) -> Any:
    return ra.map_leaves(lambda leaf: leaf * 2.0, args)


STRUCTURES: dict[str, Callable[[], tuple[Any, ...]]] = {
    "leaves": lambda: (1.5, V),
    "struct": lambda: (Body(V, 2.0),),
    "a struct alike": lambda: (Other(V, 2.0),),
    "nested": lambda: (Body(Body(V, 1.0), (2.0, [3.0, V])), {"a": {"b": 1.0}}),
    "tuple": lambda: ((1.0, 2.0),),
    "longer tuple": lambda: ((1.0, 2.0, 3.0),),
    "list": lambda: ([1.0, 2.0],),
    "longer list": lambda: ([1.0, 2.0, 3.0],),
    "named tuple": lambda: (Pair(1.0, Pair(V, 2.0)),),
    "dict": lambda: ({"a": 1.0, "b": 2.0},),
    "its other order": lambda: ({"b": 1.0, "a": 2.0},),
    "other keys": lambda: ({"a": 1.0, 3: 2.0},),
    "ordered dict": lambda: (OrderedDict(a=1.0, b=2.0),),
    "kind of dict": lambda: (Named(a=1.0, b=2.0),),
    "constants": lambda: (Body("text", None), {"f": np.sin, "g": 2.0}),
    "other constants": lambda: (Body("texts", None), {"f": np.sin, "g": 2.0}),
    "empty": lambda: ((), [], {}, Body((), None), 1.0),
    "nothing": lambda: (),
    "an array in its place": lambda: (np.ones(2),),
}


def flat(x: Any) -> list[Any]:
    return ra.flatten(x)[0]


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_come_back(name: str, path: str, general: list[Any]) -> None:
    args = STRUCTURES[name]()
    f = ra.fn(doubled)
    first = f(*args)
    general.clear()
    second = f(*args)
    assert len(general) == (0 if path == "native" else 1)
    assert ra.flatten(first)[1] == ra.flatten(second)[1]
    assert all(map(same, flat(first), flat(second)))
    assert all(
        np.all(r == np.multiply(x, 2.0)) for r, x in zip(flat(first), flat(args), strict=True)
    )


def test_structures_are_told_apart() -> None:
    """One function, called with all of them in turn, has for each what a new function has."""
    f = ra.fn(doubled)
    for name in [*STRUCTURES, *STRUCTURES, *reversed(STRUCTURES)]:
        args = STRUCTURES[name]()
        ours, alone = f(*args), ra.fn(doubled)(*args)
        assert ra.flatten(ours)[1] == ra.flatten(alone)[1], name
        assert all(map(same, flat(ours), flat(alone))), name


def test_constants_are_told_apart(general: list[Any]) -> None:
    f = ra.fn(
        lambda how, x: {"sin": ra.sin, "cos": ra.cos}[how](x) if isinstance(how, str) else how(x)
    )
    for _ in range(3):
        assert f("sin", 0.5) == np.sin(0.5)
        assert f("".join(["c", "os"]), 0.5) == np.cos(0.5)
        assert f(ra.tan, 0.5) == pytest.approx(np.tan(0.5))
        assert f(ra.exp, 0.5) == pytest.approx(np.exp(0.5))
    assert len(general) == 4
    with pytest.raises(ra.TypeMismatch, match="hashable"):
        f({1, 2}, 0.5)


def test_a_result_is_new_each_time() -> None:
    f = ra.fn(lambda v: {"a": [v, v], "b": []})
    one, two = (f(V) and f(V) for _ in range(2))
    one["a"].append(1.0)
    one["b"].append(1.0)
    one["a"][0][0] = 7.0
    assert len(two["a"]) == 2 and two["b"] == [] and two["a"][0][0] == one["a"][1][0] == V[0]


def test_methods_and_keywords(general: list[Any]) -> None:
    @ra.struct
    class Spring:
        k: ra.Real

        @ra.fn
        def force(self, x: Any, *, scale: Any = 1.0) -> Any:
            return -self.k * x * scale

    s = Spring(3.0)
    for _ in range(2):
        assert s.force(2.0) == -6.0
        assert s.force(2.0, scale=0.5) == -3.0
        assert s.force(x=2.0) == -6.0
    assert len(general) == 1 + 2 + 2


def test_many_types_in_turn(general: list[Any]) -> None:
    f = ra.fn(lambda v: v + 1.0)
    for _ in range(3):
        for n in (1, 2, 3):
            assert (f(np.zeros(n)) == np.ones(n)).all() and f(np.zeros(n)).shape == (n,)
    assert len(general) == 3
    for _ in range(2):
        for n in range(9):
            assert f(np.zeros(n)).shape == (n,)
    assert 0 < len(f._direct) <= 4


def test_calls_in_a_trace_are_traced() -> None:
    f = ra.fn(lambda x: x * 2.0)
    for _ in range(2):
        assert f(2.0) == 4.0
    g = ra.fn(lambda x: x + f(2.0))
    (special,) = f._specialised.values()
    assert special.ir in callees(g.lower(1.0).program.function) and g(1.0) == 5.0
    with pytest.raises(ra.TraceError, match="after its function"):
        kept: list[Any] = []
        ra.fn(lambda x: kept.append(x) or x)(1.0)
        f(kept[0])


def test_derivatives_are_called_directly(general: list[Any]) -> None:
    f = ra.fn(lambda b: ra.sum(ra.sin(b.at)) * b.v)
    b = Body(V, 2.0)
    functions = [ra.grad(f), ra.value_and_grad(f), ra.grad(ra.fn(lambda x: ra.grad(ra.sin)(x)))]
    arguments = [b, b, 0.5]
    first = [g(x) for g, x in zip(functions, arguments, strict=True)]
    general.clear()
    again = [g(x) for g, x in zip(functions, arguments, strict=True)]
    assert not general
    assert all(map(same, flat(first), flat(again)))
    np.testing.assert_allclose(first[0].at, 2 * np.cos(V))
    assert first[2] == pytest.approx(-np.sin(0.5))


def test_a_search_for_nans_is_not_passed_over(general: list[Any]) -> None:
    f = ra.fn(lambda x: ra.sqrt(x))
    for _ in range(2):
        assert np.isnan(f(-1.0))
        with ra.debug_nans(), pytest.raises(ra.NanFound):
            f(-1.0)
    assert len(general) == 3


# ---------------------------------------------------------------------------------------- errors


def test_an_index_outside_its_array(path: str) -> None:
    f = ra.fn(lambda v, i: v[i] * 2.0)
    messages = set()
    for i in (0, 5, 1, -9, 5, 2, 10**9, 3):
        if 0 <= i < 4:
            assert f(V, i) == V[i] * 2.0
        else:
            with pytest.raises(ra.OutOfRange, match="array of length 4") as e:
                f(V, i)
            assert isinstance(e.value, IndexError) and "test_caller.py" in str(e.value)
            messages.add(str(e.value))
    assert len(messages) == 1


def test_python_called_back(path: str) -> None:
    """It runs with the lock that the call gave up, may call the function again, and may fail."""

    def inner(x: float) -> float:
        if x < 0.0:
            raise KeyError("below zero")
        return x if x < 1.0 else f(np.full(600, x - 1.0))

    back = ra.opaque(inner, ra.Real)
    f = ra.fn(lambda v: back(v[0]) + ra.sum(ra.fori_loop(0, 2, lambda i, c: c * v, v)) * 0.0)
    for _ in range(3):
        assert f(np.full(600, 5.25)) == 0.25
        with pytest.raises(KeyError, match="below zero"):
            f(np.full(600, -1.0))
    if path == "native":
        alone = native_of(ra.fn(lambda x: ra.opaque(lambda y: y + 1.0, ra.Real)(x)), 1.0)
        gc.collect()
        assert alone(2.0) == 3.0


def test_no_memory_for_a_result_or_for_scratch(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSE_AD_MEMORY", str(2**60))
    n = 2**47
    result = ra.fn(lambda x: (x, ra.build(n, lambda i: x)))
    # what each step makes is read in the next one only, so that it must be kept
    scratch = ra.fn(lambda x: ra.fori_loop(0, 2, lambda i, v: v * x, ra.build(n, lambda i: x))[0])
    for f in (result, scratch):
        for _ in range(3):
            with pytest.raises(MemoryError, match="Unable to allocate"):
                f(1.0)


def test_where_the_layout_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, found in (("is_known", False), ("numpy_functions", None)):
        with monkeypatch.context() as other:
            other.setattr(layout, name, lambda found=found: found)
            caller._caller.cache_clear()
            f = ra.fn(lambda v: v * 2.0)
            assert f.lower(V).program.native is None
            assert (f(V) == V * 2.0).all() and (f(V) == V * 2.0).all()
        caller._caller.cache_clear()


def test_another_layout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    read = layout._read
    for wrong in (8, 16, 24, 32, 56, 64):
        shifted = {wrong: wrong + 8 if wrong < 64 else 24}
        with monkeypatch.context() as other:
            other.setattr(
                layout, "_read", lambda x, at, kind, s=shifted: read(x, s.get(at, at), kind)
            )
            if wrong != 32:  # what is read there is an address, and is followed
                assert not layout.is_known()
    assert layout.is_known()
    monkeypatch.setattr(layout, "_ABIS", ())
    assert layout.numpy_functions() is None


# ----------------------------------------------------------------------------- what is held, and freed


def large(v: Any, k: Any) -> Any:
    """Needs an arena."""
    w = ra.fori_loop(0, 3, lambda i, c: ra.sin(c) + v[k], v)
    return ra.sum(w * w), w, k


def workload() -> Iterator[Callable[[], Any]]:
    """Calls that are direct, that miss, and that fail."""
    body = Body(V, 2.0)
    big = np.linspace(0.0, 1.0, 600)
    mixed, structured, arena = ra.fn(everything), ra.fn(doubled), ra.fn(large)
    assert arena.lower(big, 1).memory > 3072

    def fails(f: ra.Fn, *args: Any) -> None:
        with pytest.raises(ra.OutOfRange):
            f(*args)

    converted = ra.fn(lambda x, y: x * y)
    native = native_of(converted, 1.0, V)
    yield lambda: mixed(*ARGUMENTS)
    yield lambda: structured(body, {"a": body, "b": "text"}, None)
    yield lambda: arena(big, 1)
    yield lambda: fails(arena, big, 1000)
    yield lambda: native(1, V)
    yield lambda: native(1.0, M)
    yield lambda: native()
    yield lambda: converted(np.int32(2), V[::2])


def held() -> list[int]:
    objects = [*ARGUMENTS, MISS, *(np.dtype(k) for k in "dfq?B"), True, False, None, "text", 600]
    objects += [np.ndarray, float, int, np.float32, Body]
    return [sys.getrefcount(x) for x in objects]


def test_references_are_given_back() -> None:
    for work in workload():
        for _ in range(300):
            work()
        gc.collect()
        before = held()
        for _ in range(300):
            work()
        gc.collect()
        assert max(abs(a - b) for a, b in zip(before, held(), strict=True)) <= 20


def test_results_are_held_once() -> None:
    f = ra.fn(lambda v, x: (v * x, {"w": v + x, "x": x * 0.1}))
    f(V, 2.0)
    v, rest = f(V, 2.0)
    w = rest.pop("w")
    counts = sys.getrefcount(v), sys.getrefcount(w)
    assert counts == (2, 2)
    gone = weakref.ref(v)
    del v
    assert gone() is None


def test_memory_is_given_back() -> None:
    for work in workload():
        for _ in range(50):
            work()
        gc.collect()
        tracemalloc.start()
        try:
            work()
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(300):
                work()
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] - before < 4000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("f", [large, lambda v, k: {"all": large(v["v"], k)}])
def test_programs_are_freed_at_once(f: Any) -> None:
    big = np.linspace(0.0, 1.0, 200_000)
    args = (big, 1) if f is large else ({"v": big}, 1)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        function = ra.fn(f)
        function(*args)
        function(*args)
        assert tracemalloc.get_traced_memory()[0] > big.nbytes  # an idle arena
        program = weakref.ref(function.lower(*args).program)
        del function
        assert program() is None
        assert tracemalloc.get_traced_memory()[0] < big.nbytes
    finally:
        gc.enable()
        tracemalloc.stop()


def test_a_native_function_keeps_its_code() -> None:
    native = native_of(ra.fn(large), V, 1)
    failing = native_of(ra.fn(lambda v, i: v[i]), V, 1)
    gc.collect()
    others = [ra.fn(lambda x, k=k: x * k)(2.0) for k in range(5)]
    assert others == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert native(V, 1)[2] == 1
    with pytest.raises(ra.OutOfRange):
        failing(V, 7)


# --------------------------------------------------------------------------------------- threads


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failed: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(k: int) -> None:
        try:
            barrier.wait()
            work(k)
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]


def test_many_threads_at_once(path: str) -> None:
    """One function with a large arena, one without, one that fails; other shapes and structures between."""
    arena, small, index = ra.fn(large), ra.fn(doubled), ra.fn(lambda v, i: v[i])
    vectors = [np.linspace(0.0, 1.0 + k, 600 + k % 3) for k in range(8)]
    alone = [ra.fn(large)(v, k) for k, v in enumerate(vectors)]
    rounds = 200 if path == "native" else 30

    def work(k: int) -> None:
        v = vectors[k]
        for n in range(rounds):
            assert all(map(same, arena(v, k), alone[k]))
            (body,) = small(Body(v[:4].copy() if n % 2 else v, float(k)))
            assert body.v == 2.0 * k and body.at[1] == 2.0 * v[1]
            if (n + k) % 3:
                assert index(v, n) == v[n]
            else:
                with pytest.raises(ra.OutOfRange):
                    index(v, 1000)

    in_threads(8, work)


def test_others_run_while_compiled_code_does(path: str) -> None:
    f = ra.fn(lambda x: ra.fori_loop(0, 3_000_000, lambda i, c: ra.sin(c + x), x))
    f(0.5)
    ready, finished = threading.Event(), threading.Event()

    def work() -> None:
        ready.set()
        f(0.5)
        finished.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)  # others run only where the lock is given up
    try:
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        assert not finished.is_set()
        thread.join()
    finally:
        sys.setswitchinterval(interval)
