"""How quick a page is: its export, its first frame, its frames under a hand, and how soon the loss is back.

    python benchmarks/page.py [SCENE] [--moves 10] [--reach 0.03]

in Chromium that nobody sees, at a laptop's width and at a phone's. An export is timed in a process of its own,
with its machine code in the cache, from the start of Python on. Each move takes the goal to another place in 30
frames, and rests for 30; where it goes is drawn at random within the reach, in m.
"""

from __future__ import annotations

import argparse
import http.server
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = {"laptop": "1280,800", "phone": "390,844"}
BACK = 1e-3  # the loss that counts as an answer
ASK = """<script type="module">
const scene = document.querySelector("rosephys-scene");
const frame = () => new Promise(requestAnimationFrame);
while (!scene.drawn) await frame();
const first = performance.now();
if (!sessionStorage.seen) { // the browser itself has only begun
  sessionStorage.seen = "yes";
  location.reload();
  await new Promise(() => {});
}
const wanted = (ms) => new Promise((done) => setTimeout(done, ms));
for (const end = first + 20000; !(scene.loss < 1e-3) && performance.now() < end;) await wanted(50);
scene.canvas.setPointerCapture = () => {};
const hand = (kind, x, y) => scene.canvas.dispatchEvent(new PointerEvent(kind,
  { bubbles: true, pointerId: 1, clientX: x, clientY: y }));
const pixel = ([x, y]) => {
  const box = scene.canvas.getBoundingClientRect();
  return [box.left + scene.at.x(x) / scene.ratio, box.top + scene.at.y(y) / scene.ratio];
};
const home = [...scene.values.goal], times = [], back = [];
let here = home, seed = 1;
const draw = () => (seed = (seed * 16807) % 2147483647) / 2147483647 * 2 - 1;
hand("pointerdown", ...pixel(home));
let last = await frame();
for (let move = 0; move < MOVES; move++) {
  const there = home.map((x) => x + REACH * draw()), from = here;
  let found = 0;
  for (let k = 1; k <= 60; k++) {
    if (k <= 30) hand("pointermove", ...pixel(from.map((x, c) => x + ((there[c] - x) * k) / 30)));
    const now = await frame();
    times.push(now - last);
    last = now;
    if (k > 30 && !found && scene.loss < BACK) found = k - 30;
  }
  back.push(found);
  here = there;
}
fetch("/told", { method: "POST", body: JSON.stringify({ first, times, back }) });
</script>"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scene", nargs="?", default="billiards")
    parser.add_argument("--moves", type=int, default=10)
    parser.add_argument("--reach", type=float, default=0.03)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "rosephys", "export", options.scene, "--web", folder]
        seconds = []
        for _ in range(3):
            begin = perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            seconds.append(perf_counter() - begin)
        print(f"export: {seconds[0]:.1f} s, again {min(seconds[1:]):.2f} s")
        ask = ASK.replace("MOVES", str(options.moves)).replace("REACH", str(options.reach))
        source = (Path(folder) / f"{options.scene}.html").read_text() + ask.replace(
            "BACK", str(BACK)
        )
        for name, size in WIDTHS.items():
            said = in_chromium(source.encode(), size, folder)
            times = sorted(said["times"])
            n, found = len(times), sum(0 < k for k in said["back"])
            rate, middle, high = 1e3 * n / sum(times), times[n // 2], times[int(0.95 * n)]
            print(
                f"{name} ({size}): first frame after {said['first']:.0f} ms; under a hand, {rate:.1f} frames"
            )
            print(
                f"  a second, median {middle:.1f} ms, 95 % under {high:.1f} ms; loss under {BACK:g} within 30"
            )
            print(f"  frames of rest in {found} of {len(said['back'])} moves")


def in_chromium(source: bytes, size: str, folder: str) -> dict[str, Any]:
    """What a page tells of itself."""
    told: queue.Queue[bytes] = queue.Queue()

    class Asked(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(source)

        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is said of requests."""

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("chromium is needed: apt install chromium")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}"]
        command += [f"--user-data-dir={folder}/{size}", "--remote-debugging-port=0"]
        browser = subprocess.Popen(
            [*command, f"http://127.0.0.1:{server.server_port}/"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found: dict[str, object] = json.loads(told.get(timeout=180))
            return found
        finally:
            browser.terminate()
            browser.wait(30)
            server.shutdown()


if __name__ == "__main__":
    main()
