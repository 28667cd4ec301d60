"""Diagrams laid out from one start, beside Penrose and TensorFlow.js.

    npm install @penrose/core @tensorflow/tfjs jsdom      # here, or on NODE_PATH
    python benchmarks/diagrams.py [--rounds 5] [--only penrose,tfjs] [--out table.md]

Penrose (which differentiates by Rose) is given equivalent diagrams, written as its own examples are, and its
time is that of `compile` and `optimize`, of each variation anew; of ours, that from the description to the
layout. The first of ours in a process traces the program that all diagrams share, and the first on a machine
compiles it: both are told. TensorFlow.js computes the same energies of diagrams of circles, vectorised, on its
CPU backend, by the same descent. Times are the least of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rosephys.diagrams import Diagram, kinds
from rosephys.diagrams.energy import Measure, energy
from rosephys.diagrams.layout import ROUNDS, UPDATES
from rosephys.diagrams.tables import relations, start, tables

DESCENDED = (
    50  # circles; of more, TensorFlow.js computes the gradient alone: a layout would take an hour
)
PEERS = Path(__file__).resolve().parent / "peers" / "diagrams"
CANVAS = "canvas {\n  width = 600\n  height = 400\n}\n"
SETS = (
    "type Set\npredicate Disjoint(Set a, Set b)\npredicate Overlapping(Set a, Set b)\n"
    "predicate Subset(Set a, Set b)\n",
    CANVAS
    + """forall Set x {
  x.icon = Circle { }
  x.text = Equation {
    string: x.label
    fontSize: "16px"
  }
  ensure contains(x.icon, x.text, 5)
  encourage norm(x.text.center - x.icon.center) == 0
  layer x.text above x.icon
}
forall Set x; Set y
where Subset(x, y) {
  ensure disjoint(y.text, x.icon, 10)
  ensure contains(y.icon, x.icon, 5)
  layer x.icon above y.icon
}
forall Set x; Set y
where Disjoint(x, y) {
  ensure disjoint(x.icon, y.icon)
}
forall Set x; Set y
where Overlapping(x, y) {
  ensure overlapping(x.icon, y.icon)
  ensure disjoint(y.text, x.icon)
  ensure disjoint(x.text, y.icon)
}
""",
)
GRAPH = (
    "type Node\ntype Edge\nconstructor MakeEdge(Node a, Node b) -> Edge\n",
    CANVAS
    + """forall Node n {
  n.icon = Circle {
    r: 15
  }
  n.text = Equation {
    center: n.icon.center
    string: n.label
    fontSize: "16px"
  }
  layer n.text above n.icon
}
forall Node n; Node m {
  ensure disjoint(n.icon, m.icon, 9)
  encourage notTooClose(n.icon, m.icon, 20)
}
forall Edge e; Node a; Node b
where e := MakeEdge(a, b) {
  e.icon = Line {
    start: a.icon.center
    end: b.icon.center
  }
  encourage vdist(a.icon.center, b.icon.center) == 85
  layer e.icon below a.icon
  layer e.icon below b.icon
}
forall Edge e; Node a; Node b; Node c
where e := MakeEdge(a, b) {
  ensure disjoint(c.icon, e.icon, 4)
}
""",
)


def edges(n: int) -> list[tuple[str, str]]:
    """A random tree of n nodes."""
    random = np.random.default_rng(n)
    return [(f"n{random.integers(0, k)}", f"n{k}") for k in range(1, n)]


def graph(n: int) -> tuple[Callable[[], Diagram], tuple[str, str, str]]:
    """A tree as a graph, by us and by Penrose."""
    names = ", ".join(f"n{k}" for k in range(n))
    lines = [f"Edge e{k} := MakeEdge({a}, {b})" for k, (a, b) in enumerate(edges(n))]
    substance = "\n".join([f"Node {names}", *lines, "AutoLabel All"])
    return lambda: kinds.graph(edges(n)), (*GRAPH, substance)


def jobs() -> dict[str, tuple[Callable[[], Diagram], tuple[str, str, str]]]:
    """What both are to lay out: a function that makes our description, and Penrose's trio."""
    nested = [("B", "A"), ("C", "A"), ("D", "B"), ("E", "B"), ("F", "C"), ("G", "C")]
    subsets = "\n".join(f"Subset({a}, {b})" for a, b in nested)
    apart = "Disjoint(D, E)\nDisjoint(F, G)\nDisjoint(B, C)"
    return {
        "two sets": (
            lambda: kinds.euler("AB", overlapping=["AB"]),
            (*SETS, "Set A, B\nOverlapping(A, B)\nAutoLabel All"),
        ),
        "three sets": (
            lambda: kinds.euler("ABC", overlapping=["AB", "BC", "AC"]),
            (
                *SETS,
                "Set A, B, C\nOverlapping(A, B)\nOverlapping(B, C)\nOverlapping(A, C)\nAutoLabel All",
            ),
        ),
        "seven sets": (
            lambda: kinds.euler("ABCDEFG", subsets=nested, disjoint=["DE", "FG", "BC"]),
            (*SETS, f"Set A, B, C, D, E, F, G\n{subsets}\n{apart}\nAutoLabel All"),
        ),
        "graph, 8 nodes": graph(8),
        "graph, 16 nodes": graph(16),
    }


