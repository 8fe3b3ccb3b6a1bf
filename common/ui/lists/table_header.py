"""The header of a table: the layout of its columns, and the order it is sorted in."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from common.ui.look.theme import Theme, surface_of

if TYPE_CHECKING:
    from common.ui.lists.table import Column

HEIGHT: Final = 33
"""Height with the line below, px at 96 dpi."""
GAP: Final = 24
"""Space between two columns where there is room for it, px at 96 dpi."""
_LEAST_GAP: Final = 12
_ARROW: Final = 17
"""Width of the arrow beside the title of the sort column, px at 96 dpi."""


def layout(
    columns: Sequence[Column],
    needs: Sequence[Need],
    theme: Theme,
    left: int,
    right: int,
) -> list[tuple[int, int]]:
    """Left and right edge of each column in screen pixels, between `left` and `right`.

    While all `needs` fit, every column gets at least its own, at the cost of the others' spare
    room and then of the gaps between them.
    """
    between = len(columns) - 1
    usual = [theme.px(column.width) for column in columns]
    shortest = [min(theme.px(c.shortest), width) for c, width in zip(columns, usual, strict=True)]
    titles = [theme.fonts.width("label_bold", c.title) + theme.px(_ARROW) for c in columns]
    needs = [
        Need(max(need.whole, title), max(need.core, title))
        for need, title in zip(needs, titles, strict=True)
    ]
    room = max(0, right - left)
    gap = (room - sum(need.whole for need in needs)) // between if between else 0
    gap = max(theme.px(_LEAST_GAP), min(theme.px(GAP), gap))
    stretch = [column.stretch for column in columns]
    widths = share(max(0, room - gap * between), needs, usual, shortest, stretch)
    spans, at = [], left
    for width in widths:
        spans.append((at, at + width))
        at += width + gap
    return spans


class Need(NamedTuple):
    """The width that a column's contents need in full, and without what may be dropped first."""

    whole: int = 0
    core: int = 0


def share(
    room: int,
    needs: Sequence[Need],
    usual: Sequence[int],
    shortest: Sequence[int],
    stretch: Sequence[bool],
) -> list[int]:
    """The widths of columns in `room`; all lengths in screen pixels.

    With room for all: what a column needs or its usual width, whichever is more, and an equal part
    of the rest for those that stretch. With less, the room beyond the needs shrinks in proportion,
    and then what is not of the core. With less than that, the widest are shortened to one width,
    but none below its shortest: short contents stay whole as long as there are longer ones.
    """
    whole, cores = [need.whole for need in needs], [need.core for need in needs]
    wanted = [max(pair) for pair in zip(whole, usual, strict=True)]
    spare = room - sum(wanted)
    if spare >= 0:
        part = spare // sum(stretch) if any(stretch) else 0
        return [w + part * stretches for w, stretches in zip(wanted, stretch, strict=True)]
    for least, most in ((whole, wanted), (cores, whole)):
        if room >= sum(least):
            ratio = (room - sum(least)) / max(1, sum(most) - sum(least))
            return [low + int((high - low) * ratio) for low, high in zip(least, most, strict=True)]
    bounds = list(zip(cores, shortest, strict=True))
    low, high = 0, max(cores, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(core, max(least, middle)) for core, least in bounds) <= room:
            low = middle
        else:
            high = middle - 1
    return [min(core, max(least, low)) for core, least in bounds]


class TableHeader(tk.Canvas):
    """Titles to click; with the keyboard on it, Left and Right choose one and Space presses."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        columns: Sequence[Column],
        on_press: Callable[[str], object],
    ) -> None:
        super().__init__(
            parent,
            height=theme.px(HEIGHT),
            width=1,
            highlightthickness=0,
            borderwidth=0,
            takefocus=True,
        )
        self._theme, self._columns, self._on_press = theme, columns, on_press
        self._spans: list[tuple[int, int]] = []
        self._sort: str | None = None
        self._descending = False
        self._at = 0
        self._ringed = False
        self.bind("<Button-1>", self._clicked)
        self.bind("<Left>", lambda _: self._move(-1))
        self.bind("<Right>", lambda _: self._move(1))
        self.bind("<space>", lambda _: self._press(self._at))
        self.bind("<Return>", lambda _: self._press(self._at))
        theme.focus.watch(self, self._ring)
        self.bind("<Configure>", lambda _: self._draw())
        theme.subscribe(self, self._draw)

    def lay_out(self, spans: list[tuple[int, int]]) -> None:
        """Put the titles over their columns."""
        if spans != self._spans:
            self._spans = list(spans)
            self._draw()

    def show_sort(self, column: str | None, descending: bool) -> None:
        """Show the arrow at that column."""
        self._sort, self._descending = column, descending
        self._draw()

    def title_place(self, column: str) -> tuple[int, int]:
        """The middle of a title in pixels of this widget."""
        at = next(at for at, each in enumerate(self._columns) if each.id == column)
        left, right = self._spans[at]
        return (left + right) // 2, self._theme.px(HEIGHT) // 2

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        half = self._theme.px(GAP) // 2
        for at, (left, right) in enumerate(self._spans):
            if left - half <= event.x < right + half:
                self._press(at)

    def _press(self, at: int) -> str:
        if self._columns[at].sortable:
            self._on_press(self._columns[at].id)
        return "break"

    def _move(self, step: int) -> None:
        self._at = max(0, min(len(self._columns) - 1, self._at + step))
        self._draw()

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._draw()

    def _draw(self) -> None:
        theme, palette = self._theme, self._theme.palette
        self.delete("all")
        self.configure(background=palette.surface(surface_of(self.master)))
        one, height = theme.px(1), theme.px(HEIGHT)
        middle = (height - one) / 2
        for at, (column, (left, right)) in enumerate(zip(self._columns, self._spans, strict=False)):
            end = column.align == "right"
            title = theme.fonts.fit("label_bold", column.title, right - left)
            long = theme.fonts.width("label_bold", title)
            self.create_text(
                right if end else left,
                middle,
                text=title,
                anchor="e" if end else "w",
                font=theme.fonts["label_bold"],
                fill=palette.muted,
            )
            if column.id == self._sort:
                arrow = theme.icon(
                    "sort-down" if self._descending else "sort-up", palette.muted, 12
                )
                x = right - long - theme.px(7) if end else left + long + theme.px(5)
                self.create_image(x, middle, image=arrow, anchor="e" if end else "w")
            if self._ringed and at == self._at:
                start = (right - long) if end else left
                ring = theme.images.ring(
                    long + theme.px(12), theme.px(22), theme.px(6), palette.focus, theme.px(2)
                )
                self.create_image(start - theme.px(6), middle, image=ring, anchor="w")
        self.create_rectangle(
            0, height - one, self.winfo_width(), height, fill=palette.border, width=0
        )
