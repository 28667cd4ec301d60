"""Each construct of the language as a small function f(m, x, v) -> Real, of a number and N numbers.

`m` is where it takes its operations from: `Ours`, or `theirs()`, the same names made of JAX. What JAX writes
otherwise (accumulators, loops for effects) has a version of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import rose_ad as ra

N = 5
X, V = 0.7, np.array([0.3, -0.8, 1.1, 0.2, -0.4])


@ra.struct
class Ball:
    position: ra.Vec
    speed: ra.Real


class Ours(SimpleNamespace):
    """Operations of rose_ad."""

    def __getattr__(self, name: str) -> Any:
        return getattr(ra, name)


OURS = Ours(shared=lambda f: ra.fn(f))


def theirs() -> Any:
    """The same operations made of JAX."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def scan(f: Any, init: Any, xs: Any = None, length: Any = None, **kind: Any) -> Any:
        return lax.scan(f, init, xs, length, reverse=kind.get("reverse", False))

    def while_loop(test: Any, f: Any, init: Any, max_steps: Any = None) -> Any:
        def step(carry: Any, _: Any) -> Any:  # reverse mode wants a known number of steps
            moved, kept = f(carry), test(carry)
            return jax.tree.map(lambda a, b: jnp.where(kept, a, b), moved, carry), None

        return lax.scan(step, init, None, max_steps or 20)[0]

    class Custom:
        """The function itself: a rule that says the truth changes nothing."""

        def __init__(self, f: Any) -> None:
            self.f = f

        def __call__(self, *args: Any) -> Any:
            return self.f(*args)

        def defjvp(self, *_: Any) -> None: ...
        def defvjp(self, *_: Any) -> None: ...

    def iterated(step: Any) -> Any:
        return lambda f, x0: lax.fori_loop(0, 60, lambda i, c: step(f, c), x0)

    def newton(f: Any, c: Any) -> Any:
        c = jnp.asarray(c)
        slope = jnp.reshape(jax.jacfwd(f)(c), (c.size, c.size))
        return c - jnp.linalg.solve(slope, f(c).ravel()).reshape(c.shape)

    def matrix_of(f: Any, b: Any) -> Any:
        return jax.jacfwd(f)(jnp.zeros_like(b))

    own = {
        "scan": scan,
        "fori_loop": lambda low, high, f, init, **_: lax.fori_loop(low, high, f, init),
        "while_loop": while_loop,
        "cond": lax.cond,
        "switch": lambda k, branches, *a: lax.switch(k, branches, *a),
        "build": lambda n, f: jax.vmap(f)(jnp.arange(n)),
        "array": jnp.stack,
        "to_int": lambda x: jnp.trunc(x).astype(int),
        "to_real": lambda k: jnp.asarray(k, float),
        "norm": jnp.linalg.norm,
        "solve": jnp.linalg.solve,
        "inv": jnp.linalg.inv,
        "custom_jvp": Custom,
        "custom_vjp": Custom,
        "stop_gradient": lax.stop_gradient,
        "newton": iterated(newton),
        "fixed_point": iterated(lambda f, c: f(c)),
        "cg": lambda f, b: jnp.linalg.solve(matrix_of(f, b), b),
        "dense_solve": lambda f, b: jnp.linalg.solve(matrix_of(f, b), b),
        "custom_linear_solve": lambda f, b, *_: jnp.linalg.solve(matrix_of(f, b), b),
        "hvp": lambda f, primals, u: jax.jvp(jax.grad(f, range(len(primals))), primals, u)[1],
        "custom_root": lambda f, x0, *_: iterated(newton)(f, x0),
        "opaque": lambda f, *_, vjp=None: getattr(jnp, f.__name__),
        "shared": lambda f: f,
    }
    both = {name: getattr(jax, name) for name in TRANSFORMS}
    fallback = {k: v for k, v in vars(jnp).items() if not k.startswith("_")}
    return SimpleNamespace(**{**fallback, **both, **own})


