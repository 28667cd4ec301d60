"""Sixty diagrams of eight kinds, written by hand and drawn from seeds.

python docs/examples/diagrams.py FOLDER      writes diagrams.png, all of them, and those that diagrams.md shows
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rosephys.diagrams import Diagram, kinds
from rosephys.diagrams.raster import raster
from rosephys.files.png import write_png
from rosephys.sdl import pygame

Make = Callable[[], Diagram]

COLUMNS, TILE = 6, (300, 210)
SHOWN = ("euler, four sets", "triangle, altitude", "molecule, ethanol", "flow, review")


def examples() -> dict[str, Make]:
    """The diagrams by name; each kind has a part of its own below."""
    parts = (sets(), graphs(), trees(), flows(), squares(), vectors(), triangles(), molecules())
    return {name: make for part in parts for name, make in part.items()}


def sets() -> dict[str, Make]:
    """Venn and Euler diagrams."""
    nested = [("B", "A"), ("C", "A"), ("D", "B"), ("E", "B"), ("F", "C"), ("G", "C")]
    made: dict[str, Make] = {
        "venn, two": lambda: kinds.venn("A", "B"),
        "venn, three": lambda: kinds.venn("A", "B", "C"),
        "euler, tree of sets": lambda: kinds.euler(
            "ABCDEFG", subsets=nested, disjoint=["DE", "FG", "BC"]
        ),
        "euler, four sets": lambda: kinds.euler(
            ["animals", "birds", "fish", "flying"],
            subsets=[("birds", "animals"), ("fish", "animals")],
            disjoint=[("birds", "fish")],
            overlapping=[("birds", "flying"), ("animals", "flying")],
            members={"eagle": ("birds", "flying"), "penguin": "birds"},
        ),
        "euler, numbers": lambda: kinds.euler(
            ["real", "rational", "whole", "natural"],
            subsets=[("rational", "real"), ("whole", "rational"), ("natural", "whole")],
            shape="ellipse",
        ),
        "euler, chain": lambda: kinds.euler("ABC", overlapping=["AB", "BC"], disjoint=["AC"]),
    }
    return made | {f"euler, seed {seed}": lambda seed=seed: random_sets(seed) for seed in range(4)}


def random_sets(seed: int) -> Diagram:
    """Sets in sets, each with at most three in it, of which no two share anything."""
    random = np.random.default_rng(seed)
    names = "ABCDEF"
    inside: dict[str, list[str]] = {}
    for k, name in enumerate(names[1:], 1):
        free = [o for o in names[:k] if len(inside.get(o, [])) < 3]
        inside.setdefault(str(random.choice(free)), []).append(name)
    subsets = [(small, large) for large, those in inside.items() for small in those]
    apart = [those for those in inside.values() if len(those) > 1]
    return kinds.euler(names, subsets=subsets, disjoint=apart)


def graphs() -> dict[str, Make]:
    """Graphs."""
    cycle = [(str(k), str((k + 1) % 7)) for k in range(7)]
    grid = [
        (f"{i}{j}", f"{a}{b}")
        for i in range(3)
        for j in range(3)
        for a, b in ((i + 1, j), (i, j + 1))
        if a < 3 and b < 3
    ]
    made: dict[str, Make] = {
        "graph, cycle": lambda: kinds.graph(cycle),
        "graph, star": lambda: kinds.graph([("hub", c) for c in "abcdefg"]),
        "graph, grid": lambda: kinds.graph(grid, length=70.0),
        "graph, automaton": lambda: kinds.graph(
            [("q0", "q1", "a"), ("q1", "q2", "b"), ("q2", "q0", "c"), ("q1", "q3", "a")],
            directed=True,
            length=120.0,
        ),
    }
    return made | {f"graph, seed {seed}": lambda seed=seed: random_graph(seed) for seed in range(4)}


def random_graph(seed: int) -> Diagram:
    """A tree of ten nodes and two further edges."""
    random = np.random.default_rng(seed)
    edges = [(str(random.integers(0, k)), str(k)) for k in range(1, 10)]
    more = [tuple(map(str, sorted(random.choice(10, 2, replace=False)))) for _ in range(2)]
    return kinds.graph(dict.fromkeys(edges + more), length=75.0)


def trees() -> dict[str, Make]:
    """Trees."""
    made: dict[str, Make] = {
        "tree, animals": lambda: kinds.tree(
            {
                "animal": {
                    "mammal": {"dog": {}, "cat": {}, "whale": {}},
                    "bird": {"owl": {}, "emu": {}},
                }
            }
        ),
        "tree, sum": lambda: kinds.tree(
            {"+": {"×": {"2": {}, "x": {}}, "−": {"y": {}, "1": {}}}}, kind="circle"
        ),
        "tree, sentence": lambda: kinds.tree(
            {"S": {"NP": {"the": {}, "cat": {}}, "VP": {"saw": {}, "NP ": {"a": {}, "mouse": {}}}}},
            kind="ellipse",
        ),
        "tree, deep": lambda: kinds.tree(
            {"a": {"b": {"c": {"d": {}, "e": {}}}, "f": {}}}, kind="circle"
        ),
    }
    return made | {f"tree, seed {seed}": lambda seed=seed: random_tree(seed) for seed in range(3)}


def random_tree(seed: int) -> Diagram:
    """A tree of twelve nodes."""
    random = np.random.default_rng(seed)
    nodes: list[dict[str, Any]] = [{}]
    for k in range(1, 12):
        free = [node for node in nodes[:7] if len(node) < 3]
        new: dict[str, Any] = {}
        free[random.integers(0, len(free))][str(k)] = new
        nodes.append(new)
    return kinds.tree({"0": nodes[0]}, kind="circle", level=65.0)


def flows() -> dict[str, Make]:
    """Boxes and arrows."""
    made: dict[str, Make] = {
        "flow, review": lambda: kinds.flow(
            [("write", "test"), ("test", "good?"), ("good?", "merge", "yes")],
            back=[("good?", "write", "no")],
        ),
        "flow, compiler": lambda: kinds.flow(
            [("text", "tokens"), ("tokens", "tree"), ("tree", "IR"), ("IR", "code")],
            direction="right",
            height=200.0,
        ),
        "flow, diamond": lambda: kinds.flow([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]),
        "flow, network": lambda: kinds.flow(
            [("x", "layer 1"), ("layer 1", "layer 2"), ("layer 2", "y"), ("x", "y", "skip")],
            direction="right",
        ),
    }
    return made | {f"flow, seed {seed}": lambda seed=seed: random_flow(seed) for seed in range(2)}


def random_flow(seed: int) -> Diagram:
    """Seven boxes, each but the first led to from one before it, or two."""
    random = np.random.default_rng(seed)
    arrows = {}
    for k in range(1, 7):
        for j in set(random.integers(max(k - 3, 0), k, 1 + k % 2).tolist()):
            arrows[f"step {j}", f"step {k}"] = None
    return kinds.flow(arrows, height=520.0, length=80.0)


def squares() -> dict[str, Make]:
    """Commutative diagrams."""
    square = [("A", "B", "f"), ("A", "C", "g"), ("B", "D", "h"), ("C", "D", "k")]
    exact = [("0", "A"), ("A", "B", "f"), ("B", "C", "g"), ("C", "0'")]
    ladder = [
        ("A", "B"),
        ("B", "C"),
        ("A'", "B'"),
        ("B'", "C'"),
        ("A", "A'", "a"),
        ("B", "B'", "b"),
        ("C", "C'", "c"),
    ]
    pull = [("P", "X", "p"), ("P", "Y", "q"), ("X", "Z", "f"), ("Y", "Z", "g")]
    return {
        "commutative, square": lambda: kinds.commutative([["A", "B"], ["C", "D"]], square),
        "commutative, diagonal": lambda: kinds.commutative(
            [["A", "B"], ["C", "D"]], square, dashed=[("A", "D", "d")]
        ),
        "commutative, exact": lambda: kinds.commutative(
            [["0", "A", "B", "C", "0'"]], exact, spacing=(105.0, 80.0), height=160.0
        ),
        "commutative, ladder": lambda: kinds.commutative(
            [["A", "B", "C"], ["A'", "B'", "C'"]], ladder, spacing=(120.0, 110.0)
        ),
        "commutative, pullback": lambda: kinds.commutative([["P", "X"], ["Y", "Z"]], pull),
        "commutative, product": lambda: kinds.commutative(
            [["", "T", ""], ["A", "A×B", "B"]],
            [("T", "A", "f"), ("T", "B", "g"), ("A×B", "A", "p"), ("A×B", "B", "q")],
            dashed=[("T", "A×B", "h")],
        ),
    }


def vectors() -> dict[str, Make]:
    """Linear algebra."""
    return {
        "vectors, sum": lambda: kinds.vectors(["u", "v", "u + v"], sums=[("u + v", "u", "v")]),
        "vectors, coordinates": lambda: kinds.vectors({"i": (1, 0), "j": (0, 1), "w": (2, 1.5)}),
        "vectors, perpendicular": lambda: kinds.vectors("ab", perpendicular=["ab"], equal=["ab"]),
        "vectors, parallel": lambda: kinds.vectors(["a", "2a"], parallel=[("a", "2a")]),
        "vectors, projection": lambda: kinds.vectors(
            {"a": (2.4, 0.6), "b": (1.0, 2.2), "p": None}, projections=[("p", "b", "a")]
        ),
        "vectors, basis": lambda: kinds.vectors("xyz", perpendicular=["xy"], equal=["xy", "yz"]),
        "vectors, cross of sums": lambda: kinds.vectors(
            ["u", "v", "s"], sums=[("s", "u", "v")], perpendicular=[("u", "v")], equal=[("u", "v")]
        ),
    }


def triangles() -> dict[str, Make]:
    """Geometry."""
    return {
        "triangle": lambda: kinds.triangle(),
        "triangle, right": lambda: kinds.triangle(right="C"),
        "triangle, altitude": lambda: kinds.triangle(right="C", altitude="C", circumcircle=True),
        "triangle, medians": lambda: kinds.triangle(medians=True),
        "triangle, equilateral": lambda: kinds.triangle(
            equal=("AB", "BC", "CA"), incircle=True, circumcircle=True
        ),
        "triangle, isosceles": lambda: kinds.triangle(equal=("AB", "CA"), median="A"),
        "triangle, midsegment": lambda: kinds.triangle(midsegment=True),
        "triangle, incircle": lambda: kinds.triangle("P", "Q", "R", incircle=True),
    }


def molecules() -> dict[str, Make]:
    """Molecules."""
    ring = [(f"C{k}", f"C{(k + 1) % 6}", 1 + k % 2) for k in range(6)]
    ethanol = ["C1C2", "C2O1", "O1H6", "C1H1", "C1H2", "C1H3", "C2H4", "C2H5"]
    acid = ["C1C2", "C2O2", "O2H4", "C1H1", "C1H2", "C1H3"]

    def of(atoms: str, bonds: list[str], double: tuple[str, ...] = (), **how: Any) -> Make:
        pairs = [(b[:2], b[2:], 2 if b in double else 1) for b in [*bonds, *double]]
        return lambda: kinds.molecule(atoms.split(), pairs, **how)

    return {
        "molecule, water": of("O1 H1 H2", ["O1H1", "O1H2"], angle=104.5),
        "molecule, carbon dioxide": of("C1 O1 O2", [], ("C1O1", "C1O2"), angle=180.0),
        "molecule, methane": of("C1 H1 H2 H3 H4", ["C1H1", "C1H2", "C1H3", "C1H4"]),
        "molecule, ammonia": of("N1 H1 H2 H3", ["N1H1", "N1H2", "N1H3"]),
        "molecule, ethylene": of("C1 C2 H1 H2 H3 H4", ["C1H1", "C1H2", "C2H3", "C2H4"], ("C1C2",)),
        "molecule, ethanol": of("C1 C2 O1 H1 H2 H3 H4 H5 H6", ethanol, angle=109.5),
        "molecule, acetic acid": of("C1 C2 O1 O2 H1 H2 H3 H4", acid, ("C2O1",)),
        "molecule, benzene": lambda: kinds.molecule([f"C{k}" for k in range(6)], ring),
    }


def contact_sheet(made: Mapping[str, Make]) -> np.ndarray:
    """All of them, in rows."""
    rows = -(-len(made) // COLUMNS)
    page = pygame.Surface((COLUMNS * TILE[0], rows * TILE[1]), 0, 32)
    page.fill((190, 196, 204))
    for k, make in enumerate(made.values()):
        d = make()
        share = min((TILE[0] - 4) / d.width, (TILE[1] - 4) / d.height)
        pixels = raster(d.layout().picture, (d.width, d.height), share, "light")
        image = pygame.surfarray.make_surface(np.swapaxes(pixels, 0, 1))
        page.blit(image, (k % COLUMNS * TILE[0] + 2, k // COLUMNS * TILE[1] + 2))
    return np.swapaxes(pygame.surfarray.array3d(page), 0, 1)


if __name__ == "__main__":
    folder, made = Path(sys.argv[1]), examples()
    write_png(folder / "diagrams.png", contact_sheet(made))
    for name in SHOWN:
        made[name]().layout().png(
            folder / f"diagram_{name.split(', ')[1].replace(' ', '_')}.png", 1.0
        )
