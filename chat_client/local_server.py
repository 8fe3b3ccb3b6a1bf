"""Finds a server on this computer that the same user runs, without the network."""

import json
import os
import sys
from pathlib import Path

from common.domain.invite import Invite, InviteError, parse_invite
from common.system.data_folder import data_folder


def find_local_server(folder: Path | None = None) -> Invite | None:
    """The invite of the server that runs in its usual folder, or None.

    Only the folder's owner can read it, so it is as good as a link from the host.
    """
    folder = folder or data_folder("ChatServer")
    try:
        content = json.loads((folder / "running.json").read_bytes())
        return parse_invite(content["invite"]) if _is_running(content["pid"]) else None
    except (OSError, ValueError, KeyError, TypeError, InviteError):
        return None


def _is_running(pid: int) -> bool:
    """Whether a process exists. After a crash of the server, its file is stale."""
    if sys.platform == "win32":
        return True  # There os.kill would end the process. A stale file then shows when connecting.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
