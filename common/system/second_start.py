"""What a second start tells the window that is open (single instance), and how it is proven.

Both ends prove that they know the key of the window's entry (common/system/open_windows.py) before
anything else is said: another user's program may have got the port of a window that was killed, and
anybody on this computer can connect to a port of 127.0.0.1. Each message is a line of JSON:

    start → window  {"nonce": 32 hex digits}
    window → start  {"nonce": 32 hex digits, "proof": HMAC-SHA-256(key, "window" and both nonces)}
    start → window  {"proof": HMAC-SHA-256(key, "start", both nonces and the request),
                     "request": the request as text of JSON}
    window → start  {"taken": whether it does what was asked}
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from common.system.open_windows import OpenWindow, WindowEntry, is_older, other_windows

KEY_BYTES: Final = 16
LONGEST_LINK: Final = 8192
"""Maximum characters of a link that is handed over; the rest is dropped."""
_LONGEST_LINE: Final = 131_072
"""Bytes of a message: a character may take twelve as an escape of JSON."""
_NONCE_BYTES: Final = 16
TIMEOUT: Final = 3.0
"""Seconds for all that is said over a connection, what the window does included."""
OPENING: Final = 10.0
"""Seconds for which another program's window may take to open."""
_TOKENS: Final = ("DESKTOP_STARTUP_ID", "XDG_ACTIVATION_TOKEN")
"""Environment variables in which a desktop gives a startup id."""
_LOOK: Final = 0.02
"""Polling interval in seconds while another window opens."""


class HandOverError(Exception):
    """The other end is not the window or the program that it should be."""


class Request(NamedTuple):
    """What a window is asked for: to come to the front, and to do something with a link.

    Without a `link`, only the window takes it that has this `account` open; "" is for one that has
    none. `token` is the startup id with which the desktop lets a window come to the front.
    """

    link: str | None = None
    account: str = ""
    token: str = ""


def startup_token() -> str:
    """The startup id that this process was started with; "" without any."""
    given = [os.environ.get(name) for name in _TOKENS]
    return next((token for token in given if token), "")


def take_startup_token() -> str:
    """The same, which no program that is started from here inherits."""
    token = startup_token()
    for name in _TOKENS:
        os.environ.pop(name, None)
    return token


def wait_for_windows(data_dir: Path, own: WindowEntry | None) -> list[OpenWindow]:
    """The other windows that can be reached; waits for those of programs that were started before.

    Two starts at the same time so agree on whose window it is. See `other_windows`.
    """
    end = time.monotonic() + OPENING
    while True:
        windows = other_windows(data_dir, own)
        opening = [each for each in windows if not each.is_reachable and is_older(each, own)]
        if not opening or time.monotonic() > end:
            return [each for each in windows if each.is_reachable]
        time.sleep(_LOOK)


def raise_instead(data_dir: Path, own: WindowEntry, program: str) -> bool:
    """Raise the window that is open with a data folder, and say so; False if none could be."""
    is_raised = hand_over(wait_for_windows(data_dir, own), Request(token=startup_token()))
    if is_raised:
        tell_of_window(program)
    return is_raised


def tell_of_window(program: str) -> None:
    """Say on standard output why this start ends at once."""
    with suppress(OSError):
        sys.stdout.write(f"{program} is open already: its window comes to the front\n")
        sys.stdout.flush()


def hand_over(windows: Iterable[OpenWindow], request: Request) -> bool:
    """Whether one of these windows has taken it; they are asked in turn."""
    return any(_hand_over(window, request) for window in windows)


def _hand_over(window: OpenWindow, request: Request) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", window.port), TIMEOUT) as connection:
            return _ask(connection, window.key, request)
    except (OSError, HandOverError):
        # It ended just now, hangs, or another program has its port.
        return False


def _ask(connection: socket.socket, key: bytes, request: Request) -> bool:
    """What a window answers. Raises OSError, HandOverError."""
    lines = Lines(connection)
    nonce = os.urandom(_NONCE_BYTES).hex()
    lines.write({"nonce": nonce})
    answer = lines.read()
    nonces = nonce + _text(answer, "nonce")
    if not hmac.compare_digest(_text(answer, "proof"), _proof(key, "window", nonces)):
        raise HandOverError("that is not the window")
    link = None if request.link is None else request.link[:LONGEST_LINK]
    text = json.dumps(request._replace(link=link)._asdict())
    lines.write({"proof": _proof(key, "start", nonces, text), "request": text})
    return lines.read().get("taken") is True


def take_request(lines: Lines, key: bytes) -> Request:
    """What a second start asks for; then `answer` it. Raises OSError, HandOverError."""
    asked = _text(lines.read(), "nonce")
    own = os.urandom(_NONCE_BYTES).hex()
    nonces = asked + own
    lines.write({"nonce": own, "proof": _proof(key, "window", nonces)})
    told = lines.read()
    text = _text(told, "request")
    if not hmac.compare_digest(_text(told, "proof"), _proof(key, "start", nonces, text)):
        raise HandOverError("it does not know the key")
    return _request(_parsed(text))


def answer(lines: Lines, *, taken: bool) -> None:
    """Tell a second start whether it is done. Raises OSError."""
    lines.write({"taken": taken})


class Lines:
    """Messages of JSON, one a line, over a connection; both methods raise OSError.

    TimeoutError, too, once `TIMEOUT` is over, however slowly the other end goes on.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._came = b""
        self._end = time.monotonic() + TIMEOUT

    def write(self, message: dict[str, Any]) -> None:
        """Send one."""
        self._connection.settimeout(max(0.001, self._end - time.monotonic()))
        self._connection.sendall(json.dumps(message).encode() + b"\n")

    def read(self) -> dict[str, Any]:
        """The next one. Raises HandOverError for what is none."""
        while b"\n" not in self._came:
            self._connection.settimeout(max(0.001, self._end - time.monotonic()))
            came = self._connection.recv(65_536)
            if not came or len(self._came) > _LONGEST_LINE:
                raise HandOverError("no message came")
            self._came += came
        line, _, self._came = self._came.partition(b"\n")
        return _parsed(line)


def _parsed(text: bytes | str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HandOverError("that is no message") from error
    if not isinstance(message, dict):
        raise HandOverError("that is no message")
    return message


def _text(message: dict[str, Any], name: str) -> str:
    found = message.get(name)
    if not isinstance(found, str) or not found.isascii():
        raise HandOverError(f"the message has no {name}")
    return found


def _request(message: dict[str, Any]) -> Request:
    link, account, token = (message.get(name) for name in Request._fields)
    if not (link is None or isinstance(link, str)) or not isinstance(account, str):
        raise HandOverError("the request is malformed")
    return Request(link, account, token if isinstance(token, str) else "")


def _proof(key: bytes, whose: str, nonces: str, text: str = "") -> str:
    # The first two have lengths that are known, so that nothing can be moved between the parts.
    said = f"Chat second start 1\n{whose}\n{nonces}\n{text}".encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()
