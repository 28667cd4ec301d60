"""Random programs, well typed by construction, through the public interface.

A program is drawn as nested tuples, so that a failing one prints and shrinks; `Run` then executes it on
traced values as a user's function would be. Names are numbers, taken modulo what is in scope. Values stay
moderate: what a loop feeds back goes through a sine, what it sums through a tanh. In a smooth program
branches depend on integers only, so that it has derivatives everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.tracing import control

LENGTHS = (1, 2, 3, 5, 7)
_number = st.integers(0, 5)
_constant = st.sampled_from([-1.5, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0])
_edge = st.sampled_from([-0.7313, 0.1234567, 0.8191])  # where branches on Reals change sides
_length = st.sampled_from(LENGTHS)
_count = st.sampled_from((0, 1, 2, 3, 5))


@ra.struct
class Body:
    """A struct as an argument, a carry and a result."""

    mass: ra.Real
    at: ra.Vec


# ------------------------------------------------------------------------------------ drawing


def programs(smooth: bool, depth: int = 4) -> st.SearchStrategy[tuple]:
    """Functions and a main expression: ((helper, ...), main)."""
    helpers = st.lists(st.tuples(scalars(smooth, 2), vectors(smooth, 2)), max_size=2).map(tuple)
    return st.tuples(helpers, scalars(smooth, depth))


_made: dict[tuple, st.SearchStrategy] = {}


def _once(make: Any) -> Any:
    """Strategies are recursive and many: make each once, when it is first drawn from."""

    def made(*key: Any) -> st.SearchStrategy[tuple]:
        return _made.setdefault((make, *key), st.deferred(lambda: make(*key)))

    return made


def _node(name: str, *parts: Any) -> st.SearchStrategy[tuple]:
    return st.tuples(st.just(name), *parts)


@_once
def scalars(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    leaf = _node("name", _number) | _node("number", _constant)
    if depth == 0:
        return leaf
    s, v, p, i = (make(smooth, depth - 1) for make in (scalars, vectors, conditions, integers))
    some = statements(smooth, depth - 1)
    unary = st.sampled_from(["sin", "cos", "tanh", "atan", "root", "grow", "square", "negate"])
    binary = st.sampled_from(["add", "sub", "mul", "div", "atan2", "hypot"])
    if not smooth:
        unary |= st.sampled_from(["abs", "clip", "floor", "sign"])
    return st.one_of(
        leaf,
        _node("unary", unary, s),
        _node("binary", binary, s, s),
        _node("entry", v, i),
        _node("reduce", st.sampled_from(["sum", "dot", "norm", "mean", "self_dot"]), v),
        _node("call", _number, s, v),
        _node("cond", p, s, s),
        _node("where", p, s, s),
        _node("fori", _count, s, s),
        _node("scan", st.booleans(), st.sampled_from(["tuple", "dict", "struct"]), v, s, v, s),
        _node("accumulate", some, some),
        _node("total", _count, s),
        _node("effect", some, s),
        _node("sweep", _length, _length, some, i),
        _node("let", s, s),
        _node("let_vector", v, s),
    )


@_once
def vectors(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    leaf = _node("vname", _number)
    if depth == 0:
        return leaf
    s, v, p = (make(smooth, depth - 1) for make in (scalars, vectors, conditions))
    some = statements(smooth, depth - 1)
    return st.one_of(
        leaf,
        _node("pack", st.lists(s, min_size=1, max_size=4).map(tuple)),
        _node("build", _length, s),
        _node("vbinary", st.sampled_from(["add", "sub", "mul"]), v, v),
        _node("scaled", v, s),
        _node("vcall", _number, s, v),
        _node("vcond", p, v, v),
        _node("vwhere", p, v, v),
        _node("vfori", _count, v, v),
        _node("states", st.booleans(), v, s, s),
        _node("gather", _length, some),
        _node("swap", _count, v, v),
        _node("reverse", v),
        _node("turned", _length, _length, v),
        _node("axis", _length, _length, st.sampled_from([0, 1, -1]), v),
        _node("product", _length, v, v),
        _node("moved", st.sampled_from(["roll", "cumsum", "join", "take"]), v, _number),
        _node("table", _length, _length, s, integers(smooth, depth - 1)),
    )


@_once
def integers(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    leaf = _node("iname", _number) | _node("int", st.integers(-3, 7))
    if depth == 0:
        return leaf
    i, p = integers(smooth, 0), conditions(smooth, depth - 1)
    out = leaf | _node("ibinary", st.sampled_from(["add", "sub", "mul", "mod", "div"]), i, i)
    out |= _node("iwhere", p, i, i)
    return out if smooth else out | _node("truncate", scalars(smooth, depth - 1))


@_once
def conditions(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    i = integers(smooth, 0)
    out = _node("iless", i, i) | _node("iequal", i, i)
    if depth == 0:
        return out
    p = conditions(smooth, depth - 1)
    out |= _node("and", p, p) | _node("or", p, p) | _node("not", p)
    return out if smooth else out | _node("above", scalars(smooth, depth - 1), _edge)


@_once
def statements(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    return st.lists(statement(smooth, depth), min_size=1, max_size=3).map(tuple)


@_once
def statement(smooth: bool, depth: int) -> st.SearchStrategy[tuple]:
    s, i = scalars(smooth, min(depth, 2)), integers(smooth, min(depth, 1))
    add = _node("add", _number, i, i, s, st.booleans()) | _node("add_all", _number, s)
    if depth == 0:
        return add
    some, p = statements(smooth, depth - 1), conditions(smooth, depth - 1)
    return st.one_of(
        add,
        _node("for", _count, some),
        _node("for_from", i, i, some),
        _node("own", some, s),
        _node("when", p, some),
    )


# ---------------------------------------------------------------------------------- executing


@dataclass(frozen=True)
class Scope:
    """What names stand for: values, and the accumulators that may be added into."""

    scalars: tuple[Any, ...]
    vectors: tuple[Any, ...]
    ints: tuple[Any, ...]
    accs: tuple[control.Accumulator, ...] = ()
    helpers: tuple[Any, ...] = ()

    def with_(self, scalar: Any = None, vector: Any = None, index: Any = None) -> Scope:
        """This scope with names more, the newest first."""
        return replace(
            self,
            scalars=self.scalars if scalar is None else (scalar, *self.scalars),
            vectors=self.vectors if vector is None else (vector, *self.vectors),
            ints=self.ints if index is None else (index, *self.ints),
        )


def _pick(of: tuple[Any, ...], k: int) -> Any:
    return of[k % len(of)]


def _fit(v: Any, n: int) -> Any:
    """A vector of length n made of the entries of another."""
    return v if len(v) == n else ra.build(n, lambda i: v[i % len(v)])


def _moderate(x: Any) -> Any:
    """A value or array of about the same size, but never beyond 4."""
    return 4.0 * ra.tanh(0.25 * x)


def _inside(i: Any, n: int) -> Any:
    return ra.clip(i, 0, n - 1)


class Run:
    """Executes expressions; a method for each kind of node."""

    def __call__(self, node: tuple, s: Scope) -> Any:
        return getattr(self, f"_{node[0]}")(s, *node[1:])

    def all(self, nodes: tuple, s: Scope) -> None:
        for node in nodes:
            self(node, s)

    # scalars

    def _name(self, s: Scope, k: int) -> Any:
        return _pick(s.scalars, k)

    def _number(self, s: Scope, x: float) -> Any:
        return x

    def _unary(self, s: Scope, op: str, a: tuple) -> Any:
        x = self(a, s)
        return {
            "sin": lambda: ra.sin(x),
            "cos": lambda: ra.cos(x),
            "tanh": lambda: ra.tanh(x),
            "atan": lambda: ra.atan(x),
            "root": lambda: ra.sqrt(1.0 + x * x),
            "grow": lambda: ra.exp(ra.sin(x)),
            "square": lambda: ra.sin(x) ** 2,
            "negate": lambda: -x,
            "abs": lambda: ra.abs(x + 0.01234),
            "clip": lambda: ra.clip(x, -0.51234, 0.41234),
            "floor": lambda: x + ra.floor(x + 0.01234),
            "sign": lambda: x * ra.sign(x + 0.01234),
        }[op]()

    def _binary(self, s: Scope, op: str, a: tuple, b: tuple) -> Any:
        x, y = self(a, s), self(b, s)
        return {
            "add": lambda: x + y,
            "sub": lambda: x - y,
            "mul": lambda: ra.sin(x) * y,
            "div": lambda: x / (1.5 + ra.cos(y)),
            "atan2": lambda: ra.atan2(x, 1.5 + ra.sin(y)),
            "hypot": lambda: ra.hypot(x, 1.5 + ra.sin(y)),
        }[op]()

    def _entry(self, s: Scope, v: tuple, i: tuple) -> Any:
        a = self(v, s)
        return a[_inside(self(i, s), len(a))]

    def _reduce(self, s: Scope, op: str, v: tuple) -> Any:
        a = self(v, s)
        return _moderate(
            {
                "sum": lambda: ra.sum(a),
                "mean": lambda: ra.mean(a),
                "dot": lambda: ra.dot(a, _fit(s.vectors[0], len(a))),
                "self_dot": lambda: ra.dot(a, a),
                "norm": lambda: ra.norm(ra.sin(a) + 2.5),
            }[op]()
        )

    def _helper(self, s: Scope, k: int, a: tuple, v: tuple) -> Any:
        x, w = self(a, s), self(v, s)
        if not s.helpers:
            return x, w
        return _pick(s.helpers, k)(ra.to_real(x) if isinstance(x, int) else x, w, s.ints[0])

    def _call(self, s: Scope, k: int, a: tuple, v: tuple) -> Any:
        return self._helper(s, k, a, v)[0]

    def _cond(self, s: Scope, p: tuple, a: tuple, b: tuple) -> Any:
        return ra.cond(self(p, s), lambda: self(a, s), lambda: self(b, s))

    def _where(self, s: Scope, p: tuple, a: tuple, b: tuple) -> Any:
        return ra.where(self(p, s), self(a, s), self(b, s))

    def _fori(self, s: Scope, n: int, start: tuple, body: tuple) -> Any:
        def step(i: Any, c: Any) -> Any:
            return ra.sin(self(body, s.with_(scalar=c, index=i)))

        return ra.fori_loop(0, n, step, ra.to_real(self(start, s)))

    def _scan(
        self, s: Scope, reverse: bool, kind: str, xs: tuple, start: tuple, state: tuple, body: tuple
    ) -> Any:
        """Carries of every type: a Real, an array, an Int and a Bool; the Int and Bool steer."""

        def step(carry: Any, x: Any) -> Any:
            c, k, odd = _opened(carry)
            inner = s.with_(scalar=c.mass, vector=c.at, index=k).with_(scalar=x)
            moved = ra.where(odd, c.mass, ra.sin(self(body, inner)))
            at = ra.build(len(c.at), lambda i: ra.cos(c.at[i]) * moved)
            return _closed(kind, Body(moved, at), (3 * k + 1) % 5, ~odd), moved * x

        first = Body(ra.to_real(self(start, s)), self(state, s))
        last, ys = ra.scan(
            step, _closed(kind, first, s.ints[0], s.ints[0] > 1), self(xs, s), reverse=reverse
        )
        c, k, _ = _opened(last)
        return _moderate(c.mass + ra.sum(c.at) * ra.sum(ys) + ra.to_real(k))

    def _accumulate(self, s: Scope, before: tuple, after: tuple) -> Any:
        """A scalar and an array accumulator, frozen when some more has been added into them."""
        total, rows = ra.accum(), ra.accum(3)
        self.all(before, replace(s, accs=(total, rows)))
        value = rows.freeze()
        later = ra.accum(ra.Vec[2, ra.Real])
        self.all(after, replace(s, accs=(later, total)).with_(vector=value))
        return _moderate(total + ra.dot(value, value) + later.freeze()[0])

    def _total(self, s: Scope, n: int, body: tuple) -> Any:
        return _moderate(ra.sum(n, lambda i: self(body, s.with_(index=i))))

    def _effect(self, s: Scope, some: tuple, a: tuple) -> Any:
        """Adds into accumulators made outside, from wherever an expression may stand."""
        if s.accs:
            self.all(some, s)
        return self(a, s)

    def _sweep(self, s: Scope, n: int, m: int, some: tuple, i: tuple) -> Any:
        """A matrix accumulator, added into row by row."""
        acc = ra.accum((n, m))
        for k in ra.range(n):
            acc[k, 0] += 0.5
            self.all(some, replace(s, accs=(acc, *s.accs)).with_(index=k))
        matrix = acc.freeze()
        return _moderate(ra.sum(matrix[_inside(self(i, s), n)]) + matrix[0, m - 1])

    def _let(self, s: Scope, a: tuple, body: tuple) -> Any:
        return self(body, s.with_(scalar=self(a, s)))

    def _let_vector(self, s: Scope, v: tuple, body: tuple) -> Any:
        return self(body, s.with_(vector=self(v, s)))

    # vectors

    def _vname(self, s: Scope, k: int) -> Any:
        return _pick(s.vectors, k)

    def _pack(self, s: Scope, parts: tuple) -> Any:
        return ra.array([ra.to_real(self(p, s)) for p in parts])

    def _build(self, s: Scope, n: int, body: tuple) -> Any:
        return ra.build(n, lambda i: ra.to_real(self(body, s.with_(index=i))))

    def _vbinary(self, s: Scope, op: str, v: tuple, w: tuple) -> Any:
        a = self(v, s)
        b = _fit(self(w, s), len(a))
        return {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * ra.sin(b)}[op]()

    def _scaled(self, s: Scope, v: tuple, a: tuple) -> Any:
        return self(v, s) * ra.sin(self(a, s))

    def _vcall(self, s: Scope, k: int, a: tuple, v: tuple) -> Any:
        return self._helper(s, k, a, v)[1]

    def _vcond(self, s: Scope, p: tuple, v: tuple, w: tuple) -> Any:
        n = 3
        return ra.cond(
            self(p, s), lambda x: _fit(self(v, s), n) * x, lambda x: _fit(self(w, s), n), 0.5
        )

    def _vwhere(self, s: Scope, p: tuple, v: tuple, w: tuple) -> Any:
        a = self(v, s)
        return ra.where(self(p, s), a, _fit(self(w, s), len(a)))

    def _vfori(self, s: Scope, n: int, start: tuple, body: tuple) -> Any:
        def step(i: Any, c: Any) -> Any:
            return ra.sin(_fit(self(body, s.with_(vector=c, index=i)), len(c)))

        return ra.fori_loop(0, n, step, self(start, s))

    def _states(self, s: Scope, reverse: bool, xs: tuple, start: tuple, body: tuple) -> Any:
        """All the carries of a scan."""

        def step(c: Any, x: Any) -> Any:
            return ra.sin(self(body, s.with_(scalar=c).with_(scalar=x))), c

        return ra.scan(step, ra.to_real(self(start, s)), self(xs, s), reverse=reverse)[1]

    def _gather(self, s: Scope, n: int, some: tuple) -> Any:
        acc = ra.accum(n)
        self.all(some, replace(s, accs=(acc, *s.accs)))
        return _moderate(acc.freeze())

    def _swap(self, s: Scope, n: int, v: tuple, w: tuple) -> Any:
        """Two array carries that change places."""
        a = self(v, s)
        b = _fit(self(w, s), len(a))
        one, other = ra.fori_loop(0, n, lambda i, c: (c[1], c[0]), (a, b))
        return ra.sin(one) - other

    def _reverse(self, s: Scope, v: tuple) -> Any:
        return self(v, s)[::-1]

    def _matrix(self, s: Scope, n: int, m: int, v: tuple) -> Any:
        return ra.reshape(_fit(self(v, s), n * m), (n, m))

    def _turned(self, s: Scope, n: int, m: int, v: tuple) -> Any:
        """A matrix seen from the side, with a column of it added to each row."""
        matrix = self._matrix(s, n, m, v)
        return ra.sin(ra.ravel(ra.permute_dims(matrix, (1, 0)) + matrix[:, 0]))

    def _axis(self, s: Scope, n: int, m: int, axis: int, v: tuple) -> Any:
        return _moderate(ra.sum(self._matrix(s, n, m, v), axis=axis))

    def _product(self, s: Scope, n: int, v: tuple, w: tuple) -> Any:
        b = self(w, s)
        return _moderate(ra.matmul(self._matrix(s, n, len(b), v), b))

    def _moved(self, s: Scope, how: str, v: tuple, k: int) -> Any:
        a = self(v, s)
        return {
            "roll": lambda: ra.roll(a, k),
            "cumsum": lambda: _moderate(ra.cumsum(a)),
            "join": lambda: ra.concatenate([a, s.vectors[0]])[k % 3 :],
            "take": lambda: ra.take(a, np.array([0, -1, k % len(a)])),
        }[how]()

    def _table(self, s: Scope, n: int, m: int, body: tuple, i: tuple) -> Any:
        """A row of a matrix of numbers."""
        rows = ra.build(
            n, lambda j: ra.build(m, lambda k: self(body, s.with_(index=j).with_(index=k)) * 1.0)
        )
        return rows[_inside(self(i, s), n)]

    # integers and conditions

    def _iname(self, s: Scope, k: int) -> Any:
        return _pick(s.ints, k)

    def _int(self, s: Scope, k: int) -> Any:
        return k

    def _ibinary(self, s: Scope, op: str, a: tuple, b: tuple) -> Any:
        x, y = self(a, s), self(b, s)
        return {
            "add": lambda: x + y,
            "sub": lambda: x - y,
            "mul": lambda: x * y,
            "mod": lambda: x % 4,
            "div": lambda: x // 2,
        }[op]()

    def _iwhere(self, s: Scope, p: tuple, a: tuple, b: tuple) -> Any:
        return ra.where(self(p, s), self(a, s), self(b, s))

    def _truncate(self, s: Scope, a: tuple) -> Any:
        return ra.to_int(3.0 * ra.sin(self(a, s)) + 0.01234)

    def _iless(self, s: Scope, a: tuple, b: tuple) -> Any:
        return s.ints[0] + self(a, s) < self(b, s)

    def _iequal(self, s: Scope, a: tuple, b: tuple) -> Any:
        return (s.ints[0] + self(a, s)) % 2 == self(b, s) % 2

    def _and(self, s: Scope, p: tuple, q: tuple) -> Any:
        return self(p, s) & self(q, s)

    def _or(self, s: Scope, p: tuple, q: tuple) -> Any:
        return self(p, s) | self(q, s)

    def _not(self, s: Scope, p: tuple) -> Any:
        return ~self(p, s)

    def _above(self, s: Scope, a: tuple, edge: float) -> Any:
        return s.scalars[-1] * 0.0 + self(a, s) > edge

    # statements

    def _add(self, s: Scope, k: int, i: tuple, j: tuple, a: tuple, own: bool) -> None:
        acc, x = _pick(s.accs, k), self(a, s)
        at = (s.ints[0] if own else self(i, s), self(j, s))
        at = tuple(_inside(at[axis], n) for axis, n in enumerate(acc.shape))
        if not at:
            acc.add(acc.ref, x)
        elif own:
            acc[at] += x
        else:
            acc[at] -= x

    def _add_all(self, s: Scope, k: int, a: tuple) -> None:
        acc = _pick(s.accs, k)
        acc.add(acc.ref, self(a, s))

    def _for(self, s: Scope, n: int, some: tuple) -> None:
        for i in ra.range(n):
            self.all(some, s.with_(index=i))

    def _for_from(self, s: Scope, low: tuple, high: tuple, some: tuple) -> None:
        for i in ra.range(ra.clip(self(low, s), -2, 2), ra.clip(self(high, s), -1, 3)):
            self.all(some, s.with_(index=i))

    def _own(self, s: Scope, some: tuple, a: tuple) -> None:
        """What own_index looks for: a fresh accumulator, added into at the loop's own index."""
        acc = ra.accum(5)
        for i in ra.range(5):
            inner = s.with_(index=i)
            acc[i] += self(a, inner)
            self.all(some, replace(inner, accs=(s.accs[0], acc)))
        value = acc.freeze()
        s.accs[0].add(s.accs[0].ref, _moderate(value[0] * ra.sum(value)))

    def _when(self, s: Scope, p: tuple, some: tuple) -> None:
        with ra.when(self(p, s)):
            self.all(some, s)


