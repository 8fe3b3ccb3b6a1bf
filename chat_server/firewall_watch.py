"""Asks the firewalls of this computer on a thread of its own, as that may take seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chat_server.reachability import Finding

log = logging.getLogger(__name__)


def _findings(port: int) -> tuple[Finding, ...]:
    # Here, as the server and its window need not wait for it.
    from chat_server.reachability import firewall_findings

    return firewall_findings(port)


class FirewallWatch:
    """A thread that asks the firewalls whenever it is told to; `tell` gets what they say.

    `tell` is called on that thread. A daemon: a program of the system that hangs holds up nothing.
    """

    def __init__(
        self,
        tell: Callable[[tuple[Finding, ...]], object],
        find: Callable[[int], tuple[Finding, ...]] = _findings,
    ) -> None:
        self._tell, self._find = tell, find
        self._changed = threading.Condition()
        self._port: int | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, port: int) -> None:
        """Ask about a port soon; requests that come meanwhile are coalesced into one."""
        with self._changed:
            self._port = port
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="firewall", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """No call of `tell` begins after this. Idempotent."""
        with self._changed:
            self._stopping.set()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping.is_set() or self._port is not None)
                if self._stopping.is_set():
                    return
                port, self._port = self._port, None
            try:
                found = self._find(port or 0)
            except Exception:
                # What is said of a firewall is help, and no reason to end a program.
                log.exception("the firewall can't be asked")
                continue
            with self._changed:
                if self._stopping.is_set():
                    return
                self._tell(found)
