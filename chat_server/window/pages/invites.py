"""The page of invites: the code, new links, and the list of those there are."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from functools import partial
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.code_card import CodeCard
from chat_server.window.facts import Facts
from chat_server.window.model import HostView, InviteRow, InviteState
from chat_server.window.pages.table_page import TableLayout, TablePage
from common.ui.lists.table import Cell, Column, PillCell, Row, Table, TextCell
from common.ui.look.cards import Card
from common.ui.look.icons import IconName
from common.ui.look.palette import PillTone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.flow import Flow
from common.ui.widgets.menus import MenuItem, popup

_COLUMNS: Final = (
    Column("what", "Invite", 150, 100, stretch=True),
    Column("note", "Note", 120, 44, tone="muted", stretch=True, yield_first=True),
    Column("role", "Joins as", 84, 70, tone="muted"),
    Column("by", "By", 72, 40, tone="muted"),
    Column("created", "Made", 52, 44, align="right"),
    Column("expires", "Until", 96, 60),
    Column("uses", "Used", 60, 44, align="right"),
    Column("state", "State", 84, 78),
)
_GUTTER: Final = 24
_LAYOUT: Final = TableLayout(
    _COLUMNS,
    sort="created",
    descending=True,
    fallback_sort=("what",),
    min_widths={"role": 700, "note": 560, "by": 620, "created": 520, "expires": 440, "uses": 360},
    gutter=_GUTTER,
)
_ICON: Final = 28
"""Room beside a text for its icon, px at 96 dpi."""
_FACTS: Final = 460
"""Height of the page, px at 96 dpi, from which there is room for the facts below the table."""
_LOW: Final = 340
"""Height of the page, px at 96 dpi, below which a code takes the place of the tools."""
_PILLS: Final[dict[InviteState, tuple[str, PillTone]]] = {
    "valid": ("Valid", "active"),
    "used": ("Used up", "muted"),
    "expired": ("Expired", "muted"),
    "revoked": ("Revoked", "slow"),
}


class Invites(TablePage[InviteRow]):
    """Shows the invites of a view, those that have ended only on request; at most one selected."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, actions, _LAYOUT)
        self._ended_too = False
        self._all: dict[str, InviteRow] = {}
        self._standing_link = ""
        tools = self._tools = Flow(self, theme)
        self._pack_tools()
        joining = actions.joining
        self.create = Button(
            tools, theme, "New invite…", joining.create_invite, variant="primary", icon="plus"
        )
        self.show_code = Button(tools, theme, "Show the code", joining.show_code)
        self.copy = CopyButton(
            tools, theme, "Copy invite link", lambda link: actions.copy(link, ""), icon="link"
        )
        self.revoke = Button(tools, theme, "New invite link…", self._end_selected)
        self.ended = Button(tools, theme, "Show ended", self._toggle_ended)
        for button in (self.create, self.show_code, self.copy, self.revoke, self.ended):
            tools.add(button)
        self._card = Card(self, theme, padding=(24, 16))
        self.code = CodeCard(self._card, theme, actions)
        self.code.pack(fill="x")
        self.facts = Facts(self, theme, actions)
        self.paused = Label(
            self, theme, "New people have to ask now: links and codes let nobody in but devices of "
            "members.", tone="warning", icon="warning",
        )  # fmt: skip
        self._add_table()
        self.bind("<Configure>", lambda event: self._make_room(event.height), add="+")
        self._selected()

    def take_over(self, former: Invites) -> None:
        """See `TablePage`."""
        self._ended_too, self._all = former._ended_too, former._all
        super().take_over(former)

    def show(self, view: HostView) -> None:
        """Show this moment."""
        joining = view.joining
        if view.reach is not None:
            self._standing_link = self.copy.content = view.reach.invite
        self.show_code.set("Show the code" if joining.code_live else "Show a code")
        self.show_code.enabled = joining.code is None and joining.rule != "ask"
        if joining.code is not None:
            self.code.show(joining.code)
            self._fit_code(self.winfo_width())
            px = self._theme.px
            self._card.pack(fill="x", padx=px(_GUTTER), pady=px(8), before=self.table)
        else:
            self._card.pack_forget()
        if joining.rule != "ask" or joining.code is not None:
            self.paused.pack_forget()
        elif not self.paused.winfo_manager():
            px = self._theme.px
            self.paused.pack(anchor="w", padx=px(_GUTTER), pady=(0, px(8)), before=self.table)
        self._make_room(self.winfo_height())
        self.facts.show(joining.facts)
        self._all = {str(row.number): row for row in joining.invites}
        self._choose_rows()

    def _choose_rows(self) -> None:
        self._rows = {
            key: row
            for key, row in self._all.items()
            if self._ended_too or row.state == "valid" or row.standing
        }
        self._fill()
        self._show_empty("" if self._rows else "There are no invites")
        left = len(self._all) - sum(
            row.state == "valid" or row.standing for row in self._all.values()
        )
        self.ended.enabled = bool(left)
        self.ended.set("Hide ended" if self._ended_too else "Show ended")
        self._selected()

    def _toggle_ended(self) -> None:
        self._ended_too = not self._ended_too
        self._choose_rows()

    def _lay_out(self, width: int) -> None:
        self._fit_code(width)
        px = self._theme.px
        self.paused.configure(wraplength=max(1, width - 2 * px(_GUTTER) - px(_ICON)))
        self.facts.fit(max(1, width - 2 * self._theme.px(_GUTTER)))

    def _fit_code(self, width: int) -> None:
        self.code.fit(max(1, width - 2 * self._theme.px(_GUTTER + 24)))

    def _make_table(self, sort: str, *, descending: bool) -> Table:
        table = super()._make_table(sort, descending=descending)
        self.facts.lift()  # Tab follows the stack
        return table

    def _pack_tools(self) -> None:
        px = self._theme.px
        self._tools.pack(fill="x", padx=px(_GUTTER), pady=(px(16), px(8)))

    def _make_room(self, height: int) -> None:
        """Show the facts where the table has room as well, and the tools where the code has."""
        px = self._theme.px
        low = bool(self._card.winfo_manager()) and 1 < height < px(_LOW)
        self.code.set_compact(low)
        if low:
            self._tools.pack_forget()
        elif not self._tools.winfo_manager():
            self._pack_tools()
            above = self._card if self._card.winfo_manager() else self.table
            self._tools.pack_configure(before=above)
        if height >= px(_FACTS) and not self.facts.winfo_manager():
            self.facts.pack(
                side="bottom", fill="x", padx=px(_GUTTER), pady=px(12), before=self.table
            )
        elif height < px(_FACTS):
            self.facts.pack_forget()

    def _fill(self) -> None:
        shown = [column.id for column in self._columns]
        self.table.set_rows(
            [
                self._reuse_row(key, row, partial(_table_row, key, row, shown))
                for key, row in self._rows.items()
            ]
        )
        self._forget_former_rows()

    def _selected(self) -> None:
        row = self._rows.get(self.table.selected or "")
        self.revoke.set("New invite link…" if row is not None and row.standing else "Revoke…")
        self.revoke.enabled = row is not None and row.state == "valid"
        self._tools.refit()

    def _end_selected(self) -> None:
        row = self._rows.get(self.table.selected or "")
        if row is not None:
            self._end(row)

    def _end(self, row: InviteRow) -> None:
        if row.standing:
            self._actions.new_invite()
        else:
            self._actions.joining.revoke(row)

    def _menu(self, key: str, x: int, y: int) -> None:
        row = self._rows[key]
        items: list[MenuItem] = []
        if row.standing:
            link = self._standing_link
            items = [
                MenuItem("Copy link", lambda: self._actions.copy(link, "Invite link copied")),
                MenuItem("New invite link…", lambda: self._end(row)),
            ]
        elif row.state == "valid":
            items = [MenuItem("Revoke…", lambda: self._end(row), danger=True)]
        if items:
            popup(self, self._theme, items, x, y)


def _table_row(key: str, row: InviteRow, columns: Sequence[str]) -> Row:
    pill, tone = _PILLS[row.state]
    cells: dict[str, Cell] = {
        "what": TextCell(row.what, _icon(row)),
        "note": TextCell(row.note),
        "role": TextCell(row.role),
        "by": TextCell(row.by),
        "created": TextCell(row.created_text, sort=row.created),
        "expires": TextCell(row.expires_text, sort=row.expires),
        "uses": TextCell(row.uses_text, sort=row.uses),
        "state": PillCell(pill, tone),
    }
    return Row(key, tuple(cells[column] for column in columns))


def _icon(row: InviteRow) -> IconName:
    if row.what.startswith("A device"):
        return "laptop"
    return "link" if row.standing or row.what == "Link" else "enter"
