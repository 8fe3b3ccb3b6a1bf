"""The table of connections, with the search field and the moderation of a selection."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import ClientRow, HostView
from chat_server.window.pages.person_menu import (
    account_items,
    all_muted,
    deletion_items,
    standing_items,
)
from chat_server.window.pages.table_page import SEARCH, TableLayout, TablePage
from common.ui.lists.table import Cell, Column, PersonCell, PillCell, Row, Table, TextCell
from common.ui.look.icons import IconName
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.menus import MenuItem, popup

COLUMNS: Final = (
    Column("person", "Person", 180, 104, stretch=True),
    Column("device", "Device", 150, 44, tone="muted", stretch=True, yield_first=True),
    Column("address", "Address", 104, 66, tone="muted"),
    Column("since", "Since", 48, 40, align="right"),
    Column("in", "In", 60, 52, align="right"),
    Column("out", "Out", 60, 52, align="right"),
    Column("state", "State", 72, 66),
)
_NARROW: Final = 660
"""Width, px at 96 dpi, below which the name of the selected person is left out."""
_LAYOUT: Final = TableLayout(
    COLUMNS,
    sort="since",
    fallback_sort=("since", "person"),
    min_widths={"in": _NARROW, "out": _NARROW, "device": 440, "since": 400, "address": 340},
    multiple=True,
)


class People(TablePage[ClientRow]):
    """Shows the rows of a view, of which any number may be selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, actions, _LAYOUT)
        self._build_tools()
        self._add_table()

    def take_over(self, former: People) -> None:
        """See `TablePage`."""
        self.search.value = former.search.value
        super().take_over(former)

    def show(self, view: HostView) -> None:
        """Show the rows that match the search."""
        self._rows = {str(row.connection): row for row in view.rows}
        self._theme.colours.meet(row.username for row in view.rows)
        self._fill()
        self._forget_former_rows()
        self._show_empty(
            f"Nobody matches “{view.search[:40]}”" if view.search and not view.rows else ""
        )
        self._selected()

    def confirm_terminate(self) -> None:
        """Ask about the selected connections, if there are any."""
        if self.chosen:
            self._actions.terminate(self.chosen)

    def _ask_to_ban(self) -> None:
        if self.chosen:
            self._actions.ban(self.chosen)

    def _mute_or_unmute(self) -> None:
        rows = self.chosen
        if rows:
            (self._actions.unmute if all_muted(rows) else self._actions.mute)(rows)

    def _build_tools(self) -> None:
        theme = self._theme
        tools = Panel(self, theme)
        tools.pack(fill="x", pady=(0, theme.px(8)))
        self.search = Field(
            tools, theme, placeholder="Search name, device or address", icon="search",
            width=SEARCH, limit=100, on_change=self._actions.search, on_cancel=self._clear_search,
        )  # fmt: skip
        self.terminate = Button(
            tools, theme, "Terminate", self.confirm_terminate, variant="danger", icon="terminate"
        )
        self.mute = Button(tools, theme, "Unmute", self._mute_or_unmute)
        self.ban = Button(tools, theme, "Ban…", self._ask_to_ban)
        self._who = Label(tools, theme, tone="muted")
        # The right side first: what is packed last is cut off when there is too little room.
        self.terminate.pack(side="right")
        self.ban.pack(side="right", padx=theme.px(8))
        self.mute.pack(side="right")
        self.search.pack(side="left")
        self._who.pack(side="right", padx=theme.px(16))
        for button in (self.mute, self.ban, self.terminate):
            button.lift()  # Tab goes from left to right
        self._selected_none()

    def _selected_none(self) -> None:
        for button in (self.mute, self.ban, self.terminate):
            button.enabled = False

    def _make_table(self, sort: str, *, descending: bool) -> Table:
        table = super()._make_table(sort, descending=descending)
        table.canvas.bind("<Delete>", lambda _: self.confirm_terminate())
        return table

    def _lay_out(self, width: int) -> None:
        self._place_search(self.search, (self.terminate, self.ban, self.mute), width)
        self._selected()

    def _fill(self) -> None:
        self.table.set_rows(
            [
                self._reuse_row(key, row, partial(self._table_row, key, row))
                for key, row in self._rows.items()
            ]
        )

    def _clear_search(self) -> None:
        self.search.value = ""

    def _selected(self) -> None:
        rows = self.chosen
        for button in (self.mute, self.ban, self.terminate):
            button.enabled = bool(rows)
        self.mute.set("Unmute" if rows and all_muted(rows) else "Mute…")
        theme = self._theme
        taken = sum(each.winfo_reqwidth() for each in (self.mute, self.ban, self.terminate))
        room = self.winfo_width() - theme.px(SEARCH + 2 * 8 + 2 * 16) - taken
        text = f"{rows[0].name} selected" if rows else ""
        if len(rows) > 1:
            text = f"{len(rows)} selected"
        elif rows and theme.fonts.width("body", text) > room:
            rest = theme.fonts.width("body", "… selected")
            text = f"{theme.fonts.fit('body', rows[0].name, max(0, room - rest))} selected"
        self._who.set(text if self.winfo_width() >= theme.px(_NARROW) else "")

    def _menu(self, key: str, x: int, y: int) -> None:
        row = self._rows[key]
        actions, rows = self._actions, self.chosen or [row]
        copy = actions.copy
        items = []
        if len(rows) == 1:
            items = [
                MenuItem("Copy username", lambda: copy(row.username, "Username copied")),
                MenuItem("Copy address", lambda: copy(row.address, "Address copied")),
                *account_items(actions, rows),
                MenuItem(),
            ]
        items += standing_items(actions, rows)
        items += [
            MenuItem(),
            MenuItem("Ban…", lambda: actions.ban(rows), danger=True),
            MenuItem("Terminate…", lambda: actions.terminate(rows), danger=True),
            *deletion_items(actions, rows),
        ]
        popup(self, self._theme, items, x, y)

    def _table_row(self, key: str, row: ClientRow) -> Row:
        cells: dict[str, Cell] = {
            "person": PersonCell(row.name, row.username, sort=f"{row.name}\0{row.username}"),
            "device": TextCell(row.device, _device_icon(row.device)),
            "address": TextCell(row.address, sort=row.address_order),
            "since": TextCell(row.since_text, sort=row.since),
            "in": TextCell(row.received_text, sort=row.received),
            "out": TextCell(row.sent_text, sort=row.sent),
            "state": _state(row),
        }
        return Row(key, tuple(cells[column.id] for column in self.table.columns))


def _state(row: ClientRow) -> PillCell:
    """The most important state of a connection."""
    if row.muted:
        return PillCell("Muted", "away")
    if row.slow:
        return PillCell("Slow", "slow")
    return PillCell("Moderator", "muted") if row.is_moderator else PillCell("Active", "active")


def _device_icon(device: str) -> IconName:
    return "laptop" if "laptop" in device.casefold() else "desktop"
