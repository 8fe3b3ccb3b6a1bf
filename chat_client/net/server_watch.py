"""Watches where a server is on the local network, and whether this computer's network changes.

While there is a connection it only listens: a server announces itself when its address changes, and
the connection to the former one would notice after a minute. Without a connection it asks, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chat_client.state.status import WRONG_SERVER, Link, Status
from common.domain.invite import Invite, is_loopback

if TYPE_CHECKING:
    from chat_client.net.finder import Finder
    from chat_client.state.discovery import FoundChat

Places = tuple[tuple[str, int], ...]
"""Addresses, with the zone of link-local IPv6 ones, each with a port."""

_WAITING: Final = {Link.PAUSED, Link.REFUSED}
INTERVAL: Final = 30.0
"""Seconds between two questions after the first ones: a server that starts announces itself."""
SETTLED: Final = 0.5
"""Seconds after which a connection, or an attempt that is under way, is watched: most attempts and
many commands are over sooner."""


class ServerWatch:
    """Of one server, by the fingerprint in its invite. The methods are for one thread.

    `found` is called with all places at which the server is said to be when they change, `changed`
    when this computer's network does; both on a thread of its own.
    """

    def __init__(self, found: Callable[[Places], object], changed: Callable[[], object]) -> None:
        self._found = found
        self._changed = changed
        self._finder: Finder | None = None
        self._pin: bytes | None = None
        self._told: Places = ()
        self._link: Link | None = None
        self._since = 0.0
        """How long the link has been in this state."""
        self._begins_at = math.inf

    def follow(self, invite: Invite, status: Status, now: float) -> None:
        """Begin, ask, only listen or end, as the state of the connection wants it.

        `now` is in seconds on any clock, always the same. A server that only this computer can
        reach is not watched.
        """
        if status.link is not self._link:
            self._link, self._since = status.link, now
        self._begins_at = math.inf
        if not _is_wanted(status) or _stays_here(invite):
            self.stop()
        elif self._finder is not None:
            self._finder.ask(status.link is not Link.ONLINE)
        elif status.link in _WAITING or now >= self._since + SETTLED:
            self._start(invite, status)
        else:
            self._begins_at = self._since + SETTLED

    def deadline(self) -> float:
        """When to call `follow` again at the latest; infinite for never."""
        return self._begins_at

    def _start(self, invite: Invite, status: Status) -> None:
        from chat_client.net.finder import Finder  # not needed by a command that is soon over

        self._pin = invite.fingerprint
        known = [] if self._pin is None else [self._pin]
        self._finder = Finder(
            self._tell,
            known,
            interval=INTERVAL,
            asks=status.link is not Link.ONLINE,
            changed=self._changed,
        )
        self._finder.start()

    def stop(self) -> None:
        """Stop, and wait for the thread. Idempotent."""
        if self._finder is not None:
            self._finder.stop()
            self._finder = None
            self._told = ()

    def _tell(self, chats: Sequence[FoundChat]) -> None:
        """On the finder's thread."""
        places = next((chat.places for chat in chats if chat.fingerprint == self._pin), ())
        if places != self._told:
            self._told = places
            self._found(places)


def _is_wanted(status: Status) -> bool:
    """Whether knowing where the server is may lead to a connection, or keep one."""
    if status.link is Link.REFUSED:
        return status.code in WRONG_SERVER
    return status.link in {Link.CONNECTING, Link.ONLINE, Link.PAUSED}


def _stays_here(invite: Invite) -> bool:
    return invite.fingerprint is None or all(map(is_loopback, invite.hosts))
