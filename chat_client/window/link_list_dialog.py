"""A dialog with a list, a button in each row, and a link that is made there."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from datetime import timedelta
from time import time
from typing import TYPE_CHECKING, Final

from common.domain.times import date_text, local_time
from common.ui.look.icons import IconName
from common.ui.look.palette import Tone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.dialog import Answer, Choice, Dialog
from common.ui.widgets.link_field import LinkField
from common.ui.widgets.scrolling import ScrollPane
from common.ui.widgets.selection import copy

if TYPE_CHECKING:
    from chat_client.core import Core

_WIDE: Final = 480
"""px at 96 dpi, as are those below."""
_HIGHEST: Final = 300
"""Height of the list at most: more rows are scrolled."""
_LOWEST: Final = 56
"""Height of the list at least: a row."""
_ABOVE: Final = 8
_OF_SCREEN: Final = 0.85
"""The part of the screen's height that the dialog takes at most; its frame takes more."""
_NAME_WIDTH: Final = 300


class LinkListDialog(Dialog):
    """For subclasses to fill: `label` is what the button says that makes a link, by `_make`.

    `order(do)` has the core do something.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        title: str,
        message: str,
        label: str,
        order: Callable[[Callable[[Core], object]], object],
    ) -> None:
        self._order, self._label = order, label
        self.question: Dialog | None = None
        """The question asked last over this dialog, if there was one."""
        choices = (Choice("close", "Close"),)
        super().__init__(parent, theme, title, message, choices, width=_WIDE)

    def _make(self) -> None:
        """Somebody wants a link."""
        raise NotImplementedError

    def _build_more(self, inside: Panel, width: int) -> None:
        theme = self._theme
        self._pane = ScrollPane(inside, theme, lambda _width, _height: self._put())
        self._list = Panel(self._pane.inside, theme)
        self.note = Label(inside, theme, "Asking the server…", tone="muted", wrap=width)
        self.note.pack(anchor="w", pady=(theme.px(14), 0))
        self.add = Button(inside, theme, self._label, self._make, icon="plus")
        self.add.pack(anchor="w", pady=(theme.px(14), 0))
        self._invite = Panel(inside, theme)
        self.link = LinkField(self._invite, theme, self._copy, height=38)
        self.copy_link = CopyButton(
            self._invite, theme, "Copy link", self._copy, variant="primary", height=38
        )
        self.copy_link.pack(side="right", padx=(theme.px(8), 0))
        self.link.pack(side="left", fill="x", expand=True)
        self.link.lift()
        self.copy_link.lift()
        self._fit()

    # The link

    def _show_link(self, link: str, another: str) -> None:
        """Show it, with the keyboard on its button; `another` is what the other button says now."""
        self.link.show(link)
        self.copy_link.content = link
        self._invite.pack(fill="x", pady=(self._theme.px(10), 0), before=self.add)
        self.add.set(another)
        self._fit()
        self.window.update_idletasks()  # Tk focuses only what is on the screen
        self.copy_link.focus_set()

    def _hide_link(self) -> None:
        self.link.show("")
        self.copy_link.content = ""
        self._invite.pack_forget()
        self.add.set(self._label)

    def _copy(self, link: str) -> None:
        copy(self.window, link)

    def _say(self, text: str, tone: Tone = "text") -> None:
        self.note.set(text, tone)
        self.note.pack(anchor="w", pady=(self._theme.px(14), 0), before=self.add)

    def _ask(self, question: Dialog) -> Answer:
        """Ask something over this dialog; the choice is "" if this one is gone meanwhile."""
        self.question = question
        answer = question.ask()
        if not self.window.winfo_exists():
            return Answer("")
        self.window.grab_set()  # as the question had it
        return answer

    # The list

    def _clear(self) -> None:
        for child in self._list.winfo_children():
            child.destroy()

    def _add_row(
        self,
        icon: IconName,
        name: str,
        detail: str,
        action: tuple[str, Callable[[], object]] | None,
    ) -> Button | None:
        """Add a row; the button of its `action`, if it has one."""
        theme = self._theme
        if self._list.winfo_children():
            Hairline(self._list, theme).pack(fill="x")
        row = Panel(self._list, theme)
        row.pack(fill="x", pady=theme.px(8))
        Picture(row, theme, lambda: theme.icon(icon, theme.palette.muted, size=20)).pack(
            side="left", padx=(0, theme.px(12))
        )
        button = None
        if action is not None:
            button = Button(row, theme, *action, height=30)
            button.pack(side="right", padx=(theme.px(8), theme.px(12)))
        words = Panel(row, theme)
        words.pack(side="left", fill="x", expand=True)
        name = theme.fonts.fit("body_bold", name, theme.px(_NAME_WIDTH))
        Label(words, theme, name, font="body_bold").pack(anchor="w")
        Label(words, theme, detail, font="label", tone="muted").pack(anchor="w")
        return button

    def _filled(self) -> None:
        """All rows are there."""
        self._pane.adopt()
        self._fit()

    def _fit(self) -> None:
        """Give the list the height that it needs, as far as it and the screen have room."""
        pane, px = self._pane, self._theme.px
        pane.pack_propagate(False)
        pane.pack_forget()
        self.window.update_idletasks()
        room = self.window.winfo_screenheight() * _OF_SCREEN - self.window.winfo_reqheight()
        needed = self._list.winfo_reqheight() if self._list.winfo_children() else 1
        height = min(needed, px(_HIGHEST), int(room) - px(_ABOVE))
        # Beside a link, with large letters on a low screen, there may be no room for it at all.
        if height >= min(needed, px(_LOWEST)):
            pane.configure(height=max(1, height))
            pane.pack(fill="x", pady=(px(_ABOVE), 0), before=self._below_list())
        self._put()

    def _below_list(self) -> tk.Misc:
        """What stands right below the list."""
        return next(each for each in (self.note, self._invite, self.add) if each.winfo_manager())

    def _put(self) -> None:
        self._pane.put(self._list, 0, 0)


def moment(milliseconds: int) -> str:
    """A time of day, with the date unless it is near."""
    then, today = local_time(milliseconds), local_time(int(time() * 1000)).date()
    near = {
        today: "today",
        today - timedelta(days=1): "yesterday",
        today + timedelta(days=1): "tomorrow",
    }
    return f"{near.get(then.date(), date_text(then))} at {then:%H:%M}"
