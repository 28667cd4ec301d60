"""Derivatives of functions: jvp, vjp, grad, value_and_grad, linearize, linear_transpose.

Each is a function again, in the same IR, so they compose: grad of grad, jvp of vjp, a gradient called in the
loop of another function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..ad.dependence import flow
from ..ad.forward import forward
from ..ad.linearity import is_linear
from ..ad.linearize import linearize as linearize_ir
from ..ad.transpose import transpose
from ..base.errors import TypeMismatch
from ..base.lazy import lazy
from ..base.source import here
from ..base.tree import Structure, flatten, leaves_as, map_leaves, unflatten
from ..ir.builder import Builder
from ..ir.core import Atom, Const, Function, Linearized
from ..ir.shown import silent
from ..ir.types import Array, Ref, Scalar, Type, is_float, scalar_of, shape_of
from ..tracing.arrays import zeros_like
from ..tracing.values import type_of
from .function import Fn, Specialised, derived
from .python_function import as_fn


def grad(f: Any, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Fn:
    """The gradient of a function whose result is one Real, in the arguments `argnums`.

    Its result has the structure of that argument (a tuple for a tuple of argnums), with zeros for leaves that
    are Ints or Bools. With `has_aux`, f returns (value, more) and the gradient comes with `more`. As in JAX.
    """
    return _gradient(f, argnums, has_aux, with_value=False)


def value_and_grad(f: Any, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Fn:
    """`(value, gradient)`, or `((value, more), gradient)` with `has_aux`; otherwise as `grad`."""
    return _gradient(f, argnums, has_aux, with_value=True)


def _gradient(f: Any, argnums: int | tuple[int, ...], has_aux: bool, with_value: bool) -> Fn:
    base = as_fn(f)
    key = "grad", argnums, has_aux, with_value
    return derived(base, key, lambda: _Gradient(base, argnums, has_aux, with_value))


def jvp(
    f: Any, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value and the directional derivative of f at `primals` along `tangents`, by forward mode.

    Tangents have the structure of the primals. With `has_aux`, f returns (value, more) and `more` comes
    third. As in JAX.
    """
    along = _as("tangents", tuple(tangents), "primals", flatten(tuple(primals))[1])
    value, tangent = _derived(_Forward, f)(tuple(primals), along)
    if not has_aux:
        return value, tangent
    return value[0], tangent[0], value[1]


