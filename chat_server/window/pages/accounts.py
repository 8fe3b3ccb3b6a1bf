"""The page of all accounts, connected or not, with their moderation."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from functools import partial
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import AccountRow, HostView
from chat_server.window.pages.person_menu import (
    account_items,
    all_muted,
    deletion_items,
    standing_items,
)
from chat_server.window.pages.table_page import SEARCH, TableLayout, TablePage
from common.ui.lists.table import Cell, Column, PersonCell, PillCell, Row, TextCell
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.menus import MenuItem, popup

_COLUMNS: Final = (
    Column("person", "Person", 180, 104, stretch=True),
    Column("role", "Role", 96, 80, tone="muted"),
    Column("state", "State", 84, 78),
)
_GUTTER: Final = 24
_LAYOUT: Final = TableLayout(
    _COLUMNS,
    sort="person",
    fallback_sort=("person",),
    min_widths={"role": 340},
    multiple=True,
    gutter=_GUTTER,
)


class Accounts(TablePage[AccountRow]):
    """Shows the accounts of a view, of which any number may be selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, actions, _LAYOUT)
        tools = Panel(self, theme)
        tools.pack(fill="x", padx=theme.px(_GUTTER), pady=(theme.px(16), theme.px(8)))
        self.search = Field(
            tools, theme, placeholder="Search name or username", icon="search",
            width=SEARCH, limit=100, on_change=lambda _: self._fill(),
            on_cancel=self._clear_search,
        )  # fmt: skip
        self.mute = Button(tools, theme, "Unmute", self._mute_or_unmute)
        self.ban = Button(tools, theme, "Unban", self._ban_or_unban)
        self.ban.pack(side="right")
        self.mute.pack(side="right", padx=theme.px(8))
        self.search.pack(side="left")
        for button in (self.mute, self.ban):
            button.lift()  # Tab goes from left to right
        self._add_table()
        self._selected()

    def take_over(self, former: Accounts) -> None:
        """See `TablePage`."""
        self.search.value = former.search.value
        super().take_over(former)

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self._rows = {row.username: row for row in view.accounts}
        self._theme.colours.meet(row.username for row in view.accounts)
        self._forget_former_rows()
        self._fill()

    def _lay_out(self, width: int) -> None:
        room = width - 2 * self._theme.px(_GUTTER)
        self._place_search(self.search, (self.ban, self.mute), room)

    def _fill(self) -> None:
        wanted = self.search.value.strip().casefold()
        shown = [row for row in self._rows.values() if _matches(row, wanted)]
        self.table.set_rows(
            [self._reuse_row(row.username, row, partial(self._table_row, row)) for row in shown]
        )
        searched = f"Nobody matches “{wanted[:40]}”" if wanted else "Nobody has joined yet"
        self._show_empty("" if shown else searched)
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
                *account_items(actions, rows),
                MenuItem(),
            ]
        items += standing_items(actions, rows)
        items.append(MenuItem())
        if any(each.banned for each in rows):
            items.append(MenuItem("Unban", lambda: actions.unban(rows)))
        if not _all_banned(rows):
            items.append(MenuItem("Ban…", lambda: actions.ban(rows), danger=True))
        items += deletion_items(actions, rows)
        popup(self, self._theme, items, x, y)

    def _table_row(self, row: AccountRow) -> Row:
        cells: dict[str, Cell] = {
            "person": PersonCell(row.name, row.username, sort=f"{row.name}\0{row.username}"),
            "role": TextCell("Moderator" if row.is_moderator else "Member"),
            "state": _state(row),
        }
        return Row(row.username, tuple(cells[column.id] for column in self.table.columns))


def _matches(row: AccountRow, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (row.name, row.username))


def _all_banned(rows: Sequence[AccountRow]) -> bool:
    return all(row.banned for row in rows)


def _state(row: AccountRow) -> PillCell:
    """The most important state of an account."""
    if row.banned:
        return PillCell("Banned", "slow")
    if row.muted:
        return PillCell("Muted", "away")
    return PillCell("Online", "active") if row.online else PillCell("Offline", "muted")
