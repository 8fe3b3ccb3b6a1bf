"""The facts of a running server, and the files that give them to other programs.

The ready file is where a script requested it. A file of the same format, `running.json`, is in
the data folder while the server runs: ChatClient on the same computer and account finds the server
by it. Both are replaced whenever the facts change (`chat_server/invite_publisher.py`).
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from common.domain.invite import Invite
from common.system.private_files import write_private


@dataclass(frozen=True, slots=True)
class Running:
    """The facts of a running server. `fingerprint` is empty without TLS."""

    name: str
    addresses: tuple[str, ...]
    port: int
    fingerprint: str
    invite: str
    epoch: str


def running_as(invite: Invite, epoch: str) -> Running:
    """The facts of the server with this invite."""
    return Running(
        name=invite.server_name,
        addresses=invite.hosts,
        port=invite.port,
        fingerprint=invite.fingerprint.hex() if invite.fingerprint else "",
        invite=invite.link(),
        epoch=epoch,
    )


def write_ready_file(path: Path, running: Running) -> None:
    """Write it atomically, readable by its owner only, as it has the invite. Raises OSError."""
    content = {
        "pid": os.getpid(),
        "name": running.name,
        "addresses": running.addresses,
        "port": running.port,
        "fingerprint": running.fingerprint,
        "invite": running.invite,
        "epoch": running.epoch,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(content, indent=1).encode() + b"\n")


def remove_ready_file(path: Path) -> None:
    """Remove it at exit, unless another server has replaced it."""
    try:
        if json.loads(path.read_bytes())["pid"] == os.getpid():
            path.unlink()
    except (OSError, ValueError, KeyError, TypeError):
        return