def ours(make: Callable[[], Diagram], rounds: int) -> float:
    """The least time from the description to a layout, in ms."""
    times = []
    for seed in range(rounds):
        began = perf_counter()
        make().layout(seed=seed, starts=1)
        times.append(1000 * (perf_counter() - began))
    return min(times)


def in_node(script: str, job: dict[str, Any]) -> Any:
    """What a script in JavaScript prints of a job; None, with the reason on stderr, where it cannot run."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        try:
            done = subprocess.run(
                ["node", str(PEERS / script), file.name], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{script}: {getattr(error, 'stderr', error)}", file=sys.stderr)
            return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def beside_penrose(rounds: int) -> list[str]:
    rows = [
        "| diagram | ours, ms | Penrose: compile | optimise | both, ms | times |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, (make, trio) in jobs().items():
        mine = ours(make, max(rounds, 3))
        job = dict(zip(("domain", "style", "substance"), trio, strict=True))
        found = in_node("penrose.mjs", {**job, "variations": [f"v{k}" for k in range(rounds)]})
        if found is None:
            continue
        compiled, optimised = min(found, key=sum)
        both = compiled + optimised
        rows.append(
            f"| {name} | {mine:.1f} | {compiled:.0f} | {optimised:.0f} | {both:.0f} | {both / mine:.0f} |"
        )
    return rows


def circles(n: int) -> Diagram:
    """Circles without labels, joined as a tree, apart, and of the size that they want."""
    d = Diagram(1000.0, 800.0)
    made = {f"n{k}": d.circle() for k in range(n)}
    d.disjoint(*made.values())
    d.repel(*made.values(), weight=0.3)
    for a, b in edges(n):
        d.near(made[a], made[b], distance=85.0, weight=4.0)
    return d


def beside_tensorflow(rounds: int) -> list[str]:
    rows = [
        "| circles | relations | ours, ms | gradient, µs | TensorFlow.js, ms | gradients | each, ms | times |"
        " the gradient |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for n in (4, 8, 16, 100):
        d = circles(n)
        said = relations(d)
        full, places = tables(d, said), start(d, np.random.default_rng((0, 0)))
        mine = ours(lambda n=n: circles(n), rounds)
        job = {**_for_tensorflow(d, said, full, places), "descends": n < DESCENDED}
        found = in_node("tfjs.mjs", job)
        if found is None:
            continue
        here = float(energy(places, full, 1.0, 1.0))
        assert abs(found["first"] / here - 1) < 1e-3, (found["first"], here)  # of single precision
        each = _gradient(places, full)
        whole = f"{found['ms']:.0f} | {found['calls']}" if n < DESCENDED else " | "
        times = f"{found['ms'] / mine:.0f}" if n < DESCENDED else ""
        rows.append(
            f"| {n} | {len(said)} | {mine:.1f} | {each:.0f} | {whole} | {found['gradient']:.1f} |"
            f" {times} | {1000 * found['gradient'] / each:.0f} |"
        )
    return rows


def _gradient(places: Any, full: Any) -> float:
    """The least time of a gradient, in µs."""
    import rose_ad as ra

    slope = ra.value_and_grad(energy)
    times = []
    for _ in range(50):
        began = perf_counter()
        slope(places, full, 1.0, 1.0)
        times.append(perf_counter() - began)
    return 1e6 * min(times)


def _for_tensorflow(d: Diagram, said: Any, full: Any, places: Any) -> dict[str, Any]:
    """The same diagram as JSON: only circles, and a canvas."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for k, relation in enumerate(said):
        on_canvas = relation.measure is Measure.DEPTH and relation.ends[0] == d.canvas.number
        kind = "CANVAS" if on_canvas else relation.measure.name
        groups.setdefault(kind, []).append(
            {
                "ends": relation.ends[:2],
                "low": max(relation.low, -1e30),
                "high": min(relation.high, 1e30),
                "weight": float(full.weights[k]),
                "number": relation.numbers[0],
            }
        )
    return {
        "points": np.asarray(places.points).tolist(),
        "sizes": np.asarray(places.sizes).tolist(),
        "circles": [(s.start, s.sizes[2]) for s in d.shapes],
        "relations": groups,
        "canvas": [d.width / 2, d.height / 2],
        "rounds": [list(one[:2]) for one in ROUNDS],
        "updates": UPDATES,
    }


def first_layout(cache: str | None) -> float:
    """How long the first layout of a process takes, in s, without what is imported before."""
    code = (
        "from time import perf_counter\nfrom rosephys.diagrams import Diagram\n"
        "t = perf_counter()\nd = Diagram()\nd.overlapping(d.circle('A'), d.circle('B'))\n"
        "d.layout(starts=1)\nprint(perf_counter() - t)"
    )
    root = str(Path(__file__).resolve().parent.parent)
    given = {**os.environ, "PYTHONPATH": root, **({"ROSE_AD_CACHE": cache} if cache else {})}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=given, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="penrose,tfjs")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = first_layout(folder), first_layout(folder)
    lines = [
        f"The first layout on a machine takes {cold:.1f} s, the first of a process {warm:.2f} s.",
        "",
    ]
    if "penrose" in given.only:
        lines += [*beside_penrose(given.rounds), ""]
    if "tfjs" in given.only:
        lines += [*beside_tensorflow(given.rounds), ""]
    text = "\n".join(lines)
    print(text)
    if given.out:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
