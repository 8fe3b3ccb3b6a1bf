"""The table of connections, with the search field and what can be done with a selection."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import ClientRow, HostView
from chat_server.window.pages.person_menu import all_muted, standing_items
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
"""Width, px at 96 dpi, below which the name of who is selected is left out."""
_SEARCH: Final = 300
"""Width of the search field where there is room, px at 96 dpi."""
_FROM: Final = {"in": _NARROW, "out": _NARROW, "device": 440, "since": 400, "address": 340}
"""Width, px at 96 dpi, from which there is room for a column."""


class People(Panel):
    """Shows the rows of a view, of which any number may be selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions = theme, actions
        self._rows: dict[str, ClientRow] = {}
        self._cells: dict[str, tuple[ClientRow, Row]] = {}
        self._build_tools()
        self._columns: tuple[Column, ...] = COLUMNS
        self.table = self._make_table("since", descending=False)
        self._nobody = Label(self, theme, tone="muted")
        self.bind("<Configure>", lambda event: self._resized(event.width), add="+")

    def show(self, view: HostView) -> None:
        """Show the rows that match the search."""
        self._rows = {str(row.connection): row for row in view.rows}
        self._theme.colours.meet(row.username for row in view.rows)
        self._fill()
        for gone in self._cells.keys() - self._rows.keys():
            del self._cells[gone]
        if view.rows or not view.search:
            self._nobody.place_forget()
        else:
            self._nobody.set(f"Nobody matches “{view.search[:40]}”")
            self._nobody.place(relx=0.5, rely=0.5, anchor="center")
        self._selected()

    @property
    def chosen(self) -> list[ClientRow]:
        """The selected rows."""
        return [self._rows[key] for key in self.table.chosen if key in self._rows]

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
            width=_SEARCH, limit=100, on_change=self._actions.search, on_cancel=self._clear_search,
        )  # fmt: skip
        self.terminate = Button(
            tools, theme, "Terminate", self.confirm_terminate, variant="danger", icon="terminate"
        )
        self.mute = Button(tools, theme, "Unmute", self._mute_or_unmute)
        self.ban = Button(tools, theme, "Ban…", self._ask_to_ban)
        self._who = Label(tools, theme, tone="muted")
        # The right side first: what is packed last gives way when there is too little room.
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

    def _make_table(self, sort: str | None, *, descending: bool) -> Table:
        table = Table(
            self, self._theme, self._columns,
            sort=sort, descending=descending,
            on_select=lambda _: self._selected(), on_menu=self._menu,
        )  # fmt: skip
        table.multiple = True
        table.pack(fill="both", expand=True)
        table.canvas.bind("<Delete>", lambda _: self.confirm_terminate())
        return table

    def _resized(self, width: int) -> None:
        """Show the columns there is room for: a table's columns are for its lifetime."""
        px = self._theme.px
        columns = tuple(column for column in COLUMNS if width >= px(_FROM.get(column.id, 0)))
        if columns != self._columns:
            self._columns = columns
            old = self.table
            sort, descending = old.sort
            shown = [column.id for column in columns]
            if sort not in shown:
                sort, descending = "since" if "since" in shown else "person", False
            self.table = self._make_table(sort, descending=descending)
            self._cells.clear()
            self._fill()
            self.table.select(old.selected)
            old.destroy()
            self._nobody.lift()
        buttons = (self.mute, self.ban, self.terminate)
        beside = sum(each.winfo_reqwidth() + px(8) for each in buttons) + px(16)
        self.search.configure(width=max(1, min(px(_SEARCH), width - beside)))
        self._selected()

    def _fill(self) -> None:
        self.table.set_rows([self._table_row(key, row) for key, row in self._rows.items()])

    def _clear_search(self) -> None:
        self.search.value = ""

    def _selected(self) -> None:
        rows = self.chosen
        for button in (self.mute, self.ban, self.terminate):
            button.enabled = bool(rows)
        self.mute.set("Unmute" if rows and all_muted(rows) else "Mute…")
        theme = self._theme
        taken = sum(each.winfo_reqwidth() for each in (self.mute, self.ban, self.terminate))
        room = self.winfo_width() - theme.px(_SEARCH + 2 * 8 + 2 * 16) - taken
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
                MenuItem(),
            ]
        items += standing_items(actions, rows)
        items += [
            MenuItem(),
            MenuItem("Ban…", lambda: actions.ban(rows), danger=True),
            MenuItem("Terminate…", lambda: actions.terminate(rows), danger=True),
        ]
        popup(self, self._theme, items, x, y)

    def _table_row(self, key: str, row: ClientRow) -> Row:
        """The same object as before for a row that is the same: most are, in each refresh."""
        kept = self._cells.get(key)
        if kept is not None and kept[0] is row:
            return kept[1]
        cells: dict[str, Cell] = {
            "person": PersonCell(row.name, row.username, sort=f"{row.name}\0{row.username}"),
            "device": TextCell(row.device, _device_icon(row.device)),
            "address": TextCell(row.address, sort=row.address_order),
            "since": TextCell(row.since_text, sort=row.since),
            "in": TextCell(row.received_text, sort=row.received),
            "out": TextCell(row.sent_text, sort=row.sent),
            "state": _state(row),
        }
        made = Row(key, tuple(cells[column.id] for column in self.table.columns))
        self._cells[key] = row, made
        return made


def _state(row: ClientRow) -> PillCell:
    """What is most of note about a connection."""
    if row.muted:
        return PillCell("Muted", "away")
    if row.slow:
        return PillCell("Slow", "slow")
    return PillCell("Moderator", "muted") if row.is_moderator else PillCell("Active", "active")


def _device_icon(device: str) -> IconName:
    return "laptop" if "laptop" in device.casefold() else "desktop"
