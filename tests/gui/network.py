"""A network on which nothing is found, unless a test says what there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from chat_client.options import Name
from chat_client.state.account import Account
from chat_client.state.discovery import FoundChat
from chat_client.state.joining import Connected, Digits, JoiningNews, Waiting
from chat_client.window.join.network import Connection, Network, Presence, Running
from common.domain.invite import Place
from common.domain.reasons import Reason

if TYPE_CHECKING:
    from tests.gui.harness import Host


class Told:
    """Runs nothing: the test tells what it would tell."""

    def __init__(self, tell: Callable[[Sequence[FoundChat]], object]) -> None:
        self.tell = tell
        self.running = False
        self.skipped: frozenset[bytes] = frozenset()

    def start(self) -> None:
        """Note that it was started."""
        self.running = True

    def stop(self) -> None:
        """Note that it was stopped."""
        self.running = False

    def skip(self, fingerprints: Collection[bytes]) -> None:
        """Note what has not to be looked at."""
        self.skipped = frozenset(fingerprints)


class QuietNetwork(Network):
    """Finds what is in `chats`, sees what is in `online`; connections are real ones."""

    chats: Sequence[FoundChat] = ()
    online: Mapping[str, bool] = MappingProxyType({})
    reasons: Sequence[Reason] = ()
    far: Sequence[FoundChat] | None = ()
    """What is found at addresses that are tried; None to tell nothing by itself."""
    scans: ClassVar[list[Callable[[Sequence[FoundChat], int | None], object]]] = []
    """To whom what is found so was to be told, the newest last."""
    running: ClassVar[list[Told]] = []
    """What looks for them."""
    finders: ClassVar[list[Told]] = []
    """Those that were made, the newest last."""

    def finder(
        self, tell: Callable[[Sequence[FoundChat]], object], known: Collection[bytes]
    ) -> Running:
        """See `Network`."""
        del known
        finder = Told(tell)
        self.finders.append(finder)
        if self.chats:
            tell(self.chats)
        return finder

    def presence(
        self, accounts: Sequence[Account], tell: Callable[[Mapping[str, bool]], object]
    ) -> Presence:
        """See `Network`."""
        del accounts
        if self.online:
            tell(self.online)
        return Told(lambda _: None)

    def scan(self, tell: Callable[[Sequence[FoundChat], int | None], object]) -> Running:
        """See `Network`: it finds what is in `far`."""
        self.scans.append(tell)
        if self.far is not None:
            tell(self.far, None)
            tell(self.far, 253)
        running = Told(lambda _: None)
        self.running.append(running)
        return running

    def why_nothing(self) -> Sequence[Reason]:
        """See `Network`."""
        return self.reasons


class Silent:
    """An attempt to join in which nothing happens but what is asked for."""

    def __init__(self, place: Place, tell: Callable[[JoiningNews], object]) -> None:
        self._tell = tell
        tell(Connected(place.server_name, "invite_or_ask", place.fingerprint))

    def knock(self, name: Name) -> None:
        """The host sees it, and does not answer."""
        del name
        self._tell(Digits("4729"))
        self._tell(Waiting())

    def code(self, code: str) -> None:
        """Nobody answers."""

    def close(self) -> None:
        """Nothing is left of it."""


class SilentNetwork(QuietNetwork):
    """The same, where no host answers: its chats are at addresses of nobody."""

    def connect(
        self,
        place: Place,
        installation: Callable[[Place], str],
        tell: Callable[[JoiningNews], object],
    ) -> Connection:
        """See `Network`."""
        del installation
        return Silent(place, tell)


def advert_of(host: Host, name: str = "", hosts: tuple[str, ...] = ("127.0.0.1",)) -> FoundChat:
    """What a server would tell of itself, under another name if one is given."""
    invite = host.invite
    assert invite.fingerprint is not None
    return FoundChat(invite.fingerprint, name or invite.server_name, hosts, invite.port, 0.0)
