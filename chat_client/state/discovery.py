"""Chats found on the local network: adverts and the time in, a list out.

An advert is a hint by anybody on the network: it may be forged, and there may be any number of
them. Only the certificate proves which server answers at an address. So what is kept is bounded,
a server that is looked for is not evicted for others, nor one that answers for one that does not,
and a goodbye is believed only if the server does not answer one more question.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from common.domain.dns_sd import TTL, Advert
from common.domain.invite import is_link_local

MOST_CHATS: Final = 64
MOST_BY_HOST: Final = 8
"""Chats from one address: no more are shown of a computer that floods the network with adverts."""
MOST_ROUTES: Final = 8
"""Addresses from which one chat is advertised."""
MOST_PORTS: Final = 2
"""Ports of one address at which one chat is advertised: started anew, it may have another one."""
MOST_PLACES: Final = 12
"""The same with those that are told."""
LEAVING: Final = 0.6
"""Seconds after a goodbye in which a server may answer that it is still there."""
DISBELIEF: Final = 10.0
"""Seconds in which a server's goodbyes are not believed after one that it refuted. Else whoever
forges them would have everybody ask all the time, and a server that is kept busy would come and go
in the list."""
_REFUTED: Final = 2.0
"""Seconds after a goodbye in which its server may refute it, also if it is no longer listed."""
MOST_UNANSWERED: Final = 3
"""Questions after which a server that used to answer counts as gone."""
REPLY_WAIT: Final = 1.5
"""Seconds in which a question is answered, on a slow wireless network, too."""
LATE: Final = 0.5
"""Seconds after which a reply is overdue: on most networks it takes a few milliseconds."""

_FIRST_QUESTIONS: Final = (0.0, 1.0, 3.0)
"""Seconds after the start, and after each change of the interfaces."""
INTERVAL: Final = 5.0
"""Seconds between two questions after the first ones."""
_AFTER_GOODBYE: Final = 0.2
_AFTER_ADVERT: Final = 1.0
"""Least seconds between two questions when there is a reason to ask at once."""


@dataclass(frozen=True, slots=True)
class FoundChat:
    """A chat on this network, not proven to be what it says.

    `hosts` are addresses from which it was advertised, the likeliest first, with the zone of a
    link-local IPv6 one; then those that the adverts tell. `seen_at` is when it was heard of last,
    by `common.system.clock.elapsed`; it does not count when two are compared. `places` are all
    addresses and ports at which the server is said to be: of several ports at most one is true.
    """

    fingerprint: bytes
    name: str
    hosts: tuple[str, ...]
    port: int
    seen_at: float = field(compare=False)
    places: tuple[tuple[str, int], ...] = ()
    copies: tuple[str, ...] = ()
    """An address of each, if several servers say at the same time that they are this one."""


@dataclass(slots=True)
class _Route:
    """An address and a port at which a server is said to be. `ends_at` is when it expires."""

    name: str
    seen_at: float
    ends_at: float
    is_link_local: bool
    answers: bool = False
    """Whether it has replied to a question: then it is gone when it does not any more."""
    unanswered: int = 0
    told: tuple[str, ...] = ()
    """Further addresses, which the advert tells: it may have come by way of another computer."""
    server: bytes = b""
    """Which running server it is, by the label of its host's name."""
    since: float = 0.0
    """When it was first heard that it is this one."""
    is_late: bool = False
    """Whether others are to be tried first, as the reply to the last question is overdue."""


_Place = tuple[str, int]
_Routes = dict[_Place, _Route]


