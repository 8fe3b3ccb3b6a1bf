"""The page of the bans and mutes in force, each of which can be lifted."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView, SanctionRow
from chat_server.window.pages.table_page import TableLayout, TablePage
from common.ui.lists.table import Cell, Column, PillCell, Row, TextCell
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
_LAYOUT: Final = TableLayout(
    _COLUMNS,
    sort="at",
    descending=True,
    fallback_sort=("who",),
    min_widths={"reason": 480, "by": 560, "at": 620, "until": 360},
    gutter=_GUTTER,
)
_SENTENCE: Final = 420
"""Width of the page, px at 96 dpi, from which there is room for the sentence above the table."""


class Sanctions(TablePage[SanctionRow]):
    """Shows the bans and mutes of a view; at most one is selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, actions, _LAYOUT)
        tools = Panel(self, theme)
        tools.pack(fill="x", padx=theme.px(_GUTTER), pady=(theme.px(16), theme.px(8)))
        self.lift_button = Button(tools, theme, "Lift", self._lift_selected)
        self.lift_button.pack(side="right")
        self._sentence = Label(
            tools, theme, "Banned people can’t sign in; muted people can read but not write.",
            tone="muted", justify="left",
        )  # fmt: skip
        self._add_table()
        self.lift_button.enabled = False

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self._rows = {str(row.number): row for row in view.sanctions}
        self._fill()
        self._show_empty("" if self._rows else "Nobody is banned or muted")
        self._selected()

    def _lay_out(self, width: int) -> None:
        px = self._theme.px
        room = width - 2 * px(_GUTTER) - self.lift_button.winfo_reqwidth() - px(16)
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
