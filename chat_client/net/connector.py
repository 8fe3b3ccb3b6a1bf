"""Making the connection: on a thread of its own, since names and dead addresses take long."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Final

from common.invite import Invite
from common.limits import HANDSHAKE_DEADLINE
from common.tls import client_context, pinned

_CONNECT_DEADLINE: Final = 3.0
"""Seconds for each address; on one network an answer takes milliseconds."""


class WrongServerError(Exception):
    """Somebody answered who is not the server of the invite."""


Outcome = socket.socket | OSError | WrongServerError


def connect_in_background(invite: Invite, done: Callable[[Outcome], None]) -> None:
    """Try the invite's addresses in turn and hand over the first connection that stands.

    `done` is called once, on the other thread, with the connection or the last error.
    """
    thread = threading.Thread(target=lambda: done(connect(invite)), name="connector", daemon=True)
    thread.start()


def connect(invite: Invite) -> Outcome:
    """A connection to the server whose certificate is the pinned one, or why there is none."""
    outcome: Outcome = OSError("the invite has no address")
    for host in invite.hosts:
        try:
            return _connect(host, invite)
        except WrongServerError as error:
            # Another of its addresses may still be the right computer's.
            outcome = error
        except OSError as error:
            if not isinstance(outcome, WrongServerError):
                outcome = error
    return outcome


def _connect(host: str, invite: Invite) -> socket.socket:
    raw = socket.create_connection((host, invite.port), timeout=_CONNECT_DEADLINE)
    connection: socket.socket = raw
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if invite.fingerprint is not None:
            raw.settimeout(HANDSHAKE_DEADLINE)
            secured = client_context().wrap_socket(raw)
            connection = secured
            _check(secured, invite.fingerprint)
        connection.setblocking(False)
    except ssl.SSLError as error:
        connection.close()
        raise OSError(f"no TLS with the server ({error.reason})") from error
    except BaseException:
        with contextlib.suppress(OSError):
            connection.close()
        raise
    return connection


def _check(connection: ssl.SSLSocket, fingerprint: bytes) -> None:
    """Refuse, before a byte is sent, whoever is not the server of the invite."""
    if not pinned(connection, fingerprint):
        raise WrongServerError
