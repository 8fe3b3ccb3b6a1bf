"""The right side of the join screen: what is shown of one way into a chat."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final, NamedTuple

from chat_client.window.join.actions import Actions
from chat_client.window.join.address_part import AddressPart
from chat_client.window.join.code_part import CodePart
from chat_client.window.join.heading import Heading
from chat_client.window.join.link_part import LinkPart
from chat_client.window.join.name_fields import NameFields
from chat_client.window.join.search_part import SearchPart
from chat_client.window.join.titles import Row, Title
from chat_client.window.join.view import View
from chat_client.window.join.waiting_part import WaitingPart
from chat_client.window.join.ways import Way
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.code_slots import CodeSlots
from common.ui.widgets.fields import Field
from common.ui.widgets.safe_text import safe
from common.ui.widgets.scrolling import ScrollPane

_WIDTH: Final = 380
_MARGIN: Final = 20
"""Least space left and right of the column, px at 96 dpi."""
_SPARE_ABOVE: Final = 0.44
"""The part of the spare height that is above the column: the middle looks too low."""
_OFFER: Final = 170
"""Width of a chat's name in the offer of a copied link, px at 96 dpi."""


class Handlers(NamedTuple):
    """What the column calls."""

    on_change: Callable[[], object]
    """Something was typed."""
    on_press: Callable[[], object]
    """The button, or Return in a field."""
    on_cancel: Callable[[], object]
    on_turn: Callable[[Way], object]
    on_host: Callable[[], object]
    on_scan: Callable[[], object]
    """Try every address of this network."""
    on_offer: Callable[[], object]
    on_link: Callable[[str], bool]
    """A text was pasted that may be a link; whether it is."""


