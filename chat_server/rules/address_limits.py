"""Limits by the address of a peer, for what is asked before anybody is known.

An IPv6 computer has as many addresses as it likes, all in one /64: so those of a /64 together have
a limit of their own, some times that of one address. They must not have the same one: on a local
network everybody is in the same /64, and one neighbour could lock out all others.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from math import ceil
from typing import Final, NamedTuple

from chat_server.rate_limit import TokenBuckets

NETWORK_FACTOR: Final = 4
"""How many times the limit of one address the addresses of a /64 have together."""
_PREFIX: Final = 64
_REMEMBERED: Final = 4096
"""Maximum number of addresses and networks that are remembered; the oldest are forgotten."""


class Origin(NamedTuple):
    """An address, or the network of one, and how many times the limit of an address it has."""

    name: str
    factor: int


def origins(address: str) -> tuple[Origin, ...]:
    """What limits apply to an address: its own, and that of its /64 if it is one of IPv6."""
    itself = Origin(address, 1)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return (itself,)
    if parsed.version == 4 or parsed.is_loopback:
        return (itself,)
    # Without a zone: whoever is on two of the host's links can be counted twice.
    bits = int(parsed) >> (128 - _PREFIX)
    return itself, Origin(f"{bits:016x}/{_PREFIX}", NETWORK_FACTOR)


class AddressLimit:
    """A token bucket for each address, and a larger one for each /64. `rate` is per second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._buckets = tuple(
            TokenBuckets(burst * factor, rate * factor) for factor in (1, NETWORK_FACTOR)
        )

    def ask(self, address: str, now: int) -> int:
        """Take a token for an address; or the milliseconds until there is one."""
        for origin, buckets in zip(origins(address), self._buckets, strict=False):
            wait = buckets.ask(origin.name, now / 1000)
            if wait:
                return ceil(1000 * wait)
        return 0


class FailureLimit:
    """Pauses an address after too many failures within a time.

    All times are in milliseconds on one clock; after a step back of that clock no pause is longer
    than usual.
    """

    def __init__(self, most: int, window: int, pause: int) -> None:
        self._most = most
        self._window = window
        self._pause = pause
        self._failures: OrderedDict[str, list[int]] = OrderedDict()
        """By origin, the times of its failures."""
        self._until: OrderedDict[str, int] = OrderedDict()
        """By origin, the end of its pause."""

    def wait(self, address: str, now: int) -> int:
        """Milliseconds until the pause of this address ends; 0 if there is none."""
        return max(self._left(origin, now) for origin in origins(address))

    def left(self, address: str, now: int) -> int:
        """How many failures it may have until there is a pause."""
        return min(
            self._most * origin.factor - len(self._recent(origin, now))
            for origin in origins(address)
        )

    def failed(self, address: str, now: int) -> None:
        """A failure of this address."""
        for origin in origins(address):
            times = [*self._recent(origin, now), now]
            self._failures.pop(origin.name, None)
            if len(times) < self._most * origin.factor:
                self._failures[origin.name] = times
            else:
                self._until.pop(origin.name, None)
                self._until[origin.name] = now + self._pause
        for remembered in (self._failures, self._until):
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """This address did it right: what failed before were mistakes of its own."""
        self._failures.pop(address, None)

    def _recent(self, origin: Origin, now: int) -> list[int]:
        times = self._failures.get(origin.name, ())
        return [each for each in times if 0 <= now - each < self._window]

    def _left(self, origin: Origin, now: int) -> int:
        until = self._until.get(origin.name)
        if until is None:
            return 0
        left = until - now
        if 0 < left <= self._pause:
            return left
        del self._until[origin.name]
        return 0


class Cooldowns:
    """For how long something may not be asked again, by whatever names it; times as above."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """The end, and how long it was at its start."""

    def hold(self, name: str, span: int, now: int) -> None:
        """Hold it for this many milliseconds, or for longer if it is held already."""
        if self.wait(name, now) < span:
            self._until.pop(name, None)
            self._until[name] = (now + span, span)
        while len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)

    def release(self, name: str) -> None:
        """Hold it no longer. Harmless if it is not held."""
        self._until.pop(name, None)

    def wait(self, name: str, now: int) -> int:
        """Milliseconds until it may be asked; 0 for now."""
        until, span = self._until.get(name, (0, 0))
        left = until - now
        if 0 < left <= span:
            return left
        self._until.pop(name, None)
        return 0


def counted(address: str, others: Iterator[str]) -> Iterator[tuple[Origin, int]]:
    """How many of the other addresses are of the same origin, for each of an address."""
    theirs = [{each.name for each in origins(other)} for other in others]
    for origin in origins(address):
        yield origin, sum(origin.name in names for names in theirs)