TRANSFORMS = (
    "grad", "value_and_grad", "jvp", "vjp", "linearize", "jacfwd", "jacrev", "hessian",
    "checkpoint", "linear_transpose",
)  # fmt: skip


@dataclass(frozen=True)
class Construct:
    """A function with a version for each side; `smooth` where differences can tell its derivatives."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    smooth: bool = True
    real32: bool = True


CONSTRUCTS: dict[str, Construct] = {}


def construct(f: Any = None, *, smooth: bool = True, real32: bool = True, jax: Any = None) -> Any:
    """Register a function; `jax` is its version for JAX where that differs, as a function (m, x, v)."""
    if f is None:
        return lambda f: construct(f, smooth=smooth, real32=real32, jax=jax)
    CONSTRUCTS[f.__name__] = Construct(
        f.__name__, lambda x, v: f(OURS, x, v), jax or f, smooth, real32
    )
    return f


# ------------------------------------------------------------------------- straight line, branches


@construct
def straight(m: Any, x: Any, v: Any) -> Any:
    return m.exp(x * v[1]) / (2.0 + v[0]) - m.sqrt(1.0 + x**3) + m.atan2(v[2], x) * m.log(2.0 + x)


@construct
def powers(m: Any, x: Any, v: Any) -> Any:
    return x ** v[2] + v[1] ** 3 + 2.0**x + x**0.5 + v[4] ** -2 + x**2.5


@construct
def where(m: Any, x: Any, v: Any) -> Any:
    return m.sum(m.where(v > 0.0, v * x, m.sin(v) * x * x)) * m.where(x > 0.5, m.cos(x), x)


@construct
def pieces(m: Any, x: Any, v: Any) -> Any:
    parts = m.abs(v) * m.clip(v, -0.5, 0.5) * x + m.floor(3.0 * v) * x * x
    return m.sum(parts) + m.minimum(x, v[2]) * m.maximum(v[0] * x, v[3]) * m.sign(v[1])


@construct
def cond(m: Any, x: Any, v: Any) -> Any:
    y = m.cond(x > 0.5, lambda: m.sum(v * m.sin(x)), lambda: v[0])
    w, z = m.cond(x > 0.9, lambda a: (v, a), lambda a: (v * v, m.sin(a) * v[2]), x * y)
    return y * z + m.dot(w, v)


@construct
def switch(m: Any, x: Any, v: Any) -> Any:
    sides = [lambda a: a * v[0], lambda a: m.sin(a), lambda a: a * a * v[1], lambda a: m.exp(a)]
    return sum(m.switch(m.to_int(4.0 * x) + k, sides, x * v[2 + k]) for k in (-1, 0, 2))


# ----------------------------------------------------------------------------------- accumulators


def _guarded_in_jax(m: Any, x: Any, v: Any) -> Any:
    return m.sum(m.where(v > 0.0, m.sin(v * x) * v, 0.0)) ** 2


@construct(jax=_guarded_in_jax)
def guarded_accumulator(m: Any, x: Any, v: Any) -> Any:
    acc = ra.accum(x.type)
    for i in ra.range(N):
        with ra.when(v[i] > 0.0):
            acc += ra.sin(v[i] * x) * v[i]
    return acc * acc


def _scattered_in_jax(m: Any, x: Any, v: Any) -> Any:
    i = m.arange(N)
    acc = m.zeros(N).at[(3 * i + 1) % N].add(v * m.sin(x)).at[(i * i) % N].add(-m.cos(v) * x)
    return m.sum(acc * acc * v)


@construct(jax=_scattered_in_jax)
def scattered(m: Any, x: Any, v: Any) -> Any:
    acc = ra.accum(v.type)
    for i in ra.range(N):
        acc[(3 * i + 1) % N] += v[i] * ra.sin(x)
        acc[(i * i) % N] -= ra.cos(v[i]) * x
    value = acc.freeze()
    return ra.sum(value * value * v)


def _nested_in_jax(m: Any, x: Any, v: Any) -> Any:
    i, j = m.meshgrid(np.arange(N), np.arange(N), indexing="ij")
    run = (v[i] > 0.0) & (j <= i) & (j % 2 == 0)
    return m.sum(m.where(run, m.sin(v[i] * v[j] * x), 0.0)) ** 2


@construct(jax=_nested_in_jax)
def loops_in_branches_in_loops(m: Any, x: Any, v: Any) -> Any:
    acc = ra.accum(x.type)
    for i in ra.range(N):
        with ra.when(v[i] > 0.0):
            for j in ra.range(i + 1):
                with ra.when(j % 2 == 0):
                    acc += ra.sin(v[i] * v[j] * x)
    return acc * acc


def _from_a_scan_in_jax(m: Any, x: Any, v: Any) -> Any:
    def step(c: Any, a: Any) -> Any:
        return m.sin(c + a), (m.to_int(3.0 * c) % 2, c * a)

    last, (at, added) = m.scan(step, x, v)
    acc = m.zeros(2).at[at].add(added)
    return last * acc[0] + acc[1] ** 2


@construct(jax=_from_a_scan_in_jax)
def accumulated_from_a_scan(m: Any, x: Any, v: Any) -> Any:
    acc = ra.accum(v[:2].type)

    def step(c: Any, a: Any) -> Any:
        acc[ra.to_int(3.0 * c) % 2] += c * a
        return ra.sin(c + a), None

    last, _ = ra.scan(step, x, v)
    value = acc.freeze()
    return last * value[0] + value[1] ** 2


@construct
def built(m: Any, x: Any, v: Any) -> Any:
    rows = m.build(N, lambda i: m.sin(v[i] * x) * v[(i + 1) % N] * v)
    return m.sum(rows * rows)


# ------------------------------------------------------------------------------------------ loops


@construct
def scan(m: Any, x: Any, v: Any) -> Any:
    def step(c: Any, item: Any) -> Any:
        c = m.sin(c + item[0] * item[1])
        return c, (c * x, c * v)

    last, (ys, rows) = m.scan(step, x, (v, v[::-1]))
    return last + m.dot(ys, v) + m.sum(rows * rows)


@construct
def scan_backwards(m: Any, x: Any, v: Any) -> Any:
    last, ys = m.scan(lambda c, a: (m.cos(c) * a + x, c * a), x, v, reverse=True)
    return last * ys[0] + ys[N - 1]


@construct
def scans_of_no_and_one_step(m: Any, x: Any, v: Any) -> Any:
    def step(c: Any, a: Any) -> Any:
        return m.sin(c * x) + a, c * c

    none, nothing = m.scan(step, x, v[:0])
    one, ys = m.scan(step, none, v[2:3])
    kept, ys_again = m.scan(step, one, v[:1], reverse=True, checkpoint=1)
    return none * one + m.sum(nothing) + ys[0] * ys_again[0] * kept


@construct
def scan_of_few_carries(m: Any, x: Any, v: Any) -> Any:
    def step(c: Any, a: Any) -> Any:
        y, w = c
        return (m.sin(y + a * w[1]), w * x + m.cos(y)), y * a

    (y, w), ys = m.scan(step, (x, v[:3]), v, checkpoint=2)
    (z, _), zs = m.scan(step, (y, w), v, checkpoint="sqrt", reverse=True)
    return z + m.dot(ys, zs) + m.sum(w)


@construct
def fori_loop(m: Any, x: Any, v: Any) -> Any:
    return m.fori_loop(1, 6, lambda i, c: m.sin(c * x) + v[i % N] / i, x)


@construct
def while_at_most(m: Any, x: Any, v: Any) -> Any:
    y, w = m.while_loop(
        lambda c: c[0] < 3.0, lambda c: (c[0] * (1.3 + v[0]), m.sin(c[1] + x)), (x, v), max_steps=9
    )
    return y * m.dot(w, v)


@construct
def while_unbounded(m: Any, x: Any, v: Any) -> Any:
    y, w = m.while_loop(
        lambda c: c[0] < 3.0, lambda c: (c[0] * (1.3 + v[0]), m.sin(c[1] + x)), (x, v)
    )
    return y * m.dot(w, v)


@construct
def scans_in_branches_in_scans(m: Any, x: Any, v: Any) -> Any:
    def outer(c: Any, a: Any) -> Any:
        def some() -> Any:
            return m.scan(lambda d, b: (m.sin(d * b + a), d * d), c, v)

        last, ys = m.cond(a > 0.0, some, lambda: (c * a, v * x))
        return last * x, m.sum(ys)

    last, ys = m.scan(outer, x, v)
    return last + m.sum(ys)


@construct
def integers_carried(m: Any, x: Any, v: Any) -> Any:
    def step(c: Any, _: Any) -> Any:
        k, odd, y = c
        return ((2 * k + 1) % N, ~odd, m.where(odd, m.sin(y) * v[k], y + v[k] * x)), y

    (k, _, y), ys = m.scan(step, (1, x < 0.0, x), length=7)
    return y * v[k] + m.sum(ys * ys)


# ----------------------------------------------------------------------------- calls and structures


def _spring(m: Any, x: Any, k: Any) -> Any:
    return m.sin(x) * k + x * x, m.cos(x * k)


ours_spring = ra.fn(lambda x, k: _spring(ra, x, k))


@construct
def calls(m: Any, x: Any, v: Any) -> Any:
    spring = ours_spring if m is OURS else lambda x, k: _spring(m, x, k)

    def step(i: Any, c: Any) -> Any:
        a, b = spring(c, v[i])
        return m.sin(a + spring(b, x)[0])

    a, b = spring(x, v[0])
    return m.fori_loop(0, 3, step, a) * b


@construct
def structures(m: Any, x: Any, v: Any) -> Any:
    inner = m.shared(lambda s: {"at": [s["at"][0] * s["k"][1], s["k"][0]], "k": (s["k"][1], 2.0)})
    out = inner({"at": [v, x], "k": (m.sin(x), v[1])})
    last = m.fori_loop(
        0,
        3,
        lambda i, c: {"a": (m.sin(c["b"]), c["a"][0] * x), "b": c["b"] * 0.9 + c["a"][1]},
        {"a": (v, v * x), "b": v * v},
    )
    return m.dot(out["at"][0], last["b"]) + out["at"][1] * out["k"][0] + m.sum(last["a"][0])


def _balls_in_jax(m: Any, x: Any, v: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        p, s, twist = c
        return m.sin(p + twist), s * 0.9 + p[i], s * x

    p, s, twist = m.fori_loop(0, 4, step, (v, x, x * v[0]))
    return m.sum(p) * s + twist


@construct(jax=_balls_in_jax)
def dataclasses(m: Any, x: Any, v: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        ball, twist = c["ball"], c["twist"]
        moved = Ball(ra.sin(ball.position + twist), ball.speed * 0.9 + ball.position[i])
        return {"ball": moved, "twist": ball.speed * x}

    out = ra.fori_loop(0, 4, step, {"ball": Ball(v, x), "twist": x * v[0]})
    return ra.sum(out["ball"].position) * out["ball"].speed + out["twist"]


@construct
def closures(m: Any, x: Any, v: Any) -> Any:
    scaled = m.shared(lambda w: m.sin(w * x))
    twice = m.shared(lambda y: m.sum(scaled(v * y)) * x)
    return m.fori_loop(0, 3, lambda i, c: twice(c) + m.sum(scaled(v * c)), v[0])


@construct
def derivatives_inside(m: Any, x: Any, v: Any) -> Any:
    def energy(y: Any, w: Any) -> Any:
        return m.sin(y * x) * w[1] + m.dot(w, v) ** 2 * y

    gx, gw = m.grad(energy, (0, 1))(x, v)
    value, tangent = m.jvp(lambda y: m.sin(y) * x * v, (x,), (v[0],))
    _, pull = m.vjp(lambda w: w * w * x, v)
    _, linear = m.linearize(lambda w: m.sin(w) * x, v)
    columns = m.jacfwd(lambda y: v * m.exp(y * x))(x)
    return gx + m.dot(gw, value) * m.dot(tangent, pull(v)[0]) + m.dot(columns, linear(v))


@construct
def descent_inside(m: Any, x: Any, v: Any) -> Any:
    def loss(w: Any) -> Any:
        return m.sum(m.sin(w * x) * v) + m.dot(w, w)

    w = m.fori_loop(0, 3, lambda i, w: w - 0.1 * m.grad(loss)(w), v)
    return loss(w)


# ----------------------------------------------------------------------------------------- arrays


@construct
def gathered(m: Any, x: Any, v: Any) -> Any:
    k = m.to_int(9.0 * x)
    rows = m.build(3, lambda i: v * (i + 1))
    picked = m.take(v, np.array([4, 0, 0, 2]), axis=0) * v[(k + 1) % N]
    return v[k % N] * m.sum(picked * picked) + m.dot(rows[m.to_int(x) + 1], v) * x


@construct
def sliced(m: Any, x: Any, v: Any) -> Any:
    return m.dot(v[::-1], m.sin(v * x)) + m.dot(v[-2:], v[::2][:2]) * v[-1] + m.sum(v[4:0:-2] ** 2)


@construct
def reduced(m: Any, x: Any, v: Any) -> Any:
    a = m.reshape(m.concatenate([v, v * x]), (2, 5))
    return m.sum(m.sum(a, axis=0) * m.mean(a * a, axis=0)) + m.prod(v) * x + m.max(v) * m.min(v * x)


@construct
def ordered(m: Any, x: Any, v: Any) -> Any:
    s = m.sort(v * x)
    weights = np.arange(1.0, 6.0).astype(np.float32)
    return m.dot(s, m.cumsum(v)) + m.sum(m.cumprod(s + 2.0) * weights) + v[m.argmax(v)] * x


@construct
def products(m: Any, x: Any, v: Any) -> Any:
    a = m.outer(v, v[:3]) + x
    b = m.matmul(a.T, a)
    return (
        m.sum(m.einsum("ij,jk->ik", a, b)) * 0.1 + m.dot(m.matmul(a, v[:3]), v) - m.sum(v[:3] @ b)
    )


@construct
def lengths(m: Any, x: Any, v: Any) -> Any:
    return m.norm(v * x) * m.norm(v[:2] + x) + m.hypot(x, v[1])


@construct
def rearranged(m: Any, x: Any, v: Any) -> Any:
    a = m.reshape(m.concatenate([v * x, m.roll(v, 2)[:1]]), (2, 3))
    b = m.stack([a, m.flip(a, axis=1) * x])
    c = m.pad(m.moveaxis(b, 0, 2)[1], 1) + m.broadcast_to(x, (5, 4))
    return m.sum(c * c * x) + m.sum(
        m.expand_dims(v, 0) * v[:, None] if m is not OURS else m.outer(v, v)
    )


# ------------------------------------------------------------------------- rules of the user's own


@construct
def custom_jvp(m: Any, x: Any, v: Any) -> Any:
    f = m.custom_jvp(lambda y, w: m.sin(y) * w)

    def rule(primals: Any, tangents: Any) -> Any:
        (y, w), (dy, dw) = primals, tangents
        return f(y, w), m.cos(y) * w * dy + m.sin(y) * dw

    f.defjvp(rule)
    return m.sum(f(x, v) * f(v[0] * x, v))


@construct
def custom_vjp(m: Any, x: Any, v: Any) -> Any:
    f = m.custom_vjp(lambda y, w: (m.sin(y) * w, y * y))

    def forward(y: Any, w: Any) -> Any:
        return f(y, w), (y, w)

    def backward(kept: Any, ct: Any) -> Any:
        y, w = kept
        return m.cos(y) * m.dot(w, ct[0]) + 2.0 * y * ct[1], m.sin(y) * ct[0]

    f.defvjp(forward, backward)
    a, b = f(x, v)
    return m.fori_loop(0, 2, lambda i, c: m.sum(f(c, a)[0]) + f(c, a)[1], b)


@construct
def checkpoint(m: Any, x: Any, v: Any) -> Any:
    f = m.checkpoint(lambda y, w: (m.sin(y) * m.exp(-w * w), m.cos(y)))
    a, b = f(x, v)
    return m.fori_loop(0, 3, lambda i, c: m.sum(f(c, a)[0]) * b, x) + m.sum(a)


@construct(smooth=False)
def stop_gradient(m: Any, x: Any, v: Any) -> Any:
    held = m.stop_gradient({"a": x * v, "b": (m.sin(x), 2)})
    return m.dot(held["a"], v) * x + held["b"][0] * m.sin(x) + m.sum(m.stop_gradient(v) ** 2 * v)


@construct(real32=False)
def newton(m: Any, x: Any, v: Any) -> Any:
    y = m.newton(lambda y: y * y * y + y * (1.0 + v[0] ** 2) - x, 0.5)
    w = m.newton(lambda w: w + 0.2 * m.sin(w[::-1]) * x - v[:3], np.zeros(3))
    return y * m.dot(w, v[2:]) + m.sin(y)


@construct(real32=False)
def fixed_point(m: Any, x: Any, v: Any) -> Any:
    y = m.fixed_point(lambda y: m.cos(y) * 0.5 * x + v[0], 0.5)
    w = m.fixed_point(lambda w: 0.3 * m.sin(w + y) + v, np.zeros(N))
    return y * y + m.dot(w, v)


@construct(real32=False)
def custom_root(m: Any, x: Any, v: Any) -> Any:
    def bisect(f: Any, start: Any) -> Any:
        def step(i: Any, c: Any) -> Any:
            low, high = c
            middle = 0.5 * (low + high)
            below = f(middle) < 0.0
            return m.where(below, middle, low), m.where(below, high, middle)

        return m.fori_loop(0, 60, step, (start - 2.0, start + 2.0))[0]

    y = m.custom_root(lambda y: y + m.exp(y * x) - 2.0 + v[1], 0.0, bisect, lambda g, b: b / g(1.0))
    return y * y * m.sum(v) + x * y


def _matrix(m: Any, x: Any, v: Any) -> Any:
    return m.outer(v[:3], v[1:4]) * x + np.diag(np.array([2.0, 3.0, 2.5], np.float32))


@construct
def solve(m: Any, x: Any, v: Any) -> Any:
    a = _matrix(m, x, v)
    b = m.solve(a, v[2:] * x)
    c = m.solve(a, m.outer(v[:3], v[:2]))
    return m.dot(b, v[:3]) + m.sum(c * c) + m.sum(m.inv(a) * a.T)


@construct
def linear_solves(m: Any, x: Any, v: Any) -> Any:
    w = v[:3] * x

    def positive(y: Any) -> Any:
        return 2.0 * y + m.dot(w, y) * w

    def triangular(y: Any) -> Any:
        return m.array([y[0] * (2.0 + x), y[1] * 3.0 + y[0] * w[1]])

    def substitute(_: Any, b: Any) -> Any:
        first = b[0] / (2.0 + x)
        return m.array([first, (b[1] - first * w[1]) / 3.0])

    def substitute_back(_: Any, b: Any) -> Any:
        last = b[1] / 3.0
        return m.array([(b[0] - last * w[1]) / (2.0 + x), last])

    y = m.cg(positive, v[2:])
    z = m.custom_linear_solve(triangular, v[:2], substitute, substitute_back)
    return m.dot(y, v[:3]) + m.sum(z * z)


def sin(x: Any) -> Any:
    """Of Python, called back."""
    return math.sin(x) if isinstance(x, float) else np.sin(x)


@construct(real32=False)
def opaque(m: Any, x: Any, v: Any) -> Any:
    def of_number(x: Any, ct: Any) -> Any:
        return ra.cos(x) * ct

    f = m.opaque(sin, ra.Real, vjp=ra.fn(of_number))
    g = m.opaque(sin, (N,), vjp=ra.fn(of_number))
    y = m.fori_loop(0, 3, lambda i, c: f(c * x) + v[i], x)
    return y * m.sum(g(v * x)) + m.cond(x > 0.5, lambda: f(x * x), lambda: x)
