"""The dialog of one's own devices: which there are, signing one out, adding another."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from chat_client.state import news
from chat_client.state.request import AddDevice, RemoveDevice
from chat_client.window.link_list_dialog import LinkListDialog, moment
from common.domain.sentences import whole_sentence
from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button
from common.ui.widgets.dialog import Choice, Dialog
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from chat_client.core import Core
    from common.protocol.messages import DeviceFacts

_SIGN_OUT: Final = "sign_out"


class DevicesDialog(LinkListDialog):
    """Asks for the list when it is made; `show`, `show_invites` and `hear` are called with replies.

    `order(do)` has the core do something.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, order: Callable[[Callable[[Core], object]], object]
    ) -> None:
        self.devices: tuple[DeviceFacts, ...] = ()
        """Those that are shown, in their order."""
        self.sign_out: dict[str, Button] = {}
        """The button of each device but this one, by its id."""
        self._number: int | None = None
        """The number of the invite whose link is shown, if one is."""
        self._joined = ""
        """The device that has joined last while this was open."""
        super().__init__(
            parent,
            theme,
            "Your devices",
            "Each of them is signed in as you. Sign out one that you no longer use, or have lost.",
            "Add a device…",
            order,
        )
        order(lambda core: core.list_devices())

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
        self._clear()
        self.sign_out.clear()
        for each in self.devices:
            self._add_device(each)
        self._filled()

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
            self._show_new(item.link, item.expires)

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
        self._hide_link()
        if used and self._joined:
            name = safe(self._joined)
            self._say(f"“{name}” has joined with the link, which can’t be used again.")
        else:
            self._say("The link can’t be used any more. Make another one to add a device.")
        self._fit()

    def _show_new(self, link: str, expires: int | None) -> None:
        until = "" if expires is None else f", until {moment(expires)}"
        self._say(
            "Open this link in ChatClient on the other device: there you come in as yourself. It "
            f"works once{until}. Whoever has it can do so: give it to nobody else."
        )
        self._show_link(link, "Make another link")

    def _add_device(self, device: DeviceFacts) -> None:
        action = None if device.current else ("Sign out…", partial(self._sign_out, device))
        button = self._add_row("laptop", safe(device.name), _state(device), action)
        if button is not None:
            self.sign_out[device.device] = button

    # What is asked for

    def _make(self) -> None:
        self.add.enabled = False
        self._order(lambda core: core.request(AddDevice()))

    def _sign_out(self, device: DeviceFacts) -> None:
        question = Dialog(
            self.window,
            self._theme,
            f"Sign out “{safe(device.name)}”?",
            "It can’t come in any more, unless you give it a new link. What it has stored stays on "
            "it.",
            (Choice("no", "Cancel"), Choice(_SIGN_OUT, "Sign out", "danger")),
        )
        if self._ask(question).choice == _SIGN_OUT:
            self._order(lambda core: core.request(RemoveDevice(device.device)))


def _state(device: DeviceFacts) -> str:
    if device.current:
        return "This device"
    if device.online:
        return "Connected now"
    if device.last_seen is None:
        return f"Added {moment(device.created)}"
    return f"Last connected {moment(device.last_seen)}"
