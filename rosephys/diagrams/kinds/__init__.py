"""Kinds of diagrams from plain data: what there is, in the words of its field; how it is drawn is written
here."""

from .commutative import commutative
from .flow import flow
from .geometry import triangle
from .graphs import graph
from .molecules import molecule
from .sets import euler, venn
from .trees import tree
from .vectors import vectors

__all__ = [
    "commutative",
    "euler",
    "flow",
    "graph",
    "molecule",
    "tree",
    "triangle",
    "vectors",
    "venn",
]
