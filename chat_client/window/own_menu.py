"""The menu of one's own account: another name, one's devices, another person, the end of it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING

from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.request import (
    AddDevice,
    CreateInvite,
    DeleteMe,
    RemoveDevice,
    RenameMe,
    RevokeInvite,
)
from chat_client.status_text import refusal_text
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.notices import FAILURE_TIME, TOAST_TIME
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:  # at run time they are loaded when they are wanted
    from chat_client.core import Core
    from chat_client.window.devices_dialog import DevicesDialog
    from chat_client.window.invites_dialog import InvitesDialog


class OwnMenu:
    """Opens over `screen`, whose questions are asked over `window`.

    `account()` is one's own as it is now, and `is_deleted()` whether the server said that it was
    deleted; `is_moderator()` is whether one may moderate. `order(do)` has the core do something;
    `on_another()` goes to the join screen, where somebody else may come into this chat;
    `on_remove()` removes the account from this computer. `on_dialog` is told each question before
    it is asked; `toast(text, milliseconds)` says what became of it.
    """

    def __init__(
        self,
        screen: tk.Misc,
        window: tk.Tk,
        theme: Theme,
        account: Callable[[], Account],
        *,
        is_deleted: Callable[[], bool],
        is_moderator: Callable[[], bool],
        order: Callable[[Callable[[Core], object]], object],
        on_another: Callable[[], object],
        on_remove: Callable[[], object],
        on_dialog: Callable[[Dialog], object],
        toast: Callable[[str, int], object],
    ) -> None:
        self._screen, self._window, self._theme = screen, window, theme
        self._account, self._is_deleted = account, is_deleted
        self._is_moderator = is_moderator
        self._order, self._toast, self._on_dialog = order, toast, on_dialog
        self._on_another, self._on_remove = on_another, on_remove
        self._devices: DevicesDialog | None = None
        """The dialog of one's devices, while it is open."""
        self._invites: InvitesDialog | None = None
        """The dialog of one's invites, while it is open."""

    def open(self, x: int, y: int) -> None:
        """Show what can be done about one's own account, above the place where one is shown."""
        popup(self._screen, self._theme, self.items(), x, y, above=True)

    def items(self) -> list[MenuItem]:
        """What can be done about one's own account."""
        another = MenuItem("Use as another person…", self._on_another)
        if self._is_deleted():
            remove = MenuItem("Remove from this computer…", self.remove, danger=True)
            return [another, MenuItem(), remove]
        return [
            MenuItem("Change your name…", self.rename),
            MenuItem("Your devices…", self.show_devices),
            *([MenuItem("Invite people…", self.show_invites)] if self._is_moderator() else []),
            another,
            MenuItem(),
            MenuItem("Delete your account…", self.delete, danger=True),
        ]

    def rename(self) -> None:
        """Ask for another display name, until it is one or nothing is to be changed."""
        # Imported here, as are the dialogs: not before somebody wants them.
        from chat_client.window.own_dialogs import ask_name

        account = self._account()
        name = ask_name(
            self._window,
            self._theme,
            account.display_name,
            account.invite.server_name,
            self._on_dialog,
        )
        if name is not None and self._screen.winfo_exists():
            self._order(lambda core: core.request(RenameMe(name)))

    def show_devices(self) -> None:
        """Show one's devices, to sign one out or to add another."""
        from chat_client.window.devices_dialog import DevicesDialog

        dialog = DevicesDialog(self._window, self._theme, self._order)
        self._devices = dialog
        self._on_dialog(dialog)
        dialog.ask()
        self._devices = None

    def show_invites(self) -> None:
        """Show a moderator's invites, to revoke one or to make another."""
        from chat_client.window.invites_dialog import InvitesDialog

        dialog = InvitesDialog(self._window, self._theme, self._account().username, self._order)
        self._invites = dialog
        self._on_dialog(dialog)
        dialog.ask()
        self._invites = None

    def delete(self) -> None:
        """Delete the account, after a question that has to be answered with the username."""
        from chat_client.window.own_dialogs import ask_deletion

        fate = ask_deletion(self._window, self._theme, self._account().username, self._on_dialog)
        if fate is not None and self._screen.winfo_exists():
            self._order(lambda core: core.request(DeleteMe(fate)))

    def remove(self) -> None:
        """Remove what this computer has of a deleted account, after a question."""
        from chat_client.window.own_dialogs import YES, removal

        dialog = removal(self._window, self._theme, self._account())
        self._on_dialog(dialog)
        if dialog.ask().choice == YES and self._screen.winfo_exists():
            self._on_remove()

    def hear(
        self,
        item: news.Requested
        | news.DevicesListed
        | news.DeviceAdded
        | news.InvitesListed
        | news.JoiningTold,
    ) -> None:
        """The server answered, or told. What nobody asks for from here is passed over."""
        if isinstance(item, news.DevicesListed) and self._devices is not None:
            self._devices.show(item)
        elif isinstance(item, news.DeviceAdded):
            self._toast(f"A device has joined as you: {safe(item.name)}", FAILURE_TIME)
            if self._devices is not None:
                self._devices.joined(item.name)
        elif isinstance(item, news.InvitesListed):
            if self._devices is not None:
                self._devices.show_invites(item)
            if self._invites is not None:
                self._invites.show(item)
        elif isinstance(item, news.JoiningTold) and self._invites is not None:
            self._invites.allow(item)
        elif isinstance(item, news.Requested):
            self._answered(item)

    def _answered(self, item: news.Requested) -> None:
        if isinstance(item.what, AddDevice | RemoveDevice) and self._devices is not None:
            self._devices.hear(item)
        elif isinstance(item.what, CreateInvite | RevokeInvite) and self._invites is not None:
            self._invites.hear(item)
        elif item.why is None:
            if isinstance(item.what, RenameMe):
                self._toast(f"Your name is {safe(item.what.display_name)} now", TOAST_TIME)
        else:
            self._toast(safe(refusal_text(item.why)), FAILURE_TIME)
