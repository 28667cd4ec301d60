"""How smooth the window is while shapes of a diagram of many are dragged: frame times, and what they consist
of.

    python benchmarks/diagram_drag.py [--shapes 100] [--page]

A shape is moved by 3 pixels a frame through the window, 60 frames for each of three shapes, on a display that
nobody sees. The work of a frame is the hand and the drawing, by the processor's clock of that thread; a solver
goes on beside it. Frames a second are by the wall's clock, and no more than 60. `--page` does the same in
Chromium, headless, on the page that `export` writes.
"""

from __future__ import annotations

import argparse
import http.server
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep, thread_time
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from rosephys import Problem
from rosephys.diagrams import Diagram, DiagramScene, Style

MOVES, SHAPES, STEP = 60, 3, 3.0
PAGE = """<script type="module">
const scene = document.querySelector("rosephys-scene");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const hand = (kind, x, y) => scene.canvas.dispatchEvent(new PointerEvent(kind,
  { bubbles: true, pointerId: 1, pointerType: "mouse", clientX: x, clientY: y }));
const settled = () => ["playing", "solved"].includes(scene.getAttribute("state"));
for (let k = 0; !settled() && k < 3000; k++) await wait(20);
await wait(500);
scene.canvas.setPointerCapture = () => {};
scene.play(false);
const box = scene.canvas.getBoundingClientRect(), times = [], work = [];
let fresh = 0;
const hear = scene.hear.bind(scene);
scene.hear = (said) => { fresh += !!said.motion; hear(said); };
const frame = () => new Promise(requestAnimationFrame);
let last = await frame();
const rest = async (work, times = []) => {
  for (let k = 0; k < 120; k++) {
    work();
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return times;
};
const idle = await rest(() => {}), painted = await rest(() => scene.paint());
const spin = new Worker(URL.createObjectURL(new Blob(["for (;;) {}"])));
await wait(200);
last = await frame();
const beside = await rest(() => scene.paint());
spin.terminate();
let drawing = 0;
const show = scene.show.bind(scene);
scene.show = (now) => { const began = performance.now(); show(now); drawing += performance.now() - began; };
last = await frame();
for (let shape = 0; shape < 3; shape++) {
  const h = scene.handles().filter((one) => one.row >= 0)[10 + 7 * shape];
  const x = box.left + h.x / scene.ratio, y = box.top + h.y / scene.ratio;
  hand("pointerdown", x, y);
  for (let k = 1; k <= 60; k++) {
    const began = performance.now();
    drawing = 0;
    hand("pointermove", x + k, y);
    const moved = performance.now() - began;
    const now = await frame();
    work.push(moved + drawing);
    times.push(now - last);
    last = now;
  }
  hand("pointerup", x + 60, y);
}
fetch("/told", { method: "POST", body: JSON.stringify({ times, work, idle, painted, beside, fresh }) });
</script>"""


def diagram(count: int) -> Diagram:
    """So many nodes, each joined to one before it, all apart from each other."""
    random = np.random.default_rng(0)
    d = Diagram(1400.0, 1000.0, style=Style(font=11.0, gap=6.0))
    nodes = [d.node(str(k)) for k in range(count)]
    d.disjoint(*nodes)
    for k in range(1, count):
        line = d.line(nodes[int(random.integers(max(0, k - 12), k))], nodes[k])
        d.near(*line.ends, distance=70.0, weight=2.0)
    d.repel(*nodes, weight=0.1)
    return d


def scene_of(count: int) -> DiagramScene:
    class Many(DiagramScene):
        """Many shapes."""

        def diagram(self) -> Diagram:
            return diagram(count)

    return Many(starts=1)


def in_window(problem: Problem) -> None:
    """Drag shapes in the window and print what was measured."""
    from rosephys.sdl import pygame
    from rosephys.window.session import Phase, Session
    from rosephys.window.viewer import FRAMES, SWITCH_SECONDS, Window

    sys.setswitchinterval(SWITCH_SECONDS)
    pygame.display.init()
    pygame.display.set_mode((1200, 720), pygame.RESIZABLE)
    scene = problem.scene
    window = Window(Session(problem, scene.iterations, scene.rate, scene.optimizer))
    session, clock = window.session, pygame.time.Clock()
    while session.phase is not Phase.PLAYING:
        window.frame(clock.tick(FRAMES) / 1000)
    spent: list[float] = []
    whole: list[float] = []
    moved, last = 0, None
    for shape in range(SHAPES):
        place = window.transform.to_screen(session.values["points"][10 + 7 * shape])
        event = {"pos": tuple(place.astype(int)), "button": 1}
        window.handle(pygame.event.Event(pygame.MOUSEBUTTONDOWN, event))
        for k in range(MOVES):
            now = thread_time()
            at = (int(place[0] + STEP * k / 3), int(place[1]))
            window.handle(
                pygame.event.Event(
                    pygame.MOUSEMOTION, {"pos": at, "rel": (1, 0), "buttons": (1, 0, 0)}
                )
            )
            window.frame(1 / FRAMES)
            spent.append(thread_time() - now)
            moved += session.motion is not last
            last = session.motion
            whole.append(clock.tick(FRAMES) / 1000)
        window.handle(pygame.event.Event(pygame.MOUSEBUTTONUP, event))
    window.close()
    _tell("window", 1000 * np.array(spent), 1000 * np.array(whole), moved)


def _tell(where: str, spent: Any, whole: Any, moved: int) -> None:
    print(
        f"{where}: a frame takes {np.median(spent):.1f} ms of work, the least"
        f" {np.percentile(spent, 5):.1f}, 95 of 100 at most {np.percentile(spent, 95):.1f};"
        f" {1000 / np.mean(whole):.0f} frames a second were seen; {moved} layouts in {len(spent)} frames"
    )


def on_page(problem: Problem) -> None:
    """The same in a browser."""
    import json

    from rosephys.web.pages import page
    from rosephys.web.program import scene_module

    source = (page(scene_module(problem, "Many", "shapes"), "Many", "") + PAGE).encode()
    told: queue.Queue[str] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(source if self.path == "/" else b"")

        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is said of requests."""

    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,720"]
        command += [
            f"--user-data-dir={folder}",
            "--remote-debugging-port=0",
            f"http://127.0.0.1:{server.server_port}/",
        ]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            found = json.loads(told.get(timeout=240))
        finally:
            running.terminate()
            running.wait(30)
            sleep(0.5)
            server.shutdown()
    _tell("page", np.array(found["work"]), np.array(found["times"]), found["fresh"])
    idle, painted, beside = (1000 / np.mean(found[name]) for name in ("idle", "painted", "beside"))
    print(
        f"the same page with nothing to do: {idle:.0f} frames a second were seen; drawn in each: {painted:.0f};"
        f" and with a worker that only counts: {beside:.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", type=int, default=100)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    began = perf_counter()
    problem = Problem(scene_of(given.shapes))
    found = problem.scene._found  # type: ignore[attr-defined]
    print(
        f"{given.shapes} shapes, {len(found[0].said)} relations, laid out in {perf_counter() - began:.1f} s"
    )
    problem.value_and_gradient({})
    times = []
    for _ in range(50):
        began = perf_counter()
        problem.value_and_gradient({})
        times.append(perf_counter() - began)
    print(f"a gradient takes {1e6 * min(times):.0f} µs")
    (on_page if given.page else in_window)(problem)


if __name__ == "__main__":
    main()
