"""The gallery: a picture of every scene in a window, to choose one from by keys or by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep

import numpy as np

from rosephys.drawing.palette import colour
from rosephys.drawing.pixels import pixels
from rosephys.drawing.words import key_cap, text_width, words, wrapped
from rosephys.errors import describe
from rosephys.files.png import write_png
from rosephys.scene.catalogue import Entry, Group
from rosephys.sdl import pygame
from rosephys.window.card import draw_message
from rosephys.window.painting import SIZE
from rosephys.window.thumbnail import Thumbnails

FRAMES = 60  # a second
CARD = 262  # design pixels that a card is wide at least
GAP, EDGE = 18, 40  # between cards, and beside them
HEADER, FOOTER, HEADING = 86, 40, 44
TEXT = 70  # below a picture, for the scene's name and its line
WHEEL = 90  # design pixels for a notch of the wheel
APPEAR_SECONDS = 0.25  # in which a new picture fades in
WHY = 4  # lines that say why there is no picture
LOADED = 4  # pictures that are read in one frame at most
KEYS = (("Enter", "open"), ("Arrows", "choose"), ("A-Z", "filter"), ("Esc", "leave"))


@dataclass(frozen=True)
class Card:
    """A scene's place on the page: its row, counted over all groups, and its box."""

    entry: Entry
    row: int
    box: pygame.Rect


@dataclass(frozen=True)
class Page:
    """Cards and headings from the top down; y counts from the top of the page, in pixels."""

    cards: Sequence[Card]
    headings: Sequence[tuple[str, float]]
    height: float


def lay_out(groups: Sequence[Group], width: float, unit: float) -> Page:
    """As many cards of equal width in a row as there is room for."""
    inside = max(width - 2 * EDGE * unit, 1.0)
    gap = GAP * unit
    columns = max(int((inside + gap) / (CARD * unit + gap)), 1)
    wide = (inside - (columns - 1) * gap) / columns
    high = wide * SIZE[1] / SIZE[0] + TEXT * unit
    cards, headings = [], []
    y, row = 0.0, 0
    for group in groups:
        headings.append((group.title, y))
        y += HEADING * unit
        for k, entry in enumerate(group.entries):
            down, across = divmod(k, columns)
            corner = (EDGE * unit + across * (wide + gap), y + down * (high + gap))
            box = pygame.Rect(*map(round, (*corner, wide, high)))
            cards.append(Card(entry, row + down, box))
        rows = math.ceil(len(group.entries) / columns)
        row += rows
        y += rows * (high + gap)
    return Page(cards, headings, y)


def matching(groups: Sequence[Group], query: str) -> Sequence[Group]:
    """The scenes whose name, line or group has every word of the query in it, together; all if it is empty."""
    parts = query.lower().split()
    if not parts:
        return groups

    def fits(entry: Entry, group: Group) -> bool:
        text = f"{entry.name} {entry.summary} {group.title}".lower()
        return all(part in text for part in parts)

    found = [entry for group in groups for entry in group.entries if fits(entry, group)]
    return [Group("found", found)] if found else []


