"""What pages do in a browser: they solve, follow a hand, show what there is, and bear what is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import in_browser, needs_chromium

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
@pytest.mark.parametrize("size", ["60,60", "8000,200", "1,1"])
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


TAKEN = """await until(() => scene.at && scene.loss < 1e-2);
scene.play(false); scene.go(100); await wait(100);
const before = scene.circles()[0], box = scene.canvas.getBoundingClientRect(), how = { pointerType: KIND };
const { ratio, frame } = scene, x = box.left + before.x / ratio, y = box.top + before.y / ratio;
const there = () => scene.loss < 1e-9 && scene.frame === frame &&
  Math.hypot(scene.circles()[0].x - before.x - 8 * ratio, scene.circles()[0].y - before.y + 4 * ratio) < 1.5;
hand("pointermove", x, y, how); await wait(50);
const over = scene.over?.circle;
hand("pointerdown", x, y, how);
for (let k = 1; k <= 8; k++) { hand("pointermove", x + k, y - k / 2, how); await wait(20); }
await until(there, 20000);
const follows = there();
hand("pointerup", x + 8, y - 4, how); await wait(200);
const stays = there() && !scene.held;
scene.pressed("solve"); await until(() => scene.kind.textContent === "loss", 20000);
tell(over, follows, stays, scene.aim, scene.kind.textContent);"""


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_a_circle_in_motion_is_taken_and_stays_where_the_hand_left_it(
    kind: str, tmp_path: Path
) -> None:
    asked = TAKEN.replace("KIND", repr(kind))
    assert in_browser(tmp_path, "bounce", asked) == "0,true,true,,loss"


@needs_chromium
@pytest.mark.slow
def test_what_no_control_moves_stays(tmp_path: Path) -> None:
    asked = """await until(() => scene.at && scene.loss < 1e-2);
    scene.play(false); scene.go(0); await wait(100);
    const found = scene.circles()[4], box = scene.canvas.getBoundingClientRect();
    const x = box.left + found.x / scene.ratio, y = box.top + found.y / scene.ratio;
    hand("pointerdown", x, y, {}); hand("pointermove", x + 50, y, {});
    await until(() => scene.loss > 1e-4 && scene.slope.cue_velocity.every((s) => s === 0));
    tell(scene.circles()[4].x === found.x, scene.getAttribute("state") !== "failed");"""
    assert in_browser(tmp_path, "billiards", asked) == "true,true"


LANDSCAPE = """await until(() => scene.at && scene.loss < 1e-2);
scene.details.open = true;
await until(() => scene.landscape?.n >= 17);
const { axes, losses, n } = scene.landscape, box = scene.land.getBoundingClientRect();
scene.land.setPointerCapture = () => {};
const press = (kind, i, j) => scene.land.dispatchEvent(new PointerEvent(kind, { bubbles: true, pointerId: 1,
  clientX: box.left + (box.width * i) / (n - 1), clientY: box.bottom - (box.height * j) / (n - 1) }));
press("pointerdown", 4, 12);
const share = ({ name, index, low, high }) => (scene.values[name][index] - low) / (high - low);
const [a, b] = axes.map((axis) => share(axis) * (n - 1));
await until(() => Math.abs(scene.loss / losses[12 * n + 4] - 1) < 1e-9);
const same = Math.abs(scene.loss / losses[12 * n + 4] - 1) < 1e-9;
press("pointerup", 4, 12);
await until(() => scene.loss < losses[12 * n + 4]);
tell(Math.round(a), Math.round(b), same, scene.loss < losses[12 * n + 4]);"""


@needs_chromium
@pytest.mark.slow
def test_a_hand_in_the_landscape_chooses_the_controls(tmp_path: Path) -> None:
    assert in_browser(tmp_path, "bounce", LANDSCAPE) == "4,12,true,true"


@needs_chromium
@pytest.mark.slow
def test_a_page_that_is_not_seen_rests(tmp_path: Path) -> None:
    asked = """let hidden = true;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    const turn = () => document.dispatchEvent(new Event("visibilitychange"));
    turn(); await wait(300);
    scene.change("goal", Float64Array.of(0.7, 0.5), false); await wait(300);
    const before = scene.losses.length; await wait(700);
    const rests = scene.losses.length === before;
    hidden = false; turn();
    await until(() => scene.losses.length > before + 5);
    tell(rests, scene.losses.length > before + 5);"""
    assert in_browser(tmp_path, "billiards", asked) == "true,true"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("what", ["lost", "without a worker"])
def test_what_a_browser_takes_away_is_made_up_for(what: str, tmp_path: Path) -> None:
    lost = """await until(() => scene.at); scene.play(false); await wait(200);
    const ctx = scene.canvas.getContext("2d"), { width, height } = scene.canvas;
    ctx.clearRect(0, 0, width, height);
    scene.canvas.dispatchEvent(new Event("contextrestored"));
    tell(ctx.getImageData(width >> 1, height >> 1, 1, 1).data[3]);"""
    alone = """globalThis.Worker = class { constructor() { throw new Error("none"); } };
    const other = document.createElement("rosephys-scene");
    other.bytes = scene.bytes;
    document.body.append(other);
    await until(() => other.losses?.length > 20);
    tell(other.losses.length > 20 ? 255 : 0);"""
    asked = lost if what == "lost" else alone
    assert in_browser(tmp_path, "billiards", asked) == "255"


@needs_chromium
@pytest.mark.slow
def test_a_hundred_thousand_steps_are_solved_beside_the_page(tmp_path: Path) -> None:
    asked = """let longest = 0, last = performance.now();
    const look = (now) => { longest = Math.max(longest, now - last); last = now; requestAnimationFrame(look); };
    requestAnimationFrame(look);
    await wait(1500);
    tell(scene.spec.steps, scene.spec.frames <= 1100, scene.losses.length > 0, longest < 1000);"""
    settings = {"steps": "100000"}
    assert in_browser(tmp_path, "bounce", asked, settings=settings) == "100000,true,true,true"


GROUND = """await until(() => scene.at);
await wait(200);
const pen = scene.canvas.getContext("2d");
const shade = (y) => [...pen.getImageData(4, scene.at.y(y), 1, 1).data].join();
tell(shade(-0.15) !== shade(0.15), shade(-0.15) === shade(-0.2));"""


@needs_chromium
@pytest.mark.slow
def test_what_is_much_larger_than_the_page_is_drawn_on_it(tmp_path: Path) -> None:
    assert in_browser(tmp_path, "hopper", GROUND) == "true,true"
