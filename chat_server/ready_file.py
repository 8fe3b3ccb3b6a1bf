"""The ready file: what a script or another program needs to reach a server that just started."""

import json
import os
from pathlib import Path

from chat_server.service import Running
from common.datafolder import write_private


def write_ready_file(path: Path, running: Running) -> None:
    """Write it whole; it holds the invite, so only its owner may read it. Raises OSError."""
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
    """Remove it at exit, unless another server's has taken its place."""
    try:
        if json.loads(path.read_bytes())["pid"] == os.getpid():
            path.unlink()
    except (OSError, ValueError, KeyError):
        return
