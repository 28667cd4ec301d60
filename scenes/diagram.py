"""Diagrams that lay themselves out, of eight kinds; each is a few lines."""

from __future__ import annotations

from rosephys import parameter
from rosephys.diagrams import Diagram as Description
from rosephys.diagrams import DiagramScene, kinds

KINDS = {
    "euler": lambda: kinds.euler(
        ["animals", "birds", "fish", "flying"],
        subsets=[("birds", "animals"), ("fish", "animals")],
        disjoint=[("birds", "fish")],
        overlapping=[("birds", "flying"), ("animals", "flying")],
        members={"eagle": ("birds", "flying"), "penguin": "birds"},
    ),
    "venn": lambda: kinds.venn("A", "B", "C"),
    "graph": lambda: kinds.graph(
        [
            ("a", "b"),
            ("b", "c"),
            ("c", "d"),
            ("d", "a"),
            ("a", "e"),
            ("e", "f"),
            ("e", "g"),
            ("c", "h"),
        ]
    ),
    "tree": lambda: kinds.tree(
        {"x": {"left": {"1": {}, "2": {}}, "middle": {"3": {}}, "right": {"4": {}, "5": {}}}}
    ),
    "flow": lambda: kinds.flow(
        [("read", "good?"), ("good?", "use", "yes"), ("good?", "mend", "no"), ("use", "write")],
        back=[("mend", "read")],
    ),
    "commutative": lambda: kinds.commutative(
        [["A", "B"], ["C", "D"]],
        [("A", "B", "f"), ("A", "C", "g"), ("B", "D", "h"), ("C", "D", "k")],
    ),
    "vectors": lambda: kinds.vectors(["u", "v", "u + v"], sums=[("u + v", "u", "v")]),
    "triangle": lambda: kinds.triangle(right="C", altitude="C", circumcircle=True),
    "molecule": lambda: kinds.molecule(
        ["C1", "C2", "O", "H1", "H2", "H3", "H4", "H5", "H6"],
        [
            *(("C1", "C2"), ("C2", "O"), ("O", "H6"), ("C1", "H1")),
            *(("C1", "H2"), ("C1", "H3"), ("C2", "H4"), ("C2", "H5")),
        ],
        angle=109.5,
    ),
}


class Diagram(DiagramScene):
    """Drag any shape of a diagram: the rest settles about it."""

    kind: str = parameter("euler", "what is drawn", choices=tuple(KINDS))

    def diagram(self) -> Description:
        return KINDS[self.kind]()