def _closed(kind: str, body: Body, k: Any, odd: Any) -> Any:
    if kind == "dict":
        return {"k": k, "body": body, "odd": odd}
    return (body, (k, odd)) if kind == "tuple" else [odd, body, k]


def _opened(carry: Any) -> tuple[Body, Any, Any]:
    if isinstance(carry, dict):
        return carry["body"], carry["k"], carry["odd"]
    if isinstance(carry, tuple):
        return carry[0], *carry[1]
    return carry[1], carry[2], carry[0]


def function(program: tuple) -> ra.Fn:
    """f(Body, (Real, Vec[7]), Int) -> Real, calling its helpers."""
    helpers, main = program
    run = Run()
    made = []
    for scalar, vector in helpers:
        made.append(_helper(run, scalar, vector, tuple(made)))

    def f(body: Body, pair: tuple, k: ra.Int) -> Any:
        x, w = pair
        scope = Scope((body.mass, x), (body.at, w), (k,), (), tuple(made))
        return ra.sin(run(main, scope)) + 0.5 * x * body.at[0]

    return ra.fn(f)


def _helper(run: Run, scalar: tuple, vector: tuple, helpers: tuple) -> ra.Fn:
    def helper(x: ra.Real, v: ra.Vec, k: ra.Int) -> Any:
        scope = Scope((x,), (v,), (k,), (), helpers)
        return run(scalar, scope) * 1.0, _fit(run(vector, scope), len(v))

    return ra.fn(helper)


def arguments(seed: int) -> tuple:
    """Arguments for such a function."""
    draw = np.random.default_rng(seed)
    at, w = draw.uniform(-1, 1, 3), draw.uniform(-1, 1, 7)
    return Body(float(draw.uniform(-1, 1)), at), (float(draw.uniform(-1, 1)), w), seed % 5


def direction(seed: int) -> tuple:
    """A direction in the arguments that have derivatives."""
    return arguments(seed + 1000)[:2]
