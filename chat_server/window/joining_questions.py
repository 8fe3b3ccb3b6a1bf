"""The dialogs about joining: requests, invites, devices and accounts."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chat_server.window.model import InviteRow, RequestRow
from chat_server.window.questions import CANCEL, YES
from common.ui.lists.table import Column, PillCell, Row, Table, TextCell
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.invite_question import invite_question
from common.ui.widgets.invite_question import read_invite as read_wanted
from common.ui.widgets.link_field import LinkField
from common.ui.widgets.option_row import Options

KEEP: Final = "keep"
REMOVE: Final = "remove"
MEMBER: Final = "member"
MODERATOR: Final = "moderator"
_WIDE: Final = 530
"""Width of a dialog with rows of options, or with a link, px at 96 dpi."""
_ROWS: Final = 4
"""Devices that are in view at once."""


def block(parent: tk.Misc, theme: Theme, request: RequestRow) -> Dialog:
    """Whether to refuse a request for good (`YES`)."""
    who = request.name
    if request.alike and request.handle:
        who = f"{who} ({request.handle})"  # not the other one of that name
    return Dialog(
        parent,
        theme,
        f"Block {who}?",
        "Their computer can’t ask or join any more, and nobody at "
        f"{request.address} can ask to join for an hour. You can lift both under “Bans and mutes”.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Block", "danger")),
    )


def new_invite(parent: tk.Misc, theme: Theme) -> Dialog:
    """What a new invite is to be (`YES`): `read_invite` takes the answer."""
    roles = Options("Joins as", ((MEMBER, "Member"), (MODERATOR, "Moderator")), MEMBER)
    return invite_question(parent, theme, roles)


def read_invite(text: str, options: Sequence[str]) -> dict[str, object]:
    """The fields of the command that makes an invite, from the answer of `new_invite`."""
    return {"role": options[-1], **read_wanted(text, options)._asdict()}


def revoke(parent: tk.Misc, theme: Theme, invite: InviteRow) -> Dialog:
    """Whether to end an invite (`YES`)."""
    name = f"“{invite.note}”" if invite.note else f"this invite ({invite.what.lower()})"
    return Dialog(
        parent,
        theme,
        f"Revoke {name}?",
        "Nobody joins with it any more. People who have joined with it stay.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Revoke", "danger")),
    )


def sign_out(parent: tk.Misc, theme: Theme, name: str, device: str) -> Dialog:
    """Whether to sign a device out (`YES`)."""
    return Dialog(
        parent,
        theme,
        f"Sign out {name}’s “{device}”?",
        "It is disconnected, and needs an invite to come in again. What it has stored stays on it.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Sign out", "danger")),
    )


def delete_account(
    parent: tk.Misc, theme: Theme, name: str, username: str, *, wrong: bool = False
) -> Dialog:
    """Whether to delete an account (`YES`), and what becomes of its messages.

    The text of the answer is to be the username; `wrong` says that the last one was not.
    """
    what = (
        f"{name} is signed out on all devices and can’t sign in again. Nobody else can have "
        f"the username. This can’t be undone."
    )
    if wrong:
        what = f"That is not {username}. {what}"
    return Dialog(
        parent,
        theme,
        f"Delete {name}’s account?",
        what,
        (Choice(CANCEL, "Cancel"), Choice(YES, "Delete the account", "danger")),
        entry=Entry(f"Type the username, {username}, to confirm"),
        options=(
            Options(
                "Messages",
                ((KEEP, "Keep, from “Former member”"), (REMOVE, "Remove")),
                KEEP,
            ),
        ),
        width=_WIDE,
    )


class LinkDialog(Dialog):
    """Shows an invite's link, which is not shown again.

    With `show_code` there is a button for a spoken code instead, which `show` then shows.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        title: str,
        message: str,
        link: str,
        copy: Callable[[str], object],
        show_code: Callable[[], object] | None = None,
    ) -> None:
        self._link, self._copy, self._show_code = link, copy, show_code
        self.code: Label | None = None
        super().__init__(
            parent, theme, title, message, (Choice(CANCEL, "Done", "secondary"),), width=_WIDE
        )

    def _first(self) -> tk.Misc:
        # Not the button that closes it: a Return too many would lose the link for good.
        return self.copy

    def show(self, code: str, until: str) -> None:
        """Show the code in place of its button."""
        if self.code is not None and self.window.winfo_exists():
            self.code.set(code)
            self.code.configure(font=self._theme.fonts["code"])
            self._code_hint.set(f"Valid until {until}, once. It is typed in ChatClient.")
            self._code_button.pack_forget()
            self._code_hint.pack(anchor="w")
            self.code.pack(anchor="w", before=self._code_hint)

    def _build_more(self, inside: Panel, width: int) -> None:
        theme = self._theme
        self.link = LinkField(inside, theme, self._copy, height=38)
        self.link.pack(fill="x", pady=(theme.px(12), theme.px(8)))
        self.link.show(self._link)
        row = Panel(inside, theme)
        row.pack(fill="x")
        self.copy = CopyButton(row, theme, "Copy link", self._copy, variant="primary", icon="link")
        self.copy.content = self._link
        self.copy.pack(anchor="w")
        if self._show_code is None:
            return
        Label(
            inside, theme, "Or read out a code; it takes the place of a code that is shown now.",
            tone="muted", wrap=width,
        ).pack(anchor="w", pady=(theme.px(14), theme.px(6)))  # fmt: skip
        self._code_place = Panel(inside, theme)
        self._code_place.pack(fill="x")
        self._code_button = Button(self._code_place, theme, "Show a code", self._show_code)
        self._code_button.pack(anchor="w")
        self.code = Label(self._code_place, theme)
        self._code_hint = Label(self._code_place, theme, tone="muted", wrap=width)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device of an account as its list shows it; `order` is a sort key, the latest first."""

    device: str
    name: str
    seen: str
    added: str
    online: bool
    order: float


class DevicesDialog(Dialog):
    """The devices of a person. `YES` with `chosen` is to sign one out, `ADD` to add one."""

    ADD: Final = "add"

    def __init__(
        self, parent: tk.Misc, theme: Theme, name: str, devices: Sequence[DeviceRow]
    ) -> None:
        self._devices = {each.device: each for each in devices}
        self.chosen: DeviceRow | None = None
        count = len(devices)
        what = "1 device can sign in." if count == 1 else f"{count} devices can sign in."
        if not devices:
            what = "No device can sign in. Add one, so that they can come in again."
        super().__init__(
            parent,
            theme,
            f"{name}’s devices",
            what,
            (
                Choice(self.ADD, "Add a device…"),
                Choice(YES, "Sign out…", "danger"),
                Choice(CANCEL, "Close"),
            ),
            cancel=CANCEL,
            width=_WIDE,
        )
        self.buttons[YES].enabled = False

    def _build_more(self, inside: Panel, width: int) -> None:
        del width
        if not self._devices:
            return
        theme = self._theme
        columns = (
            Column("name", "Device", 160, 80, stretch=True),
            Column("seen", "Last seen", 110, 60),
            Column("added", "Added", 80, 44, tone="muted"),
            Column("state", "State", 84, 78),
        )
        place = Panel(inside, theme)
        rows = min(_ROWS, len(self._devices))
        place.configure(height=theme.px(38 + 37 * rows))
        place.pack_propagate(False)
        place.pack(fill="x", pady=(theme.px(12), 0))
        self.table = Table(
            place, theme, columns, sort="seen", descending=True,
            on_select=self._selected,
        )  # fmt: skip
        self.table.pack(fill="both", expand=True)
        self.table.set_rows(
            [
                Row(
                    each.device,
                    (
                        TextCell(each.name, "laptop" if "aptop" in each.name else "desktop"),
                        TextCell(each.seen, sort=each.order),
                        TextCell(each.added),
                        PillCell("Online", "active")
                        if each.online
                        else PillCell("Offline", "muted"),
                    ),
                )
                for each in self._devices.values()
            ]
        )

    def _selected(self, key: str | None) -> None:
        self.chosen = self._devices.get(key or "")
        if YES in self.buttons:
            self.buttons[YES].enabled = self.chosen is not None
