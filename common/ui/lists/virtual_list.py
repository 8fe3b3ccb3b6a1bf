"""A list of any length on a canvas, of which only what is in view is drawn.

`VirtualList` owns scrolling, selection, pointer and keyboard; its subclasses draw the rows
(`common.ui.lists.table`, `common.ui.lists.row_list`).
"""

from __future__ import annotations

import sys
import tkinter as tk
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from common.ui.lists.list_rows import ItemRows, Rows
from common.ui.look.palette import Surface
from common.ui.look.row_background import RowBounds, draw_row_background, row_fill
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.scrolling import Scrollbar, bind_wheel

Item = TypeVar("Item")
_RESIZE_PAUSE: Final = 200
"""Milliseconds after which the scrollbar shows that there are more rows or fewer."""
_ADD: Final = "Command" if sys.platform == "darwin" else "Control"


class _Drawn(NamedTuple, Generic[Item]):
    """A drawn row: its item, its position, and the tag of its canvas items."""

    item: Item
    top: int
    tag: str


class VirtualList(tk.Frame, Generic[Item]):
    """Rows keyed by text; at most one is selected, or several with `multiple`.

    Callbacks get the row's key: `on_select` (None when the selection ends) for a choice
    by the person, not by `select`; `on_click` for a press and release of the first button on
    the same row; `on_open` for a double click or Return; `on_menu(key, x, y)` for the
    context-menu click or key, with screen coordinates. With `on_click` set, the mouse selects
    at the release, so that a press can be cancelled; else at the press.

    With `multiple`, Control (Command on macOS) adds or removes a row, Shift selects a range,
    Control+A selects all, and `on_select` gets the row that was acted on; `chosen` has all of them.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, surface: Surface | None = None) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self.surface: Surface = surface or surface_of(parent)
        self.theme = theme
        self.on_select: Callable[[str | None], object] | None = None
        self.on_click: Callable[[str], object] | None = None
        self.on_open: Callable[[str], object] | None = None
        self.on_menu: Callable[[str, int, int], object] | None = None
        self.menu_selects = True
        """Whether the context-menu click selects the row; not where that would open it."""
        self._source: Rows[Item] = ItemRows([], self.key_of, self.height_of)
        self._drawn: dict[int, _Drawn[Item]] = {}
        """The rows in view, by index."""
        self._drawings = 0
        """Number of rows drawn so far: each drawing has its own tag."""
        self._origin = 0
        """Canvas coordinate of the top of the first row. When rows above the view are added or
        removed, this changes instead of the rows in view being moved and redrawn."""
        self._region = (-1, -1, -1)
        """What can be scrolled to: top, width and bottom, in canvas coordinates."""
        self._resize_later: str | None = None
        self.multiple = False
        self._selected: str | None = None
        self._last: str | None = None
        """The row that was selected last, also when none is any more: keys go on from there."""
        self._also: set[str] = set()
        """The other selected rows, with `multiple`."""
        self._anchor: str | None = None
        """The row where a range selected with Shift begins."""
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
        self.scrollbar = Scrollbar(self, theme, self._scroll)
        self.canvas.configure(yscrollcommand=self._viewed)
        self.canvas.pack(side="left", fill="both", expand=True)
        self._listen()
        theme.subscribe(self, self._paint)

    # For subclasses to implement

    def key_of(self, item: Item) -> str | None:
        """The key of a row, or None for what cannot be selected, such as a heading."""
        raise NotImplementedError

    def height_of(self, item: Item) -> int:
        """The height of a row in screen pixels."""
        raise NotImplementedError

    def draw(self, item: Item, top: int, tag: str) -> None:
        """Draw a row on `self.canvas` at its coordinate `top`, each canvas item with `tag`."""
        raise NotImplementedError

    # For users of the list

    @property
    def selected(self) -> str | None:
        """Key of the selected row; with several, of the one selected last."""
        return self._selected

    @property
    def chosen(self) -> list[str]:
        """Keys of all selected rows, in the order shown."""
        if not self._also:
            return [] if self._selected is None else [self._selected]
        return [key for key in self._source if key == self._selected or key in self._also]

    def select(self, key: str | None) -> None:
        """Select a row, or none, and bring it into view; an unknown key selects none."""
        self._choose(key if self._place(key) is not None else None)
        if self._selected is not None:
            self.see(self._selected)

    def see(self, key: str) -> None:
        """Scroll as little as needed to have the row in view."""
        place = self._place(key)
        if place is None:
            return
        top, bottom = self._source.top(place), self._source.top(place + 1)
        first, height = self._first(), self.canvas.winfo_height()
        if top < first:
            self._scroll_to(top)
        elif bottom > first + height:
            self._scroll_to(bottom - height)

    def order(self) -> list[str]:
        """The keys in the order shown."""
        return list(self._source)

    def items(self) -> list[Item]:
        """Everything in the order shown, in view or not."""
        return list(map(self._source.item, range(len(self._source))))

    def key_at(self, y: int) -> str | None:
        """The row at a height of the canvas's window, for hints."""
        return self._key_at(y)

    def bounds(self, key: str) -> tuple[int, int]:
        """Top and bottom of a row in pixels of the canvas's window, for menus and tests.

        Raises KeyError when there is no such row.
        """
        place, first = self._place(key), self._first()
        if place is None:
            raise KeyError(key)
        return self._source.top(place) - first, self._source.top(place + 1) - first

    # For subclasses to call

    def show(self, items: Sequence[Item]) -> None:
        """Replace the rows; see `show_rows`."""
        items = list(items)
        shown = self._source
        if not (items and isinstance(shown, ItemRows) and shown.has(items)):
            self.show_rows(ItemRows(items, self.key_of, self.height_of))

    def show_rows(self, rows: Rows[Item]) -> None:
        """Replace the rows. Unchanged rows in view are moved and not redrawn.

        Only rows in view are fetched. The selection stays with its key. The selected row, or if
        it is out of view most of the rows in view, keeps its position on the screen; a list
        scrolled to its top stays there.
        """
        shift = self._shift_to(rows)
        self._source = rows
        self._origin -= shift
        self._resize_soon()
        self._refresh()
        left = {key for key in self._also if rows.place(key) is not None}
        fewer, self._also = left != self._also, left
        if self._selected is not None and rows.place(self._selected) is None:
            self._selected = next((key for key in rows if key in left), None)
            self._also.discard(self._selected or "")
            fewer = True
        if fewer and self.on_select:
            self.on_select(self._selected)

    def redraw(self) -> None:
        """Redraw all rows in view."""
        for place in list(self._drawn):
            self._erase(place)
        self._render()

    def band(self, top: int, height: int, left: int, right: int, key: str, tag: str) -> bool:
        """Draw a row's background if it has one; returns whether the row is selected."""
        ground = self._ground_of(key)
        ring = self._ringed and key == self._cursor()
        bounds = RowBounds(left, top, right, height, tag)
        draw_row_background(
            self.canvas, self.theme, self.surface == "sidebar", bounds, ground, ring=ring
        )
        return ground == "selected"

    def behind(self, key: str) -> str:
        """The colour of a row's background, for pictures on it."""
        palette = self.theme.palette
        fill = row_fill(palette, self.surface == "sidebar", self._ground_of(key))
        return fill or palette.surface(self.surface)

    def _ground_of(self, key: str) -> str:
        if key == self._selected or key in self._also:
            return "selected"
        return "hover" if key == self._hovered else ""

    # Drawing

    def _first(self) -> int:
        """How far the list is scrolled, in pixels."""
        return round(self.canvas.canvasy(0)) - self._origin

    def _place(self, key: str | None) -> int | None:
        return None if key is None else self._source.place(key)

    def _shift_to(self, rows: Rows[Item]) -> int:
        """How far down the row that anchors the view moves with other rows, in pixels.

        The anchor is the selected row if it is in view; else the distance is that of most rows in
        view, as the first one alone may move anywhere.
        """
        if self._first() <= 0:
            return 0
        keyed = [(self.key_of(drawn.item), drawn.top) for _, drawn in sorted(self._drawn.items())]
        shifts: Counter[int] = Counter()
        for key, top in sorted(keyed, key=lambda row: row[0] != self._selected):
            place = None if key is None else rows.place(key)
            if place is None:
                continue
            shift = rows.top(place) - (top - self._origin)
            shifts[shift] += 1
            if key == self._selected or 2 * shifts[shift] > len(keyed):
                return shift
        return shifts.most_common(1)[0][0] if shifts else 0

    def _in_view(self, first: int) -> tuple[int, int]:
        """The first place in view, and the one behind the last."""
        last = first + self.canvas.winfo_height()
        count = len(self._source)
        return max(0, self._source.at(first)), min(count, self._source.at(last) + 1)

    def _resize(self) -> None:
        """Tell Tk what can be scrolled to, which draws all that is in view again."""
        self._stop()
        region = self._whole()
        if region != self._region:
            self._region = region
            # Tk keeps the view within it: at the end of a list that is shorter now.
            self.canvas.configure(scrollregion=(0, *region))

    def _whole(self) -> tuple[int, int, int]:
        height = max(self._source.top(len(self._source)), self.canvas.winfo_height())
        return self._origin, self.canvas.winfo_width(), self._origin + height

    def _resize_soon(self) -> None:
        """The same, now if the view must move, else not after each of many changes."""
        top, width, bottom = self._whole()
        first = self._origin + self._first()
        height = self.canvas.winfo_height()
        inside = top <= first and first + height <= bottom
        scrolls = self.scrollbar.needed and bottom - top > height
        if width != self._region[1] or not inside or not scrolls:
            self._resize()
        elif self._resize_later is None and (top, width, bottom) != self._region:
            self._resize_later = self.after(_RESIZE_PAUSE, self._resize)

    def _scroll(self, *how: object) -> None:
        """Scroll as the scrollbar says."""
        self._resize()
        self.canvas.tk.call(str(self.canvas), "yview", *how)

    def _scroll_to(self, top: int) -> None:
        self._resize()
        whole = max(self._source.top(len(self._source)), self.canvas.winfo_height(), 1)
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
        """Draw the rows that came into view, and erase those that left it."""
        first = self._first()
        if self.canvas.winfo_height() <= 1:
            return  # not on the screen yet: <Configure> comes and draws
        start, end = self._in_view(first)
        for place in [place for place in self._drawn if not start <= place < end]:
            self._erase(place)
        for place in range(start, end):
            if place not in self._drawn:
                top = self._origin + self._source.top(place)
                self._draw(place, self._source.item(place), top)

    def _refresh(self) -> None:
        """Bring the drawn rows up to date: those that only changed position are moved."""
        if self.canvas.winfo_height() <= 1:
            return
        left: dict[Hashable, _Drawn[Item]] = {}
        for drawn in self._drawn.values():
            other = left.setdefault(self._identity(drawn.item), drawn)
            if other is not drawn:
                self.canvas.delete(drawn.tag)  # one of several headings that are alike
        self._drawn = {}
        wanted = []
        for place in range(*self._in_view(self._first())):
            item, top = self._source.item(place), self._origin + self._source.top(place)
            known = left.get(self._identity(item))
            # Comparing them is slower than knowing that they are the same.
            if known is None or (known.item is not item and known.item != item):
                wanted.append((place, item, top))
                continue
            del left[self._identity(item)]
            if known.top != top:
                self.canvas.move(known.tag, 0, top - known.top)
            self._drawn[place] = _Drawn(item, top, known.tag)
        for drawn in left.values():
            self.canvas.delete(drawn.tag)
        for place, item, top in wanted:
            self._draw(place, item, top)

    def _identity(self, item: Item) -> Hashable:
        """Identifies a row across changes of what it shows."""
        key = self.key_of(item)
        return item if key is None else key

    def _draw(self, place: int, item: Item, top: int) -> None:
        self._drawings += 1
        tag = f"row{self._drawings}"
        self._drawn[place] = _Drawn(item, top, tag)
        self.draw(item, top, tag)

    def _erase(self, place: int) -> None:
        self.canvas.delete(self._drawn.pop(place).tag)

    def _redraw_keys(self, *keys: str | None) -> None:
        for key in keys:
            place = self._place(key)
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
        canvas.bind("<Destroy>", lambda _: self._stop())
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
        canvas.bind("<Home>", lambda _: self._step(-len(self._source)))
        canvas.bind("<End>", lambda _: self._step(len(self._source)))
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

    def _stop(self) -> None:
        if self._resize_later is not None:
            self.after_cancel(self._resize_later)
            self._resize_later = None

    def _configured(self) -> None:
        self._resize()
        self.redraw()

    def _wheel(self, pixels: int) -> None:
        if self.scrollbar.needed:
            self._scroll("scroll", pixels, "units")

    def _key_at(self, y: int) -> str | None:
        place = self._source.at(self._first() + y)
        return self.key_of(self._source.item(place)) if 0 <= place < len(self._source) else None

    def _row_at(self, x: int, y: int) -> str | None:
        """The row at a place of the canvas's window; None outside of it."""
        width, height = self.canvas.winfo_width(), self.canvas.winfo_height()
        return self._key_at(y) if 0 <= x < width and 0 <= y < height else None

    def _cursor(self) -> str | None:
        """The row that keys act on: where somebody was, also when nothing is selected any more."""
        if self._selected is not None:
            return self._selected
        known = self._place(self._last) is not None
        return self._last if known else next(iter(self._source), None)

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        key = self._pressed_at = self._key_at(event.y)
        # A click that opens something leaves the keyboard focus where it is.
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
        left = next((each for each in self._source if each in chosen), None)
        self._choose_several(key if key in chosen else left, chosen)

    def _pressed_to_extend(self, event: tk.Event[tk.Misc]) -> None:
        key = self._key_at(event.y)
        if not self.multiple or key is None:
            self._pressed(event)
            return
        self.canvas.focus_set()
        self._extend(key)

    def _extend(self, key: str) -> None:
        """Select the range from the anchor to this row."""
        keys = self.order()
        anchor = self._anchor if self._place(self._anchor) is not None else None
        anchor = anchor or self._selected or key
        self._anchor = anchor
        first, last = sorted((keys.index(anchor), keys.index(key)))
        self._choose_several(key, set(keys[first : last + 1]))

    def _choose_all(self) -> str:
        if self.multiple and self._cursor() is not None:
            self._choose_several(self._cursor(), set(self._source))
        return "break"

    def _choose_several(self, key: str | None, chosen: set[str]) -> None:
        before = {*self._also, self._selected}
        self._selected, self._also = key, chosen - {key or ""}
        self._redraw_keys(*(before ^ {*self._also, key}), *before, key)
        if self.on_select:
            self.on_select(key)

    def _released(self, event: tk.Event[tk.Misc]) -> None:
        key, self._pressed_at = self._pressed_at, None
        # Ignored after a press elsewhere, such as one that closed a menu.
        if key is None or self.on_click is None or self._row_at(event.x, event.y) != key:
            return
        self._choose(key, tell=True)
        # The callback may have destroyed the list.
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
            if self.menu_selects and key not in self.chosen:  # else it is about all that are
                self._choose(key, tell=True)
            self.on_menu(key, event.x_root, event.y_root)

    def _menu_by_key(self) -> None:
        key = self._cursor()
        if key is not None and self.on_menu:
            if self.menu_selects and not self._also:
                self._choose(key, tell=True)
            self.see(key)
            bottom = self.bounds(key)[1]
            canvas = self.canvas
            self.on_menu(key, canvas.winfo_rootx() + 40, canvas.winfo_rooty() + bottom)

    def _step(self, step: int, *, extend: bool = False) -> str:
        keys = self.order()
        if keys:
            was = self._selected or self._last
            at = keys.index(was) if was in keys else None
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
        cursor = self._cursor()
        before, self._selected = self._selected, key
        self._last = key or before or self._last
        self._redraw_keys(*also, before, key, cursor, self._cursor())
        if tell and self.on_select:
            self.on_select(key)

    def _hover(self, key: str | None) -> None:
        if key != self._hovered:
            before, self._hovered = self._hovered, key
            self._redraw_keys(before, key)

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._redraw_keys(self._cursor())
