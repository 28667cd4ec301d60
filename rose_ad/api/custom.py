"""Derivatives that the user gives: custom_jvp, custom_vjp, stop_gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..ad.linearity import is_linear
from ..ad.linearize import linearize
from ..base.errors import RoseError, TypeMismatch
from ..base.source import here
from ..base.tree import Structure, flatten, map_leaves, unflatten
from ..ir.builder import Builder
from ..ir.core import Atom, DerivativeRule, Function, Linearized, Var
from ..ir.types import Array, Ref, Scalar, Type, is_float
from .derive import pull_back
from .function import Fn, Specialised
from .python_function import PythonFunction, as_fn
from .summed_rules import summed

T = TypeVar("T")


def stop_gradient(x: Any) -> Any:
    """`x`, taken as a constant by every derivative. Of a structure, all of it."""
    return map_leaves(_stop, x)


class _Custom(PythonFunction):
    """A function whose derivative may call the function itself."""

    # whether values that it uses from the function around it have derivative zero
    constant_captures = False

    def __init__(self, f: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        super().__init__(f, _names(f, numbers))
        self.constant_args = frozenset(numbers)
        self._pending: dict[Any, _Pending] = {}

    def specialise(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        pending = self._pending.get((structure, tuple(types)))
        if pending is not None:  # called by its own derivative
            pending.used = True
            return pending.special
        return super().specialise(structure, types)

    def parted(self, args: Sequence[T]) -> tuple[list[T], list[T]]:
        """Of what there is for each argument, that of constant ones and that of the others."""
        constant = [a for k, a in enumerate(args) if k in self.constant_args]
        return constant, [a for k, a in enumerate(args) if k not in self.constant_args]

    def with_rule(
        self,
        special: Specialised,
        signature: tuple[Structure, Sequence[Type]],
        derivative: Callable[
            [], tuple[Sequence[Specialised], Callable[[list[list[int]]], DerivativeRule]]
        ],
    ) -> Specialised:
        """The function with the rule that `derivative` traces; see `ruled`."""
        key = signature[0], tuple(signature[1])
        pending = self._pending[key] = _Pending(self, ruled(special, [], lambda _: _Nothing()))
        ir = pending.special.ir
        ir.rule = pending
        try:
            others, rule = derivative()
        finally:
            del self._pending[key]
        known = pending.special.captured
        if all(v in known for o in others for v in o.captured):
            explicit = len(ir.params) - len(known)
            ir.rule = rule([[explicit + known.index(v) for v in o.captured] for o in others])
            return pending.special
        if pending.used:
            raise TypeMismatch(
                f"the derivative of {self.__name__} uses a value of the function around it that "
                f"{self.__name__} does not, and calls {self.__name__}",
                others[0].ir.loc,
                "pass that value as an argument",
            )
        return ruled(special, others, rule)


def _names(f: Callable[..., Any], numbers: Sequence[int]) -> list[str]:
    """The parameters at these positions."""
    names = list(inspect.signature(f).parameters) if numbers else []
    if any(not 0 <= k < len(names) for k in numbers):
        raise TypeMismatch(f"nondiff_argnums {tuple(numbers)} of {len(names)} parameters", here())
    return [names[k] for k in numbers]


class _Pending(DerivativeRule):
    """Of a function whose derivative is being traced."""

    def __init__(self, of: Fn, special: Specialised) -> None:
        self.of, self.special, self.used = of, special, False

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        raise TypeMismatch(f"the derivative of {self.of.__name__} asks for itself", function.loc)


class custom_jvp(_Custom):
    """A function with a forward derivative of its own; a decorator. As in JAX.

    @ra.custom_jvp
    def f(x, y): ...

    @f.defjvp
    def f_jvp(primals, tangents):
        return value, tangent          # the tangent is linear in `tangents`

    Reverse mode transposes that derivative. The arguments at `nondiff_argnums` are known while tracing, as
    functions and lengths are; the derivative is given them first: f_jvp(n, primals, tangents), the others in
    `primals`.
    """

    def __init__(self, f: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(f, nondiff_argnums)
        self.derivative: Fn | None = None

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Set the derivative: (primals, tangents) -> (value, tangent)."""
        self.derivative = as_fn(jvp)
        return jvp

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Set the derivative as a sum: for each argument (tangent, value, *primals) -> tangent, or None."""
        self.defjvp(summed(self, rules))

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        special = super().make(structure, types)
        if self.derivative is None:
            what = f"{self.__name__} has no derivative yet"
            raise TypeMismatch(what, special.ir.loc, "f.defjvp(...)")
        _check_positional(self, structure)
        derivative = self.derivative

        def traced() -> tuple[list[Specialised], Callable[[list[list[int]]], DerivativeRule]]:
            constant, others = self.parted(structure.children[0].children)
            primals = Structure(tuple, (), tuple(others))
            both = Structure(tuple, (), (*constant, primals, primals))
            call = Structure(tuple, (), (both, structure.children[1]))
            jvp = derivative.specialise(call, [*types, *types])
            _check_tangent(self, special, jvp)
            return [jvp], lambda at: _JvpRule(self, jvp, len(types), at[0])

        return self.with_rule(special, (structure, types), traced)


class custom_vjp(_Custom):
    """A function with a reverse derivative of its own; a decorator. As in JAX.

    @ra.custom_vjp
    def f(x, y): ...

    f.defvjp(forward, backward)
        forward(x, y) -> (value, remembered)
        backward(remembered, cotangent) -> cotangents of (x, y), None for zero

    Forward mode transposes `backward`, which must then be linear in the cotangent. The arguments at
    `nondiff_argnums` are known while tracing, as functions and lengths are; `backward` is given them first,
    backward(n, remembered, cotangent), and returns no cotangents of them.
    """

    def __init__(self, f: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(f, nondiff_argnums)
        self.derivative: tuple[Fn, Fn] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the derivative, in two parts."""
        self.derivative = as_fn(forward), as_fn(backward)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        special = super().make(structure, types)
        if self.derivative is None:
            raise TypeMismatch(
                f"{self.__name__} has no derivative yet",
                special.ir.loc,
                "f.defvjp(forward, backward)",
            )
        _check_positional(self, structure)
        forward, backward = self.derivative
        return self.with_rule(
            special,
            (structure, types),
            lambda: self._traced(special, forward, backward, structure, types),
        )

    def _traced(
        self,
        special: Specialised,
        forward: Fn,
        backward: Fn,
        structure: Structure,
        types: Sequence[Type],
    ) -> tuple[list[Specialised], Callable[[list[list[int]]], DerivativeRule]]:
        fwd = forward.specialise(structure, types)
        pair = unflatten(fwd.result, range(len(fwd.ir.results)))
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeMismatch(f"{forward.__name__} must return (value, remembered)", fwd.ir.loc)
        count = len(special.ir.results)
        if flatten(pair[0])[1] != special.result:
            raise TypeMismatch(
                f"{forward.__name__} does not return the value of {self.__name__} first", fwd.ir.loc
            )
        _same_results(self, special, fwd, count)
        remembered, value = flatten(pair[1]), flatten(pair[0])
        constant, _ = self.parted(unflatten(structure, range(len(types)))[0])
        call = flatten(((*constant, pair[1], pair[0]), {}))[1]
        kinds = [fwd.ir.results[k].type for k in (*remembered[0], *value[0])]
        bwd = backward.specialise(call, kinds)
        places = self._places(structure, types, bwd, backward.__name__)
        return [fwd, bwd], lambda at: _VjpRule(self, fwd, bwd, places, len(types), at)

    def _places(
        self, structure: Structure, types: Sequence[Type], bwd: Specialised, name: str
    ) -> dict[int, int]:
        """For each argument's leaf, which result of `backward` is its cotangent."""
        given = unflatten(bwd.result, range(len(bwd.ir.results)))
        _, args = self.parted(unflatten(structure, range(len(types)))[0])
        if not isinstance(given, tuple) or len(given) != len(args):
            raise TypeMismatch(f"{name} must return a cotangent for each argument", bwd.ir.loc)
        places: dict[int, int] = {}
        for arg, ct in zip(args, given, strict=True):
            if ct is None:
                continue
            if flatten(arg)[1] != flatten(ct)[1]:
                raise TypeMismatch(
                    f"{name} returns a cotangent of another structure than its argument", bwd.ir.loc
                )
            for k, m in zip(flatten(arg)[0], flatten(ct)[0], strict=True):
                if is_float(types[k]) and bwd.ir.results[m].type is not types[k]:
                    raise TypeMismatch(
                        f"{name} returns a cotangent {bwd.ir.results[m].type!r} of an argument {types[k]!r}",
                        bwd.ir.loc,
                    )
                places[k] = m
        return places


