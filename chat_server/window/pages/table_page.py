"""What the pages with a table share: responsive columns, cached rows and the selection."""

from __future__ import annotations

import tkinter as tk
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Self, TypeVar

from chat_server.window.actions import Actions
from common.ui.lists.table import Column, Row, Table
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.fields import Field

SEARCH: Final = 300
"""Width of a search field where there is room, px at 96 dpi."""
_LEAST_SEARCH: Final = 130
"""Width below which it has a line of its own."""
RowData = TypeVar("RowData")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of a page's table, and how it is sorted at first.

    `min_widths` has, by the id of a column, the width of the page in px at 96 dpi from which on it
    is shown; columns that are not in it always are. When the column that the table is sorted by is
    hidden, it is sorted by the first column of `fallback_sort` that is shown, ascending.
    """

    columns: tuple[Column, ...]
    sort: str
    fallback_sort: tuple[str, ...]
    descending: bool = False
    min_widths: Mapping[str, int] = field(default_factory=dict)
    multiple: bool = False
    gutter: int = 0
    """Space on the left and right of the table, px at 96 dpi."""


class TablePage(Panel, Generic[RowData]):
    """A page with a table of rows, each under its key; `RowData` is what the view has of a row.

    A subclass makes what is above the table, calls `_add_table`, and then fills `_rows`.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, actions: Actions, layout: TableLayout
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions, self._layout = theme, actions, layout
        self._rows: dict[str, RowData] = {}
        self._columns = layout.columns
        self._made: dict[str, tuple[RowData, Row]] = {}

    def _add_table(self) -> None:
        self.table = self._make_table(self._layout.sort, descending=self._layout.descending)
        self._empty_label = Label(self, self._theme, tone="muted")
        self.bind("<Configure>", lambda event: self._resized(event.width), add="+")

    def take_over(self, former: Self) -> None:
        """Continue where a page was that this one replaces: with its columns, order and choice."""
        self._columns, self._rows = former._columns, dict(former._rows)
        self._replace_table(former.table)

    @property
    def chosen(self) -> list[RowData]:
        """The selected rows."""
        return [self._rows[key] for key in self.table.chosen if key in self._rows]

    @abstractmethod
    def _fill(self) -> None:
        """Show `_rows` in the table."""

    @abstractmethod
    def _selected(self) -> None:
        """Another row was selected, or none."""

    @abstractmethod
    def _menu(self, key: str, x: int, y: int) -> None:
        """Open the menu of a row at a place on the screen."""

    def _lay_out(self, width: int) -> None:
        """Fit what is above the table to the width of the page, in screen pixels."""

    def _place_search(self, field: Field, buttons: Sequence[tk.Misc], room: int) -> None:
        """Put the search field beside the buttons, or above them where there is too little room.

        `buttons` are in the order in which they were packed, `room` is in screen pixels.
        """
        px = self._theme.px
        beside = room - sum(each.winfo_reqwidth() + px(8) for each in buttons) - px(16)
        if beside >= px(_LEAST_SEARCH):
            field.configure(width=min(px(SEARCH), beside))
            field.pack_configure(side="left", pady=0, after=buttons[-1])
        else:
            field.configure(width=max(1, min(px(SEARCH), room)))
            field.pack_configure(side="top", anchor="w", pady=(0, px(8)), before=buttons[0])

    def _show_empty(self, text: str) -> None:
        """Say in the middle of the page why there are no rows; "" where there are some."""
        if text:
            self._empty_label.set(text)
            self._empty_label.place(relx=0.5, rely=0.5, anchor="center")
        else:
            self._empty_label.place_forget()

    def _reuse_row(self, key: str, data: RowData, make: Callable[[], Row]) -> Row:
        """The same object as before for data that are the same: most are, in each refresh."""
        cached = self._made.get(key)
        if cached is not None and (cached[0] is data or cached[0] == data):
            return cached[1]
        row = make()
        self._made[key] = data, row
        return row

    def _forget_former_rows(self) -> None:
        for key in self._made.keys() - self._rows.keys():
            del self._made[key]

    def _make_table(self, sort: str, *, descending: bool) -> Table:
        table = Table(
            self, self._theme, self._columns, sort=sort, descending=descending,
            on_select=lambda _: self._selected(), on_menu=self._menu,
        )  # fmt: skip
        table.multiple = self._layout.multiple
        table.pack(fill="both", expand=True, padx=self._theme.px(self._layout.gutter))
        return table

    def _resized(self, width: int) -> None:
        px, least = self._theme.px, self._layout.min_widths
        columns = tuple(
            column for column in self._layout.columns if width >= px(least.get(column.id, 0))
        )
        if columns != self._columns:
            self._columns = columns
            self._replace_table(self.table)
        self._lay_out(width)

    def _replace_table(self, former: Table) -> None:
        """A table has the same columns for its lifetime: others need another table.

        It is sorted, and has the row selected, as `former`.
        """
        old, shown = self.table, [column.id for column in self._columns]
        sort, descending = former.sort
        if sort is None or sort not in shown:
            sort = next(column for column in self._layout.fallback_sort if column in shown)
            descending = False
        self.table = self._make_table(sort, descending=descending)
        self._made.clear()
        self._fill()
        self.table.select(former.selected)
        old.destroy()
        self._empty_label.lift()
