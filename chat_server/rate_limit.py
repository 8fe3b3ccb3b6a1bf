"""What commands cost, and token buckets that bound how much anybody may ask for.

The unit is a short message: to check, store and acknowledge it takes some 30 µs of the server.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from common.protocol import messages
from common.protocol.fast_encode import body_json
from common.protocol.messages import ToServer

_CHARACTERS: Final = 4096
"""The body of an event costs one more for so many characters, of its text or else of JSON."""
_COSTS: Final[Mapping[type[ToServer], Callable[[Any], float]]] = {
    messages.Hello: lambda _: 20,
    messages.Recognize: lambda _: 20,
    messages.Join: lambda _: 100,
    messages.SignIn: lambda _: 50,
    messages.Ping: lambda _: 20,
    messages.History: lambda history: 20 + history.count,
    messages.ListPeople: lambda _: 100,
    messages.ListOnline: lambda _: 100,
    messages.ListRooms: lambda _: 100,
    messages.Sync: lambda sync: 20 + len(sync.positions) + 2 * len(sync.last),
    messages.Terminate: lambda _: 20,
    messages.Ban: lambda _: 20,
    messages.Unban: lambda _: 20,
    messages.MutePerson: lambda _: 20,
    messages.Unmute: lambda _: 20,
    messages.SetRole: lambda _: 20,
    messages.RenameChat: lambda _: 20,
    messages.ShowInvite: lambda _: 20,
    messages.NewInvite: lambda _: 20,
    messages.AskStatus: lambda _: 20,
    messages.ListClients: lambda _: 100,
    messages.ListSanctions: lambda _: 100,
    messages.ListAudit: lambda _: 100,
}


def cost(command: ToServer) -> float:
    """What a command costs. A `ping` costs more than it takes, as nobody needs many."""
    if type(command) is messages.Send:  # first of all: of these there are thousands a second
        return 1 + _length(command.body) / _CHARACTERS
    return _COSTS[type(command)](command)


def _length(body: Mapping[str, Any]) -> int:
    """The characters of an event's body, about. Exact would cost an encoding for each message."""
    text = body.get("text")
    return len(text) if len(body) == 1 and type(text) is str else len(body_json(body))


class TokenBucket:
    """A token bucket: at most `burst` tokens, refilled by `rate` per second.

    It may go into debt, and then tells the wait. So one command dearer than the bucket can be
    served, where a bucket without debt would refuse it for ever. All times are seconds on one
    clock; a step back counts as no time.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._tokens = burst
        self._at = now

    def spend(self, cost: float, now: float) -> float:
        """Take tokens; returns the seconds until the debt is paid, 0 if there is none."""
        if now != self._at:  # of commands that came together only the first asks
            self._refill(now)
        self._tokens -= cost
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    def wait_for(self, cost: float, now: float) -> float:
        """The seconds until so many tokens are there; 0 if they are now. Takes nothing."""
        self._refill(now)
        return max(0.0, (cost - self._tokens) / self._rate)

    def full(self, now: float) -> bool:
        """Whether there is as much in it as there can be: a new one is the same."""
        self._refill(now)
        return self._tokens >= self._burst

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class TokenBuckets:
    """A bucket for each key; full ones are evicted, as a new one would be the same."""

    _LIMIT: Final = 1024
    """Buckets from which on full ones are evicted."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._buckets: dict[str, TokenBucket] = {}
        self._tidy_at = self._LIMIT

    def ask(self, key: str, now: float) -> float:
        """Take one, if it is there: 0. Or the seconds until it is, with nothing taken."""
        bucket = self._buckets.get(key)
        if bucket is None:
            self._tidy(now)
            bucket = self._buckets[key] = TokenBucket(self._burst, self._rate, now)
        wait = bucket.wait_for(1, now)
        if not wait:
            bucket.spend(1, now)
        return wait

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._buckets)

    def _tidy(self, now: float) -> None:
        if len(self._buckets) >= self._tidy_at:
            full = [key for key, bucket in self._buckets.items() if bucket.full(now)]
            for key in full:
                del self._buckets[key]
            self._tidy_at = max(self._LIMIT, 2 * len(self._buckets))
