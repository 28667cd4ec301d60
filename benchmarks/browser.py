"""How large the pages of scenes are, and how long it takes to write them.

    python benchmarks/browser.py [SCENE ...]

A page is `python -m rosephys export SCENE`: one file. Sizes are in kB (1,000 bytes) as a server sends them,
gzipped; the module's is without what it says of its scene. Seconds are those of an export and, in the same
process, of another.
What billiards costs in Node, beside Rose: python benchmarks/billiards.py --only us,us-wasm,rose.
"""

from __future__ import annotations

import gzip
import statistics
import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    from rosephys.scene.finding import find_scene, scene_names
    from rosephys.solve.problem import Problem
    from rosephys.web.pages import element, page
    from rosephys.web.program import code_of, scene_module

    print(f"the element, for all scenes: {packed(element().encode()):.1f} kB\n")
    print("| scene | module, kB | page, kB | memory, MB | export, s | again, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    pages = []
    for name in sys.argv[1:] or scene_names():
        seconds = []
        for _ in range(2):
            begin = perf_counter()
            module = scene_module(Problem(find_scene(name)), name, "")
            source = page(module, name, "").encode()
            seconds.append(perf_counter() - begin)
        code, memory = code_of(module)
        pages.append(packed(source))
        row = f"| {name} | {packed(code):.1f} | {pages[-1]:.1f} | {memory / 1e6:.0f} |"
        print(row, *(f"{s:.1f} |" for s in seconds), flush=True)
    print(f"\nmedian page: {statistics.median(pages):.1f} kB")


def packed(data: bytes) -> float:
    return len(gzip.compress(data, 9)) / 1000


if __name__ == "__main__":
    main()
