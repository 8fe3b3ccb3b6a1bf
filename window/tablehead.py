"""The titles of a table: where its columns are, and what it is sorted by."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from window.theme import Theme, surface_of

if TYPE_CHECKING:
    from window.table import Column

HEIGHT: Final = 33
"""Height with the line below, px at 96 dpi."""
GAP: Final = 24
"""Space between two columns, px at 96 dpi."""


def layout(columns: Sequence[Column], theme: Theme, left: int, right: int) -> list[tuple[int, int]]:
    """Left and right edge of each column in screen pixels, between `left` and `right`."""
    gap = theme.px(GAP)
    room = max(0, right - left - gap * (len(columns) - 1))
    widths = [theme.px(column.width) for column in columns]
    spare = room - sum(widths)
    if spare >= 0:
        stretching = [at for at, column in enumerate(columns) if column.stretch]
        for at in stretching:
            widths[at] += spare // len(stretching)
    else:
        least = [
            min(theme.px(column.shortest), width)
            for column, width in zip(columns, widths, strict=True)
        ]
        give = max(1, sum(widths) - sum(least))
        part = min(1.0, -spare / give)
        widths = [round(w - (w - low) * part) for w, low in zip(widths, least, strict=True)]
    spans, at = [], left
    for width in widths:
        spans.append((at, at + width))
        at += width + gap
    return spans


class TableHead(tk.Canvas):
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
        self._focused = False
        self.bind("<Button-1>", self._clicked)
        self.bind("<Left>", lambda _: self._move(-1))
        self.bind("<Right>", lambda _: self._move(1))
        self.bind("<space>", lambda _: self._press(self._at))
        self.bind("<Return>", lambda _: self._press(self._at))
        self.bind("<FocusIn>", lambda _: self._focus(True))
        self.bind("<FocusOut>", lambda _: self._focus(False))
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

    def _focus(self, on: bool) -> None:
        self._focused = on
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
            if self._focused and at == self._at:
                start = (right - long) if end else left
                ring = theme.images.ring(
                    long + theme.px(12), theme.px(22), theme.px(6), palette.accent, theme.px(2)
                )
                self.create_image(start - theme.px(6), middle, image=ring, anchor="w")
        self.create_rectangle(
            0, height - one, self.winfo_width(), height, fill=palette.border, width=0
        )
