"""Where a running server takes the orders of command lines on its computer, and how it is reached.

A socket in the data folder (AF_UNIX, mode 0600), of which the system tells whose process connects.
Where there is none, or its path would be too long, a port on a loopback address, with a key in the
file `ctl.json` that only the owner can read. Both carry the protocol's frames (common/frames.py).
"""

import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Final

SOCKET: Final = "ctl"
KEY_FILE: Final = "ctl.json"
KEY_BYTES: Final = 32
_LONGEST_PATH: Final = 100
"""Bytes of a socket's path that every system takes: 104 on macOS with its end, 108 on Linux."""
HAS_UNIX: Final = hasattr(socket, "AF_UNIX") and sys.platform != "win32"


def socket_path(data_dir: Path) -> Path | None:
    """The socket of a server with this data folder; None where it has a port instead."""
    path = data_dir.absolute() / SOCKET
    return path if HAS_UNIX and len(os.fsencode(path)) <= _LONGEST_PATH else None


def connect(data_dir: Path, timeout: float) -> socket.socket:
    """A connection to the server that runs with this data folder. Raises OSError.

    FileNotFoundError and ConnectionRefusedError mean that none runs.
    """
    path = socket_path(data_dir)
    if path is not None:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(os.fspath(path))
        except BaseException:
            connection.close()
            raise
        return connection
    try:
        facts = json.loads((data_dir / KEY_FILE).read_bytes())
        port, key = int(facts["port"]), bytes.fromhex(facts["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise FileNotFoundError(f"{data_dir / KEY_FILE} is damaged") from error
    connection = socket.create_connection(("127.0.0.1", port), timeout)
    try:
        connection.sendall(key)
    except BaseException:
        connection.close()
        raise
    return connection


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end of a Unix socket is our own user's, or root's."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # The mode of the socket keeps others out.
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, user, _ = struct.unpack("3i", credentials)
    return user in {0, os.geteuid()}
