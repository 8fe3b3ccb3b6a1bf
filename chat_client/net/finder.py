"""Finds chats on the local network by multicast DNS (RFC 6762), on a thread of its own.

Questions are sent from a port that is not 5353, so that servers reply to this program alone, at the
address they were asked from: that works where others listen to 5353, and no rule of a firewall for
incoming packets is needed where replies to own questions are let in. The address to use is the one
that a reply came from. Where there is no reply, the group is asked and listened to, which firewalls
may let through instead.
"""

import logging
import math
import secrets
import selectors
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from chat_client.state.discovery import INTERVAL, FoundChat, FoundChats, QuestionTimes
from common.domain.dns_sd import PORT, SERVICE, PacketError, may_matter, query, read
from common.system.clock import elapsed
from common.system.multicast import (
    FLOOD_PAUSE,
    READ_AT_ONCE,
    Datagram,
    Link,
    Links,
    received,
)
from common.system.waker import Waker

log = logging.getLogger(__name__)

LOOK: Final = 1.0
"""Seconds between two looks at the interfaces."""
_TELL_INTERVAL: Final = 0.1
"""Least seconds between two lists: whoever shows them must not have to keep up with a flood."""

Tell = Callable[[Sequence[FoundChat]], object]


class _Bucket:
    """A token bucket; `rate` is per second, and all times are of one clock."""

    __slots__ = ("_at", "_burst", "_rate", "left")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst, self._rate, self._at = burst, rate, now
        self.left = burst

    def has_one(self, now: float) -> bool:
        """Whether there is a token; none is taken."""
        self.left = min(self._burst, self.left + (now - self._at) * self._rate)
        self._at = now
        return self.left >= 1.0


class ReadLimit:
    """How many packets that name our service are looked into: reading one takes 40 µs.

    So many of all senders, and fewer of each: one that floods the network hides no other.
    """

    _BURST, _RATE = 128.0, 50.0
    _BURST_EACH, _RATE_EACH = 32.0, 10.0
    _SENDERS: Final = 256
    """Senders that are remembered; the one heard of least lately is forgotten."""

    def __init__(self) -> None:
        self._all = _Bucket(self._BURST, self._RATE, 0.0)
        self._senders: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, host: str, now: float) -> bool:
        """Whether to read one more of this sender; it is counted then."""
        theirs = self._senders.pop(host, None) or _Bucket(self._BURST_EACH, self._RATE_EACH, now)
        self._senders[host] = theirs
        if len(self._senders) > self._SENDERS:
            self._senders.popitem(last=False)
        if not (theirs.has_one(now) and self._all.has_one(now)):
            return False
        theirs.left -= 1.0
        self._all.left -= 1.0
        return True


