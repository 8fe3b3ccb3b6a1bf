"""The page of bans and mutes that hold now, each of which can be lifted."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView, SanctionRow
from common.ui.lists.table import Cell, Column, PillCell, Row, Table, TextCell
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.menus import MenuItem, popup

_COLUMNS: Final = (
    Column("who", "Who", 150, 100, stretch=True),
    Column("what", "What", 84, 78),
    Column("until", "Until", 96, 60),
    Column("reason", "Reason", 140, 44, tone="muted", stretch=True, yield_first=True),
    Column("by", "By", 72, 40, tone="muted"),
    Column("at", "Since", 52, 44, align="right"),
)
_GUTTER: Final = 24
_FROM: Final = {"reason": 480, "by": 560, "at": 620, "until": 360}
"""Width of the page, px at 96 dpi, from which there is room for a column."""
_SENTENCE: Final = 420
"""The same for the sentence above the table."""


class Sanctions(Panel):
    """Shows the bans and mutes of a view; at most one is selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions = theme, actions
        self._rows: dict[str, SanctionRow] = {}
        gutter = self._gutter = theme.px(_GUTTER)
        tools = Panel(self, theme)
        tools.pack(fill="x", padx=gutter, pady=(theme.px(16), theme.px(8)))
        self.lift_button = Button(tools, theme, "Lift", self._lift_selected)
        self.lift_button.pack(side="right")
        self._sentence = Label(
            tools, theme, "Banned people can’t sign in; muted people can read but not write.",
            tone="muted", justify="left",
        )  # fmt: skip
        self._columns: tuple[Column, ...] = _COLUMNS
        self.table = self._make_table("at", descending=True)
        self._none = Label(self, theme, "Nobody is banned or muted", tone="muted")
        self.lift_button.enabled = False
        self.bind("<Configure>", lambda event: self._resized(event.width), add="+")

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self._rows = {str(row.number): row for row in view.sanctions}
        self._fill()
        if self._rows:
            self._none.place_forget()
        else:
            self._none.place(relx=0.5, rely=0.5, anchor="center")
        self._selected()

    def _make_table(self, sort: str, *, descending: bool) -> Table:
        table = Table(
            self, self._theme, self._columns, sort=sort, descending=descending,
            on_select=lambda _: self._selected(), on_menu=self._menu,
        )  # fmt: skip
        table.pack(fill="both", expand=True, padx=self._gutter)
        return table

    def _resized(self, width: int) -> None:
        """Show the columns there is room for: a table's columns are for its lifetime."""
        px = self._theme.px
        columns = tuple(column for column in _COLUMNS if width >= px(_FROM.get(column.id, 0)))
        if columns != self._columns:
            self._columns, old = columns, self.table
            sort, descending = old.sort
            if sort not in [column.id for column in columns]:
                sort, descending = "who", False
            self.table = self._make_table(sort or "who", descending=descending)
            self._fill()
            self.table.select(old.selected)
            old.destroy()
            self._none.lift()
        room = width - 2 * self._gutter - self.lift_button.winfo_reqwidth() - px(16)
        self._sentence.configure(wraplength=max(1, room))
        if width >= px(_SENTENCE):
            self._sentence.pack(side="left")
        else:
            self._sentence.pack_forget()

    def _fill(self) -> None:
        shown = [column.id for column in self._columns]
        self.table.set_rows([_table_row(key, row, shown) for key, row in self._rows.items()])

    def _selected(self) -> None:
        self.lift_button.enabled = self.table.selected in self._rows

    def _lift_selected(self) -> None:
        row = self._rows.get(self.table.selected or "")
        if row is not None:
            self._actions.lift(row)

    def _menu(self, key: str, x: int, y: int) -> None:
        row = self._rows[key]
        popup(self, self._theme, (MenuItem("Lift", lambda: self._actions.lift(row)),), x, y)


def _table_row(key: str, row: SanctionRow, columns: Sequence[str]) -> Row:
    cells: dict[str, Cell] = {
        "who": TextCell(row.who, "person" if row.username else "desktop"),
        "what": PillCell("Banned", "slow") if row.is_ban else PillCell("Muted", "away"),
        "until": TextCell(row.until_text, sort=row.until),
        "reason": TextCell(row.reason),
        "by": TextCell(row.by),
        "at": TextCell(row.at_text, sort=row.at),
    }
    return Row(key, tuple(cells[column] for column in columns))
