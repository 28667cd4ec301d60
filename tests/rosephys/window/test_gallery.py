"""The gallery: its catalogue, its pictures, its window, and the sheet that is written without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.drawing.palette import colour
from rosephys.errors import SceneError
from rosephys.scene.catalogue import GROUPS, Entry, Group, groups
from rosephys.scene.finding import find_scene, scene_file, scene_names
from rosephys.sdl import pygame
from rosephys.window import gallery as module
from rosephys.window import thumbnail
from rosephys.window.gallery import Gallery, browse, lay_out, matching, write_sheet
from rosephys.window.painting import SIZE, paint
from rosephys.window.shipped import FOLDER
from rosephys.window.thumbnail import Thumbnails, cache, key
from tests.support.commands import SCENE, run

FRAME = 1 / 60

# ---- The catalogue ----


def test_every_scene_is_in_one_group_and_says_what_it_is() -> None:
    entries = [entry for group in groups() for entry in group.entries]
    assert sorted(entry.name for entry in entries) == scene_names()
    for entry in entries:
        told = (type(find_scene(entry.name)).__doc__ or "").split("\n\n")[0]
        assert entry.summary == " ".join(told.split()) != ""
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))


def test_a_scene_of_no_group_is_shown_at_the_end(monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(SCENE)
    monkeypatch.setattr("rosephys.scene.finding._BUILT_IN", (tmp_path,))
    assert [(g.title, [e.name for e in g.entries]) for g in groups()] == [("more", ["walk"])]


def folder_of_scenes(folder: Path) -> Path:
    (folder / "walk.py").write_text(SCENE)
    (folder / "run.py").write_text(SCENE.replace("Walk", "Run").replace(" to the goal", " away"))
    (folder / "helpers.py").write_text("raise RuntimeError('this is no scene, and is not run')\n")
    (folder / "_hidden.py").write_text(SCENE)
    return folder


def test_a_folder_has_its_scenes_and_none_of_its_files_is_run(tmp_path: Path) -> None:
    (group,) = groups(folder_of_scenes(tmp_path))
    assert group.title == tmp_path.name
    assert [(e.name, e.summary) for e in group.entries] == [
        ("run", "Run away."),
        ("walk", "Walk to the goal."),
    ]
    (tmp_path / "wrong.py").write_text("class Wrong(Scene)\n")
    assert [e.name for e in groups(tmp_path)[0].entries] == ["run", "walk", "wrong"]


def test_a_folder_without_a_scene_is_an_error(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SceneError, match="rosephys new"):
        groups(tmp_path)
    assert main(["gallery", str(tmp_path / "none"), "--out", "x.png"]) == 2
    assert "there is no folder" in capsys.readouterr().err


# ---- Pictures ----


def entries_of(folder: Path) -> list[Entry]:
    return list(groups(folder)[0].entries)


def made(thumbnails: Thumbnails, until: Callable[[], bool] | None = None) -> Thumbnails:
    """Wait for the pictures."""
    end = time.perf_counter() + 240  # a busy machine
    while thumbnails.left and not (until and until()):
        thumbnails.poll()
        time.sleep(0.01)
        assert time.perf_counter() < end
    return thumbnails


@pytest.fixture
def scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two scenes, and a cache of its own."""
    monkeypatch.setenv("ROSE_AD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ROSE_AD_CHECK")
    (tmp_path / "scenes").mkdir()
    return folder_of_scenes(tmp_path / "scenes")


def test_pictures_are_made_once_and_again_when_the_source_changes(scenes: Path) -> None:
    first = made(Thumbnails(entries_of(scenes)))
    assert first.total == 2 and not first.errors
    for entry in entries_of(scenes):
        file = first.files[entry.typed]
        assert pygame.image.load(file).get_size() == SIZE and file.parent == cache()
    again = Thumbnails(entries_of(scenes))
    assert again.total == again.left == 0 and again.files == first.files
    walk = scenes / "walk.py"
    walk.write_text(walk.read_text().replace('"white"', '"red"'))
    changed = Thumbnails(entries_of(scenes))
    assert changed.left == 1 and list(changed.files) == [str(scenes / "run.py")]
    changed.close()