@dataclass
class Gallery:
    """What is chosen and what is shown; turns events into both, and draws them."""

    groups: Sequence[Group]
    query: str = ""
    selected: str = ""  # what is typed for the scene that is marked
    opened: str | None = None  # the same for one that was chosen to be opened
    done: bool = False
    message: str = ""  # why a scene could not be opened
    scroll: float = 0.0  # how far the page lies above its place, in pixels
    size: tuple[int, int] = (1200, 720)
    page: Page = field(default_factory=lambda: Page((), (), 0.0))

    def __post_init__(self) -> None:
        self.thumbnails = Thumbnails(e for group in self.groups for e in group.entries)
        self._images: dict[tuple[str, tuple[int, int]], pygame.Surface] = {}
        self._ages: dict[str, float] = {}  # seconds since a picture appeared
        self._target = 0.0  # where the page is on its way to
        self.arrange()

    def close(self) -> None:
        """Stop what goes on beside the window."""
        self.thumbnails.close()

    # ---- Places ----

    @property
    def unit(self) -> float:
        """The size of a design pixel."""
        return float(np.clip(min(self.size[0] / 1200, self.size[1] / 720), 0.75, 3))

    @property
    def view(self) -> pygame.Rect:
        """The part of the window in which the page moves."""
        top, bottom = round(HEADER * self.unit), round(FOOTER * self.unit)
        return pygame.Rect(0, top, self.size[0], max(self.size[1] - top - bottom, 0))

    def arrange(self) -> None:
        """Lay the page out anew: its width or the filter has changed."""
        self.page = lay_out(matching(self.groups, self.query), self.size[0], self.unit)
        shown = [card.entry.typed for card in self.page.cards]
        if self.selected not in shown:
            self.selected = shown[0] if shown else ""
        self._scroll_to(self._target)

    def resize(self, size: tuple[int, int]) -> None:
        """The window has another size; the marked scene stays in it."""
        if size != self.size:
            self.size = size
            self._images.clear()
            self.arrange()
            self._reveal()

    def card_at(self, pixel: tuple[int, int]) -> Card | None:
        """The card under a pixel of the window."""
        view = self.view
        if not view.collidepoint(pixel):
            return None
        place = (pixel[0], pixel[1] - view.top + round(self.scroll))
        return next((card for card in self.page.cards if card.box.collidepoint(place)), None)

    def _place(self) -> int:
        """Where the marked scene is among the cards."""
        marked = (k for k, c in enumerate(self.page.cards) if c.entry.typed == self.selected)
        return next(marked, 0)

    def _scroll_to(self, y: float) -> None:
        self._target = min(max(y, 0.0), max(self.page.height - self.view.height, 0.0))

    def _reveal(self) -> None:
        """Move the page so that the marked scene can be seen, in its first row with the heading."""
        if not self.page.cards:
            return
        box = self.page.cards[self._place()].box
        above = box.top - HEADING * self.unit
        below = box.bottom + GAP * self.unit - self.view.height
        self._scroll_to(min(max(self._target, below), above))

    # ---- Events ----

    def handle(self, event: pygame.event.Event) -> None:
        """React to one event of the window."""
        if event.type == pygame.QUIT:
            self.done = True
        elif event.type == pygame.KEYDOWN:
            self.message = ""
            self._press(event.key, event.unicode)
        elif event.type == pygame.MOUSEWHEEL:
            self._scroll_to(self._target - event.precise_y * WHEEL * self.unit)
        elif event.type == pygame.MOUSEMOTION:
            card = self.card_at(event.pos)
            self.selected = card.entry.typed if card else self.selected
            self._point(card is not None)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self.message = ""
            card = self.card_at(event.pos)
            if card:
                self.selected = self.opened = card.entry.typed

    def _press(self, key: int, letter: str) -> None:
        cards = self.page.cards
        if key == pygame.K_ESCAPE:
            self.done = not self.query
            self._filter("")
        elif key in (pygame.K_RETURN, pygame.K_KP_ENTER):
            self.opened = self.selected or None
        elif key == pygame.K_BACKSPACE:
            self._filter(self.query[:-1])
        elif cards and key in (pygame.K_LEFT, pygame.K_RIGHT, pygame.K_HOME, pygame.K_END):
            here, last = self._place(), len(cards) - 1
            ends = {pygame.K_HOME: 0, pygame.K_END: last}
            to = ends.get(key, here + (1 if key == pygame.K_RIGHT else -1))
            self._mark(cards[min(max(to, 0), last)])
        elif cards and key in (pygame.K_UP, pygame.K_DOWN, pygame.K_PAGEUP, pygame.K_PAGEDOWN):
            rows = max(round(self.view.height / (cards[0].box.height + GAP * self.unit)), 1)
            rows = rows if key in (pygame.K_PAGEUP, pygame.K_PAGEDOWN) else 1
            self._walk(rows if key in (pygame.K_DOWN, pygame.K_PAGEDOWN) else -rows)
        elif letter.isprintable() and letter and (letter != " " or self.query):
            self._filter(self.query + letter)

    def _filter(self, query: str) -> None:
        if query != self.query:
            self.query = query
            self.arrange()
            self._reveal()

    def _walk(self, rows: int) -> None:
        """Mark the card so many rows below that is nearest in that row."""
        here = self.page.cards[self._place()]
        row = min(max(here.row + rows, 0), self.page.cards[-1].row)
        there = [card for card in self.page.cards if card.row == row]
        self._mark(min(there, key=lambda card: abs(card.box.centerx - here.box.centerx)))

    def _mark(self, card: Card) -> None:
        self.selected = card.entry.typed
        self._reveal()

    def _point(self, at_card: bool) -> None:
        shape = pygame.SYSTEM_CURSOR_HAND if at_card else pygame.SYSTEM_CURSOR_ARROW
        with suppress(pygame.error):  # not every display has a cursor to change
            pygame.mouse.set_cursor(shape)

    # ---- Frames ----

    def frame(self, surface: pygame.Surface, elapsed: float) -> None:
        """Draw the window, `elapsed` seconds after the frame before."""
        self.thumbnails.poll()
        self.resize(surface.get_size())
        near = abs(self._target - self.scroll) < 0.5
        share = 1.0 if near else 1 - math.exp(-18 * elapsed)
        self.scroll += share * (self._target - self.scroll)
        for typed in self.thumbnails.files:
            self._ages[typed] = self._ages.get(typed, 0.0) + elapsed
        surface.fill(colour("window"))
        self._draw_page(surface, LOADED)
        self._draw_scroll_bar(surface)
        self._draw_filter(surface, self._draw_title(surface))
        self._draw_footer(surface)
        if self.message:
            title = f"{self.selected} could not be opened."
            draw_message(surface, self.view, title, self.message, self.unit)

    def sheet(self) -> pygame.Surface:
        """The whole page under its title, on a surface of its own."""
        bars = (HEADER + FOOTER) * self.unit
        self.size = (self.size[0], max(round(self.page.height + bars), 720))
        self.selected = ""
        self._ages = dict.fromkeys(self.thumbnails.files, math.inf)
        surface = pygame.Surface(self.size, 0, 32)
        surface.fill(colour("window"))
        self._draw_page(surface, len(self.page.cards))
        self._draw_title(surface)
        return surface.subsurface((0, 0, self.size[0], self.view.top + round(self.page.height)))

    def _draw_page(self, surface: pygame.Surface, loads: int) -> None:
        """Draw the cards; so many of their pictures may be read for it."""
        view, unit = self.view, self.unit
        surface.set_clip(view)
        down = view.top - round(self.scroll)
        for title, y in self.page.headings:
            place = (EDGE * unit, y + down + HEADING * unit / 2)
            box = words(surface, title.upper(), place, 12 * unit, "dim", "bold", "midleft")
            left = box.right + 14 * unit
            line = (left, box.centery, self.size[0] - EDGE * unit - left, max(round(unit), 1))
            surface.fill(colour("line"), line)
        for card in self.page.cards:
            box = card.box.move(0, down)
            if box.colliderect(view):
                loads -= self._draw_card(surface, card.entry, box, loads > 0)
        if not self.page.cards:
            text = f"no scene has “{self.query}” in its name or line"
            words(surface, text, view.center, 15 * unit, "dim", align="center")
        surface.set_clip(None)

    def _draw_card(
        self, surface: pygame.Surface, entry: Entry, box: pygame.Rect, load: bool
    ) -> bool:
        """Draw a card; the result is whether its picture was read for it, which `load` allows."""
        unit, marked = self.unit, entry.typed == self.selected
        radius = round(9 * unit)
        pygame.draw.rect(surface, colour("panel"), box, border_radius=radius)
        frame = pygame.Rect(box.left, box.top, box.width, box.height - round(TEXT * unit))
        read = self._draw_picture(surface, entry, frame, load)
        left, y = box.left + 14 * unit, frame.bottom + 11 * unit
        shade = "accent" if marked else "text"
        words(surface, entry.name, (left, y), 15 * unit, shade, face="bold")
        lines = wrapped(entry.summary, 11.5 * unit, box.width - 26 * unit)
        if len(lines) > 2:
            lines = [lines[0], lines[1].rstrip(".,") + " …"]
        for k, line in enumerate(lines):
            words(surface, line, (left, y + (21 + 15 * k) * unit), 11.5 * unit, "dim")
        edge = max(round((2 if marked else 1) * unit), 1)
        pygame.draw.rect(surface, colour("accent" if marked else "line"), box, edge, radius)
        return read

    def _draw_picture(
        self, surface: pygame.Surface, entry: Entry, frame: pygame.Rect, load: bool
    ) -> bool:
        """Draw the picture of a scene or, if it has none yet, say so."""
        file = self.thumbnails.files.get(entry.typed)
        image = self._images.get((entry.typed, frame.size))
        read = image is None and file is not None and load
        if read and file is not None:
            image = _rounded(_read(file), frame.size, round(9 * self.unit))
            self._images[entry.typed, frame.size] = image
        if image is not None:
            age = self._ages.get(entry.typed, 0.0)
            image.set_alpha(round(255 * min(age / APPEAR_SECONDS, 1.0)))
            surface.blit(image, frame)
        elif file is None:
            self._draw_absence(surface, frame, self.thumbnails.errors.get(entry.typed))
        return read

    def _draw_absence(self, surface: pygame.Surface, frame: pygame.Rect, why: str | None) -> None:
        """Say in a card that its picture is still to come or, with the reason, that there is none."""
        unit = self.unit
        if why is None:
            words(surface, "…", frame.center, 13 * unit, "faint", align="center")
            return
        lines = wrapped(why, 11.5 * unit, frame.width - 28 * unit)[:WHY]
        y = frame.centery - (8 * len(lines) + 4) * unit
        words(surface, "no picture", (frame.centerx, y), 13 * unit, "dim", "bold", "center")
        for k, line in enumerate(lines):
            place = (frame.centerx, y + (22 + 16 * k) * unit)
            words(surface, line, place, 11.5 * unit, "dim", align="center")

    def _draw_scroll_bar(self, surface: pygame.Surface) -> None:
        view, unit = self.view, self.unit
        if self.page.height <= view.height:
            return
        high = max(view.height**2 / self.page.height, 24 * unit)
        share = self.scroll / (self.page.height - view.height)
        bar = pygame.Rect(0, 0, round(5 * unit), round(high))
        bar.right = round(self.size[0] - 8 * unit)
        bar.top = round(view.top + share * (view.height - high))
        pygame.draw.rect(surface, colour("line"), bar, border_radius=bar.width // 2)

    def _draw_title(self, surface: pygame.Surface) -> float:
        """Draw what stands over the page; the result is where it ends."""
        unit = self.unit
        surface.fill(colour("window"), (0, 0, self.size[0], self.view.top))
        box = words(surface, "Rosephys", (EDGE * unit, 26 * unit), 26 * unit, face="bold")
        count = len(self.page.cards)
        note = "1 scene" if count == 1 else f"{count} scenes"
        place = (box.right + 14 * unit, box.bottom - 3 * unit)
        return words(surface, note, place, 14 * unit, "dim", align="bottomleft").right

    def _draw_filter(self, surface: pygame.Surface, left: float) -> None:
        """Draw what has been typed, if there is room right of `left`."""
        unit = self.unit
        box = pygame.Rect(0, 0, round(280 * unit), round(34 * unit))
        box.topright = (round(self.size[0] - EDGE * unit), round(24 * unit))
        if box.left < left:
            return
        radius = box.height // 2
        pygame.draw.rect(surface, colour("panel"), box, border_radius=radius)
        rim = colour("accent" if self.query else "line")
        pygame.draw.rect(surface, rim, box, max(round(unit), 1), radius)
        text, shade = (f"{self.query}│", "text") if self.query else ("type to filter", "faint")
        place = (box.left + 16 * unit, box.centery)
        words(surface, text[-34:], place, 14 * unit, shade, align="midleft")

    def _draw_footer(self, surface: pygame.Surface) -> None:
        unit = self.unit
        y = self.size[1] - FOOTER * unit / 2
        surface.fill(colour("window"), (0, self.view.bottom, *self.size))
        surface.fill(colour("line"), (0, self.view.bottom, self.size[0], max(round(unit), 1)))
        x = EDGE * unit
        for key, meaning in KEYS:
            key_cap(surface, key, (x, y), unit)
            x += text_width(key, 11 * unit, "bold") + 22 * unit
            box = words(surface, meaning, (x, y), 12 * unit, "dim", align="midleft")
            x = box.right + 22 * unit
        left, total = self.thumbnails.left, self.thumbnails.total
        if left:
            text = f"drawing {total - left + 1} of {total} …"
            place = (self.size[0] - EDGE * unit, y)
            if x < place[0] - 140 * unit:
                words(surface, text, place, 12 * unit, "accent", align="midright")


def _read(file: Path) -> pygame.Surface:
    """A picture from the disk; a grey one if the file has gone, or is none."""
    try:
        return pygame.image.load(file)
    except (OSError, pygame.error):
        image = pygame.Surface(SIZE, 0, 32)
        image.fill(colour("canvas"))
        return image


def _rounded(picture: pygame.Surface, size: tuple[int, int], radius: int) -> pygame.Surface:
    """A picture of this size whose upper corners are round."""
    image = pygame.Surface(size, pygame.SRCALPHA)
    image.blit(pygame.transform.smoothscale(picture, size), (0, 0))
    mask = pygame.Surface((2 * size[0], 2 * size[1]), pygame.SRCALPHA)
    corners = {"border_top_left_radius": 2 * radius, "border_top_right_radius": 2 * radius}
    pygame.draw.rect(mask, (255, 255, 255, 255), mask.get_rect(), **corners)
    mask = pygame.transform.smoothscale(mask, size)
    image.blit(mask, (0, 0), special_flags=pygame.BLEND_RGBA_MIN)
    return image


# ---- The window, and the sheet -------------------------------------------------------------


def browse(groups: Sequence[Group], show: Callable[[str], object]) -> None:
    """Open the gallery; `show` is called with what is typed for a scene that is chosen, and when it
    returns the gallery is there again. What `show` raises is told in the window.

    Raises `pygame.error` if no window can be opened.
    """
    gallery = Gallery(groups)
    try:
        while (chosen := _choose(gallery)) is not None:
            try:
                show(chosen)
            except (Exception, SystemExit) as error:  # a scene's own code runs here
                gallery.message = describe(error)
    finally:
        gallery.close()


def _choose(gallery: Gallery) -> str | None:
    """Show the gallery until a scene is chosen; None if it was left."""
    pygame.display.init()
    try:
        pygame.display.set_caption("Rosephys")
        surface = pygame.display.set_mode(gallery.size, pygame.RESIZABLE)
        pygame.key.set_repeat(300, 40)
        clock = pygame.time.Clock()
        gallery.opened = None
        while not gallery.done and gallery.opened is None:
            for event in pygame.event.get():
                gallery.handle(event)
            surface = pygame.display.get_surface()
            gallery.frame(surface, min(clock.tick(FRAMES) / 1000, 0.1))
            pygame.display.flip()
        return None if gallery.done else gallery.opened
    finally:
        pygame.key.set_repeat()
        pygame.display.quit()


def write_sheet(
    groups: Sequence[Group],
    path: Path,
    width: int = 1200,
    progress: Callable[[str, int, int], object] = lambda what, done, total: None,
) -> None:
    """Write the whole gallery to a PNG, once all its pictures are there. Raises `OSError` if it cannot be."""
    gallery = Gallery(groups, size=(width, 720))
    try:
        thumbnails = gallery.thumbnails
        while thumbnails.left:
            thumbnails.poll()
            progress("pictures", thumbnails.total - thumbnails.left, thumbnails.total)
            sleep(0.02)
        write_png(path, pixels(gallery.sheet()))
    finally:
        gallery.close()
