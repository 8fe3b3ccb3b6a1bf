"""The dialog of one's own devices: which there are, signing one out, adding another."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from time import time
from typing import TYPE_CHECKING, Final

from chat_client.state import news
from chat_client.state.request import AddDevice, RemoveDevice
from common.domain.sentences import whole_sentence
from common.domain.times import date_text, local_time
from common.ui.look.palette import Tone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.dialog import Choice, Dialog
from common.ui.widgets.link_field import LinkField
from common.ui.widgets.safe_text import safe
from common.ui.widgets.scrolling import ScrollPane
from common.ui.widgets.selection import copy

if TYPE_CHECKING:
    from chat_client.core import Core
    from common.protocol.messages import DeviceFacts

_WIDE: Final = 480
"""px at 96 dpi, as are those below."""
_HIGHEST: Final = 300
"""Height of the list at most: more devices are scrolled."""
_LOWEST: Final = 56
"""Height of the list at least: a row."""
_ABOVE: Final = 8
_OF_SCREEN: Final = 0.85
"""The part of the screen's height that the dialog takes at most; its frame takes more."""
_NAME_WIDTH: Final = 300
_SIGN_OUT: Final = "sign_out"


class DevicesDialog(Dialog):
    """Asks for the list when it is made; `show`, `show_invites` and `hear` are called with replies.

    `order(do)` has the core do something.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, order: Callable[[Callable[[Core], object]], object]
    ) -> None:
        self._order = order
        self.devices: tuple[DeviceFacts, ...] = ()
        """Those that are shown, in their order."""
        self.sign_out: dict[str, Button] = {}
        """The button of each device but this one, by its id."""
        self.question: Dialog | None = None
        """The question before a device is signed out, if there was one."""
        self._number: int | None = None
        """The number of the invite whose link is shown, if one is."""
        self._joined = ""
        """The device that has joined last while this was open."""
        super().__init__(
            parent,
            theme,
            "Your devices",
            "Each of them is signed in as you. Sign out one that you no longer use, or have lost.",
            (Choice("close", "Close"),),
            width=_WIDE,
        )
        order(lambda core: core.list_devices())

    def _build_more(self, inside: Panel, width: int) -> None:
        theme = self._theme
        self._pane = ScrollPane(inside, theme, lambda _width, _height: self._put())
        self._list = Panel(self._pane.inside, theme)
        self.note = Label(inside, theme, "Asking the server…", tone="muted", wrap=width)
        self.note.pack(anchor="w", pady=(theme.px(14), 0))
        self.add = Button(inside, theme, "Add a device…", self._add, icon="plus")
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

    # What is answered

    def show(self, listed: news.DevicesListed) -> None:
        """The list has come, or can't be had."""
        if not self.window.winfo_exists():
            return
        if listed.devices is None:
            why = "" if listed.why is None else f" {safe(whole_sentence(listed.why))}"
            self._say(f"Your devices can’t be listed now.{why}", "danger")
            return
        if not self.link.link:
            self.note.pack_forget()
        self.devices = tuple(sorted(listed.devices, key=lambda each: not each.current))
        self._fill(self.devices)

    def hear(self, item: news.Requested) -> None:
        """A link was made, a device was signed out; or it was refused."""
        if not self.window.winfo_exists():
            return
        self.add.enabled = True
        if item.why is not None:
            self._say(safe(whole_sentence(item.why)), "danger")
        elif isinstance(item.what, RemoveDevice):
            self._look_again()
        else:
            self._number = item.number
            self._show_link(item.link, item.expires)

    def joined(self, name: str) -> None:
        """One more device of one's own has joined, perhaps by the link that is shown."""
        self._joined = name
        self._look_again()

    def show_invites(self, listed: news.InvitesListed) -> None:
        """The invites have come: the link that is shown goes if it is valid no longer."""
        if self._number is None or listed.invites is None or not self.window.winfo_exists():
            return
        ends = [each.ended for each in listed.invites if each.number == self._number]
        if None not in ends:
            self._withdraw_link(used="used" in ends)

    def _look_again(self) -> None:
        self._order(lambda core: core.list_devices())
        if self._number is not None:
            # It may have been used, and to sign out a device revokes it.
            self._order(lambda core: core.list_invites())

    def _withdraw_link(self, *, used: bool) -> None:
        """Offer the link no longer, and say why."""
        self._number = None
        self.link.show("")
        self.copy_link.content = ""
        self._invite.pack_forget()
        self.add.set("Add a device…")
        if used and self._joined:
            name = safe(self._joined)
            self._say(f"“{name}” has joined with the link, which can’t be used again.")
        else:
            self._say("The link can’t be used any more. Make another one to add a device.")
        self._fit()

    def _show_link(self, link: str, expires: int | None) -> None:
        until = "" if expires is None else f", until {_moment(expires)}"
        self._say(
            "Open this link in ChatClient on the other device: there you come in as yourself. It "
            f"works once{until}. Whoever has it can do so: give it to nobody else."
        )
        self.link.show(link)
        self.copy_link.content = link
        self._invite.pack(fill="x", pady=(self._theme.px(10), 0), before=self.add)
        self.add.set("Make another link")
        self._fit()
        self.window.update_idletasks()  # Tk focuses only what is on the screen
        self.copy_link.focus_set()

    def _say(self, text: str, tone: Tone = "text") -> None:
        self.note.set(text, tone)
        self.note.pack(anchor="w", pady=(self._theme.px(14), 0), before=self.add)

    # The list

    def _fill(self, devices: Sequence[DeviceFacts]) -> None:
        for child in self._list.winfo_children():
            child.destroy()
        self.sign_out.clear()
        for place, device in enumerate(devices):
            if place:
                Hairline(self._list, self._theme).pack(fill="x")
            self._add_row(device)
        self._pane.adopt()
        self._fit()

    def _add_row(self, device: DeviceFacts) -> None:
        theme = self._theme
        row = Panel(self._list, theme)
        row.pack(fill="x", pady=theme.px(8))
        Picture(row, theme, lambda: theme.icon("laptop", theme.palette.muted, size=20)).pack(
            side="left", padx=(0, theme.px(12))
        )
        if not device.current:
            button = Button(row, theme, "Sign out…", partial(self._sign_out, device), height=30)
            button.pack(side="right", padx=(theme.px(8), theme.px(12)))
            self.sign_out[device.device] = button
        words = Panel(row, theme)
        words.pack(side="left", fill="x", expand=True)
        name = theme.fonts.fit("body_bold", safe(device.name), theme.px(_NAME_WIDTH))
        Label(words, theme, name, font="body_bold").pack(anchor="w")
        Label(words, theme, _state(device), font="label", tone="muted").pack(anchor="w")

    def _fit(self) -> None:
        """Give the list the height that it needs, as far as it and the screen have room."""
        pane, px = self._pane, self._theme.px
        pane.pack_propagate(False)
        pane.pack_forget()
        self.window.update_idletasks()
        room = self.window.winfo_screenheight() * _OF_SCREEN - self.window.winfo_reqheight()
        needed = self._list.winfo_reqheight() if self.devices else 1
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

    # What is asked for

    def _add(self) -> None:
        self.add.enabled = False
        self._order(lambda core: core.request(AddDevice()))

    def _sign_out(self, device: DeviceFacts) -> None:
        question = self.question = Dialog(
            self.window,
            self._theme,
            f"Sign out “{safe(device.name)}”?",
            "It can’t come in any more, unless you give it a new link. What it has stored stays on "
            "it.",
            (Choice("no", "Cancel"), Choice(_SIGN_OUT, "Sign out", "danger")),
        )
        chosen = question.ask().choice
        if not self.window.winfo_exists():
            return
        self.window.grab_set()  # as the question had it
        if chosen == _SIGN_OUT:
            self._order(lambda core: core.request(RemoveDevice(device.device)))

    def _copy(self, link: str) -> None:
        copy(self.window, link)


def _state(device: DeviceFacts) -> str:
    if device.current:
        return "This device"
    if device.online:
        return "Connected now"
    if device.last_seen is None:
        return f"Added {_moment(device.created)}"
    return f"Last connected {_moment(device.last_seen)}"


def _moment(milliseconds: int) -> str:
    """A time of day, with the date unless it is near."""
    then, today = local_time(milliseconds), local_time(int(time() * 1000)).date()
    near = {
        today: "today",
        today - timedelta(days=1): "yesterday",
        today + timedelta(days=1): "tomorrow",
    }
    return f"{near.get(then.date(), date_text(then))} at {then:%H:%M}"
