"""The real ChatServer as a process, with TLS and its store, on the loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.domain.invite import Invite, parse_invite
from tests.bench.endure.vitals import Vitals, vitals
from tests.bench.load.servers import Server
from tests.bench.screen import BenchError


@dataclass(frozen=True, slots=True)
class Hosted:
    """A server that accepts; `data` is its folder."""

    pid: int
    link: str
    data: Path

    @property
    def invite(self) -> Invite:
        """The invite, taken apart."""
        return parse_invite(self.link)

    def vitals(self) -> Vitals:
        """What it has in use now. Raises BenchError when it has ended."""
        return vitals(self.pid)


@contextmanager
def a_server(place: Path) -> Iterator[Hosted]:
    """A server in a new folder, until the block is left; it must end well. Raises BenchError."""
    with Server("ChatServer", "chat", tls=True).start(place, place) as running:
        ready = json.loads((place / "ready.json").read_text("utf-8"))
        yield Hosted(running.pid, ready["invite"], place / "data")


def wait_for(condition: Callable[[], bool], what: str, within: float) -> float:
    """Seconds until a condition held. Raises BenchError when it took longer than `within`."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > within:
            raise BenchError(f"waited {within:g} s for {what}")
        time.sleep(0.05)
    return time.monotonic() - start
