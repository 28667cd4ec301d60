"""Pages of scenes: what is in them, how large they are, and what they do in a browser."""

from __future__ import annotations

import gzip
import http.server
import queue
import re
import shutil
import subprocess
import threading
from functools import cache
from pathlib import Path

import pytest

from rosephys.command.cli import main
from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from rosephys.web.pages import element, embedding, gallery, page
from rosephys.web.program import code_of, scene_module
from tests.support.tools import needs_node

# bytes of billiards, gzipped; the module without what it says of itself
PAGE, MODULE = 30_000, 12_000
PATIENCE = 300  # seconds for what hangs: none of it takes a tenth of them
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@cache
def module(name: str) -> bytes:
    return scene_module(Problem(find_scene(name)), name.capitalize(), "A scene & <its> page")


def script(source: str) -> str:
    """The JavaScript in a page."""
    return source.split('<script type="module">', 1)[1].split("</script>", 1)[0]


def test_billiards_is_small(tmp_path: Path) -> None:
    assert main(["export", "billiards", "--web", str(tmp_path)]) == 0
    assert len(gzip.compress((tmp_path / "billiards.html").read_bytes(), 9)) < PAGE
    assert len(gzip.compress(code_of(module("billiards"))[0], 9)) < MODULE


def test_a_page_needs_nothing_else() -> None:
    source = page(module("pendulum"), "Pendulum", "A scene & <its> page")
    assert not re.search(r"(?:src|href)=\"(?!data:)", source) and "http" not in script(source)
    assert "A scene &amp; &lt;its&gt; page" in source


@needs_node
@pytest.mark.parametrize("what", ["element", "page", "gallery"])
def test_scripts_are_javascript(what: str, tmp_path: Path) -> None:
    entries = [("the scenes", [("pendulum", "Pendulum", "It swings.")])]
    sources = {"element": element, "page": lambda: script(page(module("pendulum"), "P", ""))}
    source = sources.get(what, lambda: script(gallery(entries)))()
    (tmp_path / "script.mjs").write_text(source)
    subprocess.run(["node", "--check", "script.mjs"], cwd=tmp_path, check=True)
    kept = source if what != "gallery" else ""
    assert not re.search(r"^(import|export) ", kept, re.MULTILINE)


def test_what_a_scene_does_not_draw_is_left_out() -> None:
    assert len(element(module("pendulum"))) < len(element(module("billiards"))) < len(element())


def test_an_embedding_takes_two_lines() -> None:
    source = embedding("pendulum")
    assert '<rosephys-scene src="pendulum.wasm"' in source and "rosephys-scene.js" in source


# ---- In a browser ----

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


class Asked(http.server.BaseHTTPRequestHandler):
    """Gives a page, and hears what it tells."""

    source: bytes
    told: queue.Queue[str]

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.source if self.path == "/" else b"")

    def do_POST(self) -> None:
        self.told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said of requests."""


def in_browser(folder: Path, name: str, asked: str, place: str = "", size: str = "1000,700") -> str:
    """What a page tells after it was asked something."""
    source = (page(module(name), name, "") + ASK.format(asked=asked)).encode()
    handler = type("Handler", (Asked,), {"source": source, "told": queue.Queue()})
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


SOLVED = """const first = scene.losses[0];
await until(() => scene.losses.length > 2 && scene.loss < first);
tell(scene.loss < first, scene.note.textContent);"""


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("name", ["billiards", "pendulum", "bounce", "orbit", "heat"])
def test_scenes_are_solved_in_a_browser(name: str, tmp_path: Path) -> None:
    assert in_browser(tmp_path, name, SOLVED) == "true,"


DRAGGED = """await until(() => scene.at && scene.loss < 1e-3);
const [goal] = scene.handles().filter((h) => h.field === "goal"), box = scene.canvas.getBoundingClientRect();
const x = box.left + goal.x / scene.ratio, y = box.top + goal.y / scene.ratio;
const how = {{ pointerType: "{kind}" }};
hand("pointerdown", x, y, how); hand("pointermove", x + 12, y + 8, how);
const moved = scene.values.goal.map((v, k) => v - scene.spec.fields.find((f) => f.name === "goal").value[k]);
await until(() => scene.loss < 1e-3);
hand("pointerup", x + 12, y + 8, how);
tell(moved[0] > 0, moved[1] < 0, scene.loss < 1e-3, scene.held === null);"""


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_the_answer_follows_a_hand(kind: str, tmp_path: Path) -> None:
    assert in_browser(tmp_path, "billiards", DRAGGED.format(kind=kind)) == "true,true,true,true"


ROW = """await until(() => scene.at && scene.getAttribute("state") !== "solving");
const hold = () => scene.handles().filter((h) => h.row === 1)[0], at = (h) => [h.x / scene.ratio, h.y /
scene.ratio]; const box = scene.canvas.getBoundingClientRect(), [x, y] = at(hold()), before =
scene.values.points.slice(); const how = {{ pointerType: "mouse" }}; hand("pointerdown", box.left + x, box.top
+ y, how); for (let k = 1; k <= 10; k++) {{
  hand("pointermove", box.left + x + 4 * k, box.top + y, how);
  await wait(50);
}}
await wait(500);
const [px] = at(hold()), moved = scene.values.points.filter((v, k) => Math.abs(v - before[k]) > 1).length;
const held = Math.abs(px - x - 40) < 1e-6, low = scene.loss < 10;
hand("pointerup", box.left + x + 40, box.top + y, how);
tell(held, moved > 3, low, scene.note.textContent);"""


@needs_chromium
@pytest.mark.slow
def test_the_rest_settles_about_a_row_that_is_held(tmp_path: Path) -> None:
    assert in_browser(tmp_path, "diagram", ROW.format()) == "true,true,true,"


HOSTILE = {
    "numbers that are none": "#goal=NaN,1&cue_position=1e999,0&restitution=x&dt=&theme=none",
    "numbers out of bounds": "#restitution=77&radius=-5&dt=0",
    "numbers far away": "#cue_velocity=1e300,1e300&goal=-1e300,1e300",
    "what is no state": "#%E0%A4%A&&&===",
}


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("place", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_does_not_hang_a_page(place: str, tmp_path: Path) -> None:
    asked = "await wait(500); scene.draw(); tell('alive', scene.values.restitution[0] <= 1)"
    assert in_browser(tmp_path, "billiards", asked, place) == "alive,true"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("size", ["60,60", "8000,200"])
def test_odd_windows_show_something(size: str, tmp_path: Path) -> None:
    asked = "await wait(500); tell(scene.canvas.width > 0, scene.canvas.width <= 8192)"
    assert in_browser(tmp_path, "billiards", asked, size=size) == "true,true"


@needs_chromium
@pytest.mark.slow
def test_sliders_and_keys_are_answered(tmp_path: Path) -> None:
    asked = """const input = scene.root.querySelector('[data-field="restitution"]');
    input.value = 1000; input.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    scene.change("restitution", Float64Array.of(NaN), false);
    const key = (k) => scene.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true }));
    key(" "); key("Home"); key("t");
    await wait(300);
    tell(scene.values.restitution[0], scene.playing, scene.frame, scene.theme);"""
    found = in_browser(tmp_path, "billiards", asked)
    assert found == "1,false,0,light"
