"""A list of any length on a canvas, of which only what is in view is drawn.

`Listing` owns scrolling, selection, pointer and keyboard; what a row looks like is its
subclass's business (`window.table`, `window.rowlist`).
"""

from __future__ import annotations

import sys
import tkinter as tk
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, Generic, TypeVar

from window.bands import Place, draw_band
from window.palette import Surface
from window.scrolling import Scrollbar, bind_wheel
from window.theme import Theme, surface_of

Item = TypeVar("Item")
_ADD: Final = "Command" if sys.platform == "darwin" else "Control"


class Listing(tk.Frame, Generic[Item]):
    """Rows keyed by text; at most one is selected, or several with `multiple`.

    Callbacks get the row's key: `on_select` (None when the selection ends) for a choice
    by the person, not by `select`; `on_click` for a press and release of the first button on
    the same row; `on_open` for a double click or Return; `on_menu(key, x, y)` for the
    context-menu click or key, with screen coordinates. With `on_click` set, the mouse chooses
    at the release, so that a press can be taken back; else at the press.

    With `multiple`, Control (Command on macOS) adds a row or takes it away, Shift goes on to one,
    Control+A chooses all, and a choice tells of the row it was made at; `chosen` has all of them.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, surface: Surface | None = None) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self.surface: Surface = surface or surface_of(parent)
        self.theme = theme
        self.on_select: Callable[[str | None], object] | None = None
        self.on_click: Callable[[str], object] | None = None
        self.on_open: Callable[[str], object] | None = None
        self.on_menu: Callable[[str, int, int], object] | None = None
        self._items: list[Item] = []
        self._places: dict[str, int] = {}
        self._tops: list[int] = [0]
        self._drawn: dict[int, Item] = {}
        self.multiple = False
        self._selected: str | None = None
        self._also: set[str] = set()
        """What is selected besides, with `multiple`."""
        self._anchor: str | None = None
        """Where a range begins."""
        self._hovered: str | None = None
        self._pressed_at: str | None = None
        self._ringed = False
        self.canvas = tk.Canvas(
            self,
            highlightthickness=0,
            borderwidth=0,
            takefocus=True,
            width=1,
            height=1,
            yscrollincrement=1,
        )
        self.scrollbar = Scrollbar(self, theme, self.canvas.yview)
        self.canvas.configure(yscrollcommand=self._viewed)
        self.canvas.pack(side="left", fill="both", expand=True)
        self._listen()
        theme.subscribe(self, self._paint)

    # What subclasses say

    def key_of(self, item: Item) -> str | None:
        """The key of a row, or None for what cannot be selected, such as a heading."""
        raise NotImplementedError

    def height_of(self, item: Item) -> int:
        """The height of a row in screen pixels."""
        raise NotImplementedError

    def draw(self, item: Item, top: int, tag: str) -> None:
        """Draw a row on `self.canvas` at `top`, each canvas item with `tag`."""
        raise NotImplementedError

    # What users of the list say

    @property
    def selected(self) -> str | None:
        """Key of the selected row; of several, of the one chosen last."""
        return self._selected

    @property
    def chosen(self) -> list[str]:
        """Keys of all selected rows, in the order shown."""
        return [key for key in self._places if key == self._selected or key in self._also]

    def select(self, key: str | None) -> None:
        """Select a row, or none, and bring it into view; an unknown key selects none."""
        self._choose(key if key in self._places else None)
        if self._selected is not None:
            self.see(self._selected)

    def see(self, key: str) -> None:
        """Scroll as little as needed to have the row in view."""
        place = self._places.get(key)
        if place is None:
            return
        top, bottom = self._tops[place], self._tops[place + 1]
        first, height = self._first(), self.canvas.winfo_height()
        if top < first:
            self._scroll_to(top)
        elif bottom > first + height:
            self._scroll_to(bottom - height)

    def order(self) -> list[str]:
        """The keys in the order shown."""
        return list(self._places)

    def key_at(self, y: int) -> str | None:
        """The row at a height of the canvas's window, for hints."""
        return self._key_at(y)

    def bounds(self, key: str) -> tuple[int, int]:
        """Top and bottom of a row in pixels of the canvas's window, for menus and tests."""
        place, first = self._places[key], self._first()
        return self._tops[place] - first, self._tops[place + 1] - first

    # What subclasses use

    def show(self, items: Sequence[Item]) -> None:
        """Replace the rows. What is in view and equal to before is not drawn again.

        The selection stays with its key. The selected row, or if it is out of view the
        first row in view, stays where it is; a list at its very top stays at the top.
        """
        items = list(items)
        if items and items == self._items:
            return
        first = self._first()
        anchors = self._anchors(first)
        old, old_tops = self._items, self._tops
        self._items = items
        self._tops = [0, *accumulate(self.height_of(item) for item in self._items)]
        keys = ((self.key_of(item), place) for place, item in enumerate(self._items))
        self._places = {key: place for key, place in keys if key is not None}
        moved = old_tops[: len(self._tops)] != self._tops[: len(old_tops)]
        for place, item in list(self._drawn.items()):
            same = place < len(self._items) and self._items[place] == item
            if not same or (moved and old_tops[place] != self._tops[place]):
                self._erase(place)
        if old or self._items:
            self._resize()
        for key, offset in anchors:
            if key in self._places:
                self._scroll_to(self._tops[self._places[key]] + offset)
                break
        self._render()
        left = self._also & self._places.keys()
        fewer, self._also = left != self._also, left
        if self._selected is not None and self._selected not in self._places:
            self._selected = next(iter(self.chosen), None)
            self._also.discard(self._selected or "")
            fewer = True
        if fewer and self.on_select:
            self.on_select(self._selected)

    def redraw(self) -> None:
        """Draw all that is in view anew."""
        for place in list(self._drawn):
            self._erase(place)
        self._render()

    def band(self, top: int, height: int, left: int, right: int, key: str, tag: str) -> bool:
        """Draw the rounded ground of a row if it has one; True if it is the selected one."""
        ground = {self._hovered: "hover", self._selected: "selected"}.get(key, "")
        if key in self._also:
            ground = "selected"
        ring = self._ringed and key == self._cursor()
        place = Place(left, top, right, height, tag)
        draw_band(self.canvas, self.theme, self.surface == "sidebar", place, ground, ring=ring)
        return ground == "selected"

    # Drawing

    def _first(self) -> int:
        return round(self.canvas.canvasy(0))

    def _anchors(self, first: int) -> list[tuple[str, int]]:
        """Rows in view that may hold the place, best first, and how far each is scrolled off."""
        if first <= 0:
            return []
        last = first + self.canvas.winfo_height()
        start = max(0, bisect_right(self._tops, first) - 1)
        places = range(start, min(len(self._items), bisect_right(self._tops, last)))
        keyed = [(self.key_of(self._items[place]), first - self._tops[place]) for place in places]
        anchors = [(key, offset) for key, offset in keyed if key is not None]
        return sorted(anchors, key=lambda anchor: anchor[0] != self._selected)

    def _resize(self) -> None:
        height = max(self._tops[-1], self.canvas.winfo_height())
        self.canvas.configure(scrollregion=(0, 0, self.canvas.winfo_width(), height))

    def _scroll_to(self, top: int) -> None:
        whole = max(self._tops[-1], self.canvas.winfo_height(), 1)
        self.canvas.yview_moveto(max(0, top) / whole)
        self._render()

    def _viewed(self, first: float, last: float) -> None:
        self.scrollbar.set(first, last)
        if self.scrollbar.needed and not self.scrollbar.winfo_manager():
            self.scrollbar.pack(side="right", fill="y", before=self.canvas)
        elif not self.scrollbar.needed and self.scrollbar.winfo_manager():
            self.scrollbar.pack_forget()
        self._render()

    def _render(self) -> None:
        first, height = self._first(), self.canvas.winfo_height()
        if height <= 1:
            return  # not on the screen yet: <Configure> comes and draws
        start = max(0, bisect_right(self._tops, first) - 1)
        end = min(len(self._items), bisect_right(self._tops, first + height))
        for place in [place for place in self._drawn if not start <= place < end]:
            self._erase(place)
        for place in range(start, end):
            if place not in self._drawn:
                item = self._drawn[place] = self._items[place]
                self.draw(item, self._tops[place], f"row{place}")

    def _erase(self, place: int) -> None:
        self.canvas.delete(f"row{place}")
        self._drawn.pop(place, None)

    def _redraw_keys(self, *keys: str | None) -> None:
        for key in keys:
            place = self._places.get(key) if key is not None else None
            if place is not None and place in self._drawn:
                self._erase(place)
        self._render()

    def _paint(self) -> None:
        ground = self.theme.palette.surface(self.surface)
        self.configure(background=ground)
        self.canvas.configure(background=ground)
        self.redraw()

    # Pointer and keyboard

    def _listen(self) -> None:
        canvas = self.canvas
        canvas.bind("<Configure>", lambda _: self._configured())
        canvas.bind("<Button-1>", self._pressed)
        canvas.bind("<ButtonRelease-1>", self._released)
        canvas.bind("<Double-Button-1>", self._double)
        canvas.bind("<Motion>", lambda event: self._hover(self._key_at(event.y)))
        canvas.bind("<Leave>", lambda _: self._hover(None))
        canvas.bind("<Button-2>" if sys.platform == "darwin" else "<Button-3>", self._context)
        for key, step in (("Up", -1), ("Down", 1), ("Prior", -10), ("Next", 10)):
            canvas.bind(f"<{key}>", lambda _, step=step: self._step(step))  # type: ignore[misc]
            canvas.bind(
                f"<Shift-{key}>",
                lambda _, step=step: self._step(step, extend=True),  # type: ignore[misc]
            )
        for press in ("Button-1", "Double-Button-1"):
            canvas.bind(f"<{_ADD}-{press}>", self._pressed_to_add)
            canvas.bind(f"<Shift-{press}>", self._pressed_to_extend)
        canvas.bind(f"<{_ADD}-a>", lambda _: self._choose_all())
        canvas.bind("<Home>", lambda _: self._step(-len(self._places)))
        canvas.bind("<End>", lambda _: self._step(len(self._places)))
        canvas.bind("<Return>", lambda _: self._open(self._cursor()))
        canvas.bind("<space>", lambda _: self._step(0))
        canvas.bind("<Shift-F10>", lambda _: self._menu_by_key())
        if canvas.tk.call("tk", "windowingsystem") == "x11":
            canvas.bind("<Menu>", lambda _: self._menu_by_key())
        elif sys.platform == "win32":
            canvas.bind("<App>", lambda _: self._menu_by_key())
        self.theme.focus.watch(canvas, self._ring)
        row = 16
        bind_wheel(canvas, lambda units: self._wheel(units * self.theme.px(row)))

    def _configured(self) -> None:
        self._resize()
        self.redraw()

    def _wheel(self, pixels: int) -> None:
        if self.scrollbar.needed:
            self.canvas.yview_scroll(pixels, "units")

    def _key_at(self, y: int) -> str | None:
        place = bisect_right(self._tops, self._first() + y) - 1
        return self.key_of(self._items[place]) if 0 <= place < len(self._items) else None

    def _row_at(self, x: int, y: int) -> str | None:
        """The row at a place of the canvas's window; None outside of it."""
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        return self._key_at(y) if 0 <= x < width and 0 <= y < height else None

    def _cursor(self) -> str | None:
        """The row the keyboard acts on."""
        return self._selected or next(iter(self._places), None)

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        key = self._pressed_at = self._key_at(event.y)
        # A click that leads somewhere else leaves the keyboard where it is.
        if self.on_click is None:
            self.canvas.focus_set()
        if key is not None and self.on_click is None:
            if not (key in self.chosen and self.is_about_all(event)):
                self._choose(key, tell=True)
            self.pressed(key, event)

    def _pressed_to_add(self, event: tk.Event[tk.Misc]) -> None:
        key = self._key_at(event.y)
        if not self.multiple or key is None:
            self._pressed(event)
            return
        self.canvas.focus_set()
        chosen = set(self.chosen) ^ {key}
        self._anchor = key
        left = next((each for each in self._places if each in chosen), None)
        self._choose_several(key if key in chosen else left, chosen)

    def _pressed_to_extend(self, event: tk.Event[tk.Misc]) -> None:
        key = self._key_at(event.y)
        if not self.multiple or key is None:
            self._pressed(event)
            return
        self.canvas.focus_set()
        self._extend(key)

    def _extend(self, key: str) -> None:
        """Choose all from where a range began to this row."""
        keys = list(self._places)
        anchor = self._anchor if self._anchor in self._places else self._selected or key
        self._anchor = anchor
        first, last = sorted((keys.index(anchor), keys.index(key)))
        self._choose_several(key, set(keys[first : last + 1]))

    def _choose_all(self) -> str:
        if self.multiple and self._places:
            self._choose_several(self._cursor(), set(self._places))
        return "break"

    def _choose_several(self, key: str | None, chosen: set[str]) -> None:
        before = {*self._also, self._selected}
        self._selected, self._also = key, chosen - {key or ""}
        self._redraw_keys(*(before ^ {*self._also, key}), *before, key)
        if self.on_select:
            self.on_select(key)

    def _released(self, event: tk.Event[tk.Misc]) -> None:
        key, self._pressed_at = self._pressed_at, None
        # Also nothing after a press on something else, such as one that closed a menu.
        if key is None or self.on_click is None or self._row_at(event.x, event.y) != key:
            return
        self._choose(key, tell=True)
        # What was told may have ended the list.
        if self.winfo_exists():
            self.on_click(key)

    def pressed(self, key: str, event: tk.Event[tk.Misc]) -> None:
        """A row was clicked; for subclasses with places in a row that do something."""

    def is_about_all(self, event: tk.Event[tk.Misc]) -> bool:  # noqa: ARG002  # see `Table`
        """Whether a press on one of the chosen rows leaves them chosen; for subclasses."""
        return False

    def _double(self, event: tk.Event[tk.Misc]) -> None:
        self._open(self._key_at(event.y))

    def _open(self, key: str | None) -> None:
        if key is not None:
            self._choose(key, tell=True)
            if self.on_open:
                self.on_open(key)

    def _context(self, event: tk.Event[tk.Misc]) -> None:
        key = self._key_at(event.y)
        if key is not None and self.on_menu:
            self.canvas.focus_set()
            if key not in self.chosen:  # else it is about all that are
                self._choose(key, tell=True)
            self.on_menu(key, event.x_root, event.y_root)

    def _menu_by_key(self) -> None:
        key = self._cursor()
        if key is not None and self.on_menu:
            if not self._also:
                self._choose(key, tell=True)
            self.see(key)
            bottom = self.bounds(key)[1]
            canvas = self.canvas
            self.on_menu(key, canvas.winfo_rootx() + 40, canvas.winfo_rooty() + bottom)

    def _step(self, step: int, *, extend: bool = False) -> str:
        keys = list(self._places)
        if keys:
            here = self._places.get(self._selected or "")
            at = keys.index(self._selected) if here is not None and self._selected else None
            to = (0 if step >= 0 else len(keys) - 1) if at is None else at + step
            if at is None and abs(step) >= len(keys):
                to = 0 if step < 0 else len(keys) - 1
            key = keys[max(0, min(len(keys) - 1, to))]
            if extend and self.multiple and at is not None:
                self._extend(key)
            else:
                self._choose(key, tell=True)
            self._redraw_keys(key)
            self.see(key)
        return "break"

    def _choose(self, key: str | None, *, tell: bool = False) -> None:
        self._anchor = key
        if key == self._selected and not self._also:
            return
        also, self._also = self._also, set()
        before, self._selected = self._selected, key
        self._redraw_keys(*also, before, key, next(iter(self._places), None))
        if tell and self.on_select:
            self.on_select(key)

    def _hover(self, key: str | None) -> None:
        if key != self._hovered:
            before, self._hovered = self._hovered, key
            self._redraw_keys(before, key)

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._redraw_keys(self._cursor())