def _check_positional(f: Fn, structure: Structure) -> None:
    if structure.children[1].children:
        raise TypeMismatch(
            f"{f.__name__} has its own derivative: pass its arguments by position", here()
        )


def _same_results(f: Fn, special: Specialised, other: Specialised, count: int) -> None:
    own = [r.type for r in special.ir.results]
    if [r.type for r in other.ir.results[:count]] != own:
        raise TypeMismatch(
            f"{other.ir.name} returns a value of other types than {f.__name__}", other.ir.loc
        )


def _check_tangent(f: Fn, special: Specialised, jvp: Specialised) -> None:
    """Raise unless `jvp` returns (value, tangent), both like the result of f."""
    pair = unflatten(jvp.result, range(len(jvp.ir.results)))
    if (
        not isinstance(pair, tuple)
        or len(pair) != 2
        or any(flatten(part)[1] != special.result for part in pair)
    ):
        raise TypeMismatch(
            f"{jvp.ir.name} must return (value, tangent), both of the structure of the result of {f.__name__}",
            jvp.ir.loc,
        )
    count = len(special.ir.results)
    _same_results(f, special, jvp, count)
    for value, tangent in zip(special.ir.results, jvp.ir.results[count:], strict=True):
        if is_float(value.type) and tangent.type is not value.type:
            raise TypeMismatch(
                f"{jvp.ir.name} returns a tangent {tangent.type!r} of a value {value.type!r}",
                jvp.ir.loc,
            )


