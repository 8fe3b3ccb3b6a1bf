"""Rate limits: the cost of each command, and token buckets.

The unit of cost is a short message: validating, storing and acknowledging it takes the server some
30 µs.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from common.protocol import messages
from common.protocol.fast_encode import body_json
from common.protocol.messages import ToServer

_CHARACTERS: Final = 4096
"""Number of characters of the body's text, or else of its JSON, that add one unit to the cost."""
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
    messages.RenameMe: lambda _: 20,
    messages.DeleteMe: lambda _: 100,
    messages.DeleteAccount: lambda _: 100,
    messages.Terminate: lambda _: 20,
    messages.Ban: lambda _: 40,  # it looks at every account and connection
    messages.Unban: lambda _: 20,
    messages.MutePerson: lambda _: 20,
    messages.Unmute: lambda _: 20,
    messages.SetRole: lambda _: 20,
    messages.SetSlowMode: lambda _: 20,
    messages.RenameChat: lambda _: 20,
    messages.ShowInvite: lambda _: 20,
    messages.NewInvite: lambda _: 20,
    messages.AskStatus: lambda _: 20,
    messages.ListClients: lambda _: 100,
    messages.ListSanctions: lambda _: 100,
    messages.ListAudit: lambda _: 100,
    messages.CreateInvite: lambda _: 50,
    messages.AddDevice: lambda _: 50,
    messages.ListInvites: lambda _: 100,
    messages.RevokeInvite: lambda _: 20,
    messages.SetJoining: lambda _: 20,
    messages.AskJoining: lambda _: 20,
    messages.ListDevices: lambda _: 50,
    messages.RemoveDevice: lambda _: 20,
    # Of connections that are not signed in every command costs the same: these prices are those of
    # the hub's fairness.
    messages.CodeStart: lambda _: 20,
    messages.CodeProof: lambda _: 20,
    messages.Knock: lambda _: 20,
    messages.KnockOpen: lambda _: 20,
    messages.Withdraw: lambda _: 20,
    messages.ListRequests: lambda _: 20,
    messages.Admit: lambda _: 20,
    messages.Deny: lambda _: 20,
    messages.ShowCode: lambda _: 20,
    messages.EndCode: lambda _: 20,
}


def cost(command: ToServer) -> float:
    """The cost of a command. A `ping` is priced above its work, as nobody needs many."""
    if type(command) is messages.Send:  # first, as these are by far the most frequent
        body = command.body
        text = body.get("text")  # to encode each message would cost too much
        if type(text) is str and len(body) == 1:
            return 1 + len(text) / _CHARACTERS
        return 1 + len(body_json(body)) / _CHARACTERS
    return _COSTS[type(command)](command)


class TokenBucket:
    """A token bucket: at most `burst` tokens, refilled by `rate` per second.

    It may go into debt, and then returns the time to wait. So a command that costs more than
    `burst` can be served, where a bucket without debt would refuse it for ever. All times are
    seconds on one clock; a clock that steps back counts as no time.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._tokens = burst
        self._at = now

    def spend(self, cost: float, now: float) -> float:
        """Take tokens; returns the seconds until the debt is paid off, 0 if there is none."""
        if now != self._at:  # of commands in one read only the first refills
            self._refill(now)
        self._tokens -= cost
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    def wait_for(self, cost: float, now: float) -> float:
        """The seconds until `cost` tokens are available, 0 if they are. Takes none."""
        self._refill(now)
        return max(0.0, (cost - self._tokens) / self._rate)

    def give_back(self, cost: float) -> None:
        """What these tokens were taken for did not happen."""
        self._tokens = min(self._burst, self._tokens + cost)

    def full(self, now: float) -> bool:
        """Whether it holds `burst` tokens, as a new one does."""
        self._refill(now)
        return self._tokens >= self._burst

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class TokenBuckets:
    """A bucket for each key; full ones are evicted, as a new one would be the same."""

    _LIMIT: Final = 1024
    """Number of buckets above which full ones are evicted."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._buckets: dict[str, TokenBucket] = {}
        self._tidy_at = self._LIMIT

    def ask(self, key: str, now: float) -> float:
        """Take one token and return 0; or the seconds until there is one, and take nothing."""
        bucket = self._buckets.get(key)
        if bucket is None:
            self._tidy(now)
            bucket = self._buckets[key] = TokenBucket(self._burst, self._rate, now)
        wait = bucket.wait_for(1, now)
        if not wait:
            bucket.spend(1, now)
        return wait

    def give_back(self, key: str) -> None:
        """The token of the last `ask` was not used after all."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.give_back(1)

    def __len__(self) -> int:
        """Number of buckets."""
        return len(self._buckets)

    def _tidy(self, now: float) -> None:
        if len(self._buckets) >= self._tidy_at:
            full = [key for key, bucket in self._buckets.items() if bucket.full(now)]
            for key in full:
                del self._buckets[key]
            self._tidy_at = max(self._LIMIT, 2 * len(self._buckets))
