"""Lets guests find the server on the local network, by multicast DNS (RFC 6762).

A thread of its own announces the server when it starts, when its addresses or its name change and
every minute, and answers questions. Whoever asks from another port than 5353 gets a reply by
unicast (§6.7); the group gets one at most once a second on each interface (§6). The advert has the
chat's name, the port and the fingerprint of the certificate: nothing about the people in it.

A failure here never ends the server: it can be joined by its link all the same.
"""

import logging
import math
import secrets
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from common.domain.dns_sd import (
    PORT,
    Advert,
    Packet,
    PacketError,
    Question,
    announcement,
    concerning,
    may_announce,
    may_concern,
    read,
    reply,
    response,
)
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
_ANNOUNCED_AGAIN: Final = 1.0
"""Seconds after a start or a change until it is announced once more, as packets get lost."""
_ANNOUNCED_EVERY: Final = 60.0
"""Seconds between two announcements: a firewall here may let no question in, and who listens learns
of the server all the same."""
_GROUP_INTERVAL: Final = 1.0
"""Least seconds between two replies to the group on one interface (RFC 6762 §6)."""
MOST_REPLIES: Final = 200
"""By unicast and second. Beyond that the group gets one for all."""
MOST_REPLIES_EACH: Final = 10
"""The same to one address."""
_MOST_TWINS: Final = 8
"""Other servers with this identity that are told of."""
_FAILED_PAUSE: Final = 10.0
"""Seconds after an unexpected error."""


