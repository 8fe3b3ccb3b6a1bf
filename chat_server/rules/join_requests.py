"""Requests to join (knocks) that wait for the host, in memory: each ends with its connection."""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from chat_server.rules.address_limits import AddressLimit, Cooldowns, counted, origins
from common import limits
from common.domain.names import spelling
from common.protocol.messages import Knock

LIFE: Final = 10 * 60 * 1000
"""Milliseconds after which a request that nobody has answered ends."""
OF_AN_ADDRESS: Final = 4
"""Requests of one address that wait at once."""
REFUSED_FOR: Final = 60 * 1000
"""Milliseconds after a refusal before the same device or address may ask again."""
BLOCKED_FOR: Final = 3600 * 1000
"""Milliseconds for which an address may not ask after one from there was blocked."""
RESERVED_FOR: Final = 10 * 60 * 1000
"""Milliseconds for which the name of somebody who was let in is reserved."""
_MOST_RESERVED: Final = 64
_MOST_BLOCKED: Final = 64
"""Blocked devices whose address is remembered; of older ones it is held for its hour."""
TRIED_AT_ONCE: Final = 20.0
"""Rate limit: requests of an address at once that may be refused for their names. That tells who
has an account here, which nobody without an invite should find out by trying names."""
TRIED_RATE: Final = 0.1
"""And per second after that."""
SHOWN_AT_ONCE: Final = 8.0
"""Rate limit: requests of an address that are shown to the host at once, as each calls them."""
SHOWN_RATE: Final = 0.1
"""And per second after that."""
BUSY_FOR: Final = 10 * 1000
"""Milliseconds after which a request is worth another try when too many are waiting."""
SHOWN_FOR: Final = 2 * 60 * 1000
"""Milliseconds that a network must have had a place for longer than another one to give way."""
_FADING: Final = 8
"""How many times as long as it took it takes for the time with a place to be forgotten."""
_MOST_TIMES: Final = 4096


def first_numbers() -> int:
    """After which number those of this run begin: at random, from 100 on.

    Somebody at a command line has the list of the run before on their screen: counted from 1 again,
    its numbers would be those of other people.
    """
    return 99 + secrets.randbelow(800)