def test_the_picture_is_of_the_solved_motion(scenes: Path) -> None:
    image = pygame.surfarray.array3d(paint(str(scenes / "walk.py"))).astype(int)
    ball = np.argwhere((image > 200).all(axis=2))
    centre = np.array(SIZE) / 2
    # at 0.6 of the way to (0.8, 0.3), in a view from -0.2 to 1.2 and to 0.8
    assert np.abs(ball.mean(axis=0) - centre)[0] < 40 and len(ball) > 100


def test_a_scene_that_fails_hangs_or_crashes_costs_its_own_picture(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_body(name: str, code: str) -> None:
        text = SCENE.replace("    def initial(self):", f"    def initial(self):\n        {code}")
        (scenes / f"{name}.py").write_text(
            text.replace("import rose_ad", "import os, time\nimport rose_ad")
        )

    with_body("a", "raise RuntimeError('on purpose')")
    with_body("b", "os._exit(3)")
    with_body("c", "print('[noise]')")
    with_body("z", "time.sleep(1000)")
    thumbnails = Thumbnails(entries_of(scenes))
    made(thumbnails, until=lambda: thumbnails.left == 1)
    monkeypatch.setattr(thumbnail, "PATIENCE", 0.1)
    made(thumbnails)
    assert {Path(typed).stem for typed in thumbnails.files} == {"c", "run", "walk"}
    errors = {Path(typed).stem: error for typed, error in thumbnails.errors.items()}
    assert "on purpose" in errors["a"] and "a.py:" in errors["a"]
    assert "came to an end" in errors["b"] and "longer than" in errors["z"]


def test_what_a_busy_machine_takes_is_no_matter(scenes: Path, monkeypatch: Any) -> None:
    """A scene gets as much work, whatever else the machine does meanwhile; only work counts as long."""
    clock = iter(np.arange(0.0, 1e6, 50.0))  # each look at the clock is 50 seconds later
    monkeypatch.setattr(thumbnail, "perf_counter", lambda: next(clock))
    seen: list[int] = []
    one = type("Iterate", (), {"loss": 1.0, "values": {}})
    monkeypatch.setattr(
        "rosephys.solve.optimize.descend",
        lambda problem, **how: (seen.append(1) or one for _ in range(9)),
    )
    paint(str(scenes / "walk.py"))
    assert len(seen) == 9
    monkeypatch.setattr(thumbnail, "IDLE", 1e9)
    thumbnails = made(Thumbnails(entries_of(scenes)))
    assert len(thumbnails.files) == 2


def test_a_scene_that_works_too_long_gets_no_picture(scenes: Path, monkeypatch: Any) -> None:
    text = (scenes / "walk.py").read_text()
    loop = "    def initial(self):\n        while True: pass"
    (scenes / "walk.py").write_text(text.replace("    def initial(self):", loop))
    monkeypatch.setattr(thumbnail, "PATIENCE", 3.0)
    monkeypatch.setattr(thumbnail, "IDLE", 1e9)
    thumbnails = made(Thumbnails(entries_of(scenes)))
    assert {Path(typed).stem for typed in thumbnails.errors} == {"walk"}


def test_a_card_without_a_picture_says_why(window: Gallery) -> None:
    before = turn(window)
    window.thumbnails.errors["a0"] = "it took longer than 90 s"
    box = on_screen(window, "a0")
    differs = (turn(window) != before).any(axis=2)[box.top : box.bottom, box.left : box.right]
    assert np.ptp(np.argwhere(differs)[:, 0]) > 20, "two lines"


# ---- Those that come with rosephys ----


def test_every_scene_that_comes_with_rosephys_has_its_picture_in_the_package() -> None:
    """`python -m rosephys.window.shipped` makes them."""
    files = sorted(FOLDER.iterdir())
    assert [file.stem for file in files] == [name for name in scene_names() if scene_file(name)]
    assert sum(file.stat().st_size for file in files) < 1_000_000
    for file in files:
        assert pygame.image.load(file).get_size() == SIZE
        image = pygame.surfarray.array3d(pygame.image.load(file))
        assert len(np.unique(image.reshape(-1, 3), axis=0)) > 8, f"nothing is seen in {file.name}"


def test_the_gallery_shows_them_at_once_and_only_for_their_own_scenes(scenes: Path) -> None:
    (scenes / "billiards.py").write_text(SCENE)
    own = Thumbnails(e for group in groups() for e in group.entries)
    assert own.left == 0 and own.files["billiards"] == FOLDER / "billiards.png"
    other = Thumbnails(entries_of(scenes))
    assert other.left == 3
    own.close(), other.close()


def test_without_a_cache_there_are_pictures_all_the_same(scenes: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ROSE_AD_CACHE", "off")
    thumbnails = made(Thumbnails(entries_of(scenes)))
    assert len(thumbnails.files) == 2 and cache() is None
    assert all(file.exists() for file in thumbnails.files.values())
    thumbnails.close()
    assert not any(file.exists() for file in thumbnails.files.values())


def test_old_pictures_are_removed(scenes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cache()
    assert folder is not None
    for k in range(6):
        (folder / f"{k}.png").write_bytes(b"")
        time.sleep(0.01)
    monkeypatch.setattr(thumbnail, "KEPT", 4)
    Thumbnails(entries_of(scenes)[:0])
    assert sorted(p.name for p in folder.iterdir()) == [f"{k}.png" for k in range(2, 6)]
    assert key(entries_of(scenes)[0]) != key(entries_of(scenes)[1])


# ---- The page ----


def some(*sizes: int) -> list[Group]:
    """Groups of so many scenes: a0, a1, ..., b0, ..."""
    letters = "abcdefgh"
    return [
        Group(letters[g], [Entry(f"{letters[g]}{k}", f"{letters[g]}{k}", None, f"line {k}") for k in range(n)])
        for g, n in enumerate(sizes)
    ]  # fmt: skip


@pytest.mark.parametrize("width", [200, 640, 1200, 3000])
def test_cards_fill_the_width_and_do_not_overlap(width: int) -> None:
    page = lay_out(some(5, 1, 8), width, 1.0)
    assert len(page.cards) == 14 and len(page.headings) == 3
    boxes = [card.box for card in page.cards]
    assert all(box.collidelist(boxes[k + 1 :]) == -1 for k, box in enumerate(boxes))
    assert all(0 <= box.left and box.right <= width and box.bottom <= page.height for box in boxes)
    rows = {card.row for card in page.cards}
    assert rows == set(range(len(rows)))


def test_the_filter_looks_at_names_lines_and_groups() -> None:
    known = groups()
    assert [e.name for g in matching(known, "billi") for e in g.entries] == ["billiards"]
    liquids = {e.name for g in matching(known, "LIQUIDS") for e in g.entries}
    assert {"dam", "slosh"} <= liquids < set(scene_names())
    assert [e.name for g in matching(known, "robot walk boxes") for e in g.entries] == ["rigid"]
    assert matching(known, "no such thing") == [] and matching(known, "  ") == known


# ---- The window ----


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    """A gallery of 12 scenes without pictures, on a display that nobody sees."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(Thumbnails, "poll", lambda self: None)
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((1200, 720), pygame.RESIZABLE)
    yield Gallery(some(6, 3, 3))
    pygame.display.quit()


def press(window: Gallery, *keys: int, text: str = "") -> None:
    for code in keys:
        window.handle(pygame.event.Event(pygame.KEYDOWN, key=code, mod=0, unicode=""))
    for letter in text:
        window.handle(pygame.event.Event(pygame.KEYDOWN, key=ord(letter), mod=0, unicode=letter))


def turn(window: Gallery, frames: int = 1) -> np.ndarray:
    for _ in range(frames):
        window.frame(pygame.display.get_surface(), FRAME)
    shown = pygame.surfarray.array3d(pygame.display.get_surface())
    return np.asarray(shown.swapaxes(0, 1), int)


def on_screen(window: Gallery, name: str) -> pygame.Rect:
    box = next(card.box for card in window.page.cards if card.entry.name == name)
    return box.move(0, window.view.top - round(window.scroll))


def test_arrows_walk_over_the_cards(window: Gallery) -> None:
    turn(window)
    assert window.selected == "a0"
    for code, name in (
        (pygame.K_LEFT, "a0"),
        (pygame.K_RIGHT, "a1"),
        (pygame.K_DOWN, "a5"),  # the second row of the group has two
        (pygame.K_DOWN, "b1"),
        (pygame.K_DOWN, "c1"),
        (pygame.K_DOWN, "c1"),
        (pygame.K_UP, "b1"),
        (pygame.K_END, "c2"),
        (pygame.K_UP, "b2"),
        (pygame.K_UP, "a5"),
        (pygame.K_HOME, "a0"),
        (pygame.K_PAGEDOWN, "b0"),
    ):
        press(window, code)
        assert window.selected == name
        turn(window, 60)
        assert window.view.contains(on_screen(window, name)), "it can be seen"
    image = turn(window)
    box = on_screen(window, "b0")
    assert (image[box.centery, box.left : box.left + 2] == colour("accent")).all()


def test_enter_opens_what_is_marked_and_escape_leaves(window: Gallery) -> None:
    press(window, pygame.K_RIGHT, pygame.K_RETURN)
    assert window.opened == "a1" and not window.done
    press(window, pygame.K_ESCAPE)
    assert window.done


def test_typing_filters_and_escape_clears_the_filter_first(window: Gallery) -> None:
    press(window, text="c")
    assert [c.entry.name for c in window.page.cards] == ["c0", "c1", "c2"]
    assert window.selected == "c0"
    press(window, text="1")
    assert [c.entry.name for c in window.page.cards] == ["c1"] and window.query == "c1"
    press(window, text="zz")
    assert not window.page.cards and window.selected == ""
    turn(window)
    press(window, pygame.K_DOWN, pygame.K_RETURN, pygame.K_END)
    assert window.opened is None
    press(window, pygame.K_BACKSPACE, pygame.K_BACKSPACE)
    assert window.query == "c1" and window.selected == "c1"
    press(window, pygame.K_ESCAPE)
    assert window.query == "" and len(window.page.cards) == 12 and not window.done
    assert window.selected == "c1"
    press(window, pygame.K_ESCAPE)
    assert window.done


def test_the_mouse_marks_scrolls_and_opens(window: Gallery) -> None:
    turn(window)
    place = on_screen(window, "a3").center
    window.handle(pygame.event.Event(pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0)))
    assert window.selected == "a3" and window.opened is None
    window.handle(pygame.event.Event(pygame.MOUSEWHEEL, x=0, y=-4, precise_y=-4.0))
    turn(window, 60)
    assert window.scroll == pytest.approx(360, abs=1)
    for notches in (-100.0, 100.0):
        window.handle(pygame.event.Event(pygame.MOUSEWHEEL, x=0, y=0, precise_y=notches))
        turn(window, 60)
        end = window.page.height - window.view.height
        assert window.scroll == pytest.approx(end if notches < 0 else 0.0, abs=1)
    for place, button, opened in (
        ((20, 20), 1, None),
        (on_screen(window, "a2").center, 3, None),
        (on_screen(window, "a2").center, 1, "a2"),
    ):
        window.handle(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=place, button=button))
        assert window.opened == opened


@pytest.mark.parametrize("size", [(1600, 1000), (420, 700), (200, 150), (3, 2), (1, 1)])
def test_any_size_will_do(window: Gallery, size: tuple[int, int]) -> None:
    press(window, pygame.K_END)
    pygame.display.set_mode(size, pygame.RESIZABLE)
    image = turn(window, 60)
    assert image.shape[:2] == size[::-1] and window.size == size
    if min(size) > 400:
        assert window.view.contains(on_screen(window, "c2")), "what was marked is still seen"


def test_pictures_appear_while_the_window_is_open(scenes: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    pygame.display.set_mode((900, 600))
    window = Gallery(groups(scenes))
    before, frames = turn(window), 0
    begin = time.perf_counter()
    while window.thumbnails.left:
        turn(window)
        frames += 1
        time.sleep(0.01)
        assert time.perf_counter() - begin < 240
    after = turn(window, 40)
    box = on_screen(window, "walk")
    changed = (before != after).any(axis=2)[box.top : box.bottom, box.left : box.right]
    assert changed.sum() > 200 and frames > 10, "and the window does not wait for them"
    window.close()
    pygame.display.quit()


def test_choosing_opens_a_scene_and_its_end_leads_back(window: Gallery, monkeypatch: Any) -> None:
    key_down = pygame.KEYDOWN
    down, enter, leave = (
        pygame.event.Event(key_down, key=k, mod=0, unicode="")
        for k in (pygame.K_RIGHT, pygame.K_RETURN, pygame.K_ESCAPE)
    )
    queue = iter([[], [down, enter], [], [down], [enter], [], [leave]])
    monkeypatch.setattr(pygame.event, "get", lambda: next(queue))
    seen: list[tuple[str, bool]] = []

    def show(typed: str) -> None:
        seen.append((typed, pygame.display.get_init()))
        if typed == "a2":
            raise SceneError("there is no such scene any more")

    galleries: list[Gallery] = []
    close = Gallery.close
    monkeypatch.setattr(Gallery, "close", lambda self: (galleries.append(self), close(self)))
    browse(some(6, 3), show)
    assert seen == [("a1", False), ("a2", False)], "it has the display to itself"
    assert next(queue, None) is None and not pygame.display.get_init()
    assert galleries[0].selected == "a2"


def test_a_scene_that_cannot_be_opened_is_told(window: Gallery) -> None:
    window.message = "error in line 3"
    image = turn(window)
    assert (image == colour("bad")).all(axis=2).sum() > 100
    press(window, pygame.K_RIGHT)
    assert window.message == ""


# ---- Without a window ----


def test_the_sheet_has_every_card_and_is_the_same_twice(scenes: Path, tmp_path: Path) -> None:
    shown: list[tuple[str, int, int]] = []
    for name in ("one.png", "two.png"):
        write_sheet(groups(scenes), tmp_path / name, progress=lambda *told: shown.append(told))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert shown[0] == ("pictures", 0, 2)
    image = pygame.surfarray.array3d(pygame.image.load(tmp_path / "one.png"))
    assert image.shape[0] == 1200 and image.shape[1] > 300
    assert (image > 245).all(axis=2).sum() > 50, "the walkers are white"


def test_the_command_writes_the_sheet_where_there_is_no_display(
    scenes: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    out = tmp_path / "new" / "mine.png"
    assert main(["gallery", str(scenes), "--out", str(out)]) == 0
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert main(["gallery", str(scenes), "--out", str(tmp_path / "mine.gif")]) == 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert main(["gallery", str(scenes)]) == 0
    assert (tmp_path / "gallery.png").read_bytes() == out.read_bytes()


def test_the_command_opens_scenes_as_scene_does(scenes: Path, monkeypatch: Any) -> None:
    opened: list[Any] = []
    monkeypatch.setattr("rosephys.window.viewer.display_problem", lambda: None)
    monkeypatch.setattr(module, "browse", lambda found, show: show(found[0].entries[1].typed))
    monkeypatch.setattr(
        "rosephys.window.viewer.view", lambda problem, **how: opened.append((problem, how))
    )
    assert main(["gallery", str(scenes)]) == 0
    ((problem, how),) = opened
    assert problem.scene.name == "walk" and how["iterations"] == 12
    assert how["source"].file == scenes / "walk.py", "and follows what changes in the file"


def test_help_names_it() -> None:
    assert "gallery" in run("--help").stdout