class Beacon:
    """One server's; started and stopped once.

    `versions` are those of IP by which clients can come. With `source`, the one address that the
    server listens to, only its interface takes part.
    """

    def __init__(
        self, advert: Advert, versions: Collection[int] = (4, 6), source: str | None = None
    ) -> None:
        self._advert = replace(advert, host=secrets.token_hex(8).encode())
        self._twins: set[bytes] = set()
        """Labels of other servers that say they are this one."""
        self._versions = versions
        self._source = source
        self._stopping = threading.Event()
        self._waker = Waker()
        self._limit = ReplyLimit()
        self._announce_at = 0.0
        self._announced = 0
        """Number of announcements since the last change."""
        self._group_at: dict[Link, float] = {}
        """When the group was last sent a reply or an announcement, for each interface."""
        self._waiting: dict[Link, set[Question]] = {}
        """What the group is to be told a while after that, in one reply."""
        self._asked_at: int | None = None
        self._thread = threading.Thread(target=self._run, name="beacon", daemon=True)

    @property
    def asked_at(self) -> int | None:
        """When a question of another computer came last, None if none did yet.

        In milliseconds since 1970-01-01 UTC. It is a fact, unlike any guess about a firewall.
        """
        return self._asked_at

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def rename(self, name: str) -> None:
        """Announce another name of the chat. From any thread; does nothing if it is the same."""
        if name != self._advert.name:
            self._advert = replace(self._advert, name=name)
            self._announced, self._announce_at = 0, 0.0
            self._waker.wake()

    def stop(self) -> None:
        """Say goodbye, and wait until the sockets are closed. Idempotent, also before `start`."""
        self._stopping.set()
        self._waker.wake()
        if self._thread.ident is None:
            self._waker.close()
        else:
            self._thread.join()

    def _run(self) -> None:
        failed = False
        while not self._stopping.is_set():
            try:
                self._serve()
            except Exception as error:
                # Said once, and with the way there only where it is a mistake of ours.
                if not failed:
                    trace = not isinstance(error, OSError)
                    log.warning("guests can't find this server: %s", error, exc_info=trace)
                failed = True
                self._stopping.wait(_FAILED_PAUSE)
        self._waker.close()

    def _serve(self) -> None:
        links = Links(asks=False, versions=self._versions, source=self._source)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._waker.receiver, selectors.EVENT_READ)
                look_at = 0.0
                while not self._stopping.is_set():
                    now = elapsed()
                    if now >= look_at:
                        look_at = now + LOOK
                        if self._refresh(links):
                            self._changed(links, selector)
                    self._say_what_is_due(links, now)
                    until = min([look_at, self._announce_at, *map(self._due_at, self._waiting)])
                    ready = selector.select(max(0.0, until - elapsed()))
                    count = sum(self._read(key.fileobj, key.data, links) for key, _ in ready)
                    if count >= READ_AT_ONCE:
                        self._stopping.wait(FLOOD_PAUSE)
            self._say_goodbye(links)
        finally:
            links.close()

    def _refresh(self, links: Links) -> bool:
        try:
            return links.refresh()
        except OSError as error:
            log.debug("the interfaces can't be looked at: %s", error)
            return False

    def _changed(self, links: Links, selector: selectors.BaseSelector) -> None:
        """The interfaces or their addresses are others than before."""
        registered = selector.get_map()
        there = {link.listening: link for link in links}
        for key in tuple(registered.values()):
            if key.data is not None and key.fileobj not in there:
                selector.unregister(key.fileobj)
        for sock, link in there.items():
            if sock is not None and sock not in registered:
                selector.register(sock, selectors.EVENT_READ, link)
        current = set(there.values())
        self._group_at = {link: at for link, at in self._group_at.items() if link in current}
        self._waiting = {link: said for link, said in self._waiting.items() if link in current}
        self._announced, self._announce_at = 0, 0.0

    def _say_what_is_due(self, links: Links, now: float) -> None:
        if now >= self._announce_at:
            self._announced += 1
            again = _ANNOUNCED_AGAIN if self._announced == 1 else _ANNOUNCED_EVERY
            self._announce_at = now + again
            for link in links:
                self._publish(link, announcement(self._advert, link.advertised))
                self._group_at[link] = now
        for link in [link for link in self._waiting if now >= self._due_at(link)]:
            questions = sorted(self._waiting.pop(link))
            self._publish(link, response(questions, self._advert, link.advertised))
            self._group_at[link] = now

    def _due_at(self, link: Link) -> float:
        """When the group may get a reply on this interface."""
        return self._group_at.get(link, -math.inf) + _GROUP_INTERVAL

    def _say_goodbye(self, links: Links) -> None:
        # Twice, as there is no later time to say it again.
        for _ in range(2):
            for link in links:
                self._publish(link, announcement(replace(self._advert, ttl=0), link.advertised))

    def _publish(self, link: Link, packet: bytes) -> None:
        try:
            link.publish(packet)
        except OSError as error:
            log.debug("interface %s takes no announcement: %s", link.zone, error)

    def _read(self, sock: object, link: Link | None, links: Links) -> int:
        """Answer what has arrived at a socket; returns the number of packets."""
        if link is None:
            self._waker.clear()
            return 0
        assert isinstance(sock, socket.socket)  # noqa: S101 (nothing else is registered)
        count = 0
        for datagram in received(sock):
            count += 1
            data, mine = datagram.data, self._advert
            if not (may_concern(data, mine) or may_announce(data, mine)):
                continue
            try:
                packet = read(data)
            except PacketError as error:
                log.debug("a malformed packet: %s", error)
            else:
                if packet.is_response:
                    self._look_for_twins(packet, datagram)
                else:
                    self._answer(packet, datagram, link, links)
        return count

    def _look_for_twins(self, said: Packet, sender: Datagram) -> None:
        """Log once that another server has this identity: guests may come to either of them."""
        mine = self._advert
        for advert in said.adverts:
            is_twin = advert.fingerprint == mine.fingerprint and advert.host != mine.host
            is_new = advert.host not in self._twins and len(self._twins) < _MOST_TWINS
            if is_twin and advert.ttl and is_new:
                self._twins.add(advert.host)
                log.warning(
                    "a server at %s has the identity of this one; was its data folder copied? "
                    "Stop one of them: what is said in one is not in the other",
                    sender.host,
                )

    def _answer(self, asked: Packet, sender: Datagram, link: Link, links: Links) -> None:
        legacy = sender.port != PORT
        answer = reply(asked, self._advert, link.advertised, legacy=legacy)
        if answer is None:
            return
        # Through two interfaces on one wire this computer hears itself.
        plain = sender.host.partition("%")[0]
        if not any(plain in each.addresses for each in links):
            self._asked_at = time.time_ns() // 1_000_000
        alone = legacy or all(question.unicast for question in asked.questions)
        # Whose address is elsewhere, though on the same wire, gets it with the group.
        alone = alone and links.is_neighbour(sender.host)
        if alone and self._limit.allows(sender.host, elapsed()):
            try:
                link.reply(answer, sender)
            except OSError as error:
                # There is no route to it, such as on another subnet on the same wire.
                log.debug("no reply to %s: %s", sender.host, error)
            else:
                return
        for_all = concerning(asked, self._advert, legacy=False)
        if for_all:
            self._waiting.setdefault(link, set()).update(for_all)


class ReplyLimit:
    """How many replies by unicast may be sent; each second anew."""

    def __init__(self) -> None:
        self._second = 0.0
        self._sent: Counter[str] = Counter()
        self._total = 0

    def allows(self, host: str, now: float) -> bool:
        """Whether one more may be sent to this address; it is counted then."""
        if now >= self._second + 1.0:
            self._second = now
            self._sent.clear()
            self._total = 0
        if self._total >= MOST_REPLIES or self._sent[host] >= MOST_REPLIES_EACH:
            return False
        self._sent[host] += 1
        self._total += 1
        return True
