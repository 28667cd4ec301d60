"""The verifier: scoping, types, and the discipline of references, for every block of a program.

It is run after every pass under test, and always when ROSE_AD_CHECK=1.
"""

from __future__ import annotations

from .core import Block, Function, Instr, Var
from .ops import OPS, Visitor
from .prims import TABLE, made_types
from .queries import callees, carried, counts, root_of
from .types import I64, Array, Bool, Ref, Scalar, Type, array_type, scalar_of, shape_of, value_type


class Invalid(AssertionError):
    """IR that breaks a rule: a fault of the compiler or of what was parsed, never of its user."""

    def __init__(self, what: str, instr: Instr | None = None) -> None:
        super().__init__(f"{what}: {instr.op} {instr.args} -> {instr.outs}" if instr else what)
        self.what, self.instr = what, instr


def verify(function: Function) -> None:
    """Check a function and all it calls; raises Invalid."""
    for f in callees(function):
        verify_alone(f)


def verify_alone(function: Function) -> None:
    """Check a function, trusting those that it calls."""
    _Verifier(function).run()


def _need(ok: bool, what: str, instr: Instr | None = None) -> None:
    if not ok:
        raise Invalid(what, instr)


class _Verifier(Visitor):
    def __init__(self, function: Function) -> None:
        self.function = function
        self.defined: set[Var] = set()
        self.frozen: set[Var] = set()
        self.block_of: dict[Var, Block] = {}

    def run(self) -> None:
        self.block(self.function.block)
        for r in self.function.results:
            _need(not isinstance(r.type, Ref), "a reference is returned")

    def block(self, block: Block) -> None:
        new = list(block.params)
        self._define(block.params, block)
        for instr in block.instrs:
            for a in instr.args:
                _need(not isinstance(a, Var) or a in self.defined, "used outside its scope", instr)
            types = self.instr(instr, block)
            _need([o.type for o in instr.outs] == types, f"results should be {types}", instr)
            self._define(instr.outs, block)
            new += instr.outs
        for r in block.results:
            _need(not isinstance(r, Var) or r in self.defined, f"result {r} is not in scope")
        self.defined.difference_update(new)

    def _define(self, variables: object, block: Block) -> None:
        for v in variables:  # type: ignore[attr-defined]
            _need(v not in self.block_of, f"{v} is defined twice")
            self.block_of[v] = block
            self.defined.add(v)

    def instr(self, instr: Instr, block: Block) -> list[Type]:
        """Check one instruction; the types its results must have."""
        types = [a.type for a in instr.args]
        if instr.op in TABLE:
            _need(all(isinstance(t, Scalar) for t in types), "a primitive takes scalars", instr)
        else:
            row = OPS[instr.op]
            _need(len(instr.blocks) == len(row.blocks), f"its blocks are {row.blocks}", instr)
            self.rows[instr.op](self, instr, types, block)
        return made_types(instr)

    def _index(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(types[1] is I64, "an index is an integer", instr)

    def _check(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(types == [I64], "an index is an integer", instr)

    def _reshape(self, instr: Instr, types: list[Type], block: Block) -> None:
        (t,) = types
        new = array_type(instr.shape, scalar_of(t))
        _need(isinstance(new, Array) and value_type(t).size == new.size, "sizes differ", instr)

    def _pack(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(all(t is types[0] for t in types), "elements differ in type", instr)

    def _join(self, instr: Instr, types: list[Type], block: Block) -> None:
        scalar = scalar_of(types[0])
        plain = all(t is scalar or (isinstance(t, Array) and t.of is scalar) for t in types)
        _need(plain, "joined are scalars and arrays of one axis, of one type", instr)

    def _slice(self, instr: Instr, types: list[Type], block: Block) -> None:
        span, t = instr.span, value_type(types[0])
        _need(isinstance(t, Array) and isinstance(t.of, Scalar), "an array of one axis", instr)
        inside = 0 <= span.start <= span.start + span.length <= shape_of(t)[0]
        _need(inside, "entries that are not there", instr)

    def _accum(self, instr: Instr, types: list[Type], block: Block) -> None:
        same = all(t is instr.content for t in types)
        _need(same, "the initial value has another type", instr)

    def _addto(self, instr: Instr, types: list[Type], block: Block) -> None:
        ref = types[0]
        _need(isinstance(ref, Ref) and ref.of is types[1], "types differ", instr)
        _need(root_of(instr.args[0]) not in self.frozen, "added to after it was frozen", instr)

    def _freeze(self, instr: Instr, types: list[Type], block: Block) -> None:
        ref = instr.args[0]
        assert isinstance(ref, Var) and isinstance(ref.type, Ref)
        _need(ref not in self.frozen, "frozen twice", instr)
        _need(ref.instr is not None and ref.instr.op == "accum", "only a whole accumulator", instr)
        _need(self.block_of[ref] is block, "frozen outside the block that made it", instr)
        self.frozen.add(ref)

    def _build(self, instr: Instr, types: list[Type], block: Block) -> None:
        (body,) = self._indexed(instr, types)
        _need(not types or not body.results, "a loop with bounds has no results", instr)

    def _filter(self, instr: Instr, types: list[Type], block: Block) -> None:
        (body,) = self._indexed(instr, types)
        results = [r.type for r in body.results]
        _need(results[:1] == [Bool], "the body says whether to keep", instr)
        _need(not types or len(results) == 1, "a loop with bounds has no rows", instr)

    def _indexed(self, instr: Instr, types: list[Type]) -> tuple[Block, ...]:
        """The blocks of a loop without carries, checked."""
        _need(types in ([], [I64, I64]), "bounds are two integers", instr)
        for body in instr.blocks:
            _need([p.type for p in body.params] == [I64], "the body takes an index", instr)
            self.block(body)
        return instr.blocks

    def _scan(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need([a.type for a in counts(instr)] in ([], [I64]), "a count is an integer", instr)
        self._loop(instr)

    def _while(self, instr: Instr, types: list[Type], block: Block) -> None:
        test = instr.blocks[1]
        _need([p.type for p in test.params] == types, "the test takes the carries", instr)
        self.block(test)
        _need([r.type for r in test.results] == [Bool], "the test gives a bool", instr)
        self._loop(instr)

    def _rewind(self, instr: Instr, types: list[Type], block: Block) -> None:
        step, back = instr.blocks
        types = [a.type for a in carried(instr)]
        carries = [r.type for r in step.results]
        _need([p.type for p in step.params] == [I64, *carries], "a step takes the carries", instr)
        _need([p.type for p in back.params] == [I64, *types], "back takes all arguments", instr)
        _need(types[: len(carries)] == carries, "a carry changes its type", instr)
        for inner in instr.blocks:
            self.block(inner)
        results = [r.type for r in back.results]
        _need(types[len(carries) :] == results, "a cotangent changes its type", instr)

    def _loop(self, instr: Instr) -> None:
        body = instr.blocks[0]
        types = [a.type for a in carried(instr)]
        taken = [p.type for p in body.params]
        _need(taken == [I64, *types], "the body takes index and carries", instr)
        self.block(body)
        results = [r.type for r in body.results]
        _need(results[: len(types)] == types, "a carry changes its type", instr)

    def _cond(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(types == [Bool], "the predicate is a bool", instr)
        results = []
        for side in instr.blocks:
            _need(not side.params, "a side takes nothing", instr)
            self.block(side)
            results.append([r.type for r in side.results])
        _need(results[0] == results[1], "the sides differ", instr)

    def _host(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(types == list(instr.host.params), "arguments do not fit", instr)

    def _call(self, instr: Instr, types: list[Type], block: Block) -> None:
        _need(types == [p.type for p in instr.callee.params], "arguments do not fit", instr)
