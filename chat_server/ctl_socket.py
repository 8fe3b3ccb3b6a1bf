"""Where a running server takes the orders of command lines on its computer, and how it is reached.

A Unix socket (mode 0600) in a private folder of the system's for such things, of which the system
tells whose process connects. Where there is none, or its path would be too long, a port on a
loopback address, with a key. The file `ctl.json` in the data folder, that only the owner can read,
tells which: so a copy of the data folder has nothing in it but files and folders. Both carry the
protocol's frames (common/protocol/frames.py).
"""

import hashlib
import json
import os
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

FACTS_FILE: Final = "ctl.json"
KEY_BYTES: Final = 32
LONGEST_PATH: Final = 100
"""Bytes of a socket's path that every system takes: 104 on macOS with its end, 108 on Linux."""
HAS_UNIX: Final = hasattr(socket, "AF_UNIX") and sys.platform != "win32"
_LOCAL_PEERCRED: Final = 1
_XUCRED: Final = struct.Struct("@IIh16I")
"""macOS, sys/ucred.h: version, user, number of groups, groups."""


class CtlUnreachableError(OSError):
    """No server runs with this data folder."""


def folder_id(data_dir: Path) -> str:
    """Identifies a data folder on this computer; a copy of it has another id. Raises OSError."""
    found = data_dir.stat()
    return hashlib.blake2b(f"{found.st_dev}:{found.st_ino}".encode(), digest_size=12).hexdigest()


def socket_path(data_dir: Path) -> Path | None:
    """Path of the socket of a server with this data folder; None where it has a port instead.

    Creates the socket's folder, which is private.
    """
    if not HAS_UNIX:
        return None
    folder = _runtime_folder()
    if folder is None:
        return None
    path = folder / f"{folder_id(data_dir)}.ctl"
    return path if len(os.fsencode(path)) <= LONGEST_PATH else None


def _runtime_folder() -> Path | None:
    """The program's folder in XDG_RUNTIME_DIR or, where that is not set, among temporary files."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    names = [Path(given) / "ChatServer"] if given.startswith("/") else []
    names.append(Path(tempfile.gettempdir()) / f"ChatServer-{os.geteuid()}")
    for folder in names:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError:
            continue
        # Another user may have created it first, where everybody can create folders.
        private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private:
            return folder.absolute()
    return None


def facts_of_socket(data_dir: Path, path: Path) -> bytes:
    """The content of the file for a socket. Raises OSError."""
    return _facts(data_dir, socket=str(path))


def facts_of_port(data_dir: Path, port: int, key: bytes) -> bytes:
    """The content of the file for a port. Raises OSError."""
    return _facts(data_dir, port=port, key=key.hex())


def _facts(data_dir: Path, **facts: str | int) -> bytes:
    return json.dumps({"folder": folder_id(data_dir), **facts}).encode() + b"\n"


def connect(data_dir: Path, timeout: float) -> socket.socket:
    """A connection to the server that runs with this data folder. Raises OSError.

    CtlUnreachableError and ConnectionRefusedError mean that none runs.
    """
    try:
        facts = _read(data_dir)
        if "port" in facts:
            port, key = int(facts["port"]), bytes.fromhex(facts["key"])
            return _open(socket.AF_INET, ("127.0.0.1", port), timeout, key)
        path = str(facts["socket"])
    except (ValueError, KeyError, TypeError) as error:
        raise CtlUnreachableError(f"{data_dir / FACTS_FILE} is damaged") from error
    except FileNotFoundError as error:
        # The disk may have been full: a running server has its socket at the usual path.
        found = socket_path(data_dir) if data_dir.is_dir() else None
        if found is None:
            raise CtlUnreachableError("nothing runs there") from error
        path = str(found)
    if not HAS_UNIX:
        raise CtlUnreachableError("it was written by another system")
    try:
        return _open(socket.AF_UNIX, path, timeout, b"")
    except FileNotFoundError as error:
        raise CtlUnreachableError("nothing runs there") from error


def _read(data_dir: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((data_dir / FACTS_FILE).read_bytes())
    if facts["folder"] != folder_id(data_dir):
        # The folder is a copy: commands to it must not reach the server of the original.
        raise CtlUnreachableError("it is a copy")
    return facts


def _open(family: int, address: Any, timeout: float, key: bytes) -> socket.socket:
    connection = socket.socket(family)
    connection.settimeout(timeout)
    try:
        connection.connect(address)
        connection.sendall(key)
    except BaseException:
        connection.close()
        raise
    return connection


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end of a Unix socket is our own user's, or root's."""
    user = peer(connection)
    return user is None or user in {0, os.geteuid()}


def peer(connection: socket.socket) -> int | None:
    """The user id of the process at the other end of a Unix socket; None where it is unknown.

    There the modes of the socket and of its folder keep other users out. Raises OSError.
    """
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", credentials)[1])
    if sys.platform == "darwin":
        return _xucred_user(connection.getsockopt)
    return None


def _xucred_user(getsockopt: Callable[[int, int, int], bytes]) -> int:
    """The peer's user id as getpeereid(3) reads it on macOS, which Python does not expose."""
    return int(_XUCRED.unpack(getsockopt(0, _LOCAL_PEERCRED, _XUCRED.size))[1])
