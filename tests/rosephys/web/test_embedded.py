"""The element <rosephys-scene> in pages of others: two of them, policies, what is missing, what comes, goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rosephys.web.pages import gallery
from tests.support.browser import embedded, needs_chromium

SCRIPT = '<script type="module" src="rosephys-scene.js"></script>'
ONE = '<rosephys-scene src="pendulum.wasm"></rosephys-scene>'
TWO = f'{SCRIPT}{ONE}<rosephys-scene src="orbit.wasm"></rosephys-scene>'
BOTH = """await Promise.all(scenes().map(solved));
tell(...scenes().map((scene) => scene.spec.title), ...scenes().map((scene) => Number.isFinite(scene.loss)));"""
# what there is, what is asked of it, and what it tells
CASES = {
    "two": (TWO, BOTH, "Pendulum|Orbit|true|true"),
    "the script twice": (
        SCRIPT.replace(".js", ".js?again") + TWO,
        "let errors = 0; onerror = () => errors++; await wait(300);"
        + BOTH.replace("tell(", "tell(errors, "),
        "0|Pendulum|Orbit|true|true",
    ),
    "nothing there": (
        f'{SCRIPT}<rosephys-scene src="gone.wasm"></rosephys-scene>',
        "await until(() => scenes()[0].root?.querySelector('.note')?.textContent); tell(note(scenes()[0]));",
        "This scene cannot be shown: gone.wasm: 404 Not Found",
    ),
    "no src": (
        f"{SCRIPT}<rosephys-scene></rosephys-scene>",
        "await until(() => scenes()[0].root?.querySelector('.note')?.textContent); tell(note(scenes()[0]));",
        "This scene cannot be shown: it has no src",
    ),
    "another src and theme": (
        SCRIPT + ONE,
        """const [scene] = scenes();
        await solved(scene);
        scene.setAttribute("theme", "light");
        const light = scene.theme;
        scene.setAttribute("src", "pendulum.wasm?again");
        scene.setAttribute("src", "orbit.wasm");
        await until(() => scene.spec.title === "Orbit" && scene.motion);
        scene.root.querySelector('[data-do="theme"]').click();
        tell(light, scene.spec.title, scene.theme);""",
        "light|Orbit|dark",
    ),
    "words with signs": (
        SCRIPT + ONE,
        """await solved(scenes()[0]);
        tell(scenes()[0].root.querySelector("aside p").textContent);""",
        "A scene & <its> page",
    ),
}
GONE = """let begun = 0, ended = 0;
const { Worker: Plain } = globalThis;
globalThis.Worker = class extends Plain {
  constructor(...given) { super(...given); begun++; }
  terminate() { ended++; super.terminate(); }
};
const scene = document.createElement("rosephys-scene");
scene.setAttribute("src", "pendulum.wasm");
document.body.append(scene);
await solved(scene);
const place = document.createElement("div");
document.body.append(place);
place.append(scene); // moved: it goes on
await wait(50);
const moved = [begun, ended];
scene.remove();
await wait(50);
const away = [begun, ended];
scene.loss = undefined;
document.body.append(scene); // put back: it goes on
await solved(scene);
scene.remove();
const soon = document.createElement("rosephys-scene"); // gone before it is loaded
soon.setAttribute("src", "orbit.wasm");
document.body.append(soon);
soon.remove();
await wait(500);
tell(moved, away, [begun, ended], begun - ended);"""
POLICIES = {  # what a page may do, and whether a scene is solved there
    "wasm alone": ("script-src 'self' 'wasm-unsafe-eval' blob:; style-src 'self'", "true|Pendulum"),
    "no worker": (
        "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'",
        "true|Pendulum",
    ),
}
LOOK = """const [scene] = scenes();
await until(() => scene.loss < 1);
tell(getComputedStyle(scene.root.querySelector("aside")).position !== "" &&
  getComputedStyle(scene).display === "grid" && scene.loss < 1, scene.spec.title);"""
HANDS = """const [scene] = scenes();
await solved(scene);
await until(() => scene.at);
scene.canvas.setPointerCapture = () => {};
const hand = (kind, x, y, how) => scene.canvas.dispatchEvent(new PointerEvent(kind,
  { bubbles: true, clientX: x, clientY: y, ...how }));
const box = scene.canvas.getBoundingClientRect(), [goal] = scene.handles();
const x = box.left + goal.x / scene.ratio, y = box.top + goal.y / scene.ratio;
const at = () => scene.values[goal.field].join();
const found = [];
hand("pointerdown", x, y, { pointerId: 1, button: 2 });
found.push(!scene.held); // the right button takes nothing
hand("pointerdown", x, y, { pointerId: 5 });
hand("pointermove", x + 9, y, { pointerId: 5 });
const before = at();
hand("pointerdown", x + 60, y + 60, { pointerId: 6 });
hand("pointermove", x + 90, y + 90, { pointerId: 6 });
hand("pointerup", x + 90, y + 90, { pointerId: 6 });
found.push(scene.held?.id === 5, at() === before); // a second finger neither moves nor lets go
scene.style.width = "500px"; // the page is resized meanwhile
await wait(100);
hand("pointermove", x - 20, y, { pointerId: 5 });
found.push(at() !== before);
hand("KIND", x, y, { pointerId: 5 });
found.push(scene.held === null);
hand("pointerdown", x, y, { pointerId: 7 });
tell(...found);"""


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_an_element_lives_in_a_page_of_others(case: str, tmp_path: Path) -> None:
    body, asked, wanted = CASES[case]
    assert embedded(tmp_path, body, asked) == wanted


@needs_chromium
@pytest.mark.slow
def test_a_gallery_is_alive(tmp_path: Path) -> None:
    entries = [(name, name.capitalize(), "It <moves>.") for name in ("pendulum", "orbit")]
    asked = """await until(() => scenes().length === 2 && scenes().every((scene) => scene.at));
    document.body.style.width = "300px"; // as on a phone
    await wait(200);
    tell(scenes().length, scenes().every((scene) => scene.playing && scene.theme === "light"),
      document.body.scrollWidth <= 380);"""
    assert embedded(tmp_path, gallery([("the scenes", entries)]), asked) == "2|true|true"


@needs_chromium
@pytest.mark.slow
def test_who_goes_takes_the_worker_along(tmp_path: Path) -> None:
    assert embedded(tmp_path, SCRIPT + "<p>", GONE) == "1,0|1,1|3,3|0"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_scenes_are_solved_under_policies(policy: str, tmp_path: Path) -> None:
    allowed, wanted = POLICIES[policy]
    assert embedded(tmp_path, SCRIPT + ONE, LOOK, allowed) == wanted


@needs_chromium
@pytest.mark.slow
def test_a_page_that_forbids_modules_is_told(tmp_path: Path) -> None:
    asked = "await until(() => scenes()[0].root?.querySelector('.note')); tell(note(scenes()[0]));"
    told = embedded(tmp_path, SCRIPT + ONE, asked, "script-src 'self'")
    assert "cannot be shown" in told and "Content Security Policy" in told


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("end", ["pointerup", "pointercancel", "lostpointercapture"])
def test_one_hand_at_a_time(end: str, tmp_path: Path) -> None:
    body = SCRIPT + ONE.replace("pendulum", "orbit")
    assert embedded(tmp_path, body, HANDS.replace("KIND", end)) == "true|true|true|true|true"
