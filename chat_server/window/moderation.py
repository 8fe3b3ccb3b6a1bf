"""Moderation and the invite in the host's window: confirmed, sent as commands, reported."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from chat_server.window import questions
from chat_server.window.commands import CommandSender, commands
from chat_server.window.model import AccountRow, ClientRow, PersonRow, SanctionRow
from chat_server.window.presenter import Presenter
from common.domain.names import GENERAL
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Answer, Dialog
from common.ui.widgets.expiry_options import until_time

if TYPE_CHECKING:
    from common.protocol.messages import ToClient


class Moderation:
    """Carries out moderation. `show` updates the window from the presenter.

    `ask` shows a dialog and waits for the answer.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        presenter: Presenter,
        sender: CommandSender,
        show: Callable[[], object],
        ask: Callable[[Dialog], Answer],
    ) -> None:
        self._root, self._theme = root, theme
        self._presenter, self._sender, self._show = presenter, sender, show
        self._ask = ask
        self._listings = 0
        """Number of requests for the list of bans and mutes, to recognise outdated replies."""
        self.on_slow: Callable[[], object] = lambda: None
        """Called when it is known how slow the public room is."""

    def terminate(self, rows: Sequence[ClientRow]) -> None:
        """End connections."""
        answer = self._ask(questions.terminate(self._root, self._theme, rows))
        if answer.choice == questions.YES:
            self._sender.send(
                [{"connection": row.connection, "reason": answer.text.strip()} for row in rows],
                "Terminate",
            )

    def mute(self, rows: Sequence[PersonRow]) -> None:
        """Mute people."""
        answer = self._ask(questions.mute(self._root, self._theme, rows))
        if answer.choice == questions.YES:
            given = _given(answer)
            self._sender.send([{"username": each, **given} for each in _people(rows)], "MutePerson")

    def unmute(self, rows: Sequence[PersonRow]) -> None:
        """Unmute those of them who are muted."""
        muted = [row for row in rows if row.muted]
        self._sender.send([{"username": each} for each in _people(muted)], "Unmute")

    def ban(self, rows: Sequence[PersonRow]) -> None:
        """Ban people, or the devices of these connections."""
        answer = self._ask(questions.ban(self._root, self._theme, rows))
        if answer.choice != questions.YES:
            return
        given = _given(answer)
        connections = [row.connection for row in rows if isinstance(row, ClientRow)]
        if answer.options[0] == questions.DEVICE and connections:
            self._sender.send([{"connection": each, **given} for each in connections], "Ban")
        else:
            said = "There is a new invite link"
            self._sender.send([{"username": each, **given} for each in _people(rows)], "Ban", said)

    def unban(self, rows: Sequence[PersonRow]) -> None:
        """Unban those of them who are banned."""
        banned = [row for row in rows if isinstance(row, AccountRow) and row.banned]
        self._sender.send([{"username": each} for each in _people(banned)], "Unban")

    def set_role(self, rows: Sequence[PersonRow], role: str) -> None:
        """Make people moderators, or members."""
        self._sender.send([{"username": each, "role": role} for each in _people(rows)], "SetRole")

    def lift(self, row: SanctionRow) -> None:
        """End a ban or a mute."""
        if row.is_ban:
            self._sender.send([{"number": row.number}], "Unban")
        else:
            self._sender.send([{"username": row.username}], "Unmute")

    def new_invite(self) -> None:
        """Make a new invite link, after a confirmation."""
        if self._ask(questions.new_invite(self._root, self._theme)).choice == questions.YES:
            self._sender.send([{}], "NewInvite", "There is a new invite link")

    def set_slow(self, seconds: int) -> None:
        """Change the interval of slow mode in the public room; 0 ends it."""

        def refused() -> None:
            self.on_slow()  # the one that is in force is shown again

        self._sender.request(
            "SetSlowMode", {"room": GENERAL, "seconds": seconds}, lambda _: None, refused
        )

    def ask_slow(self) -> None:
        """Fetch that interval for the presenter; events report later ones."""

        def told(reply: ToClient) -> None:
            if isinstance(reply, commands().ServerStatus):
                slow = {each.room: each.slow for each in reply.slow_rooms}
                self._presenter.slow_is(slow.get(GENERAL, 0))
                self.on_slow()

        self._sender.ask(lambda number: commands().AskStatus(id=number), told)

    def list_sanctions(self) -> None:
        """Fetch the bans and mutes in force for the presenter."""
        self._listings += 1
        self._ask_for_sanctions(self._listings, [])

    def list_people(self) -> None:
        """Fetch all accounts for the presenter; events report later ones."""
        self._ask_for_people()

    def _ask_for_people(self, since: int = 0) -> None:
        def listed(reply: ToClient) -> None:
            if isinstance(reply, commands().People):
                self._presenter.joined(reply.people)
                if reply.more and reply.people:
                    self._ask_for_people(reply.people[-1].change)
                else:
                    self._show()

        self._sender.ask(lambda number: commands().ListPeople(id=number, since=since), listed)

    def _ask_for_sanctions(self, listing: int, found: list[object], after: int = 0) -> None:
        def listed(reply: ToClient) -> None:
            if listing != self._listings or not isinstance(reply, commands().Sanctions):
                return  # It was asked for anew meanwhile, or the server closes.
            found.extend(reply.sanctions)
            if reply.more and reply.sanctions:
                self._ask_for_sanctions(listing, found, reply.sanctions[-1].number)
                return
            self._presenter.sanctioned(found)  # type: ignore[arg-type]  # they are Sanctions
            self._show()

        self._sender.ask(lambda number: commands().ListSanctions(id=number, after=after), listed)


def _people(rows: Iterable[PersonRow]) -> list[str]:
    return list(dict.fromkeys(row.username for row in rows))


def _given(answer: Answer) -> dict[str, object]:
    """The reason and the end that a dialog's answer has, as fields of a command."""
    now = time.time_ns() // 1_000_000
    return {"reason": answer.text.strip(), "until": until_time(answer.options[-1], now)}
