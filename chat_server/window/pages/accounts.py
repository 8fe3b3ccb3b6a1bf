"""The page of everybody who has joined, connected or not, and what can be done to them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import AccountRow, HostView
from chat_server.window.pages.person_menu import all_muted, standing_items
from common.ui.lists.table import Cell, Column, PersonCell, PillCell, Row, Table, TextCell
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.menus import MenuItem, popup

_COLUMNS: Final = (
    Column("person", "Person", 180, 104, stretch=True),
    Column("role", "Role", 96, 80, tone="muted"),
    Column("state", "State", 84, 78),
)
_GUTTER: Final = 24
_SEARCH: Final = 300
"""Width of the search field where there is room, px at 96 dpi."""
_FROM: Final = {"role": 340}
"""Width of the page, px at 96 dpi, from which there is room for a column."""


class Accounts(Panel):
    """Shows the accounts of a view, of which any number may be selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions = theme, actions
        self._rows: dict[str, AccountRow] = {}
        self._cells: dict[str, tuple[AccountRow, Row]] = {}
        self._gutter = theme.px(_GUTTER)
        tools = Panel(self, theme)
        tools.pack(fill="x", padx=self._gutter, pady=(theme.px(16), theme.px(8)))
        self.search = Field(
            tools, theme, placeholder="Search name or username", icon="search",
            width=_SEARCH, limit=100, on_change=lambda _: self._fill(),
            on_cancel=self._clear_search,
        )  # fmt: skip
        self.mute = Button(tools, theme, "Unmute", self._mute_or_unmute)
        self.ban = Button(tools, theme, "Unban", self._ban_or_unban)
        self.ban.pack(side="right")
        self.mute.pack(side="right", padx=theme.px(8))
        self.search.pack(side="left")
        for button in (self.mute, self.ban):
            button.lift()  # Tab goes from left to right
        self._columns: tuple[Column, ...] = _COLUMNS
        self.table = self._make_table("person", descending=False)
        self._nobody = Label(self, theme, tone="muted")
        self._selected()
        self.bind("<Configure>", lambda event: self._resized(event.width), add="+")

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self._rows = {row.username: row for row in view.accounts}
        self._theme.colours.meet(row.username for row in view.accounts)
        for gone in self._cells.keys() - self._rows.keys():
            del self._cells[gone]
        self._fill()

    @property
    def chosen(self) -> list[AccountRow]:
        """The selected rows."""
        return [self._rows[key] for key in self.table.chosen if key in self._rows]

    def _make_table(self, sort: str, *, descending: bool) -> Table:
        table = Table(
            self, self._theme, self._columns, sort=sort, descending=descending,
            on_select=lambda _: self._selected(), on_menu=self._menu,
        )  # fmt: skip
        table.multiple = True
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
                sort, descending = "person", False
            self.table = self._make_table(sort or "person", descending=descending)
            self._cells.clear()
            self._fill()
            self.table.select(old.selected)
            old.destroy()
            self._nobody.lift()
        beside = sum(each.winfo_reqwidth() + px(8) for each in (self.mute, self.ban)) + px(16)
        self.search.configure(width=max(1, min(px(_SEARCH), width - 2 * self._gutter - beside)))

    def _fill(self) -> None:
        wanted = self.search.value.strip().casefold()
        shown = [row for row in self._rows.values() if _matches(row, wanted)]
        self.table.set_rows([self._table_row(row) for row in shown])
        if shown:
            self._nobody.place_forget()
        else:
            searched = f"Nobody matches “{wanted[:40]}”" if wanted else "Nobody has joined yet"
            self._nobody.set(searched)
            self._nobody.place(relx=0.5, rely=0.5, anchor="center")
        self._selected()

    def _clear_search(self) -> None:
        self.search.value = ""

    def _selected(self) -> None:
        rows = self.chosen
        for button in (self.mute, self.ban):
            button.enabled = bool(rows)
        self.mute.set("Unmute" if rows and all_muted(rows) else "Mute…")
        self.ban.set("Unban" if rows and _all_banned(rows) else "Ban…")

    def _mute_or_unmute(self) -> None:
        rows = self.chosen
        if rows:
            (self._actions.unmute if all_muted(rows) else self._actions.mute)(rows)

    def _ban_or_unban(self) -> None:
        rows = self.chosen
        if rows:
            (self._actions.unban if _all_banned(rows) else self._actions.ban)(rows)

    def _menu(self, key: str, x: int, y: int) -> None:
        row = self._rows[key]
        actions, rows = self._actions, self.chosen or [row]
        items: list[MenuItem] = []
        if len(rows) == 1:
            copy = actions.copy
            items = [
                MenuItem("Copy username", lambda: copy(row.username, "Username copied")),
                MenuItem(),
            ]
        items += standing_items(actions, rows)
        items.append(MenuItem())
        if any(each.banned for each in rows):
            items.append(MenuItem("Unban", lambda: actions.unban(rows)))
        if not _all_banned(rows):
            items.append(MenuItem("Ban…", lambda: actions.ban(rows), danger=True))
        popup(self, self._theme, items, x, y)

    def _table_row(self, row: AccountRow) -> Row:
        """The same object as before for a row that is the same: most are, in each refresh."""
        kept = self._cells.get(row.username)
        if kept is not None and kept[0] == row:
            return kept[1]
        cells: dict[str, Cell] = {
            "person": PersonCell(row.name, row.username, sort=f"{row.name}\0{row.username}"),
            "role": TextCell("Moderator" if row.is_moderator else "Member"),
            "state": _state(row),
        }
        made = Row(row.username, tuple(cells[column.id] for column in self.table.columns))
        self._cells[row.username] = row, made
        return made


def _matches(row: AccountRow, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (row.name, row.username))


def _all_banned(rows: Sequence[AccountRow]) -> bool:
    return all(row.banned for row in rows)


def _state(row: AccountRow) -> PillCell:
    """What is most of note about somebody."""
    if row.banned:
        return PillCell("Banned", "slow")
    if row.muted:
        return PillCell("Muted", "away")
    return PillCell("Online", "active") if row.online else PillCell("Offline", "muted")
