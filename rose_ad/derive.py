"""Derivatives of functions: jvp, vjp, grad, value_and_grad.

Each is a function again, in the same IR, so they compose: grad of grad, jvp of vjp, a gradient called in the
loop of another function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .builder import Builder
from .function import Fn, Specialised, as_fn
from .ir import Atom, Const, Function
from .linearization import forward, linearize
from .source import TypeMismatch, here
from .transposition import transpose
from .tree import Structure, flatten, unflatten
from .types import Array, Ref, Scalar, Type, is_float, scalar_of

Argnums = "int | tuple[int, ...]"


def grad(f: Any, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Fn:
    """The gradient of a function whose result is one Real, in the arguments `argnums`.

    Its result has the structure of that argument (a tuple for a tuple of argnums). With `has_aux`, f returns
    (value, more) and the gradient comes with `more`. As in JAX.
    """
    return _Gradient(as_fn(f), argnums, has_aux, with_value=False)


def value_and_grad(f: Any, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Fn:
    """`(value, gradient)`, or `((value, more), gradient)` with `has_aux`; otherwise as `grad`."""
    return _Gradient(as_fn(f), argnums, has_aux, with_value=True)


def jvp(f: Any, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value and the directional derivative of f at `primals` along `tangents`, by forward mode.

    Tangents have the structure of the primals. As in JAX.
    """
    _same_structure(primals, tangents, "tangents", "primals")
    value, tangent = _forward_of(as_fn(f))(tuple(primals), tuple(tangents))
    return value, tangent


