"""Looks which of the known chats are there: a connection that proves the certificate, and no more.

Nothing is sent to a server beyond the TLS handshake: it does not learn whose computer asks.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from chat_client.net.connector import ConnectError, Outcome, Race, connect_in_background
from chat_client.state.account import Account
from common.domain.invite import Invite

log = logging.getLogger(__name__)

INTERVAL: Final = 10.0
"""Seconds from the begin of one round to the next."""
MOST_AT_ONCE: Final = 8

_Server = tuple[tuple[str, ...], int, bytes | None]
_Done = tuple[_Server, Outcome]


class PresenceProbe:
    """Probes the servers of these accounts from `start` to `stop`, again and again.

    `tell` is called on a thread of its own with what was found out, by the keys of the accounts:
    True if the server is there. Not after `stop`.
    """

    def __init__(
        self, accounts: Sequence[Account], tell: Callable[[Mapping[str, bool]], object]
    ) -> None:
        self._tell = tell
        self._invites: dict[_Server, Invite] = {}
        self._keys: dict[_Server, list[str]] = {}
        for account in accounts:
            invite = account.invite
            server = invite.hosts, invite.port, invite.fingerprint
            self._invites[server] = invite
            self._keys.setdefault(server, []).append(account.key)
        self._found: frozenset[bytes] = frozenset()
        self._done: queue.SimpleQueue[_Done | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Start with the first round."""
        self._thread.start()

    def skip(self, fingerprints: Collection[bytes]) -> None:
        """From now on leave out the servers that were found otherwise. From any thread."""
        self._found = frozenset(fingerprints)

    def stop(self) -> None:
        """Stop, and wait until all connections are closed. Idempotent, also before `start`."""
        self._stopping.set()
        self._done.put(None)
        started = self._thread.ident is not None
        if started and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
                self._stopping.wait(INTERVAL)
        except Exception:
            # The accounts can be opened without it.
            log.exception("it can't be found out which chats are there")

    def _round(self) -> None:
        waiting = deque(each for each in self._invites if each[2] not in self._found)
        running: dict[_Server, Race | None] = {}
        try:
            while (waiting or running) and not self._stopping.is_set():
                while waiting and len(running) < MOST_AT_ONCE:
                    server = waiting.popleft()
                    running[server] = None  # `done` may be called at once
                    running[server] = self._connect(server)
                done = self._done.get()
                if done is not None:
                    server, outcome = done
                    del running[server]
                    self._take(server, outcome)
        finally:
            for race in running.values():
                if race is not None:
                    race.cancel()
            self._close_what_was_made()

    def _connect(self, server: _Server) -> Race | None:
        def done(outcome: Outcome) -> None:
            self._done.put((server, outcome))

        return connect_in_background(self._invites[server], done)

    def _take(self, server: _Server, outcome: Outcome) -> None:
        online = not isinstance(outcome, ConnectError)
        if not isinstance(outcome, ConnectError):
            outcome.close()
        if not self._stopping.is_set():
            self._tell(dict.fromkeys(self._keys[server], online))

    def _close_what_was_made(self) -> None:
        """Connections that were made when nobody waited for them any more."""
        while True:
            try:
                done = self._done.get_nowait()
            except queue.Empty:
                return
            if done is not None and not isinstance(done[1], ConnectError):
                done[1].close()
