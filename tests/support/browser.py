"""A page in a browser that nobody sees, asked something."""

from __future__ import annotations

import http.server
import queue
import shutil
import subprocess
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from rosephys.web.pages import element, page
from rosephys.web.program import scene_module

PATIENCE = 300  # seconds for what hangs: none of it takes a tenth of them
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@cache
def module(name: str, **settings: str) -> bytes:
    return scene_module(
        Problem(find_scene(name, settings)), name.capitalize(), "A scene & <its> page"
    )


ASK = """<script type="module">
const scene = document.querySelector("rosephys-scene");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const until = async (what, ms = 240000) => {{
  for (const end = Date.now() + ms; !what() && Date.now() < end;) await wait(20);
}};
const hand = (kind, x, y, how) => scene.canvas.dispatchEvent(new PointerEvent(kind,
  {{ bubbles: true, pointerId: 1, clientX: x, clientY: y, ...how }}));
const tell = (...found) => fetch("/told", {{ method: "POST", body: found.join() }});
await until(() => scene.loss !== undefined || scene.getAttribute("state") === "failed");
scene.canvas.setPointerCapture = () => {{}};
try {{ {asked} }} catch (error) {{ tell(error); }}
</script>"""


EMBEDDED = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const until = async (what, ms = 60000) => {
  for (const end = Date.now() + ms; !what() && Date.now() < end;) await wait(20);
};
const tell = (...found) => fetch("/told", { method: "POST", body: found.join("|") });
const scenes = () => [...document.querySelectorAll("rosephys-scene")];
const solved = (scene) => until(() => scene.loss !== undefined || scene.getAttribute("state") === "failed");
const note = (scene) => scene.root.querySelector(".note").textContent;
"""


class Asked(http.server.BaseHTTPRequestHandler):
    """Gives files by their paths, and hears what a page of them tells."""

    files: Mapping[str, bytes]
    headers_sent: Mapping[str, str]
    told: queue.Queue[str]

    def do_GET(self) -> None:
        found = self.files.get(self.path.partition("?")[0])
        self.send_response(200 if found is not None else 404)
        kind = "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8"
        for name, value in {"Content-Type": kind, **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(found or b"")

    def do_POST(self) -> None:
        self.told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said of requests."""


def in_browser(
    folder: Path,
    name: str,
    asked: str,
    place: str = "",
    size: str = "1000,700",
    settings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """What a page tells after it was asked something."""
    source = page(module(name, **settings), name, "") + ASK.format(asked=asked)
    return _told(folder, {"/": source.encode()}, place, size)


def embedded(folder: Path, body: str, asked: str, policy: str = "") -> str:
    """What a page that embeds scenes tells: its body may name `rosephys-scene.js`, `pendulum.wasm` and
    `orbit.wasm`; `policy` is its Content-Security-Policy."""
    files = {"/": body.encode(), "/asked.js": (EMBEDDED + asked).encode()}
    files["/"] += b'<script type="module" src="asked.js"></script>'
    files["/rosephys-scene.js"] = element().encode()
    files |= {f"/{name}.wasm": module(name) for name in ("pendulum", "orbit")}
    return _told(folder, files, headers={"Content-Security-Policy": policy} if policy else {})


def _told(
    folder: Path,
    files: Mapping[str, bytes],
    place: str = "",
    size: str = "1000,700",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> str:
    given = {"files": files, "headers_sent": headers, "told": queue.Queue()}
    handler = type("Handler", (Asked,), given)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
        command += [f"--window-size={size}", f"--user-data-dir={folder / 'profile'}"]
        command += ["--remote-debugging-port=0"]  # so that it stays
        command += [f"http://127.0.0.1:{server.server_port}/{place}"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            told: str = handler.told.get(timeout=PATIENCE)
            return told
        finally:
            browser.terminate()
            browser.wait(30)
            server.shutdown()