def vjp(f: Any, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of f, and the function that takes a cotangent of it to the cotangents of `primals`.

    That function runs f again for what it needs. As in JAX.
    """
    function = as_fn(f)
    backward = _backward_of(function)

    def cotangents(ct: Any) -> tuple[Any, ...]:
        result: tuple[Any, ...] = backward(tuple(primals), ct)
        return result

    return function(*primals), cotangents


def _forward_of(f: Fn) -> Fn:
    return f.derived.get("forward") or f.derived.setdefault("forward", _Forward(f))


def _backward_of(f: Fn) -> Fn:
    return f.derived.get("backward") or f.derived.setdefault("backward", _Backward(f))


def _same_structure(a: Any, b: Any, a_name: str, b_name: str) -> None:
    if flatten(tuple(a))[1] != flatten(tuple(b))[1]:
        raise TypeMismatch(f"the {a_name} do not have the structure of the {b_name}", here())


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

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        return self.base.argument_types(structure, types)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        base = self.base.specialise(structure, types)
        self._check_result(base)
        wanted, wrt = self._with_respect_to(structure, types)
        b = Builder()
        b.loc = base.ir.loc
        args = [b.block.param(t) for t in types]
        values, gradients = pull_back(b, base.ir, args, wrt, _unit_cotangents(base.ir))
        value: Any = range(len(values))
        gradient: Any = unflatten(wanted, range(len(values), len(values) + len(gradients)))
        out = unflatten(base.result, value)
        if self.with_value:
            result, structure = flatten((out, gradient))
        elif self.has_aux:
            result, structure = flatten((gradient, out[1]))
        else:
            result, structure = flatten(gradient)
        found = [*values, *gradients]
        b.block.results = tuple(found[k] for k in result)
        return Specialised(Function(self.__name__, b.block, base.ir.loc), structure)

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
        chosen = args[numbers[0]] if single else tuple(args[k] for k in numbers)
        wrt, wanted = flatten(chosen)
        for k in wrt:
            if not is_float(types[k]):
                raise TypeMismatch(
                    f"a gradient is taken in an argument of {self.base.__name__} that is {types[k]!r}",
                    here(),
                    "pass a float (2.0, not 2), or annotate the parameter as Real",
                )
        return wanted, wrt


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
    mask = tuple(k in set(wrt) for k in range(len(args)))
    derivative = linearize(f, mask)
    outs = b.call(derivative.fwd, args)
    count = len(f.results)
    lin = derivative.lin
    tangents = len(derivative.active_params)
    backward = transpose(lin, tuple(k < tangents for k in range(len(lin.params))))
    passed = derivative.remembered(args, outs, count)
    for k in derivative.active_results:
        ct = cotangents[k]
        passed.append(b.zeros(f.results[k].type) if ct is None else ct)
    refs = {
        k: b.accum(args[k].type)
        for k in derivative.active_params
        if isinstance(args[k].type, Array)
    }
    passed += refs.values()
    linear_results = _linear_results(lin, tangents)
    if len(linear_results) != len(
        lin.results
    ):  # a result that turned out not to depend on the tangents
        keep = set(linear_results)
        start = len(passed) - len(refs) - len(lin.results)
        passed = [
            a
            for k, a in enumerate(passed)
            if not start <= k < start + len(lin.results) or k - start in keep
        ]
    scalars = iter(b.call(backward, passed))
    found: dict[int, Atom] = {}
    for k in derivative.active_params:
        found[k] = b.freeze(refs[k]) if k in refs else next(scalars)
    return list(outs[:count]), [found[k] if k in found else b.zeros(args[k].type) for k in wrt]


def _linear_results(lin: Function, tangents: int) -> list[int]:
    from .dependence import flow

    reached, _ = flow(lin, tuple(k < tangents for k in range(len(lin.params))))
    return [k for k, r in enumerate(reached) if r]


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
        function, positions, kept = forward(base.ir, tuple(is_float(t) for t in types[:half]))
        b = Builder()
        b.loc = base.ir.loc
        params = [b.block.param(t) for t in types]
        outs = b.call(function, [*params[:half], *(params[half + k] for k in positions)])
        count = len(base.ir.results)
        tangents = dict(zip(kept, outs[count:], strict=True))
        both = [
            *outs[:count],
            *(
                tangents[k] if k in tangents else b.zeros(o.type)
                for k, o in enumerate(outs[:count])
            ),
        ]
        out = unflatten(base.result, range(count)), unflatten(base.result, range(count, 2 * count))
        order, result = flatten(out)
        b.block.results = tuple(both[k] for k in order)
        return Specialised(Function(self.__name__, b.block, base.ir.loc), result)


class _Backward(_Derived):
    """(primals, cotangent of the value) -> cotangents of the primals."""

    def __init__(self, base: Fn) -> None:
        super().__init__(f"{base.__name__}.vjp", base)

    def _split(self, structure: Structure, types: Sequence[Type]) -> tuple[Structure, int]:
        (primals, _), _ = unflatten(structure, range(len(types)))
        return flatten((primals, {}))[1], len(flatten(primals)[0])

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        call, count = self._split(structure, types)
        primals = self.base.argument_types(call, types[:count])
        results = [r.type for r in self.base.specialise(call, primals).ir.results]
        if len(results) != len(types) - count:
            raise TypeMismatch(
                f"the cotangent does not have the structure of the result of {self.base.__name__}",
                here(),
            )
        return [*primals, *_tangent_types(results, types[count:], "cotangent")]

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        call, count = self._split(structure, types)
        base = self.base.specialise(call, types[:count])
        b = Builder()
        b.loc = base.ir.loc
        params = [b.block.param(t) for t in types]
        wrt = [k for k in range(count) if is_float(types[k])]
        _, found = pull_back(b, base.ir, params[:count], wrt, params[count:])
        cts: dict[int, Atom] = dict(zip(wrt, found, strict=True))
        b.block.results = tuple(cts[k] if k in cts else b.zeros(types[k]) for k in range(count))
        (primals, _), _ = unflatten(structure, range(len(types)))
        return Specialised(Function(self.__name__, b.block, base.ir.loc), flatten(primals)[1])


def _call_structure(structure: Structure) -> Structure:
    """The structure of a call f(*primals) in that of a call (primals, tangents)."""
    args, kwargs = structure.children
    return Structure(structure.kind, (), (args.children[0], kwargs))


def _tangent_types(primals: Sequence[Type], given: Sequence[Type], what: str) -> list[Type]:
    out: list[Type] = []
    for p, g in zip(primals, given, strict=True):
        wanted = p if is_float(p) else g
        if isinstance(wanted, Ref) or _shape(wanted) != _shape(g) or not _converts(g, wanted):
            raise TypeMismatch(f"a {what} is {g!r} where the value is {p!r}", here())
        out.append(wanted)
    return out


def _shape(t: Type) -> tuple[int, ...]:
    return t.shape if isinstance(t, Array) else ()


def _converts(given: Type, wanted: Type) -> bool:
    return is_float(wanted) or scalar_of(given) is scalar_of(wanted)
