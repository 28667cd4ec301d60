r"""The motion nearest to a given one in which no contact approaches too fast: the plastic impact of many.

Discs of mass 1 move with v, and contact k, between i and j with the normal n_k from j to i, closes by e_k more
than it may: e_k = -n_k · (v_i - v_j) - g_k, where g_k >= 0 is what is left to it. Of all motions with

    n_k · (v_i - v_j) + g_k >= 0     for all k

the nearest is v + Nᵀ λ, N the rows of normals, with impulses

    0 <= λ_k,   N Nᵀ λ - e >= 0,   one of the two an equality for each k.

For g = 0 this is the plastic impact of all contacts at once (Moreau, *Unilateral contact and dry friction in
finite freedom dynamics*, 1988): what is pressed together moves as one. It is one motion, however contacts are
numbered and even where they brace each other, as in a rack, so that the impulses are not unique. It keeps
momentum, and has no more energy than v, for to stand still with the centre of mass is allowed too.

λ is found by visits to one contact after the other, each of which gets the impulse it lacks (projected
Gauss-Seidel; Hildreth, Naval Res. Logist. Quart. 4, 1957). Its derivative is not that of the visits but of the
solution: contacts with λ_k > 0 hold, N Nᵀ λ = e is a linear system for these alone, and so are its derivative
and the transpose of that, found by the same visits. Where a contact begins or ceases to hold it has a kink.
"""

from __future__ import annotations

from typing import TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Vector, Vectors

EXACT = 1e-15  # of the largest impulse, by which a sweep over the contacts changes none when all is found
SWEEPS = 20_000  # a row of 40 discs takes some 5,600


@ra.struct
class Contacts:
    """Up to m contacts of n discs, `count` of them; `still` (n, 2) is the motion in which nothing moves.

    Contact k is that of the discs i and j where `pairs` (m,) has i n + j. Of `rows` (m, 4) it has the normal
    from j to i, by how much it closes faster than it may, and its instant.
    """

    pairs: ra.Vec
    rows: ra.Vec
    count: ra.Int
    still: ra.Vec

    def ends(self, k: Index) -> tuple[Index, Index]:
        """The discs i and j of a contact."""
        n = self.still.shape[0]
        return self.pairs[k] // n, self.pairs[k] % n

    def normal(self, k: Index) -> Vector:
        """The normal (2,) of a contact."""
        return self.rows[k, :2]

    def excess(self) -> Array:
        """By how much each closes faster than it may (m,)."""
        return self.rows[:, 2]


_Found: TypeAlias = tuple[Array, Vectors, Scalar, Scalar]
"""Impulses (m,), the motion (n, 2) they make, the largest, and by how much the last sweep changed any."""
_Visit: TypeAlias = tuple[Index, Vectors, Scalar, Scalar]
"""The contact that is next, and the same but for the impulses."""


@ra.custom_jvp
def held(contacts: Contacts) -> Array:
    """The impulses λ (m,) that lead to the nearest motion."""
    return _swept(contacts, contacts.excess(), contacts.excess(), True)


@held.defjvp
def _derivative(primals: tuple[Contacts], tangents: tuple[Contacts]) -> tuple[Array, Array]:
    contacts, change = primals[0], tangents[0].rows
    impulses = held(contacts)

    def missed(rows: Array) -> Array:
        moved = Contacts(contacts.pairs, rows, contacts.count, contacts.still)
        return moved.excess() - _taken(moved, impulses, impulses)

    return impulses, ra.custom_linear_solve(
        lambda x: _taken(contacts, impulses, x),
        ra.jvp(missed, (contacts.rows,), (change,))[1],
        lambda _, right: _swept(contacts, right, impulses, False),
        symmetric=True,
    )


@ra.fn
def _taken(contacts: Contacts, holds: Array, impulses: Array) -> Array:
    """N Nᵀ `impulses` (m,), of contacts that hold: what impulses take of the speeds at which these close."""
    change, speed = ra.accum(contacts.still.shape), ra.accum(impulses.shape)
    for k in ra.range(contacts.count):
        i, j = contacts.ends(k)
        push = impulses[k] * contacts.normal(k)
        change[i] += push
        change[j] -= push
    v = change.freeze()
    for k in ra.range(contacts.count):
        with ra.when(holds[k] > 0):
            i, j = contacts.ends(k)
            speed[k] += ra.dot(contacts.normal(k), v[i] - v[j])
    return speed.freeze()


@ra.fn
def _swept(contacts: Contacts, excess: Array, holds: Array, free: Condition) -> Array:
    """The impulses (m,) that take away the `excess` (m,): where they are `free`, none of which pulls, else of
    any sign, and of those contacts alone for which `holds` (m,) is positive."""
    discs = ra.arange(contacts.still.shape[0])
    m = contacts.pairs.shape[0]

    def sweep(now: _Found) -> _Found:
        impulses, v, _, _ = now
        added = ra.accum(m)

        def visit(now: _Visit) -> _Visit:
            k, v, largest, changed = now
            (i, j), normal, old = contacts.ends(k), contacts.normal(k), impulses[k]
            new = old + (excess[k] - ra.dot(normal, v[i] - v[j])) / 2
            bound = ra.where(holds[k] > 0, new, 0.0)
            new = ra.where(free, ra.maximum(new, 0.0), bound)
            added[k] += new - old
            side = ra.where(discs == i, 1.0, 0.0) - ra.where(discs == j, 1.0, 0.0)
            v = v + (new - old) * ra.expand_dims(side, 1) * normal
            return k + 1, v, ra.maximum(largest, abs(new)), ra.maximum(changed, abs(new - old))

        start = (0, v, 0.0, 0.0)
        last = ra.while_loop(lambda now: now[0] < contacts.count, visit, start, max_steps=m)
        return impulses + added.freeze(), last[1], last[2], last[3]

    start = (ra.zeros(m), contacts.still, 0.0, 1.0)
    found: Array = ra.while_loop(
        lambda now: now[3] > EXACT * now[2], sweep, start, max_steps=SWEEPS
    )[0]
    return found
