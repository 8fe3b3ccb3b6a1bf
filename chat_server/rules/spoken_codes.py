"""The spoken code: the host reads it out, and whoever types it joins.

It is only in memory, at most one at a time, so that a guest need not say which one is meant. Each
wrong one is counted, for the address that it came from and for the code.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Final

from chat_server.rules.address_limits import AddressLimit, FailureLimit
from common.domain.spoken_code import new_code
from common.protocol.cpace import Exchange

LIFE: Final = 24 * 3600 * 1000
"""Milliseconds for which a code is valid."""
MOST_WRONG: Final = 100
"""Wrong codes after which the code is renewed: of 2**40 a guesser has tried so many."""
WRONG_AT_ONCE: Final = 5
"""Wrong codes of one address within WRONG_WINDOW after which it has a pause."""
WRONG_WINDOW: Final = 120 * 1000
"""Milliseconds."""
PAUSE: Final = 300 * 1000
"""Milliseconds for which no codes are taken from that address. Everything else is."""
MOST_OPEN: Final = 64
"""Exchanges that have begun and are not proven, at once."""
STARTS: Final = 10.0
"""Rate limit: exchanges that an address may begin at once, as each costs the hub half a
millisecond."""
START_RATE: Final = 0.5
"""And per second after that."""


@dataclass(slots=True)
class LiveCode:
    """A code, without its hyphen; with `username` it is for one more device of that account."""

    code: str = field(repr=False)
    username: str | None
    expires: int
    """Milliseconds since 1970-01-01 UTC."""
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class OpenExchange:
    """An exchange that a guest has begun."""

    exchange: Exchange = field(repr=False)
    code: LiveCode = field(repr=False)
    address: str


class SpokenCodes:
    """The code that is valid now, the exchanges about it, and the limits for guessing it."""

    def __init__(self) -> None:
        self._live: LiveCode | None = None
        self._open: OrderedDict[int, OpenExchange] = OrderedDict()
        """By connection, the oldest first."""
        self.wrong = FailureLimit(WRONG_AT_ONCE, WRONG_WINDOW, PAUSE)
        self._starts = AddressLimit(STARTS, START_RATE)

    def live(self, now: int) -> LiveCode | None:
        """The code that is valid now.

        A clock that is put right by a little ends no code that is being read out; one that was
        years ahead leaves none valid for years.
        """
        if self._live is not None and not 0 < self._live.expires - now <= 2 * LIFE:
            self._live = None
        return self._live

    def show(self, username: str | None, now: int) -> tuple[LiveCode, bool]:
        """The valid code for this account, or for newcomers; and whether it is a new one."""
        live = self.live(now)
        if live is not None and live.username == username:
            return live, False
        return self.renew(username, now), True

    def renew(self, username: str | None, now: int) -> LiveCode:
        """A new code; the former one is no longer valid."""
        self._live = LiveCode(new_code(), username, now + LIFE)
        return self._live

    def end(self) -> bool:
        """End the code. False if there was none."""
        there, self._live = self._live is not None, None
        return there

    def put_back(self, code: LiveCode) -> None:
        """Undo `end`, unless there is another one by now."""
        if self._live is None:
            self._live = code

    def may_start(self, address: str, now: int) -> int:
        """Milliseconds until this address may begin an exchange; 0 if it has just begun one."""
        return self._starts.ask(address, now)

    def begin(self, connection: int, exchange: OpenExchange) -> None:
        """Begin an exchange; it replaces the one of this connection.

        Beyond MOST_OPEN, the oldest one ends of the address that has most of them: who opens many
        gets in their own way.
        """
        self._open.pop(connection, None)
        self._open[connection] = exchange
        if len(self._open) > MOST_OPEN:
            counts = Counter(each.address for each in self._open.values())
            ((most, _),) = counts.most_common(1)
            oldest = next(n for n, each in self._open.items() if each.address == most)
            del self._open[oldest]

    def take(self, connection: int) -> OpenExchange | None:
        """The exchange of a connection, which it can prove once; None if there is none."""
        return self._open.pop(connection, None)

    def __len__(self) -> int:
        """Number of open exchanges."""
        return len(self._open)
