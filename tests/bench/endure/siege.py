"""The attackers, as a process: thousands of connections that mean no good.

Started as ``python -m tests.bench.endure.siege INVITE SECONDS SHARE``; SHARE is how many of the
full number of attackers come, 1 for all. They come all at once. Whoever is hung up on comes again
a second later. After SECONDS all of them go, and what they did is printed as JSON.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
import resource
import selectors
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from common.domain.invite import Invite, parse_invite
from tests.bench.endure.spoilers import Frames, Whisperers
from tests.process.wire import client_hello

AGAIN: Final = 1.0
"""Seconds until an attacker comes again, and between two bytes of those that trickle."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Attackers without TLS: what they send at once, and what byte by byte after it."""

    name: str
    count: int
    first: bytes = b""
    slowly: bytes = b""


def kinds(share: float) -> list[Kind]:
    """Who comes."""
    hello, chance = client_hello(), random.Random(7)  # noqa: S311 (the same noise each time)

    def some(count: int) -> int:
        return max(1, round(count * share))

    return [
        Kind("silent", some(8000)),
        Kind("stalled in half a handshake", some(250), first=hello[: len(hello) // 2]),
        Kind("stalled in the handshake", some(250), first=hello),
        Kind("a byte a second", some(50), slowly=hello),
        Kind("random bytes", some(25), first=b"\x80" + chance.randbytes(500)),
        Kind(
            "random bytes as TLS", some(25), first=b"\x16\x03\x01\x02\x00" + chance.randbytes(512)
        ),
    ]


@dataclass(eq=False, slots=True)
class Attacker:
    """One of them, on its present connection if it has one."""

    kind: Kind
    socket: socket.socket | None = None
    sent: int = 0


@dataclass
class Siege:
    """All that need no TLS, in one thread with one selector."""

    address: tuple[str, int]
    count: Counter[str] = field(default_factory=Counter)
    held: int = 0
    most: int = 0

    def run(self, attackers: list[Attacker], until: float) -> None:
        """Attack until a time of the monotonic clock."""
        numbers = itertools.count()
        due = [(0.0, next(numbers), attacker) for attacker in attackers]
        with selectors.DefaultSelector() as selector:
            while (now := time.monotonic()) < until:
                while due and due[0][0] <= now:
                    attacker = heapq.heappop(due)[2]
                    if self._act(attacker, selector):
                        heapq.heappush(due, (now + AGAIN, next(numbers), attacker))
                for key, mask in selector.select(0.05):
                    attacker = key.data
                    if mask & selectors.EVENT_WRITE:
                        self._connected(attacker, selector)
                    elif self._ended(attacker):
                        self._close(attacker, selector)
                        heapq.heappush(due, (now + AGAIN, next(numbers), attacker))
        for attacker in attackers:
            if attacker.socket is not None:
                attacker.socket.close()

    def _act(self, attacker: Attacker, selector: selectors.BaseSelector) -> bool:
        """Come, or send one more byte; whether there is something to do later."""
        if attacker.socket is None:
            self._come(attacker, selector)
        elif attacker.sent < len(attacker.kind.slowly):
            with suppress(OSError):
                attacker.socket.send(attacker.kind.slowly[attacker.sent :][:1])
            attacker.sent += 1
        else:
            return False
        return bool(attacker.kind.slowly) or attacker.socket is None

    def _come(self, attacker: Attacker, selector: selectors.BaseSelector) -> None:
        try:
            sock = socket.socket()
            sock.setblocking(False)
            with suppress(BlockingIOError):
                sock.connect(self.address)
        except OSError as error:
            self.count[f"{attacker.kind.name}: {error.strerror}"] += 1
            return
        attacker.socket, attacker.sent = sock, 0
        self.held += 1
        self.most = max(self.most, self.held)
        self.count[f"{attacker.kind.name}: came"] += 1
        selector.register(sock, selectors.EVENT_WRITE, attacker)

    def _connected(self, attacker: Attacker, selector: selectors.BaseSelector) -> None:
        assert attacker.socket is not None
        selector.modify(attacker.socket, selectors.EVENT_READ, attacker)
        with suppress(OSError):
            attacker.socket.send(attacker.kind.first)

    def _ended(self, attacker: Attacker) -> bool:
        """Whether the server hung up; what it says is not listened to."""
        assert attacker.socket is not None
        try:
            return not attacker.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _close(self, attacker: Attacker, selector: selectors.BaseSelector) -> None:
        assert attacker.socket is not None
        selector.unregister(attacker.socket)
        attacker.socket.close()
        attacker.socket = None
        self.held -= 1
        self.count[f"{attacker.kind.name}: hung up on"] += 1


def main(link: str, seconds: float, share: float) -> None:
    """Attack a server, and print what came of it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    invite: Invite = parse_invite(link)
    until = time.monotonic() + seconds
    whisperers = [Whisperers(invite, until, max(1, round(10 * share))) for _ in range(5)]
    framers = [Frames(invite, until, f"spoiler{os.getpid()}.{number}") for number in range(2)]
    spoilers: list[Whisperers | Frames] = [*whisperers, *framers]
    threads = [threading.Thread(target=each.run) for each in spoilers]
    for thread in threads:
        thread.start()
    siege = Siege((invite.hosts[0], invite.port))
    siege.run([Attacker(kind) for kind in kinds(share) for _ in range(kind.count)], until)
    for thread in threads:
        thread.join()
    count = sum((each.count for each in spoilers), siege.count)
    used = os.times()
    told = {"most": siege.most, "cpu": used.user + used.system, "count": count}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
