"""Fields on a grid of square cells, and what lies beside a cell.

A field (n, m) has one number for each cell; entry [i, j] is that of the cell i along the first axis, j along
the second. What lies beyond the edge is one of

    periodic     the cell on the opposite side
    wall         the cell at the edge itself: the normal slope is zero, so nothing spreads through
    zero         nothing: a field that is held at zero there
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes, Count, Index, Quantity, Scalar

Edges: TypeAlias = Literal["periodic", "wall", "zero"]
GridField: TypeAlias = Annotated[Array, Axes("n", "m")]


@checked
def cell(i: Index, n: Count, edges: Edges = "periodic") -> Index:
    """The index of the cell that stands for the index i, in the grid or beyond, along an axis of n cells."""
    return i % n if edges == "periodic" else ra.clip(i, 0, n - 1)


@checked
def each_cell(
    shape: Annotated[tuple[int, ...], Axes(2)],
    value: Callable[[Index, Index], Quantity | tuple[Quantity, ...]],
) -> Any:
    """The field whose entry at [i, j] is value(i, j); as many fields as that is numbers."""
    n, m = shape
    return ra.build(n, lambda i: ra.build(m, lambda j: value(i, j)))


@checked
def beside(
    q: GridField, i: Index, j: Index, edges: Edges = "periodic"
) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """The entries at [i - 1, j], [i + 1, j], [i, j - 1] and [i, j + 1]."""
    q, (n, m) = ra.array(q), q.shape
    west, east = cell(i - 1, n, edges), cell(i + 1, n, edges)
    south, north = cell(j - 1, m, edges), cell(j + 1, m, edges)
    around = q[west, j], q[east, j], q[i, south], q[i, north]
    if edges != "zero":
        return around
    inside = i > 0, i < n - 1, j > 0, j < m - 1
    return tuple(ra.where(there, a, 0.0) for there, a in zip(inside, around, strict=True))


@checked
def around(q: GridField, i: Index, j: Index, edges: Edges = "periodic") -> Scalar:
    """The sum of the four entries beside [i, j]."""
    west, east, south, north = beside(q, i, j, edges)
    return west + east + south + north


@checked
def laplacian(q: GridField, i: Index, j: Index, edges: Edges = "periodic") -> Scalar:
    """The five-point Laplacian at [i, j], times the square of a cell's width."""
    return around(q, i, j, edges) - 4 * ra.array(q)[i, j]
