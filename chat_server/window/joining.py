"""Joining in the host's window: requests, the code, invites, devices; sent as commands."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chat_server.rules import view
from chat_server.window import joining_questions as ask_about
from chat_server.window.actions import JoiningActions
from chat_server.window.commands import CommandSender, commands
from chat_server.window.formats import clock_text
from chat_server.window.joining_questions import DeviceRow, DevicesDialog, LinkDialog
from chat_server.window.model import InviteRow, PersonRow, RequestRow, ServerState
from chat_server.window.presenter import Presenter
from chat_server.window.questions import YES
from common.domain.spoken_code import written_code
from common.domain.times import until_text
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Answer, Dialog
from common.ui.widgets.notices import TOAST_TIME
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from common.protocol import messages
    from common.protocol.messages import ToClient

_ONLINE: Final = float("inf")
LIST_PAUSE: Final = 500
"""Minimum milliseconds between two fetches of the list of invites."""


class JoiningController:
    """Carries out `actions`, and keeps the presenter up to date about joining.

    `show` updates the window from the presenter, `say(text, milliseconds)` shows a toast,
    `copy(text, said)` puts a text on the clipboard, `ask` shows a dialog and waits for the answer.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        presenter: Presenter,
        sender: CommandSender,
        show: Callable[[], object],
        say: Callable[[str, int], object],
        copy: Callable[[str, str], object],
        ask: Callable[[Dialog], Answer],
    ) -> None:
        self._root, self._theme = root, theme
        self._presenter, self._sender, self._show = presenter, sender, show
        self._say, self._copy, self._ask = say, copy, ask
        self._listings = 0
        """Number of times that requests were asked for, to recognise outdated replies."""
        self._runs = 0
        """Number of runs of the server."""
        self._listing, self._list_again = False, False
        """Whether invites are asked for, or were just now; and whether some changed since."""
        self._renewing = False
        """Whether a code was ended for another one to take its place."""
        self.on_rule: Callable[[], object] = lambda: None
        """Called when the rule is known, or another one."""
        self.actions = JoiningActions(
            self._admit, self._refuse, self._block, self._show_code, self._hide_code,
            self._renew_code, self._end_code, self._create_invite, self._revoke, self._add_device,
            self._devices, self._delete_account, self._set_rule,
        )  # fmt: skip

    # What happens

    def started(self) -> None:
        """The server runs: fetch everything."""
        self._runs += 1
        self._listing = self._list_again = self._renewing = False
        self._list_requests()
        self._list_invites()
        self._ask_rule()

    def happened(self, events: Sequence[view.ViewEvent]) -> None:
        """Fetch what events say has changed."""
        asking = any(isinstance(event, view.KnockArrived | view.KnockEnded) for event in events)
        # Of whoever asks it is shown who has a name like theirs.
        named = self._presenter.joining.somebody_asks and any(map(_is_about_names, events))
        if asking or named:
            self._list_requests()
        if any(isinstance(event, view.InvitesChanged | view.InviteRenewed) for event in events):
            self._list_invites()
        for event in events:
            if isinstance(event, view.CodeChanged):
                self._code_changed(event)
            elif isinstance(event, view.JoiningChanged):
                self._presenter.joining.rule_is(
                    event.rule, moderators_invite=event.moderators_invite
                )
                self.on_rule()

    # Requests

    def _admit(self, row: RequestRow) -> None:
        self._sender.request("Admit", {"request": row.number}, lambda _: None)

    def _refuse(self, row: RequestRow) -> None:
        self._sender.request("Deny", {"request": row.number}, lambda _: None)

    def _block(self, row: RequestRow) -> None:
        if self._ask(ask_about.block(self._root, self._theme, row)).choice == YES:
            self._sender.request("Deny", {"request": row.number, "block": True}, lambda _: None)

    def _list_requests(self) -> None:
        def listed(reply: ToClient) -> None:
            if isinstance(reply, commands().Requests):
                self._presenter.joining.requested(reply.requests)
                self._show()

        self._sender.ask(lambda number: commands().ListRequests(id=number), self._last(listed))

    # The code

    def _show_code(self) -> None:
        def shown(reply: ToClient) -> None:
            if isinstance(reply, commands().ShownCode):
                self._renewing = False
                self._presenter.joining.code_is(reply.code, reply.expires)
                self._show()

        self._sender.request("ShowCode", {}, shown, self._not_renewed)

    def _hide_code(self) -> None:
        self._presenter.joining.show_code(shown=False)
        self._show()

    def _renew_code(self) -> None:
        # The former one stays on the screen until the next one is known.
        self._renewing = True
        self._sender.request("EndCode", {}, lambda _: self._show_code(), self._not_renewed)

    def _not_renewed(self) -> None:
        self._renewing = False
        self._presenter.joining.code_ended()
        self._show()

    def _end_code(self) -> None:
        self._sender.request("EndCode", {}, lambda _: None)

    def _code_changed(self, event: view.CodeChanged) -> None:
        """There is another code, or none. A general one and one for a device replace each other."""
        joining = self._presenter.joining
        again = event.why in {"shown", "guessed"} and event.username is None
        if again and joining.code_on_screen:
            self._show_code()  # made by a command line, or by the server
        elif not self._renewing and not (again and event.why == "shown"):
            joining.code_ended()

    # Invites

    def _create_invite(self) -> None:
        answer = self._ask(ask_about.new_invite(self._root, self._theme))
        if answer.choice != YES:
            return
        fields = ask_about.read_invite(answer.text, answer.options)

        def made(reply: ToClient) -> None:
            if isinstance(reply, commands().InviteCreated):
                until = _until(reply.expires)
                text = f"Send it to whom it is for. {until} It is not shown again."
                self._soon(lambda: self._show_link("The new invite link", text, reply.link))

        self._sender.request("CreateInvite", fields, made)

    def _revoke(self, row: InviteRow) -> None:
        if self._ask(ask_about.revoke(self._root, self._theme, row)).choice == YES:
            self._sender.request("RevokeInvite", {"number": row.number}, lambda _: None)

    def _list_invites(self) -> None:
        """Fetch all invites, at once or, where that was done just now, once for all that changes.

        A crowd that joins changes one for each of them.
        """
        if self._listing:
            self._list_again = True
            return
        self._listing = True
        self._ask_for_invites(self._runs, [], None)

    def _ask_for_invites(
        self, run: int, found: list[messages.InviteFacts], before: int | None
    ) -> None:
        def listed(reply: ToClient) -> None:
            if run != self._runs or not isinstance(reply, commands().Invites):
                return  # It is another run of the server, or this one closes.
            found.extend(reply.invites)
            if reply.more and reply.invites:
                self._ask_for_invites(run, found, reply.invites[-1].number)
                return
            self._presenter.joining.invited(found)
            self._show()
            self._root.after(LIST_PAUSE, lambda: self._may_list_again(run))

        self._sender.ask(lambda number: commands().ListInvites(id=number, before=before), listed)

    def _may_list_again(self, run: int) -> None:
        if run != self._runs or self._presenter.phase is not ServerState.RUNNING:
            return
        self._listing = False
        if self._list_again:
            self._list_again = False
            self._list_invites()

    def _show_link(
        self,
        title: str,
        text: str,
        link: str,
        show_code: Callable[[], object] | None = None,
    ) -> None:
        dialog = LinkDialog(
            self._root, self._theme, title, text, link, lambda each: self._copy(each, ""), show_code
        )
        self._ask(dialog)

    # Devices and accounts

    def _add_device(self, row: PersonRow) -> None:
        def made(reply: ToClient) -> None:
            if isinstance(reply, commands().InviteCreated):
                self._soon(lambda: self._show_device_link(row, reply))

        self._sender.request("AddDevice", {"username": row.username}, made)

    def _show_device_link(self, row: PersonRow, made: messages.InviteCreated) -> None:
        def code_made(reply: ToClient) -> None:
            if isinstance(reply, commands().ShownCode):
                dialog.show(written_code(reply.code), until_text(reply.expires, _now()))

        def show_code() -> None:
            self._sender.request("ShowCode", {"username": row.username}, code_made)

        dialog = LinkDialog(
            self._root, self._theme, f"Add a device for {row.name}",
            f"Whoever opens this link in ChatClient is signed in as {row.name}, once. "
            f"{_until(made.expires)} Send it to nobody else.",
            made.link, lambda each: self._copy(each, ""), show_code,
        )  # fmt: skip
        self._ask(dialog)

    def _devices(self, row: PersonRow) -> None:
        def listed(reply: ToClient) -> None:
            if isinstance(reply, commands().Devices):
                self._soon(lambda: self._show_devices(row, reply.devices))

        self._sender.request("ListDevices", {"username": row.username}, listed)

    def _show_devices(self, row: PersonRow, devices: Sequence[messages.DeviceFacts]) -> None:
        now = _now()
        rows = [_device_row(each, now) for each in devices]
        dialog = DevicesDialog(self._root, self._theme, row.name, rows)
        choice = self._ask(dialog).choice
        chosen = dialog.chosen
        if choice == DevicesDialog.ADD:
            self._add_device(row)
        elif choice == YES and chosen is not None:
            asked = ask_about.sign_out(self._root, self._theme, row.name, chosen.name)
            if self._ask(asked).choice == YES:
                self._sender.request(
                    "RemoveDevice",
                    {"username": row.username, "device": chosen.device},
                    lambda _: self._devices(row),
                )
            else:
                self._devices(row)

    def _delete_account(self, row: PersonRow) -> None:
        wrong = False
        while True:
            asked = ask_about.delete_account(
                self._root, self._theme, row.name, row.username, wrong=wrong
            )
            answer = self._ask(asked)
            if answer.choice != YES:
                return
            if answer.text.strip().removeprefix("@") == row.username:
                break
            wrong = True
        self._sender.request(
            "DeleteAccount",
            {"username": row.username, "messages": answer.options[0]},
            lambda _: self._say(f"{row.name}’s account is deleted", TOAST_TIME),
        )

    # The rule

    def _set_rule(self, rule: str, moderators_invite: bool) -> None:
        def answered(_: ToClient) -> None:
            self._ask_rule()

        fields: dict[str, object] = {"rule": rule, "moderators_invite": moderators_invite}
        self._sender.request("SetJoining", fields, answered)

    def _ask_rule(self) -> None:
        def told(reply: ToClient) -> None:
            if isinstance(reply, commands().Joining):
                self._presenter.joining.rule_is(
                    reply.rule, moderators_invite=reply.moderators_invite
                )
                self._show()
                self.on_rule()

        self._sender.ask(lambda number: commands().AskJoining(id=number), told)

    def _last(self, listed: Callable[[ToClient], object]) -> Callable[[ToClient], None]:
        """Have only the reply to the last request for the list of requests taken."""
        self._listings += 1
        listing = self._listings

        def take(reply: ToClient) -> None:
            if listing == self._listings:
                listed(reply)

        return take

    def _soon(self, action: Callable[[], object]) -> None:
        """Not now: a dialog runs a loop of its own, in which the mailbox must not wait."""

        def due() -> None:
            if self._presenter.phase is ServerState.RUNNING:
                action()

        self._root.after(1, due)


def _is_about_names(event: view.ViewEvent) -> bool:
    """Whether somebody has another name now, or is new, or is gone."""
    if isinstance(event, view.ClientSignedIn):
        return event.new_account
    return isinstance(event, view.PersonRenamed | view.AccountDeleted)


def _device_row(device: messages.DeviceFacts, now: int) -> DeviceRow:
    seen = "Not known" if device.last_seen is None else clock_text(device.last_seen, now)
    return DeviceRow(
        device=device.device,
        name=safe(device.name),
        seen="Now" if device.online else seen,
        added=clock_text(device.created, now),
        online=device.online,
        order=_ONLINE if device.online else float(device.last_seen or 0),
    )


def _until(expires: int | None) -> str:
    return (
        "It has no end." if expires is None else f"It is valid until {until_text(expires, _now())}."
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
