"""Many members in one thread, with one selector: they talk, stay alive, come and go."""

from __future__ import annotations

import heapq
import itertools
import random
import selectors
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from common.domain.invite import Invite
from tests.bench.endure.ledger import Ledger
from tests.bench.endure.member import Account, LostError, Member
from tests.bench.screen import BenchError

PING: Final = 20.0
"""Seconds between two signs of life of a member."""
PAUSE: Final = 0.5
"""Seconds until who was lost comes back."""
_NANO: Final = 1_000_000_000


class Crew:
    """Connected members of one room.

    `rate` deliveries/s are asked of the server, by messages that are due at even distances and
    said by members in turn; 0 for none. Whoever is lost without having been told to leave is a
    fault, and comes back.
    """

    def __init__(self, invite: Invite, ledger: Ledger, text_size: int) -> None:
        self.rate = 0.0
        self.members: list[Member] = []
        self.lost = 0
        """Connections that ended though nobody asked for it."""
        self.given_up = 0
        """Connections of members that had been frozen, and that the server ended."""
        self._invite = invite
        self._ledger = ledger
        self._text_size = text_size
        self._selector = selectors.DefaultSelector()
        self._writing: set[Member] = set()
        self._due = 0
        self._turns = 0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._chance = random.Random(1)  # noqa: S311 (who comes and goes is no secret)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a time of the monotonic clock, while it runs."""
        heapq.heappush(self._later, (when, next(self._numbers), action))

    def come(self, account: Account, receive_buffer: int | None = None) -> Member:
        """Connect an account; it gets what it missed, then lives. Raises BenchError."""
        try:
            member = Member(account, self._invite, self._ledger, receive_buffer)
        except LostError as error:
            raise BenchError(f"{account.username} can't connect: {error}") from error
        self.members.append(member)
        self._selector.register(member.socket, selectors.EVENT_READ, member)
        self._guard(member, member.step)
        # Not all at once, for ever after.
        self.at(time.monotonic() + self._chance.uniform(0.5, 1) * PING, lambda: self._ping(member))
        return member

    def go(self, member: Member, *, abruptly: bool = False) -> None:
        """Disconnect a member; abruptly: so that the server gets a reset and no end."""
        if abruptly:
            linger = struct.pack("ii", 1, 0)
            member.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._forget(member)

    def freeze(self, member: Member) -> None:
        """Read nothing more of a member, nor say anything for it."""
        member.frozen = True
        member.timed = False
        self._selector.unregister(member.socket)
        self._writing.discard(member)

    def thaw(self, member: Member) -> None:
        """Go on with a frozen member; if the server gave it up meanwhile, it comes back."""
        member.frozen = False
        self._selector.register(member.socket, selectors.EVENT_READ, member)
        self._guard(member, member.step)

    def run(self, until: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Until a time of the monotonic clock, or until `done`; whether that was the reason."""
        self._due = max(self._due, time.monotonic_ns())
        while not done():
            now = time.monotonic()
            if now >= until:
                return False
            while self._later and self._later[0][0] <= now:
                heapq.heappop(self._later)[2]()
            self._talk()
            self._turn(min(until, self._next()) - time.monotonic())
        return True

    def all_live(self) -> bool:
        """Whether everyone has reached what was the head when they came."""
        return all(member.live for member in self.members)

    def all_there(self) -> bool:
        """Whether everything that was said has been stored and seen by all."""
        return not self._ledger.outstanding and all(
            member.account.position == self._ledger.head for member in self.members
        )

    def close(self) -> None:
        """Hang up on everyone."""
        for member in self.members:
            member.close()
        self._selector.close()

    # One turn

    def _next(self) -> float:
        """When something is due."""
        times = [each[0] for each in self._later[:1]]
        if self.rate:
            times.append(self._due / _NANO)
        return min(times, default=float("inf"))

    def _talk(self) -> None:
        if not self.rate:
            return
        while self._due <= time.monotonic_ns():
            speakers = [m for m in self.members if m.live and not m.frozen]
            if len(speakers) < 2:
                self._due = time.monotonic_ns() + _NANO // 10
                return
            self._turns += 1
            speaker = speakers[self._turns % len(speakers)]
            due = self._due
            self._due += int((len(speakers) - 1) / self.rate * _NANO)
            self._guard(speaker, partial(speaker.say, due, self._text_size))

    def _turn(self, wait: float) -> None:
        for key, _mask in self._selector.select(max(0.0, min(wait, 0.1))):
            self._guard(key.data, key.data.step)

    def _ping(self, member: Member) -> None:
        if member in self.members:
            if not member.frozen:
                self._guard(member, member.ping)
            self.at(time.monotonic() + PING, lambda: self._ping(member))

    def _guard(self, member: Member, step: Callable[[], None]) -> None:
        """A step of a member; watch it afterwards as it wants to be watched."""
        try:
            step()
        except LostError as error:
            if member.frozen or member not in self.members:
                return
            self._forget(member)
            if member.timed:
                self.lost += 1
                self._ledger.fault(f"{member.account.username} was lost: {error}")
            else:
                self.given_up += 1
            self.at(time.monotonic() + PAUSE, lambda: self._come_again(member))
            return
        if member.wants_write != (member in self._writing) and not member.frozen:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE * member.wants_write)
            self._selector.modify(member.socket, events, member)
            (self._writing.add if member.wants_write else self._writing.discard)(member)

    def _come_again(self, member: Member) -> None:
        again = self.come(member.account)
        again.timed = member.timed

    def _forget(self, member: Member) -> None:
        self.members.remove(member)
        self._writing.discard(member)
        if not member.frozen:
            self._selector.unregister(member.socket)
        member.close()