class Finder:
    """Looks for chats from `start` to `stop`.

    `tell` is called on the finder's thread with all chats found, whenever they differ from those
    told before; not after `stop`. `known` are the fingerprints of servers that matter most.
    `interval` is the number of seconds between two questions after the first ones; without `asks`
    there are none until `ask`. `changed` is called on that thread when the interfaces or their
    addresses have changed since the start.
    """

    def __init__(
        self,
        tell: Tell,
        known: Collection[bytes] = (),
        *,
        interval: float = INTERVAL,
        asks: bool = True,
        changed: Callable[[], object] | None = None,
    ) -> None:
        self._tell = tell
        self._interval = interval
        self._asks = asks
        self._changed = changed
        self._found = FoundChats(known)
        self._told: tuple[FoundChat, ...] = ()
        self._told_at = -_TELL_INTERVAL
        self._limits = {True: ReadLimit(), False: ReadLimit()}
        """Of replies to questions of this program, and of what the group gets: apart, so that a
        flood of one kind does not hide the other."""
        self._stopping = threading.Event()
        self._waker = Waker()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._waker.receiver, selectors.EVENT_READ)
        self._links = Links(asks=True)
        self._asking: set[socket.socket | None] = set()
        self._identifiers = 0, 0
        """Of the last two questions: replies may be late."""
        self._thread = threading.Thread(target=self._run, name="finder", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def ask(self, asks: bool) -> None:
        """Ask from now on, or only listen. From any thread."""
        if asks != self._asks:
            self._asks = asks
            self._waker.wake()

    def stop(self) -> None:
        """Stop, and wait until the sockets are closed. Idempotent."""
        self._stopping.set()
        self._waker.wake()
        if self._thread.ident is None:
            self._close()
        elif threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._look()
        except Exception:
            # A chat can be joined without it, by a link or an address.
            log.exception("chats on this network can't be looked for")
        finally:
            self._close()

    def _close(self) -> None:
        self._links.close()
        self._selector.close()
        self._waker.close()

    def _look(self) -> None:
        times = QuestionTimes(elapsed(), self._interval)
        asks = True
        look_at = -math.inf
        while not self._stopping.is_set():
            now = elapsed()
            if now >= look_at:
                is_first, look_at = look_at == -math.inf, now + LOOK
                if self._refresh() and not is_first:
                    self._found.keep(self._links.is_neighbour)
                    if asks:
                        times.restart(now)
                    if self._changed is not None:
                        self._changed()
            if asks != self._asks:
                asks = self._asks
                times.restart(now) if asks else times.stop()
            if now >= times.next_at:
                self._ask(times.round)
                self._found.asked(now)
                times.asked(now)
            self._found.expire(now)
            if self._found.one_is_late():
                times.after_silence(now)
            tell_at = self._publish(now)
            until = min(look_at, times.next_at, tell_at, self._found.deadline())
            ready = self._selector.select(max(0.0, until - elapsed()))
            count = sum(self._read(key.fileobj, times) for key, _ in ready)
            if count >= READ_AT_ONCE:
                self._stopping.wait(FLOOD_PAUSE)

    def _refresh(self) -> bool:
        """Look at the interfaces; returns whether they have changed."""
        before = {each for link in self._links for each in link.sockets}
        try:
            changed = self._links.refresh()
        except OSError as error:
            log.debug("the interfaces can't be looked at: %s", error)
            return False
        if changed:
            after = {each: link for link in self._links for each in link.sockets}
            for each in before - after.keys():
                self._selector.unregister(each)
            for each in after.keys() - before:
                self._selector.register(each, selectors.EVENT_READ, after[each])
            self._asking = {link.asking for link in self._links}
        return changed

    def _ask(self, number: int) -> None:
        # A number that nobody can guess, by which replies are told from what others send.
        self._identifiers = secrets.randbelow(0xFFFF) + 1, self._identifiers[0]
        question = query(SERVICE, self._identifiers[0])
        for link in self._links:
            self._send(link, link.ask, question)
            # The group may be heard where replies to this program are not, and two packets are not
            # lost as easily as one, as they are on wireless networks.
            if number and (self._found.one_is_late() or not self._found.all_answer()):
                self._send(link, link.publish, query(SERVICE, 0))

    def _send(self, link: Link, how: Callable[[bytes], None], packet: bytes) -> None:
        try:
            how(packet)
        except OSError as error:
            log.debug("interface %s takes no question: %s", link.zone, error)

    def _read(self, sock: object, times: QuestionTimes) -> int:
        """Take what has arrived at a socket; returns the number of packets."""
        if sock is self._waker.receiver:
            self._waker.clear()
            return 0
        assert isinstance(sock, socket.socket)  # noqa: S101 (nothing else is registered)
        count = 0
        by_unicast = sock in self._asking
        limit = self._limits[by_unicast]
        for datagram in received(sock):
            count += 1
            if datagram.port != PORT or not may_matter(datagram.data):
                continue
            if limit.allows(datagram.host, elapsed()):
                # What the group gets comes from this link, whatever the address of its sender: a
                # packet to one computer may come from anywhere (RFC 6762 §11).
                near = self._links.is_neighbour if by_unicast else self._is_near
                if near(datagram.host):
                    self._take(datagram, times)
        return count

    def _take(self, datagram: Datagram, times: QuestionTimes) -> None:
        try:
            packet = read(datagram.data)
        except PacketError as error:
            log.debug("a malformed packet: %s", error)
            return
        if not packet.is_response:
            return
        now = elapsed()
        answers = packet.id != 0 and packet.id in self._identifiers
        for advert in packet.adverts:
            if advert.ttl == 0:
                if self._found.left(advert.fingerprint, now):
                    times.after_goodbye(now)
                continue
            told = tuple(filter(self._is_near, advert.addresses))
            advert = replace(advert, addresses=told)  # noqa: PLW2901 (what is kept of it)
            if self._found.heard(advert, datagram.host, now, answers=answers) and not answers:
                times.after_advert(now)

    def _is_near(self, host: str) -> bool:
        """Whether an address may be tried: somebody's advert leads nobody far away.

        It need not be on a network of this computer: a repeater between two of them sends adverts
        from its own address, or leaves them that of the server, and on one wire may be two.
        """
        if self._links.is_neighbour(host):
            return True
        address = ip_address(host.partition("%")[0])
        nowhere = address.is_link_local or address.is_loopback or address.is_unspecified
        return address.is_private and not nowhere

    def _publish(self, now: float) -> float:
        """Tell of changes; returns when to look for more."""
        if now < self._told_at + _TELL_INTERVAL:
            return self._told_at + _TELL_INTERVAL
        chats = self._found.chats
        if chats != self._told and not self._stopping.is_set():
            self._told, self._told_at = chats, now
            self._tell(chats)
        return math.inf