class FoundChats:
    """The chats heard of, in the order in which they were found. Times are in seconds.

    `known` are the fingerprints of servers that are never evicted.
    """

    def __init__(self, known: Collection[bytes] = ()) -> None:
        self._known = frozenset(known)
        self._chats: dict[bytes, _Routes] = {}
        self._recent: dict[bytes, None] = {}
        """The chats that may be evicted, the one heard of last at the end."""
        self._late_at = math.inf
        """When replies to the last question are overdue; infinite once that was looked at."""
        self._asked_at = -math.inf
        """When the last question was sent."""
        self._left_at: dict[bytes, float] = {}
        """When a goodbye came that was believed so far."""
        self._disbelieved: dict[bytes, float] = {}
        """Until when goodbyes are not believed."""
        self._by_host: Counter[str] = Counter()
        """Number of routes at each address: a flood of adverts must not cost a search for each."""

    @property
    def chats(self) -> tuple[FoundChat, ...]:
        """All of them."""
        return tuple(_found(fingerprint, routes) for fingerprint, routes in self._chats.items())

    def all_answer(self) -> bool:
        """Whether there are some, and each has replied to a question."""
        routes = [route for routes in self._chats.values() for route in routes.values()]
        return bool(routes) and all(route.answers for route in routes)

    def one_is_late(self) -> bool:
        """Whether one that used to reply has not replied to the last question in time."""
        return any(route.is_late for routes in self._chats.values() for route in routes.values())

    def deadline(self) -> float:
        """When `expire` is due; infinite for never."""
        ends = (route.ends_at for routes in self._chats.values() for route in routes.values())
        return min(self._late_at, *ends, math.inf)

    def heard(self, advert: Advert, host: str, now: float, *, answers: bool) -> bool:
        """An advert came from an address; returns whether it is a new address.

        `answers` tells whether it was a reply to a question of this program.
        """
        routes = self._chats.get(advert.fingerprint, {})
        place = host, advert.port
        is_new = place not in routes
        if is_new:
            if not self._has_room(advert.fingerprint, host, answers=answers):
                return False
            routes = self._chats.setdefault(advert.fingerprint, {})
            routes[place] = _Route(advert.name, now, now, is_link_local(host))
            self._by_host[host] += 1
        if advert.fingerprint not in self._known:
            self._recent.pop(advert.fingerprint, None)
            self._recent[advert.fingerprint] = None
        left_at = self._left_at.get(advert.fingerprint, math.inf)
        if left_at < self._asked_at:  # what was sent before may have been overtaken by a goodbye
            del self._left_at[advert.fingerprint]
            self._disbelieved[advert.fingerprint] = now + DISBELIEF
        route = routes[place]
        route.name, route.seen_at, route.told = advert.name, now, advert.addresses
        if route.server != advert.host:
            route.server, route.since = advert.host, now
        route.unanswered, route.is_late = 0, False
        route.answers |= answers
        # A reply by unicast is valid for a few seconds only, for those who don't ask again.
        # And nobody may shorten what another packet said: that would be a goodbye in disguise.
        ends_at = now + (TTL if route.answers else advert.ttl)
        route.ends_at = max(route.ends_at, ends_at)
        return is_new

    def left(self, fingerprint: bytes, now: float) -> bool:
        """A goodbye came; returns whether the server is known here, and is to be asked."""
        routes = self._chats.get(fingerprint)
        if routes is None or now < self._disbelieved.get(fingerprint, -math.inf):
            return False
        self._left_at[fingerprint] = now
        for route in routes.values():
            route.ends_at = min(route.ends_at, now + LEAVING)
        return True

    def asked(self, now: float) -> None:
        """A question was sent on all interfaces there are."""
        self._asked_at = now
        self._late_at = now + LATE if self._chats else math.inf
        for routes in self._chats.values():
            for route in routes.values():
                route.unanswered += route.answers
                if route.unanswered >= MOST_UNANSWERED:
                    route.ends_at = min(route.ends_at, now + REPLY_WAIT)

    def expire(self, now: float) -> None:
        """Drop what has expired, and put what is silent behind what answers."""
        if now >= self._late_at:
            self._late_at = math.inf
            for routes in self._chats.values():
                _put_late_last(routes)
        self._keep(lambda _, route: now < route.ends_at)
        for fingerprint, left_at in tuple(self._left_at.items()):
            if now >= left_at + _REFUTED:
                del self._left_at[fingerprint]
        for fingerprint, until in tuple(self._disbelieved.items()):
            if now >= until:
                del self._disbelieved[fingerprint]

    def keep(self, is_neighbour: Callable[[str], bool]) -> None:
        """The interfaces have changed: drop the addresses that are out of reach now."""
        self._keep(lambda place, _: is_neighbour(place[0]))

    def _keep(self, is_kept: Callable[[_Place, _Route], bool]) -> None:
        for fingerprint, routes in tuple(self._chats.items()):
            for place, route in tuple(routes.items()):
                if not is_kept(place, route):
                    self._remove(fingerprint, place)

    def _remove(self, fingerprint: bytes, *places: _Place) -> None:
        routes = self._chats[fingerprint]
        for place in places:
            del routes[place]
            host = place[0]
            self._by_host[host] -= 1
            if not self._by_host[host]:
                del self._by_host[host]
        if not routes:
            del self._chats[fingerprint]
            self._recent.pop(fingerprint, None)

    def _has_room(self, fingerprint: bytes, host: str, *, answers: bool) -> bool:
        """Whether a chat, or a further address of one, may be added; evicts another if need be."""
        routes = self._chats.get(fingerprint)
        if routes is not None:
            return self._has_route(fingerprint, routes, host, answers=answers)
        is_known = fingerprint in self._known
        if self._by_host[host] >= MOST_BY_HOST and not is_known:
            return False
        if len(self._chats) < MOST_CHATS:
            return True
        evicted = next(filter(self._is_silent, self._recent), None)
        if evicted is None and (answers or is_known):
            evicted = next(iter(self._recent), None)
        if evicted is not None:
            self._remove(evicted, *self._chats[evicted])
        return evicted is not None or is_known

    def _has_route(self, fingerprint: bytes, routes: _Routes, host: str, *, answers: bool) -> bool:
        """Whether a chat may have one more address, in place of a less likely one if need be.

        Else whoever knows its fingerprint could have a chat listed where it is not, and at so many
        ports that there is no room for itself.
        """
        by_host = Counter(each for each, _ in routes)
        crowded, count = by_host.most_common(1)[0]
        if by_host[host] >= MOST_PORTS:
            rivals = [place for place in routes if place[0] == host]
        elif len(routes) < MOST_ROUTES:
            return True
        elif count > 1:
            rivals = [place for place in routes if place[0] == crowded]
        elif answers:
            rivals = list(routes)
        else:
            return False
        worst = min(rivals, key=lambda place: (routes[place].answers, routes[place].seen_at))
        if routes[worst].answers and not (answers and worst[0] == host):
            return False
        self._remove(fingerprint, worst)
        return True

    def _is_silent(self, fingerprint: bytes) -> bool:
        """Whether a chat has not replied to any question."""
        return not any(route.answers for route in self._chats[fingerprint].values())


