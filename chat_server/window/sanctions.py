"""The page of bans and mutes that hold now, each of which can be lifted."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView, SanctionRow
from window.basics import Label, Panel
from window.buttons import Button
from window.menus import MenuItem, popup
from window.table import Column, PillCell, Row, Table, TextCell
from window.theme import Theme

_COLUMNS: Final = (
    Column("who", "Who", 150, 100, stretch=True),
    Column("what", "What", 84, 78),
    Column("until", "Until", 96, 60),
    Column("reason", "Reason", 140, 44, tone="muted", stretch=True, yield_first=True),
    Column("by", "By", 72, 40, tone="muted"),
    Column("at", "Since", 52, 44, align="right"),
)
_GUTTER: Final = 24


class Sanctions(Panel):
    """Shows the bans and mutes of a view; at most one is selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions = theme, actions
        self._rows: dict[str, SanctionRow] = {}
        gutter = theme.px(_GUTTER)
        tools = Panel(self, theme)
        tools.pack(fill="x", padx=gutter, pady=(theme.px(16), theme.px(8)))
        self.lift_button = Button(tools, theme, "Lift", self._lift_selected)
        self.lift_button.pack(side="right")
        Label(
            tools, theme, "Who is banned can’t come in; who is muted reads and can’t write.",
            tone="muted",
        ).pack(side="left")  # fmt: skip
        self.table = Table(
            self, theme, _COLUMNS, sort="at", descending=True,
            on_select=lambda _: self._selected(), on_menu=self._menu,
        )  # fmt: skip
        self.table.pack(fill="both", expand=True, padx=gutter)
        self._none = Label(self, theme, "Nobody is banned or muted", tone="muted")
        self.lift_button.enabled = False

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self._rows = {str(row.number): row for row in view.sanctions}
        self.table.set_rows([_table_row(key, row) for key, row in self._rows.items()])
        if self._rows:
            self._none.place_forget()
        else:
            self._none.place(relx=0.5, rely=0.5, anchor="center")
        self._selected()

    def _selected(self) -> None:
        self.lift_button.enabled = self.table.selected in self._rows

    def _lift_selected(self) -> None:
        row = self._rows.get(self.table.selected or "")
        if row is not None:
            self._actions.lift(row)

    def _menu(self, key: str, x: int, y: int) -> None:
        row = self._rows[key]
        popup(self, self._theme, (MenuItem("Lift", lambda: self._actions.lift(row)),), x, y)


def _table_row(key: str, row: SanctionRow) -> Row:
    return Row(
        key,
        (
            TextCell(row.who, "person" if row.username else "desktop"),
            PillCell("Banned", "slow") if row.is_ban else PillCell("Muted", "away"),
            TextCell(row.until_text, sort=row.until),
            TextCell(row.reason),
            TextCell(row.by),
            TextCell(row.at_text, sort=row.at),
        ),
    )
