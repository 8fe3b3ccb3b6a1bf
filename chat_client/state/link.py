"""The link to the server: connecting, backoff, keepalive, pending requests, disconnecting.

It matches replies to commands, and leaves what they mean to others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from chat_client.state import news
from chat_client.state.arrivals import in_runs
from chat_client.state.attempts import Attempt
from chat_client.state.backoff import Backoff
from chat_client.state.status import STORAGE, WRONG_SERVER, Link, Status
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import ClientEnd, Phase
from common.protocol.events import Event

STABLE_AFTER: Final = 30.0
"""Seconds after which a connection counts as stable, and the backoff is reset."""
MAX_FAULTS: Final = 6
"""Protocol violations by the server, without a stable connection in between, before giving up."""
CHECKED: Final = 5.0
"""Timeout in seconds for anything from the server after this computer was suspended, or got another
network."""
_HINT_INTERVAL: Final = 3.0
"""Least seconds between two attempts for which a pause is cut short: hints may be forged."""
_NOT_REACHED: Final = frozenset({"unreachable", "lost", "no_answer", "server_closing"})
"""Codes of a pause that a hint may end: in others the server has told how long to wait."""
_RETRIED_GOODBYES: Final = {"server_closing", "too_slow", "timeout", "internal"}
"""Codes of goodbyes after which the client reconnects by itself. Any other is final."""
_TRYING: Final = frozenset({Link.CONNECTING, Link.ONLINE})
_ENDED: Final = frozenset({Link.SIGNED_OUT, Link.REFUSED, Link.STOPPED})


class ServerLink:
    """Successive connections, and the backoff between them.

    `waiting()` counts the messages that are not acknowledged, for `StatusChanged`. `left()` is
    called whenever the current connection is given up, also when there was none.
    """

    def __init__(
        self,
        backoff: Backoff,
        tell: Callable[[news.News], object],
        *,
        waiting: Callable[[], int],
        left: Callable[[], object],
    ) -> None:
        self.status = Status(Link.CONNECTING)
        self.backoff = backoff
        """The pauses between attempts."""
        self._tell = tell
        self._waiting = waiting
        self._left = left
        self._end: ClientEnd | None = None
        self._frames: list[bytes] = []
        self._requests = 0
        self._asked: dict[int, messages.Command] = {}
        self._faults = 0
        self._healthy_at: float | None = None
        """When the current connection will count as stable; None if it does already."""
        self._before_trouble = Status(Link.CONNECTING)
        """The status before the store failed."""
        self._hinted_at = -math.inf
        """When a hint last led to an attempt."""
        self._last_received_at = 0.0
        self._last_sent_at = 0.0
        self._closed: Reason | None = None
        """The reason in the server's goodbye if it was shut down: why it is unreachable."""

    # State

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that is not being given up."""
        return self._end is not None

    @property
    def is_ready(self) -> bool:
        """Whether the server has admitted the session: commands may be sent."""
        return self._end is not None and self._end.phase is Phase.READY

    @property
    def wants_connection(self) -> bool:
        """Whether a connection is to be made now."""
        return self.status.link is Link.CONNECTING and self._end is None

    @property
    def storage_trouble(self) -> bool:
        """Whether the last transaction of this computer's cache failed."""
        return self.status.link is Link.PAUSED and self.status.code in STORAGE

    def deadline(self) -> float:
        """When `tick` is to be called at the latest, on the monotonic clock."""
        if self.status.link is Link.PAUSED:
            return self.status.retry_at
        if self._end is None:
            return math.inf
        times = [
            self._last_sent_at + limits.PING_INTERVAL,
            self._last_received_at + limits.SILENCE_DEADLINE,
        ]
        if self._healthy_at is not None:
            times.append(self._healthy_at)
        return min(times)

    # Commands and replies

    def ask(self, command: Callable[..., Any], **fields: object) -> int:
        """Send a command; returns its id, or 0 without a connection."""
        if self._end is None:
            return 0
        message = command(id=self._requests + 1, **fields)
        self._requests += 1
        self._asked[self._requests] = message
        self._frames.append(self._end.send(message))
        return self._requests

    def answered(self, request: int) -> messages.Command | None:
        """Remove and return the pending command with this id, None if there is none."""
        return self._asked.pop(request, None)

    def awaits(self, *kinds: type[messages.Command]) -> bool:
        """Whether a command of one of these types is pending."""
        return any(isinstance(command, kinds) for command in self._asked.values())

    @property
    def unanswered(self) -> list[messages.Command]:
        """The pending commands of this connection, oldest first."""
        return list(self._asked.values())

    def spoke(self, now: float) -> None:
        """A command was sent, which serves as keepalive: no ping is due for a while."""
        self._last_sent_at = now

    def take_frames(self) -> bytes:
        """The bytes to send."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames

    def receive(self, data: bytes, now: float) -> Iterator[messages.ToClient | list[Event]]:
        """The messages in received bytes, until the connection is given up; see `in_runs`.

        Raises RemoteProtocolError when the server violates the protocol.
        """
        end = self._end
        if end is None:
            return
        self._last_received_at = now
        for said in in_runs(end.receive(data)):
            yield said
            if self._end is not end:
                return

    # Events of the connection

    def connected(self, now: float) -> None:
        """A connection was made to the server with the pinned certificate."""
        self._end = ClientEnd()
        self._closed = None
        self._last_received_at = self._last_sent_at = now
        self._asked.clear()

    def signed_in(self, now: float) -> None:
        """The server has admitted the session."""
        # The backoff is not reset yet: a client that is disconnected right after signing in would
        # reconnect several times a second.
        self._healthy_at = now + STABLE_AFTER
        self._set(Status(Link.ONLINE))

    def lost(
        self, reason: Reason, now: float, attempts: tuple[Attempt, ...] = (), *, wait: float = 0.0
    ) -> None:
        """The connection is lost, or could not be made: retry after the backoff.

        The pause is at least `wait` seconds.
        """
        self.leave()
        if self.status.link in _TRYING:
            retry_at = now + max(wait, self.backoff.next())
            self._set(Status(Link.PAUSED, reason, retry_at=retry_at, attempts=attempts))

    def fault(self, reason: Reason, now: float) -> None:
        """The server violated the protocol: retry after the backoff, MAX_FAULTS times at most.

        Then only the person can reconnect.
        """
        self._faults += 1
        if self._faults < MAX_FAULTS or self.status.link not in _TRYING:
            self.lost(reason, now)
            return
        self.leave()
        params = {**reason.params, "why": reason.code}
        self._set(Status(Link.STOPPED, Reason("given_up", params)))

    def unreachable(self, now: float, attempts: tuple[Attempt, ...]) -> None:
        """No connection could be made: retry after the backoff.

        If the server announced its shutdown before, that is the reason shown.
        """
        self.lost(self._closed or Reason("unreachable"), now, attempts)

    def refused(self, reason: Reason, field: str = "", attempts: tuple[Attempt, ...] = ()) -> None:
        """The failure is final: don't retry."""
        self.leave()
        self._set(Status(Link.REFUSED, reason, field=field, attempts=attempts))

    def sign_out(self, reason: Reason) -> None:
        """Disconnect; only the person can reconnect."""
        self.leave()
        self._set(Status(Link.SIGNED_OUT, reason))

    def goodbye(self, goodbye: messages.Goodbye, now: float) -> None:
        """The server said goodbye; the code decides whether to retry."""
        reason = Reason(goodbye.code, goodbye.params)
        if reason.code not in _RETRIED_GOODBYES:
            self.sign_out(reason)
            return
        self.lost(reason, now, wait=seconds(goodbye.retry_after))
        if reason.code == "server_closing":
            self._closed = reason

    def storage_failed(self, reason: Reason, retry_at: float) -> None:
        """The last transaction failed: `storage_works` ends this state."""
        if not self.storage_trouble:
            self._before_trouble = self.status
        self._set(Status(Link.PAUSED, reason, retry_at=retry_at))

    def storage_works(self) -> None:
        """A transaction succeeded again: resume where it failed."""
        before = self._before_trouble
        self._set(before if before.link in _ENDED else Status(Link.CONNECTING))

    def failed(self, reason: Reason) -> None:
        """The core gives up: `waiting` is not called any more."""
        self._end = None
        self.status = Status(Link.REFUSED, reason)
        self._tell(news.StatusChanged(self.status, 0))

    def tick(self, now: float) -> None:
        """Handle what is due; call it at `deadline`."""
        waited = self.status.link is Link.PAUSED and now >= self.status.retry_at
        if waited and not self.storage_trouble:
            self._set(Status(Link.CONNECTING))
        if self._end is None:
            return
        if self._healthy_at is not None and now >= self._healthy_at:
            self._healthy_at = None
            self._faults = 0
            self.backoff.reset()
        if now - self._last_received_at >= limits.SILENCE_DEADLINE:
            self.lost(Reason("no_answer"), now)
        elif self.is_ready and now - self._last_sent_at >= limits.PING_INTERVAL:
            self._last_sent_at = now
            self.ask(messages.Ping)

    def resumed(self, now: float) -> None:
        """The computer was suspended: the connection may be dead without a FIN or RST.

        Ping with a short deadline; a pause between two attempts ends at once. The usual deadlines
        don't notice it, as the monotonic clock stood still.
        """
        if self.status.link is Link.PAUSED:
            self.connect_now()
        self.check(now)

    def check(self, now: float, within: float = CHECKED) -> None:
        """The network may be another one now: is the connection alive? `within` so many seconds."""
        if self._end is None:
            return
        self._last_received_at = min(self._last_received_at, now - limits.SILENCE_DEADLINE + within)
        if self.is_ready and not self.awaits(messages.Ping):
            self._last_sent_at = now
            self.ask(messages.Ping)

    def hinted(self, now: float) -> None:
        """The server may be reachable again: connect, whatever is left of the pause.

        Also after another server had answered in its place. At most every few seconds; and pauses
        go on growing, as it is only a hint.
        """
        status = self.status
        waits = status.link is Link.PAUSED and status.code in _NOT_REACHED
        misled = status.link is Link.REFUSED and status.code in WRONG_SERVER
        if self._end is not None or not (waits or misled):
            return
        at = self._hinted_at + _HINT_INTERVAL
        if now >= at:
            self._hinted_at = now
            self._set(Status(Link.CONNECTING))
        elif misled or at < status.retry_at:
            self._set(replace(status, link=Link.PAUSED, retry_at=at))

    def connect_now(self) -> None:
        """Connect now, whatever ended the last connection."""
        if self._end is None and self.status.link is not Link.CONNECTING:
            if self.storage_trouble:
                return  # Storing is retried already, and a connection has no use before.
            self.backoff.reset()
            self._faults = 0
            self._set(Status(Link.CONNECTING))

    def leave(self) -> None:
        """Disconnect: the current connection is given up."""
        self._end = None
        self._healthy_at = None
        self._frames.clear()
        self._left()

    def _set(self, status: Status) -> None:
        self.status = status
        self._tell(news.StatusChanged(status, self._waiting()))


def seconds(milliseconds: int | None) -> float:
    """A duration of the protocol in seconds; None stays None."""
    return (milliseconds or 0) / 1000