def _found(fingerprint: bytes, routes: _Routes) -> FoundChat:
    """As it is shown: of several ports, the one of the likeliest address."""
    ordered = _in_order(routes)
    (_, port), first = ordered[0]
    told = [(host, at) for (_, at), route in ordered for host in route.told]
    places = tuple(dict.fromkeys((*(place for place, _ in ordered), *told)))[:MOST_PLACES]
    hosts = tuple(host for host, at in places if at == port)
    seen_at, copies = _seen_at(routes), _copies(ordered)
    return FoundChat(fingerprint, first.name, hosts, port, seen_at, places, copies)


def _copies(ordered: list[tuple[_Place, _Route]]) -> tuple[str, ...]:
    """An address of each running server, if several answer; a copied data folder makes two.

    A server with several addresses is one, and so is one that was started anew: each of two was
    heard after the other had appeared.
    """
    servers: dict[bytes, list[tuple[_Place, _Route]]] = {}
    for place, route in ordered:
        if route.answers:
            servers.setdefault(route.server, []).append((place, route))
    if len(servers) < 2:
        return ()
    since = {label: min(route.since for _, route in each) for label, each in servers.items()}
    seen = {label: max(route.seen_at for _, route in each) for label, each in servers.items()}
    return tuple(
        each[0][0][0]
        for label, each in servers.items()
        if any(
            seen[label] > since[other] and seen[other] > since[label]
            for other in servers.keys() - {label}
        )
    )


def _put_late_last(routes: _Routes) -> None:
    """Put those that have not replied in time behind the others, where they stay.

    A late reply brings none back to the front: with two servers of one identity, or on a slow
    network, the address to use would be another one after each question.
    """
    for place, route in tuple(routes.items()):
        route.is_late = route.unanswered > 0
        if route.is_late:
            routes[place] = routes.pop(place)


def _in_order(routes: _Routes) -> list[tuple[_Place, _Route]]:
    """Those that answer first, those of link-local scope last; among equals the first one found."""

    def key(item: tuple[_Place, _Route]) -> tuple[int, bool]:
        _, route = item
        return 2 if route.is_late else 1 - route.answers, route.is_link_local

    return sorted(routes.items(), key=key)


def _seen_at(routes: _Routes) -> float:
    return max(route.seen_at for route in routes.values())


class QuestionTimes:
    """When to ask: at once, after 1 and 3 s, then at an interval, and sooner with a reason."""

    def __init__(self, now: float, interval: float = INTERVAL) -> None:
        self.round = 0
        """Number of questions since the start, or since the interfaces changed."""
        self.next_at = now
        self._interval = interval
        self._begun_at = now
        self._last_at = -math.inf
        self._silenced = False

    def restart(self, now: float) -> None:
        """The interfaces have changed, or it is asked again after a `stop`."""
        self.round = 0
        self.next_at = self._begun_at = now
        self._silenced = False

    def stop(self) -> None:
        """Ask no more, until `restart`."""
        self.next_at = math.inf
        self._silenced = True

    def asked(self, now: float) -> None:
        """A question was sent."""
        self.round += 1
        self._last_at = now
        self.next_at = now + self._interval
        if self.round < len(_FIRST_QUESTIONS):
            planned = self._begun_at + _FIRST_QUESTIONS[self.round]
            self.next_at = min(self.next_at, max(planned, now))

    def after_goodbye(self, now: float) -> None:
        """A server said goodbye: whether it has gone is told by its silence."""
        self._sooner(now, _AFTER_GOODBYE)

    def after_silence(self, now: float) -> None:
        """A server that used to reply does not: its reply may be lost, or it is gone."""
        self._sooner(now, REPLY_WAIT)

    def after_advert(self, now: float) -> None:
        """A server has announced itself: its reply tells the address to reach it by."""
        self._sooner(now, _AFTER_ADVERT)

    def _sooner(self, now: float, interval: float) -> None:
        if not self._silenced:
            self.next_at = min(self.next_at, max(now, self._last_at + interval))