class Opening(NamedTuple):
    """A request of which the server's nonce is chosen and the guest's is not known yet."""

    command: Knock
    nonce: bytes


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request that the host sees. `since` is in milliseconds since 1970-01-01 UTC."""

    number: int
    connection: int
    username: str
    display_name: str
    device: str
    installation: str
    address: str
    digits: str
    since: int


class JoinRequests:
    """The requests that wait, the names they reserve, and who may not ask for now."""

    def __init__(self, last: int = 0) -> None:
        """`last`: the numbers of requests begin after it."""
        self._last = last
        self._opening: dict[int, Opening] = {}
        """By connection."""
        self._waiting: dict[int, JoinRequest] = {}
        """By number, the oldest first."""
        self._names: dict[int, str] = {}
        """By number, the spelling of its username."""
        self._numbers: dict[int, int] = {}
        """By connection, the number of its request."""
        self._admitted: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """By installation, the spelling of the username that it is to join with, and until when."""
        self._times: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """By network, for how long it had a place, and when that was counted last."""
        self._cooldowns = Cooldowns()
        self._blocked: OrderedDict[str, str] = OrderedDict()
        """By the installation of a blocked device, the address that is held with it."""
        self._tried = AddressLimit(TRIED_AT_ONCE, TRIED_RATE)
        self._shown = AddressLimit(SHOWN_AT_ONCE, SHOWN_RATE)

    # Asking

    def is_asking(self, connection: int) -> bool:
        """Whether a connection has a request, shown or about to be."""
        return connection in self._opening or connection in self._numbers

    def open(self, connection: int, opening: Opening) -> None:
        """A connection begins to ask."""
        self._opening[connection] = opening

    def take_opening(self, connection: int) -> Opening | None:
        """Take what a connection began with; None if it has not."""
        return self._opening.pop(connection, None)

    def next_number(self) -> int:
        """A number for a request, which no other one had."""
        self._last += 1
        return self._last

    def add(self, request: JoinRequest) -> None:
        """A request waits from now on, and its username is reserved."""
        self._count_time(request.address, request.since)
        self._put(request)

    def of_device(self, installation: str) -> JoinRequest | None:
        """The request of a device, of which there is one at most."""
        return next((each for each in self if each.installation == installation), None)

    @property
    def is_full(self) -> bool:
        """Whether as many requests wait as may."""
        return len(self._waiting) >= limits.REQUESTS

    def has_many(self, address: str) -> bool:
        """Whether as many requests of this address wait as may."""
        theirs = (each.address for each in self)
        return any(
            count >= OF_AN_ADDRESS * origin.factor for origin, count in counted(address, theirs)
        )

    def giving_way(self, address: str, now: int) -> JoinRequest | None:
        """The request that ends for one of this address when there are too many of all addresses.

        It is the newest of the network that has more of them than any other. If none has, it is one
        of the network that has had a place longest, if one of this address has had none for some
        time less: else whoever has as many addresses as there are places holds all of them. Asking
        anew makes nobody young, and two networks don't displace each other in turns.
        """
        networks = Counter(_network(each.address) for each in self)
        ((crowd, count),) = networks.most_common(1)
        mine = _network(address)
        if crowd != mine and count > networks[mine] + 1:
            return next(each for each in reversed(tuple(self)) if _network(each.address) == crowd)
        if networks[mine]:
            return None
        times = {network: self._time_of(network, now) for network in networks}
        longest = max(times, key=times.__getitem__)
        if times[longest] - self._time_of(mine, now) < SHOWN_FOR:
            return None
        return next(each for each in self if _network(each.address) == longest)

    def _time_of(self, network: str, now: int) -> int:
        """Milliseconds for which a network had a place lately, at most `LIFE`.

        That passes while it has none, but slowly: to have it forgotten while others of one's
        addresses take over, one needs many times as many of them as there are places.
        """
        time, counted_at = self._times.get(network, (0, now))
        passed = max(0, now - counted_at)
        if any(_network(each.address) == network for each in self):
            return min(LIFE, time + passed)
        return max(0, time - passed // _FADING)

    def _count_time(self, address: str, now: int) -> None:
        """A network gets a place or loses one."""
        network = _network(address)
        time = self._time_of(network, now)
        self._times.pop(network, None)
        self._times[network] = time, now
        while len(self._times) > _MOST_TIMES:
            self._times.popitem(last=False)

    # Waiting

    def get(self, number: int) -> JoinRequest | None:
        """The request of a number, as long as it waits."""
        return self._waiting.get(number)

    def of_connection(self, connection: int) -> JoinRequest | None:
        """The request of a connection, as long as it waits."""
        return self._waiting.get(self._numbers.get(connection, 0))

    def answered(self, request: JoinRequest, now: int) -> None:
        """It waits no longer."""
        self._count_time(request.address, now)
        del self._waiting[request.number]
        del self._names[request.number]
        del self._numbers[request.connection]

    def admitted(self, request: JoinRequest, now: int) -> None:
        """It waits no longer; its name is reserved for a while, for the `join` that follows."""
        self.answered(request, now)
        self._admitted[request.installation] = (spelling(request.username), now + RESERVED_FOR)
        while len(self._admitted) > _MOST_RESERVED:
            self._admitted.popitem(last=False)

    def wait_again(self, request: JoinRequest) -> None:
        """Undo `answered` or `admitted`."""
        self._admitted.pop(request.installation, None)
        self._put(request)
        self._waiting = dict(sorted(self._waiting.items()))

    def left(self, connection: int, now: int) -> JoinRequest | None:
        """The connection ended, or asks no longer. Returns the request that it had."""
        self._opening.pop(connection, None)
        request = self.of_connection(connection)
        if request is not None:
            self.answered(request, now)
        return request

    def reserves(
        self, username: str, installation: str, now: int, *, invited: bool = False
    ) -> bool:
        """Whether another device's request has this username, or one that looks like it.

        For somebody `invited` only those count that were admitted: else a stranger, whom nobody has
        let in, could keep names from those who have a link.
        """
        if not (self._waiting or self._admitted):
            return False
        waiting = () if invited else self
        reserved = [(each.installation, self._names[each.number]) for each in waiting]
        reserved += [
            (device, name)
            for device, (name, until) in self._admitted.items()
            if 0 < until - now <= RESERVED_FOR
        ]
        mine = spelling(username)
        return any(name == mine and device != installation for device, name in reserved)

    # Who may ask

    def may_try(self, address: str, now: int) -> int:
        """Milliseconds until this address may ask with a name; 0 if it may now."""
        return self._tried.ask(address, now)

    def may_show(self, address: str, now: int) -> int:
        """Milliseconds until a request of this address may be shown; 0 if it may be now."""
        return self._shown.ask(address, now)

    def hold(self, request: JoinRequest, now: int, *, blocked: bool) -> None:
        """A request was refused: neither its device nor its address may ask again for a while."""
        self._cooldowns.hold(_device(request.installation), REFUSED_FOR, now)
        self._cooldowns.hold(request.address, BLOCKED_FOR if blocked else REFUSED_FOR, now)
        if blocked:
            self._blocked[request.installation] = request.address
            if len(self._blocked) > _MOST_BLOCKED:
                self._blocked.popitem(last=False)

    def release(self, installations: Iterable[str]) -> None:
        """The ban of these devices was lifted: those that were blocked may ask again at once."""
        for installation in installations:
            address = self._blocked.pop(installation, None)
            if address is None:
                continue
            self._cooldowns.release(_device(installation))
            if address not in self._blocked.values():  # else another one there is still blocked
                self._cooldowns.release(address)

    def held(self, address: str, installation: str, now: int) -> int:
        """Milliseconds until this device at this address may ask; 0 for now."""
        names = (_device(installation), address)
        return max(self._cooldowns.wait(name, now) for name in names)

    def _put(self, request: JoinRequest) -> None:
        self._waiting[request.number] = request
        self._names[request.number] = spelling(request.username)
        self._numbers[request.connection] = request.number

    def __iter__(self) -> Iterator[JoinRequest]:
        return iter(tuple(self._waiting.values()))

    def __len__(self) -> int:
        """Number of requests that wait."""
        return len(self._waiting)


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one."""
    return origins(address)[-1].name


def _device(installation: str) -> str:
    return f"/{installation}"