def ruled(
    special: Specialised,
    others: Sequence[Specialised],
    rule: Callable[[list[list[int]]], DerivativeRule],
) -> Specialised:
    """A function with a rule; it takes what any of its parts captures. `rule` is given, for each of the
    others, where in the function's parameters those that it captures are."""
    explicit = len(special.ir.params) - len(special.captured)
    captured: list[Var] = list(
        dict.fromkeys([*special.captured, *(v for o in others for v in o.captured)])
    )
    b = Builder()
    b.loc = special.ir.loc
    params = [b.block.param(p.type) for p in special.ir.params[:explicit]]
    extra = {v: b.block.param(v.type) for v in captured}
    b.block.results = b.call(special.ir, [*params, *(extra[v] for v in special.captured)])
    at = [[explicit + captured.index(v) for v in o.captured] for o in others]
    ir = Function(special.ir.name, b.block, special.ir.loc, rule(at))
    return Specialised(ir, special.result, tuple(captured))


class _UserRule(DerivativeRule):
    """What the rules of users' derivatives share."""

    def __init__(self, of: _Custom, explicit: int) -> None:
        self.of, self.explicit = of, explicit

    def flow(self, function: Function, mask: tuple[bool, ...]) -> tuple[bool, ...]:
        if self.of.constant_captures:
            mask = mask[: self.explicit]
        return super().flow(function, mask)

    def active(self, function: Function, mask: tuple[bool, ...]) -> list[int]:
        """The parameters with tangents. What is captured has none: its derivative is not given."""
        active = [k for k, p in enumerate(function.params) if mask[k] and is_float(p.type)]
        explicit = [k for k in active if k < self.explicit]
        if len(explicit) < len(active) and not self.of.constant_captures:
            raise TypeMismatch(
                f"{self.of.__name__} has its own derivative, which says nothing of a value it uses from "
                "the function around it",
                function.loc,
                "pass that value as an argument",
            )
        return explicit


def float_results(function: Function) -> tuple[int, ...]:
    """Which results carry derivatives."""
    return tuple(k for k, r in enumerate(function.results) if is_float(r.type))


def nonlinear(name: str, loc: int) -> RoseError:
    """The error of a derivative that is not linear."""
    return TypeMismatch(
        f"the derivative of {name} is not linear in the tangents or cotangents it is given",
        loc,
        "only add them, and multiply them by values that do not depend on them",
    )


class _JvpRule(_UserRule):
    def __init__(self, of: _Custom, jvp: Specialised, explicit: int, captured: list[int]) -> None:
        super().__init__(of, explicit)
        self.jvp, self.captured = jvp.ir, captured

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        active = self.active(function, mask)
        n, count = self.explicit, len(function.results)
        of_tangents = tuple(n <= k < 2 * n and k - n in active for k in range(len(self.jvp.params)))
        if not is_linear(self.jvp, of_tangents):
            raise nonlinear(self.of.__name__, self.jvp.loc)
        inner = linearize(self.jvp, of_tangents)

        P = Builder()
        params = [P.block.param(p.type) for p in function.params]
        args: list[Atom] = [*params[:n], *(P.zeros(p.type) for p in params[:n])]
        args += [params[k] for k in self.captured]
        outs = P.call(inner.fwd, args)
        remembered = inner.remembered(args, outs, len(self.jvp.results))
        P.block.results = (*outs[:count], *remembered)

        T = Builder()
        tangents = {k: T.block.param(function.params[k].type) for k in active}
        known = [T.block.param(a.type) for a in remembered]
        given = [tangents[k - n] for k in inner.active_params]
        found = dict(zip(inner.active_results, T.call(inner.lin, [*given, *known]), strict=True))
        results = float_results(function)
        T.block.results = tuple(
            found.get(count + k) or T.zeros(function.results[k].type) for k in results
        )
        return Linearized(
            Function(f"{function.name}.fwd", P.block, function.loc),
            Function(f"{function.name}.lin", T.block, function.loc),
            tuple(active),
            results,
            (),
        )