def vjp(f: Any, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of f, and the function that takes a cotangent of it to the cotangents of `primals`.

    With `has_aux`, f returns (value, more) and `more` comes third. As in JAX.
    """
    value, (linear, remembered) = _derived(_Remembering, f)(*primals)
    aux = (map_leaves(zeros_like, value[1]),) if has_aux else ()
    cotangents = Cotangents(linear, remembered, aux)
    return (value[0], cotangents, value[1]) if has_aux else (value, cotangents)


@dataclass(frozen=True)
class Cotangents:
    """What `vjp` gives: a function from a cotangent of the value to those of the primals. It can be pickled, as
    the function it comes from can."""

    linear: _Linear
    remembered: tuple[Any, ...]
    aux: tuple[Any, ...]  # zeros for what comes with the value, if something does

    def __call__(self, ct: Any) -> tuple[Any, ...]:
        whole = (ct, *self.aux) if self.aux else ct
        given = _as("cotangent", whole, "value", self.linear.of.result)
        result: tuple[Any, ...] = self.linear.transposed(self.remembered, given)
        return result


def linearize(f: Any, *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of f at `primals`, and its derivative there: a linear function of their tangents.

    What the derivative needs of the value's computation is remembered, so that it costs less than f. As in
    JAX.
    """
    value, (linear, remembered) = _derived(_Remembering, f)(*primals)
    return value, Tangent(linear, remembered, flatten(primals)[1])


@dataclass(frozen=True)
class Tangent:
    """What `linearize` gives: a function from tangents of the primals to that of the value. It can be pickled,
    as the function it comes from can."""

    linear: _Linear
    remembered: tuple[Any, ...]
    primals: Structure

    def __call__(self, *tangents: Any) -> Any:
        return self.linear(self.remembered, _as("tangents", tangents, "primals", self.primals))


def linear_transpose(f: Any, *primals: Any) -> Fn:
    """The transpose of f, which must be linear in its arguments: from a cotangent of its result to those of
    its arguments, a tuple. Of `primals`, only structure, types and shapes matter. As in JAX.
    """
    leaves, structure = flatten((primals, {}))
    return _Transposed(as_fn(f), structure, [type_of(x) for x in leaves])


def _derived(kind: Callable[[Fn], Fn], f: Any) -> Fn:
    """A transformation of a function, made once."""
    base = as_fn(f)
    return derived(base, kind.__name__, lambda: kind(base))


def _as(name: str, given: Any, like: str, structure: Structure) -> Any:
    """Tangents or a cotangent with their leaves in the order of a structure, that of what they belong to."""
    leaves = leaves_as(given, structure)
    if leaves is None:
        raise TypeMismatch(f"the {name} do not have the structure of the {like}", here())
    return unflatten(structure, leaves)


class _Derived(Fn):
    def __init__(self, name: str, base: Fn) -> None:
        super().__init__(name)
        self.base = base


class _Gradient(_Derived):
    def __init__(
        self, base: Fn, argnums: int | tuple[int, ...], has_aux: bool, with_value: bool
    ) -> None:
        super().__init__(f"{base.__name__}.grad", base)
        self.argnums, self.has_aux, self.with_value = argnums, has_aux, with_value
        self.static_in = base.static_in

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        return self.base.argument_types(structure, types)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        base = self.base.specialise(structure, types)
        self._check_result(base)
        wanted, leaves = self._with_respect_to(structure, types)
        wrt = [k for k in leaves if is_float(types[k])]
        b = Builder()
        b.loc = base.ir.loc
        args = [b.block.param(t) for t in (*types, *(v.type for v in base.captured))]
        values, found = pull_back(b, base.ir, args, wrt, _unit_cotangents(base.ir))
        by_leaf = dict(zip(wrt, found, strict=True))
        gradients = [by_leaf.get(k) or b.zeros(types[k]) for k in leaves]
        value: Any = range(len(values))
        gradient: Any = unflatten(wanted, range(len(values), len(values) + len(gradients)))
        out = unflatten(base.result, value)
        if self.with_value:
            result, structure = flatten((out, gradient))
        elif self.has_aux:
            result, structure = flatten((gradient, out[1]))
        else:
            result, structure = flatten(gradient)
        both = [*values, *gradients]
        b.block.results = tuple(both[k] for k in result)
        return Specialised(Function(self.__name__, b.block, base.ir.loc), structure, base.captured)

    def _check_result(self, base: Specialised) -> None:
        leaves = unflatten(base.result, range(len(base.ir.results)))
        if self.has_aux:
            if not isinstance(leaves, tuple) or len(leaves) != 2:
                raise TypeMismatch(
                    f"with has_aux, {self.base.__name__} must return (value, more)", base.ir.loc
                )
            leaves = leaves[0]
        found = [base.ir.results[k].type for k in flatten(leaves)[0]]
        if len(found) != 1 or not isinstance(found[0], Scalar) or not is_float(found[0]):
            kinds = ", ".join(map(repr, found))
            raise TypeMismatch(
                f"the gradient is of a function whose result is one Real; "
                f"{self.base.__name__} returns ({kinds})",
                base.ir.loc,
                "reduce the result to a number, or use ra.vjp or ra.jvp",
            )

    def _with_respect_to(
        self, structure: Structure, types: Sequence[Type]
    ) -> tuple[Structure, list[int]]:
        args, _ = unflatten(structure, range(len(types)))
        single = isinstance(self.argnums, int)
        numbers = (self.argnums,) if isinstance(self.argnums, int) else self.argnums
        if any(not -len(args) <= k < len(args) for k in numbers):
            raise TypeMismatch(
                f"argnums {self.argnums} of {self.base.__name__}, "
                f"which was called with {len(args)} arguments",
                here(),
            )
        for k in numbers:
            kinds = [types[leaf] for leaf in flatten(args[k])[0]]
            if kinds and not any(map(is_float, kinds)):
                raise TypeMismatch(
                    f"a gradient is taken in an argument of {self.base.__name__} that is {kinds[0]!r}",
                    here(),
                    "pass a float (2.0, not 2), or annotate the parameter as Real",
                )
        leaves, wanted = flatten(args[numbers[0]] if single else tuple(args[k] for k in numbers))
        return wanted, leaves


class _Forward(_Derived):
    """(primals, tangents) -> (value, tangent)."""

    def __init__(self, base: Fn) -> None:
        super().__init__(f"{base.__name__}.jvp", base)

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        half = len(types) // 2
        primals = self.base.argument_types(_call_structure(structure), types[:half])
        return [*primals, *_tangent_types(primals, types[half:], "tangent")]

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        half = len(types) // 2
        base = self.base.specialise(_call_structure(structure), types[:half])
        extra = len(base.captured)
        mask = tuple(is_float(t) for t in types[:half]) + (False,) * extra
        function, positions, kept = forward(base.ir, mask)
        b = Builder()
        b.loc = base.ir.loc
        params = [b.block.param(t) for t in (*types, *(v.type for v in base.captured))]
        args = [*params[:half], *params[len(types) :], *(params[half + k] for k in positions)]
        outs = b.call(function, args)
        count = len(base.ir.results)
        tangents = dict(zip(kept, outs[count:], strict=True))
        both = [
            *outs[:count],
            *(tangents.get(k) or b.zeros(o.type) for k, o in enumerate(outs[:count])),
        ]
        out = unflatten(base.result, range(count)), unflatten(base.result, range(count, 2 * count))
        order, result = flatten(out)
        b.block.results = tuple(both[k] for k in order)
        return Specialised(Function(self.__name__, b.block, base.ir.loc), result, base.captured)


class _Remembering(_Derived):
    """primals -> (value, (linear, remembered)), where `linear(remembered, tangents)` is the tangent of the
    value and `linear.transposed(remembered, ct)` are the cotangents of the primals."""

    def __init__(self, base: Fn) -> None:
        super().__init__(f"{base.__name__}.fwd", base)

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        return self.base.argument_types(structure, types)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        base = self.base.specialise(structure, types)
        mask = tuple(is_float(t) for t in types) + (False,) * len(base.captured)
        derivative = linearize_ir(base.ir, mask)
        b = Builder()
        b.loc = base.ir.loc
        args = [b.block.param(p.type) for p in base.ir.params]
        outs = b.call(derivative.fwd, args)
        count = len(base.ir.results)
        remembered = derivative.remembered(args, outs, count)
        b.block.results = (*outs[:count], *remembered)
        linear = _Linear(self.base, base, derivative, structure)
        value = unflatten(base.result, range(count))
        numbers = tuple(range(count, count + len(remembered)))
        result = flatten((value, (linear, numbers)))[1]
        return Specialised(Function(self.__name__, b.block, base.ir.loc), result, base.captured)


class _OfLinearized(_Derived):
    """A function of what the derivative of `of` remembers, and of tangents or cotangents."""

    what: str

    def __init__(
        self, base: Fn, of: Specialised, derivative: Linearized, structure: Structure
    ) -> None:
        super().__init__(f"{base.__name__}.{self.what}", base)
        self.of, self.derivative, self.structure = of, derivative, structure

    @property
    def like(self) -> list[Type]:
        """The types of the values that the tangents or cotangents belong to."""
        raise NotImplementedError

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        like = self.like
        known = len(types) - len(like)
        if known != self._remembered:
            raise TypeMismatch(
                f"the {self.what} does not have the structure of its value in {self.base.__name__}",
                here(),
            )
        return [*types[:known], *_tangent_types(like, types[known:], self.what)]

    @property
    def _remembered(self) -> int:
        return len(self.derivative.lin.params) - len(self.derivative.active_params)


class _Linear(_OfLinearized):
    """(remembered, tangents) -> tangent of the value."""

    what = "tangent"

    @property
    def like(self) -> list[Type]:
        extra = len(self.of.captured)
        return [p.type for p in self.of.ir.params[: len(self.of.ir.params) - extra]]

    @lazy
    def transposed(self) -> Fn:
        """The reverse of it."""
        return _Backward(self.base, self.of, self.derivative, self.structure)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        b = Builder()
        b.loc = self.of.ir.loc
        params = [b.block.param(t) for t in types]
        known = self._remembered
        d = self.derivative
        tangents = [params[known + k] for k in d.active_params]
        found = dict(
            zip(d.active_results, b.call(d.lin, [*tangents, *params[:known]]), strict=True)
        )
        results = self.of.ir.results
        b.block.results = tuple(found.get(k) or b.zeros(r.type) for k, r in enumerate(results))
        return Specialised(Function(self.__name__, b.block, self.of.ir.loc), self.of.result)


class _Backward(_OfLinearized):
    """(remembered, cotangent of the value) -> cotangents of the primals."""

    what = "cotangent"

    @property
    def like(self) -> list[Type]:
        return [r.type for r in self.of.ir.results]

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        b = Builder()
        b.loc = self.of.ir.loc
        params = [b.block.param(t) for t in types]
        known = self._remembered
        inputs = [p.type for p in self.of.ir.params][
            : len(self.of.ir.params) - len(self.of.captured)
        ]
        found = transposed_call(b, self.derivative, params[:known], params[known:])
        b.block.results = tuple(found.get(k) or b.zeros(t) for k, t in enumerate(inputs))
        (primals, _) = unflatten(self.structure, range(len(inputs)))
        return Specialised(
            Function(self.__name__, b.block, self.of.ir.loc), flatten(tuple(primals))[1]
        )


class _Transposed(_Derived):
    """cotangent -> cotangents of the arguments of a linear function."""

    def __init__(self, base: Fn, structure: Structure, types: Sequence[Type]) -> None:
        super().__init__(f"{base.__name__}.T", base)
        self.structure = structure
        self.types = base.argument_types(structure, types)

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        base = self.base.specialise(self.structure, self.types)
        order = _places(structure, len(types), base.result)
        wanted = _tangent_types(
            [r.type for r in base.ir.results], [types[k] for k in order], "cotangent"
        )
        return [t for _, t in sorted(zip(order, wanted, strict=True))]

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        base = self.base.specialise(self.structure, self.types)
        f = silent(base.ir)  # of which the values are not wanted
        wrt = [k for k, t in enumerate(self.types) if is_float(t)]
        mask = tuple(k in wrt for k in range(len(f.params)))
        if not is_linear(f, mask):
            raise TypeMismatch(
                f"{self.base.__name__} is not linear in its arguments",
                f.loc,
                "ra.vjp, of any function",
            )
        b = Builder()
        b.loc = f.loc
        given = [b.block.param(t) for t in types]
        cts = [given[k] for k in _places(structure, len(types), base.result)]
        captured = [b.block.param(v.type) for v in base.captured]
        args = [*(b.zeros(t) for t in self.types), *captured]
        _, found = pull_back(b, f, args, wrt, cts)
        cotangents = dict(zip(wrt, found, strict=True))
        b.block.results = tuple(cotangents.get(k) or b.zeros(t) for k, t in enumerate(self.types))
        (primals, _) = unflatten(self.structure, range(len(self.types)))
        result = flatten(tuple(primals))[1]
        return Specialised(Function(self.__name__, b.block, f.loc), result, base.captured)


def _places(call: Structure, count: int, result: Structure) -> list[int]:
    """Of each leaf of a result, where its cotangent is in a call f(cotangent)."""
    (args, _) = unflatten(call, range(count))
    order = leaves_as(args[0], result) if len(args) == 1 else None
    if order is None:
        raise TypeMismatch("the cotangent does not have the structure of the result", here())
    return order


def _unit_cotangents(f: Function) -> list[Atom | None]:
    first = f.results[0].type
    assert isinstance(first, Scalar)
    return [Const(1, first)] + [None] * (len(f.results) - 1)


def pull_back(
    b: Builder,
    f: Function,
    args: Sequence[Atom],
    wrt: Sequence[int],
    cotangents: Sequence[Atom | None],
) -> tuple[list[Atom], list[Atom]]:
    """Emit f's value at `args`, and the cotangents of the arguments `wrt`, for cotangents of the results."""
    wanted = set(wrt)
    mask = tuple(k in wanted for k in range(len(args)))
    derivative = linearize_ir(f, mask)
    outs = b.call(derivative.fwd, args)
    count = len(f.results)
    remembered = derivative.remembered(args, outs, count)
    found = transposed_call(b, derivative, remembered, cotangents)
    return list(outs[:count]), [found.get(k) or b.zeros(args[k].type) for k in wrt]


def transposed_call(
    b: Builder,
    derivative: Linearized,
    remembered: Sequence[Atom],
    cotangents: Sequence[Atom | None],
) -> dict[int, Atom]:
    """Emit the transpose of a derivative at what it remembers: cotangents of its active parameters, by
    position, for cotangents of the results (None for zero)."""
    lin = derivative.lin
    tangents = len(derivative.active_params)
    mask = tuple(k < tangents for k in range(len(lin.params)))
    backward = transpose(lin, mask)
    # a result may turn out not to depend on the tangents: then it takes no cotangent
    reached, _ = flow(lin, mask)
    passed = list(remembered)
    for k, r, out in zip(derivative.active_results, reached, lin.results, strict=True):
        if r:
            ct = cotangents[k]
            passed.append(b.zeros(out.type) if ct is None else ct)
    active = list(zip(derivative.active_params, lin.params, strict=False))
    refs = {k: b.accum(p.type) for k, p in active if isinstance(p.type, Array)}
    scalars = iter(b.call(backward, [*passed, *refs.values()]))
    return {k: b.freeze(refs[k]) if k in refs else next(scalars) for k, _ in active}


def _call_structure(structure: Structure) -> Structure:
    """The structure of a call f(*primals) in that of a call (primals, tangents)."""
    args, kwargs = structure.children
    return Structure(structure.kind, (), (args.children[0], kwargs))


def _tangent_types(primals: Sequence[Type], given: Sequence[Type], what: str) -> list[Type]:
    out: list[Type] = []
    if len(primals) != len(given):
        raise TypeMismatch(f"the {what}s do not have the structure of the values", here())
    for p, g in zip(primals, given, strict=True):
        wanted = p if is_float(p) else g
        if isinstance(wanted, Ref) or shape_of(wanted) != shape_of(g) or not _converts(g, wanted):
            raise TypeMismatch(f"a {what} is {g!r} where the value is {p!r}", here())
        out.append(wanted)
    return out


def _converts(given: Type, wanted: Type) -> bool:
    return is_float(wanted) or scalar_of(given) is scalar_of(wanted)