class Column(ScrollPane):
    """The column, in the middle of its pane and scrolled where that is too low."""

    def __init__(self, parent: tk.Misc, theme: Theme, handlers: Handlers) -> None:
        super().__init__(parent, theme, self._arrange)
        self._theme = theme
        column = self.content = Panel(self.inside, theme, "window")
        column.bind("<Configure>", lambda _: self.arrange())
        change, press = handlers.on_change, handlers.on_press
        # In the order of Tab, which is that of their making.
        self.heading = Heading(column, theme)
        self._warning = Label(column, theme, tone="warning", wrap=_WIDTH)
        self.searching = SearchPart(
            column,
            theme,
            handlers.on_host,
            lambda: handlers.on_turn(Way.ADDRESS),
            handlers.on_scan,
        )
        self.waiting = WaitingPart(column, theme)
        self.link = LinkPart(column, theme, change, press)
        self.code = CodePart(column, theme, change, press)
        self.address = AddressPart(column, theme, change, press)
        self.offer = Button(column, theme, command=handlers.on_offer, variant="link", icon="copy")
        self.names = NameFields(column, theme, change, press, handlers.on_link)
        self.problem = Label(column, theme, tone="danger", wrap=_WIDTH)
        self.actions = Actions(column, theme, press, handlers.on_cancel, handlers.on_turn)
        self._view: View | None = None
        self._placed: tuple[list[Row], str | None] | None = None
        """The rows that are packed, and where the problem stands."""
        self.adopt()

    def show(self, view: View) -> None:
        """Show it; what is typed stays."""
        if view == self._view:
            return
        before, self._view = self._view, view
        head = view.head
        if head.icon is not None:
            self.heading.show(head.title, head.under, head.icon)
        else:
            self.heading.show_chat(head.title, head.sign, head.under)
        self._warning.set(view.warning)
        self.searching.show(view.searching)
        self.waiting.show(view.digits)
        self.actions.show(view.button, view.doing, view.cancel, view.others)
        if view.offer:
            name = self._theme.fonts.fit("body", safe(view.offer), self._theme.px(_OFFER))
            self.offer.set(f"Use the link to “{name}” you copied")
        self.problem.set(view.problem)
        # Several lines, one for each address, must leave room for everything else.
        lines = "\n" in view.problem
        self.problem.configure(font=self._theme.fonts["label" if lines else "body"])
        self._lay_out(view)
        if before is None or (view.problem, view.field) != (before.problem, before.field):
            self._mark(view)
        self._hand_over(view)
        self.adopt()

    def _hand_over(self, view: View) -> None:
        """Leave the keyboard with nothing that is hidden: what is typed there would change it."""
        if not self._is_hidden(self.focus_lastfor()):
            return
        if view.digits:
            self._map()
            self.waiting.digits.focus_set()
        elif not view.doing:
            self.take_keyboard(view.way)

    def _is_hidden(self, widget: tk.Misc | None) -> bool:
        """Whether it is, or is in, a part of the column that is not shown now."""
        while widget is not None and widget.master is not self.content:
            widget = widget.master
        return widget is not None and not widget.winfo_manager()

    def at(self, field: str) -> Field | CodeSlots | None:
        """The input that a problem is about, if it is shown.

        `field` is "username", "display_name", "code", "address" or "invite".
        """
        inputs: dict[str, Field | CodeSlots] = {
            "username": self.names.username,
            "display_name": self.names.name,
            "code": self.code.slots,
            "address": self.address.address,
            "invite": self.link.link,
        }
        found = inputs.get(field)
        if found is None and self._view is not None and self._view.way is Way.LINK:
            found = self.link.link
        return found if found is not None and found.winfo_manager() else None

    def go_to(self, field: str, *, select: bool) -> None:
        """Give the keyboard to the input that a problem is about, if it is shown; see `at`."""
        at = self.at(field)
        if at is not None:
            self._map()
            at.focus_set()
            if select:
                at.select_all()

    def take_keyboard(self, way: Way) -> bool:
        """Give the keyboard to what is to be typed next; False if that is nothing."""
        self._map()
        if way is Way.SEARCH:
            return False
        fields: dict[Way, Field | CodeSlots] = {
            Way.CODE: self.code.slots,
            Way.ADDRESS: self.address.address,
        }
        if not self.link.link.value:
            fields[Way.LINK] = self.link.link
        at = fields.get(way, self.names.name)
        if at.winfo_manager():
            at.focus_set()
            at.select_all()
        else:
            self.actions.button.focus_set()  # of an invite that says whose it is
        return True

    def _map(self) -> None:
        """Have what was just packed on the screen.

        Tk focuses only what is mapped: until its loop has handled that, a keystroke would still go
        to the widget that had the focus before.
        """
        self.update_idletasks()

    def take_over(self, former: Column) -> None:
        """Show what is typed into another one."""
        self.link.link.take_over(former.link.link)
        self.code.slots.take_over(former.code.slots)
        self.address.address.take_over(former.address.address)
        self.names.take_over(former.names)

    def _mark(self, view: View) -> None:
        for each in (
            self.names.username,
            self.names.name,
            self.code.slots,
            self.address.address,
            self.link.link,
        ):
            each.set_error(False)
        at = self.at(view.field)
        if at is not None and view.problem:
            at.set_error(True)

    def _lay_out(self, view: View) -> None:
        rows = self._rows(view)
        placed = (rows, view.field if view.problem else None)
        if placed != self._placed:
            # Else what somebody is typing into would go from the screen for a moment.
            self._placed = placed
            self._pack(rows)
            if view.problem:
                self._put_problem(view.field)
        self.arrange()

    def _pack(self, rows: list[Row]) -> None:
        for child in self.content.pack_slaves():
            child.pack_forget()
        for widget, above, fill in rows:
            widget.pack(fill="x" if fill else "none", pady=(self._theme.px(above), 0))

    def _put_problem(self, field: str) -> None:
        """Below the field that it is about, else above the button."""
        at, actions, above = self.at(field), self.actions.rows, (self._theme.px(6), 0)
        if at is not None:
            self.problem.pack(anchor="w", fill="x", pady=above, after=at)
        elif actions:
            self.problem.pack(anchor="w", fill="x", pady=above, before=actions[0].widget)
        else:
            self.problem.pack(anchor="w", fill="x", pady=above)

    def _rows(self, view: View) -> list[Row]:
        rows = [Row(self.heading)]
        if view.warning and not view.digits:
            rows.append(Row(self._warning, 16))
        if view.digits:
            return [*rows, *self.waiting.rows, *self.actions.rows]
        parts: dict[Way, tuple[Row, ...]] = {
            Way.SEARCH: tuple(self.searching.rows),
            Way.LINK: self.link.rows,
            Way.CODE: self.code.rows,
            Way.ADDRESS: self.address.rows,
        }
        rows += parts.get(view.way, ())
        if view.offer:
            rows.append(Row(self.offer, 4, fill=False))
        if view.names:
            rows += self.names.rows
        return [*rows, *self.actions.rows]

    def arrange(self) -> None:
        """Fit everything into the pane as it is."""
        self._arrange(self.canvas.winfo_width(), self.canvas.winfo_height())

    def _arrange(self, width: int, height: int) -> None:
        """The column in the middle, as wide as there is room, and whole."""
        del height  # `put` asks for it
        px = self._theme.px
        width = max(1, min(px(_WIDTH), width - px(2 * _MARGIN)))
        for text in (self.problem, self._warning):
            text.configure(wraplength=width)
        for part in (self.heading, self.searching, self.waiting, self.actions):
            part.fit(width)
        for title in self._titles:
            title.fit(width)
        self.put(self.content, _SPARE_ABOVE, px(6), width)

    @property
    def _titles(self) -> tuple[Title, ...]:
        return (self.link.title, self.code.title, self.address.title, *self.names.titles)