class _VjpRule(_UserRule):
    def __init__(
        self,
        of: _Custom,
        fwd: Specialised,
        bwd: Specialised,
        places: dict[int, int],
        explicit: int,
        captured: list[list[int]],
    ) -> None:
        super().__init__(of, explicit)
        self.fwd, self.bwd, self.places = fwd.ir, bwd.ir, places
        self.captured = captured

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        active = self.active(function, mask)
        n, count = self.explicit, len(function.results)
        P = Builder()
        params = [P.block.param(p.type) for p in function.params]
        outs = P.call(self.fwd, [*params[:n], *(params[k] for k in self.captured[0])])
        extra = tuple(self.captured[1])
        P.block.results = (*outs[:count], *(params[k] for k in extra), *outs[count:])

        T = Builder()
        tangents = {k: T.block.param(function.params[k].type) for k in active}
        known = [T.block.param(r.type) for r in P.block.results[count:]]
        rule = _VjpLinear(self, function, active, len(extra))
        T.block.results = rule.tangents(T, tangents, known)
        return Linearized(
            Function(f"{function.name}.fwd", P.block, function.loc),
            Function(f"{function.name}.lin", T.block, function.loc, rule),
            tuple(active),
            float_results(function),
            (),
        )


class _VjpLinear(DerivativeRule):
    """Of the linear function of a custom_vjp: its transpose is what the user gave."""

    def __init__(self, of: _VjpRule, function: Function, active: list[int], extra: int) -> None:
        self.of, self.function, self.active, self.extra = of, function, active, extra
        self.name = of.of.__name__
        bwd = of.bwd
        results = len(function.results)
        residuals = len(of.fwd.results) - results
        self.cotangents = range(residuals, residuals + results)
        mask = tuple(k in self.cotangents and is_float(p.type) for k, p in enumerate(bwd.params))
        try:
            if not is_linear(bwd, mask):
                self.refusal = nonlinear(self.name, bwd.loc)
        except RoseError as no_derivative:  # it calls what cannot be differentiated
            self.refusal = no_derivative

    def _arguments(self, b: Builder, known: Sequence[Atom], cts: dict[int, Atom]) -> list[Atom]:
        """The arguments of `backward`: remembered, cotangents of all results, what it captures."""
        results = self.function.results
        all_cts = [cts.get(k) or b.zeros(r.type) for k, r in enumerate(results)]
        return [*known[self.extra :], *all_cts, *known[: self.extra]]

    def tangents(
        self, T: Builder, tangents: dict[int, Var], known: Sequence[Atom]
    ) -> tuple[Atom, ...]:
        """The tangents of the results: the transpose of `backward`."""
        results = float_results(self.function)
        if self.refusal is not None:
            return tuple(T.zeros(self.function.results[k].type) for k in results)
        bwd = self.of.bwd
        seeds: list[Atom | None] = [None] * len(bwd.results)
        for k, v in tangents.items():
            if k in self.of.places:
                seeds[self.of.places[k]] = v
        wrt = [self.cotangents[k] for k in results]
        return tuple(pull_back(T, bwd, self._arguments(T, known, {}), wrt, seeds)[1])

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        if self.refusal is not None:
            raise self.refusal
        return linearize(Function(function.name, function.block, function.loc), mask)

    def transpose(self, function: Function, mask: tuple[bool, ...]) -> Function | None:
        count = len(self.active)
        if mask != tuple(k < count for k in range(len(function.params))):
            return None
        b = Builder()
        known = [b.block.param(p.type) for p in function.params[count:]]
        cts: dict[int, Atom] = {
            k: b.block.param(self.function.results[k].type) for k in float_results(self.function)
        }
        types = [self.function.params[k].type for k in self.active]
        refs = [b.block.param(Ref(t)) for t in types if isinstance(t, Array)]
        outs = b.call(self.of.bwd, self._arguments(b, known, cts))
        scalars: list[Atom] = []
        into = iter(refs)
        for k, t in zip(self.active, types, strict=True):
            found = self.of.places.get(k)
            ct = outs[found] if found is not None else b.zeros(t)
            if isinstance(t, Scalar):
                scalars.append(ct)
            else:
                b.addto(next(into), ct)
        b.block.results = tuple(scalars)
        return Function(f"{function.name}.T", b.block, function.loc)


class _Nothing(DerivativeRule):
    """No derivative."""

    def flow(self, function: Function, mask: tuple[bool, ...]) -> tuple[bool, ...]:
        return (False,) * len(function.results)


class _Stop(Fn):
    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        b = Builder()
        b.block.results = tuple(b.block.param(t) for t in types)
        return Specialised(
            Function(self.__name__, b.block, here(), _Nothing()), structure.children[0].children[0]
        )


_stop = _Stop("stop_gradient")
