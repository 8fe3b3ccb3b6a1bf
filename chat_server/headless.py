"""The server without a window: it logs sign-ins and disconnects until a signal stops it."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chat_server.firewall_watch import FirewallWatch
from chat_server.options import Options
from chat_server.ready_file import Running
from chat_server.rules import view
from chat_server.service import Server, StartError
from common.domain.invite import is_loopback
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol.debug_summaries import brief
from common.system.logs import start_logging
from common.system.process import stop_signals

if TYPE_CHECKING:
    from chat_server.reachability import Finding

log = logging.getLogger(__name__)

LOOK = 0.1
"""Polling interval for signals, in seconds."""


def main(options: Options, data_dir: Path) -> int:
    """Serve until a signal. The exit status: 1 if a thread failed, 2 if the start did, else 0."""
    if options.smoke_test:
        from chat_server import smoke

        return smoke.run()
    start_logging(options.log_level, data_dir)
    try:
        failure = run(options, data_dir)
    except StartError as error:
        sys.stderr.write(f"ChatServer: {error}\n")
        return 2
    if failure is not None:
        sys.stderr.write(f"ChatServer: {sentence(failure)}\n")
    return 0 if failure is None else 1


def run(options: Options, data_dir: Path) -> Reason | None:
    """Serve until SIGTERM, SIGHUP or Ctrl+C; returns the reason if it failed. Raises StartError."""
    asked_to_stop = False

    def note(*_: object) -> None:
        # Nothing that locks, such as an Event: a second signal may interrupt the handler.
        nonlocal asked_to_stop
        asked_to_stop = True

    # Before anything starts, so that a signal always leads to an orderly shutdown.
    for number in stop_signals():
        signal.signal(number, note)
    server = Server(options, data_dir, log_view, log_change)
    running = server.start()
    firewall = FirewallWatch(log_firewall)
    if not all(map(is_loopback, running.addresses)):
        firewall.ask(running.port)
    try:
        if options.ready_file is not None:
            _publish(server, options.ready_file)
        while not asked_to_stop and server.failure is None:
            time.sleep(LOOK)
    finally:
        firewall.stop()
        server.stop()
    return server.failure


def _publish(server: Server, path: Path) -> None:
    try:
        server.publish_to(path)
    except OSError as error:
        raise StartError(f"the ready file {path} can't be written: {error}") from error


def log_change(running: Running) -> None:
    """Log the server's addresses; the invite is a secret and left out."""
    log.info("reachable at %s, port %d", ", ".join(running.addresses), running.port)


def log_firewall(findings: Sequence[Finding]) -> None:
    """Log what the firewalls of this computer say, with the command that opens the port."""
    for found in findings:
        level = logging.WARNING if found.verdict == "closed" else logging.INFO
        command = f": {found.command}" if found.command else ""
        log.log(level, "%s%s", sentence(found.reason), command)


def log_view(events: Sequence[view.ViewEvent]) -> None:
    """Log the events that the window would show, without names."""
    for event in events:
        match event:
            case view.ClientSignedIn():
                log.info("connection %d signed in from %s", event.connection, event.address)
            case view.ClientRefused():
                log.info("somebody at %s was refused: %s", event.address, event.code)
            case view.ClientDisconnected():
                log.info("connection %d ended: %s", event.connection, event.why)
            case view.KnockArrived():
                log.info("somebody at %s asks to join: see “ctl requests”", event.address)
            case _:
                _log_other(event)


def _log_other(event: view.ViewEvent) -> None:
    """Log an event that is about nobody."""
    match event:
        case view.CodeChanged(why="guessed"):
            log.warning("there is a new code, as too many wrong ones were tried")
        case view.StoreFailed():
            log.error("messages can't be stored: %s", sentence(event.reason))
        case view.StoreRecovered():
            log.info("messages are stored again")
        case view.ServerFailed():
            log.error("the server can't go on: %s", sentence(event.reason))
        case _ if log.isEnabledFor(logging.DEBUG):
            log.debug("%s", brief(event))
