r"""Bodies that are joined: how they move together in a step, all joints at once, whatever hangs on what.

With x the positions and angles, v the velocities and spins, M the masses and C(x) = 0 what the joints ask for,
a step of length h from x to x' = x + h u under constant accelerations a is

    M (u - v - h a / 2) = Gᵀ p        G u = 0        v' = 2 u - v

the midpoint rule with impulses p. The rows G(x, x') are no derivatives at one place but those of the chord: a
point of a body that turns by Δ moves from R r to R' r along the normal of its arm at the middle, shortened by
sin(Δ/2) / (Δ/2), and a rod of ends d apart along (d + d') / (|d| + |d'|), so that exactly

    G (x' - x) = C(x') - C(x)

So joints hold where they held, and since pᵀ G u = 0 they do no work: kinetic energy grows by M a · (x' - x)
and by nothing else, for any graph, mass and step. At the end v' is brought to J(x') v' = 0 by the least change
there is, measured by M, which takes energy, of third order in h, and never gives any. And x is brought to C(x)
= 0 in the same way; that undoes rounding, and what a scene has started with.

(u, p) is found by Newton's method. The tension of a joint is a stiffness: a light link that bears a heavy load
swings faster than any step, and only an implicit rule that knows it stands that. Each iteration is one linear
system over the graph of bodies and joints (`elimination`),

    ( M - ∂(Gᵀp)/∂u    Gᵀ ) (  δu )       ( M (u - v - h a / 2) - Gᵀ p )
    (     J(x')       -ε  ) ( -δp )  =  - (      G u + ε (p - p₀)      )

quasi-definite but for the tension. ε is a 1e-10th of what a joint yields, and p₀ is p of the step before: so a
joint is a stiff spring, off by -ε h p, by the implicit rule, which never gives back more than it took. Impulses
stay small where joints say a thing twice, and a straight taut chain, which no tension would hold, sags next to
nothing and does not creep.

Where the method does not end after PATIENCE iterations, as in a taut row of light links that bears a heavy one,
it begins anew in a half of a step or less, with joints that are soft, 1e8 ε, and 100 times stiffer with each
iteration. Where that does not end either, as where links turn by radians within a step, `jointed` makes the
rest of the step in halves. A step is made in two halves at least where nothing touches: of the rules that stand
any stiffness none is nearer to the motion than the midpoint rule (Dahlquist), and it slows what swings by
(ω h)² / 12.

Why this and not another: joints that are visited in turn feed what they are off, over h, back into the motion,
and explode where the visits do not converge. RATTLE, solved at once, has the tension along the start of the
step, and is unstable where a light link under it swings by more than 2 / h, as one under 1e4 times its weight
does at h = 1/240. Soft constraints in substeps need as many as that swing asks for.

A motor is a row whose speed is asked for, and within its torque: of a row that would take more, p is known.

The derivative is that of the program: of each iteration, with those of the solutions of the linear systems; to
the order of their last change it is that of (u, p) as functions of the rest.

Sources: Gonzalez, *Mechanical systems subject to holonomic constraints: differential-algebraic formulations
and conservative integration*, Physica D 132, 1999; Tournier et al., *Stable constrained dynamics*, SIGGRAPH
2015 (why the tension belongs into the matrix); Vanderbei, *Symmetric quasidefinite matrices*, SIAM J. Optim.
5, 1995.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Matrix, Scalar, Sums
from .answers import answered, yielding
from .bodies import Poses, Twists, World
from .chords import chord
from .contradictions import FREE
from .elimination import Elimination
from .joints import DISTANCE, MOTOR, Table
from .pairs import Pairs

YIELD = 1e-10
"""ε as a share of what a row of a joint yields when its two bodies are free."""
CLOSE = 1e-6
"""An iteration that changes motions by less than this share of them, by the root of energy, is the last: its
successor would change them by the square."""
SLACK = 1e-3
"""The same share for impulses, each by itself: in a taut chain large ones move next to nothing."""
PATIENCE = 12
"""The iterations that are tried; twice as many with joints that are soft at first."""
SOFTER = 4
"""For so many iterations they are: by 100 to this power in the first, by 100 in the last."""
FAR = 250.0
"""How far gaps of joints are closed at once, as `settled` measures it."""
LATE = 0.5
"""The longest share of a step in which they are: a whole one that finds nothing is better halved."""
SOUGHT, FOUND, LOST = range(3)

_Search: TypeAlias = tuple[Twists, Array, Index, Index]
"""u and p, whether they are found, and how many iterations there were."""


class Linkage:
    """The bodies of a world and their joints."""

    longest = 0.5
    """The longest share of a step that is made at once: the midpoint rule is slow by (ω h)² / 12."""
    passes = 8
    """How often what pairs and joints do to each other is looked at."""
    yields = True
    """Whether a step leaves gaps at joints, and what overlaps cannot go aside: shifts are to be paid for."""

    def __init__(self, world: World) -> None:
        self.world, self.table = world, Table(world)
        moving, pairs = np.array(world.movable), world.links.pairs
        self.movers = np.flatnonzero(moving)
        self.free = moving.astype(float)
        # nodes: the bodies that can move, then the joints; a fixed body's is never used
        self.node = np.maximum(np.cumsum(moving) - 1, 0)
        n = len(self.movers)
        ends = [[int(self.node[b]) for b in pair if moving[b]] for pair in pairs]
        rods = [world.joints[k].kind == "distance" for k in world.links.order]
        edges = [(b, n + k) for k, bodies in enumerate(ends) for b in bodies]
        edges += [(e[0], e[1]) for e, rod in zip(ends, rods, strict=True) if rod and len(e) == 2]
        self.order = Elimination(n + len(pairs), edges, [*[[]] * n, *ends])
        self.places = np.array([self._places(n + k, *self.node[p]) for k, p in enumerate(pairs)])
        # as a function of its own it compiles sooner
        self.system = ra.fn(self._system)

    def _places(self, k: int, a: int, b: int) -> list[int]:
        """The blocks of joint k with its bodies, and of these with each other; block 0, to which 0 is added,
        for those that are not there."""
        at = self.order.block
        pairs = ((a, k), (b, k), (k, a), (k, b), (a, b), (b, a))
        return [at.get(p, 0) for p in pairs]

    # ------------------------------------------------------------------------------- a step

    def moved(
        self,
        x: Poses,
        v: Twists,
        pushed: Twists,
        hold: Array,
        h: Scalar,
        before: Array,
        whole: Scalar,
    ) -> tuple[Poses, Twists, Array, Condition]:
        """x and v (n, 3) after `h` seconds under accelerations `pushed` (n, 3), the impulses (j, 3) of each
        half of them, and whether they were found. It begins from `hold`; joints have yielded to `before`, as if
        it had lasted for `h`, a part of a step of `whole` seconds."""
        hold = ra.stop_gradient(hold)  # where it begins does not change what is found
        free = v + 0.5 * h * pushed
        scale = self._square(free) + self._square(h * pushed)
        soft = (whole / h) ** 2
        once = ra.fn(lambda now: self._iterated(now, x, free, scale, h, before, soft))

        def sought(first: int, most: int) -> _Search:
            start = (v, hold, SOUGHT, first)
            return ra.while_loop(lambda now: now[2] == SOUGHT, once, start, max_steps=most)

        plain = sought(0, PATIENCE)
        u, p, state, _ = ra.cond(
            (plain[2] == FOUND) | (h > LATE * whole),
            lambda: plain,
            lambda: sought(-SOFTER, 2 * PATIENCE),
        )
        return x + h * u, 2 * u - v, p, state == FOUND

    def _iterated(
        self,
        now: _Search,
        x: Poses,
        free: Twists,
        scale: Scalar,
        h: Scalar,
        before: Array,
        soft: Scalar,
    ) -> _Search:
        """One iteration; with joints that are softer for the time being, while the count is below 0."""
        u, p, _, count = now
        most = 0.5 * h * self.table.torque
        soft *= 100.0 ** ra.maximum(-count, 0)
        blocks, right = self.system(x, u, p, free, h, -most, most, 0.0, before, soft)
        found = self.order.solved(blocks, right)
        du, dp = self._bodies(found), found[len(self.movers) :]
        change, strain = self._square(du), self._strain(blocks, dp)
        ended = (change <= CLOSE * CLOSE * scale) & (strain <= SLACK * SLACK * scale) & (count >= 0)
        state = ra.where(ended, FOUND, ra.where(change < FREE * scale, SOUGHT, LOST))
        return u + du, p - dp, state, count + 1

    def settled(
        self, x: Poses, v: Twists, hold: Array, yielded: Array, h: Scalar, whole: Scalar
    ) -> tuple[Poses, Twists]:
        """x and v (n, 3), changed least so that joints hold, and motors turn as far as they have torque left
        after the impulses `hold` (j, 3) of each half of the `h` seconds, a part of a step of `whole`.

        A chain that is nearly straight would be bent otherwise by what closes its gaps. Where that is more than
        FAR times what it would take to close each by itself, by the root of energy, joints stay off by what
        they have yielded to impulses `yielded` (j, 3), and x goes no farther than FAR says.
        """
        # the iteration of a step of no length: G is J
        most, spent = h * self.table.torque, 2 * hold[:, 2]
        none = ra.zeros(hold.shape)
        blocks, speeds = self.system(
            x, v, none, v, 0.0, -most - spent, most - spent, 0.0, none, 1.0
        )
        gaps = self._gaps(x)
        rest = gaps + self._yielded(blocks, whole * whole / h * yielded)
        found = self.order.solved(blocks, ra.stack([speeds, gaps, rest], axis=2))
        shift, less = self._bodies(found[:, :, 1]), self._bodies(found[:, :, 2])
        shift = ra.where(
            self._share(blocks, gaps, shift) < 1, self._share(blocks, rest, less) * less, shift
        )
        return x + shift, v + self._bodies(found[:, :, 0])

    def _share(self, blocks: Array, gaps: Array, shift: Array) -> Scalar:
        """How much of a shift (n, 3) is made that closes gaps (nodes, 3)."""
        n, single = len(self.movers), ra.accum()
        for k in ra.range(n, self.order.nodes):
            single += sum(gaps[k, r] ** 2 * YIELD / abs(blocks[k, r, r]) for r in range(3))
        least, given = FAR * FAR * single.freeze(), self._square(shift)
        farther = given > least
        return ra.where(farther, ra.sqrt(ra.where(farther, least / given, 1.0)), 1.0)

    def visited(
        self,
        pairs: Pairs,
        x: Poses,
        u: Twists,
        hold: Array,
        h: Scalar,
        motion: Twists,
        touch: Array,
        aim: Array,
        sweeps: int,
    ) -> tuple[Twists, Array]:
        """Motion (n, 3) and impulses (p, 4) after so many visits to each pair, where joints `answer`."""
        inverse = self.answer(x, u, hold, h)
        return answered(self.world, pairs, inverse, motion, touch, aim, sweeps)

    def yielding(self, pairs: Pairs, x: Poses) -> Array:
        """How far the points (p, 2) of pairs give way, as a share of what they would without joints."""
        none = ra.zeros((len(self.world.joints), 3))
        return yielding(self.world, pairs, self.answer(x, 0.0 * x, none, 0.0))

    def answer(self, x: Poses, u: Twists, hold: Array, h: Scalar) -> Array:
        """What impulses on each of n bodies change the mean motions of all by, (n, 3, 3 n), in a step of `h`
        seconds from x with mean motions u (n, 3) and impulses `hold` (j, 3): the inverse of the system of an
        iteration, but for what would soften it."""
        n, node, free = len(self.world.bodies), ra.array(self.node), ra.array(self.free)
        most = 0.5 * h * self.table.torque
        blocks, _ = self.system(x, u, hold, u, h, -most, most, 1.0, hold, 1.0)
        unit = ra.accum((self.order.nodes, 3, 3 * n))
        for b in ra.range(n):
            for c in range(3):
                unit[node[b], c, 3 * b + c] += free[b]
        found = self.order.solved(blocks, unit.freeze())

        def change(b: Index, c: Index) -> Array:
            return ra.build(3 * n, lambda k: free[k // 3] * found[node[k // 3], k % 3, 3 * b + c])

        return ra.build(n, lambda b: ra.build(3, lambda c: change(b, c)))

    # --------------------------------------------------------------------- systems of equations

    def _square(self, v: Twists) -> Scalar:
        """Twice the kinetic energy of motions (n, 3)."""
        mass, inertia = self.world.free * self.world.mass, self.world.free * self.world.inertia
        return ra.sum(mass * (v[:, 0] ** 2 + v[:, 1] ** 2) + inertia * v[:, 2] ** 2)

    def _strain(self, blocks: Array, p: Array) -> Scalar:
        """What impulses p (j, 3) would give, each by itself, as `_square`."""
        n, total = len(self.movers), ra.accum()
        for k in ra.range(len(self.world.joints)):
            total += sum(abs(blocks[n + k, r, r]) * p[k, r] ** 2 for r in range(3)) / YIELD
        return total.freeze()

    def _bodies(self, found: Array) -> Twists:
        """What a solution (nodes, 3) says of each body (n, 3): nothing of one that is fixed."""
        node, free = ra.array(self.node), ra.array(self.free)
        return ra.build(len(self.free), lambda b: free[b] * found[node[b]])

    def _gaps(self, x: Poses) -> Array:
        """Less what joints are off, at their nodes (nodes, 3)."""
        n, pairs = len(self.movers), self.table.pairs
        found = ra.accum((self.order.nodes, 3))
        for k in ra.range(len(self.world.joints)):
            i, j = pairs[k, 0], pairs[k, 1]
            found[n + k] += -self.table.look(k, ra.concat([x[i], x[j]]))[1]
        return found.freeze()

    def _yielded(self, blocks: Array, strain: Array) -> Array:
        """Less how far joints yield to `strain` (j, 3), impulses times seconds, at their nodes (nodes, 3)."""
        n, found = len(self.movers), ra.accum((self.order.nodes, 3))
        for k in ra.range(len(self.world.joints)):
            own = ra.array([blocks[n + k, r, r] for r in range(3)])
            found[n + k] += ra.where(self.table.kind[k] == MOTOR, 0.0, -own * strain[k])
        return found.freeze()

    def _system(
        self,
        x: Poses,
        u: Twists,
        p: Array,
        free: Twists,
        h: Scalar,
        low: Array,
        high: Array,
        stiff: Scalar,
        before: Array,
        soft: Scalar,
    ) -> tuple[Array, Array]:
        """The blocks (b, 3, 3) of an iteration and its right side (nodes, 3). Bodies that nothing joined would
        move with `free` (n, 3); `low` and `high` (j,) bound the impulses of motors."""
        blocks, right = ra.accum((self.order.blocks, 3, 3)), ra.accum((self.order.nodes, 3))
        self._inertia(blocks, right, u, free)
        n, table = len(self.movers), self.table
        node, movable, weight = map(ra.array, (self.node, self.free, self.world.inverse))
        places = ra.array(self.places)
        for k in ra.range(len(self.world.joints)):
            i, j, at, me = table.pairs[k, 0], table.pairs[k, 1], places[k], n + k
            now = ra.concat([u[i], u[j]])
            rows, ends, bent = chord(
                table.kind[k], table.anchors[k], ra.concat([x[i], x[j]]), now, p[k], h
            )
            bent = ra.where(stiff > 0, _stiffening(table.kind[k] == DISTANCE, bent), bent)
            yields = (rows * rows) @ ra.concat([weight[i], weight[j]])
            off = rows @ now - table.speed[k]

            # of a motor that would take more than it has, the impulse is known
            wanted = p[k, 2] - off[2] / ra.where(yields[2] > 0, yields[2], 1.0)
            bound = ra.clip(wanted, low[k], high[k])
            spent = (table.kind[k] == MOTOR) & (wanted != bound)
            last = ra.array([1.0, 1.0, ra.where(spent, 0.0, 1.0)])
            # a row that asks for nothing answers to nothing
            own = -ra.where(last * yields > 0, soft * YIELD * yields, 1.0)
            right[me] += ra.where(last > 0, own * (p[k] - before[k]) - off, bound - p[k])
            blocks[me] += np.eye(3) * own

            given = p[k] @ rows
            for side, body in ((0, i), (1, j)):
                part = slice(3 * side, 3 * side + 3)
                right[node[body]] += movable[body] * given[part]
                blocks[node[body]] += -movable[body] * bent[part, part]
                blocks[at[side]] += movable[body] * rows[:, part].T
                blocks[at[2 + side]] += movable[body] * ra.reshape(last, (3, 1)) * ends[:, part]
                rest = slice(3 - 3 * side, 6 - 3 * side)
                blocks[at[4 + side]] += -movable[i] * movable[j] * bent[part, rest]
        return blocks.freeze(), right.freeze()

    def _inertia(self, blocks: Sums, right: Sums, u: Twists, free: Twists) -> None:
        """Add the masses of the bodies, and the momenta by which u (n, 3) falls short of `free`."""
        movers, mass, inertia = ra.array(self.movers), self.world.mass, self.world.inertia
        for i in ra.range(len(self.movers)):
            b = movers[i]
            own = ra.array([ra.array(mass)[b], ra.array(mass)[b], ra.array(inertia)[b]])
            blocks[i] += np.eye(3) * own
            right[i] += own * (free[b] - u[b])


def _stiffening(rod: Condition, bent: Matrix) -> Matrix:
    """Of ∂(Gᵀp)/∂u (6, 6) what resists: of a rod all if it is taut, of a pin what is negative, at its spins."""
    taut = sum(bent[c, c] for c in range(6)) < 0
    return ra.build(
        6,
        lambda r: ra.where(rod, ra.where(taut, bent[r], 0.0), ra.minimum(bent[r], 0.0)),
    )
