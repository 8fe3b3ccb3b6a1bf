"""Being let into a chat that one has no link to: by asking its host, or by a spoken code."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from chat_client.options import Name
from chat_client.state.attempts import Attempt as Tried
from chat_client.window.join.network import Connection, LazyConnection, Network
from common.domain.invite import Invite, Place
from common.domain.reasons import Reason
from common.ui.program.mailbox import Mailbox

if TYPE_CHECKING:
    from chat_client.state.joining import JoiningNews, Refused


class Phase(Enum):
    """What is being done."""

    IDLE = auto()
    """Nothing, or only to find out what the chat allows."""
    LOOKING = auto()
    """Connecting to a typed address."""
    ASKING = auto()
    """The request is on its way."""
    WAITING = auto()
    """The host has it: they see the digits."""
    PROVING = auto()
    """The code is compared."""


class Listener(Protocol):
    """Whoever shows it; called on the Tk thread."""

    def on_change(self) -> None:
        """Something else is to be shown."""

    def on_invited(self, invite: Invite) -> None:
        """One may come in: join with this invite."""

    def on_refused(self, reason: Reason, field: str) -> None:
        """It ended without that; `field` is what the reason is about, or "invite"."""

    def on_unreachable(self, tried: Sequence[Tried]) -> None:
        """No address led there."""


class _Told(NamedTuple):
    """News of an attempt, and which one."""

    number: int
    news: JoiningNews


class JoinAttempt:
    """The chat that is chosen, and the one attempt to be let in that there is at a time.

    As soon as a chat is chosen it is connected to, without a word about who asks: so the screen
    shows what the server calls itself, and only the ways in that its rule allows. The connection is
    used for what comes next, if that comes while it lasts.
    """

    def __init__(self, root: tk.Tk, network: Network, installation: Callable[[Place], str]) -> None:
        self._network, self._installation = network, installation
        self.listener: Listener | None = None
        self._mailbox: Mailbox[_Told] = Mailbox(root, self._take)
        self._number = 0
        self._connection: LazyConnection | None = None
        self.place: Place | None = None
        """The chosen chat; its name and fingerprint as its server shows them, once it has."""
        self.rule = ""
        """Its rule of who may join, or "" as long as that is not known."""
        self.phase = Phase.IDLE
        self.digits = ""

    @property
    def busy(self) -> bool:
        """Whether the person waits for something."""
        return self.phase is not Phase.IDLE

    def choose(self, place: Place | None) -> None:
        """Turn to another chat, or to none; what is under way with the former one ends."""
        self.take(place)
        if place is not None:
            self._begin(place)

    def take(self, place: Place | None) -> None:
        """The same without connecting to it."""
        self._end()
        self.place, self.rule = place, ""

    def moved(self, place: Place, *, renamed: bool) -> None:
        """The chosen chat was found at other addresses: the next attempt goes there.

        Or it was `renamed` since it was found: until then, what its server called itself is newer.
        """
        if self.place is not None:
            name = place.server_name if renamed else self.place.server_name
            self.place = Place(place.hosts, place.port, place.fingerprint, name)

    def look(self, place: Place) -> None:
        """The same for a typed address: the person waits for what is there."""
        self.choose(place)
        self.phase = Phase.LOOKING
        self._changed()

    def knock(self, name: Name) -> None:
        """Ask the host of the chosen chat to be let in."""
        self._ask(Phase.ASKING, lambda connection: connection.knock(name))

    def code(self, code: str) -> None:
        """Join the chosen chat by a spoken code."""
        self._ask(Phase.PROVING, lambda connection: connection.code(code))

    def withdraw(self) -> None:
        """Stop waiting, if the person does: a request to join is taken back."""
        if self.busy:
            self._end()  # the server takes a request back when its connection ends
            self._changed()

    def close(self) -> None:
        """End everything; idempotent."""
        self._end()
        self._mailbox.close()

    def _ask(self, phase: Phase, order: Callable[[Connection], object]) -> None:
        place = self.place
        if place is None:
            return
        connection = self._connection if self._connection is not None else self._begin(place)
        self.phase, self.digits = phase, ""
        connection.ask(order)
        self._changed()

    def _begin(self, place: Place) -> LazyConnection:
        self._number += 1
        tell = partial(_tell, self._mailbox, self._number)
        make = partial(self._network.connect, place, self._installation, tell)
        self._connection = LazyConnection(make)
        return self._connection

    def _end(self) -> None:
        self._number += 1  # what it still tells is not heard
        connection, self._connection = self._connection, None
        self.phase, self.digits = Phase.IDLE, ""
        if connection is not None:
            connection.close()

    def _changed(self) -> None:
        if self.listener is not None:
            self.listener.on_change()

    def _take(self, items: list[_Told]) -> None:
        for number, news in items:
            if number == self._number:
                self._apply(news)

    def _apply(self, news: JoiningNews) -> None:
        # Loaded by now: it comes from there.
        from chat_client.state import joining

        listener, place = self.listener, self.place
        if place is None or listener is None:
            return
        match news:
            case joining.Connected(server_name, rule, fingerprint):
                self.place = Place(place.hosts, place.port, fingerprint, server_name)
                self.rule = rule
                if self.phase is Phase.LOOKING:
                    self.phase = Phase.IDLE
                listener.on_change()
            case joining.Digits(digits):
                self.digits = digits
                listener.on_change()
            case joining.Waiting():
                self.phase = Phase.WAITING
                listener.on_change()
            case joining.Invited(invite):
                self._end()
                listener.on_invited(invite)
            case joining.Refused():
                self._refused(news, listener)
            case joining.Unreachable(tried):
                self._end()
                listener.on_unreachable(tried)
            case joining.Withdrawn():
                pass

    def _refused(self, refused: Refused, listener: Listener) -> None:
        # A server ends the connection of somebody who says nothing: the next try makes another.
        quietly = refused.over and self.phase is Phase.IDLE and self.rule
        if refused.over:
            self._end()
        self.phase, self.digits = Phase.IDLE, ""
        if not quietly:
            listener.on_refused(refused.reason, refused.field)


def _tell(mailbox: Mailbox[_Told], number: int, news: JoiningNews) -> None:
    mailbox.post(_Told(number, news))
