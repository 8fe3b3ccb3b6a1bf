"""The connection of somebody who joins without a link: one chat, one attempt, a thread of its own.

Where the certificate is not known yet, the one that is shown is learnt. Nothing secret is sent to
it: digits and code are bound to it, and what comes of them is good for it alone
(common/protocol/joining_proofs.py).
"""

from __future__ import annotations

import contextlib
import logging
import math
import selectors
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from chat_client.accounts import AccountError
from chat_client.net.connector import ConnectError, Outcome, Race, nothing_tried
from chat_client.state import joining
from chat_client.state.admission import this_program
from chat_client.state.joining import JoiningNews, RefusedCodes, Unreachable
from common.domain.reasons import Reason
from common.protocol.debug_summaries import brief
from common.system.tls import fingerprint
from common.system.transport import Transport
from common.system.waker import Waker

if TYPE_CHECKING:
    from chat_client.options import Name
    from common.domain.invite import Place

log = logging.getLogger(__name__)

_READ: Final = 16 * 1024
_READ_AT_ONCE: Final = 64 * 1024
REFUSED_CODES: Final = RefusedCodes()
"""Of this program: what certificates have refused, over all attempts. Two attempts at once may lose
a count, which a person who types codes into two windows may have."""


class JoinConnection:
    """One attempt with the chat at `place`; it connects at once, on a thread of its own.

    `installation` gives the id of this data folder for a place whose certificate is known. `tell`
    is called on that thread, never after `close` has returned. The methods may be called from any
    thread, also before there is a connection; they return at once.
    """

    def __init__(
        self,
        place: Place,
        installation: Callable[[Place], str],
        tell: Callable[[JoiningNews], object],
    ) -> None:
        self._front_end = tell
        self._place = place
        self._state = joining.JoinProtocol(
            place, this_program(presence=False), installation, REFUSED_CODES, self._tell
        )
        self._inbox: deque[Callable[[], object]] = deque()
        self._telling = threading.RLock()
        """Held while the front end is told, so that `close` can promise that it is no more."""
        self._closed = False
        self._waker: Waker | None = None
        self._race: Race | None = None
        self._thread = threading.Thread(target=self._run, name="joining", daemon=True)
        self._thread.start()

    # From any thread

    def knock(self, name: Name) -> None:
        """Ask the host to be let in; Digits and Waiting follow, then Invited or Refused."""
        self._do(lambda: self._state.knock(name))

    def code(self, code: str) -> None:
        """Try a spoken code, as it was typed; Invited or Refused follows."""
        self._do(lambda: self._state.code(code))

    def withdraw(self) -> None:
        """Take the request back; Withdrawn follows."""
        self._do(self._state.withdraw)

    def close(self) -> None:
        """End it: nothing is told any more. Idempotent; may be called while something is told."""
        with self._telling:
            self._closed = True
        self._wake()

    def _do(self, action: Callable[[], object]) -> None:
        self._inbox.append(action)
        self._wake()

    # The thread

    def _run(self) -> None:
        try:
            with contextlib.closing(Waker()) as waker:
                self._waker = waker
                self._connect(waker)
        except AccountError as error:
            # A home that can't be written to, or a full disk: no mistake of the program.
            log.warning("joining failed: %s", error)
            self._tell(joining.Refused(Reason("storage", {"cause": str(error)}), over=True))
        except Exception as error:
            log.exception("joining failed")
            self._tell(joining.Refused(Reason("internal_error", {"cause": str(error)}), over=True))

    def _connect(self, waker: Waker) -> None:
        try:
            # A link's secret is sent by others, and to its pin alone.
            self._race = Race(self._place, learn=self._place.fingerprint is None)
        except OSError as error:
            outcome: Outcome = nothing_tried(self._place, error)
        else:
            if self._closed:  # `close` may have found no race yet
                self._race.cancel()
            outcome = self._race.run()
        if isinstance(outcome, ConnectError):
            self._tell(Unreachable(outcome.attempts))
            return
        try:
            self._converse(outcome, waker)
        finally:
            outcome.close()

    def _converse(self, transport: Transport, waker: Waker) -> None:
        state = self._state
        state.connected(_certificate(transport), time.monotonic())
        unwritten = memoryview(b"")
        with selectors.DefaultSelector() as selector:
            selector.register(waker.receiver, selectors.EVENT_READ)
            selector.register(transport.socket, selectors.EVENT_READ)
            while not (self._closed or state.over):
                while self._inbox:
                    self._inbox.popleft()()
                unwritten = _write(transport, memoryview(bytes(unwritten) + state.take_frames()))
                writes = bool(unwritten) or transport.wants_write
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writes else 0)
                selector.modify(transport.socket, events)
                for key, _ in selector.select(self._wait(transport)):
                    if key.fileobj is waker.receiver:
                        waker.clear()
                _read(transport, state)
                state.tick(time.monotonic())
        while self._inbox:  # it is told that there is no connection any more
            self._inbox.popleft()()

    def _wait(self, transport: Transport) -> float | None:
        if transport.more or self._inbox:
            return 0.0
        until = self._state.deadline()
        return None if until == math.inf else max(0.0, until - time.monotonic())

    def _tell(self, news: JoiningNews) -> None:
        log.debug("news: %s", brief(news))
        with self._telling:
            if not self._closed:
                self._front_end(news)

    def _wake(self) -> None:
        waker, race = self._waker, self._race
        if waker is not None:
            waker.wake()
        if race is not None and self._closed:
            race.cancel()


def _certificate(transport: Transport) -> bytes | None:
    """The fingerprint of the peer's certificate; None without TLS."""
    connection = transport.socket
    if not isinstance(connection, ssl.SSLSocket):
        return None
    return fingerprint(connection.getpeercert(binary_form=True) or b"")


def _read(transport: Transport, state: joining.JoinProtocol) -> None:
    try:
        for data in transport.pieces(_READ, _READ_AT_ONCE):
            state.received(data, time.monotonic())
    except (EOFError, OSError):
        state.lost()


def _write(transport: Transport, data: memoryview) -> memoryview:
    """Write what can be written now; returns the rest. A failure shows when it is read from."""
    with contextlib.suppress(OSError):
        while data and (written := transport.write(data)):
            data = data[written:]
    return data
