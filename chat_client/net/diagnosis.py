"""Finds out why no chat was found on the local network.

Everything that an unprivileged program can look at: the interfaces, whether the system lets a
question out, whether any device answers one, and whether the router is there. Nothing is sent
beyond the link, and no name is looked up.
"""

import errno
import logging
import secrets
import selectors
import socket
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from chat_client.state.network_facts import NetworkFacts, Router, causes
from common.domain.dns_sd import ALL_SERVICES, PORT, SERVICE, PacketError, query, read
from common.domain.reasons import Reason
from common.system.clock import elapsed
from common.system.interfaces import InterfaceAddress, default_sources, interface_addresses
from common.system.multicast import Link, Links, received
from common.system.routers import routers

log = logging.getLogger(__name__)

PATIENCE: Final = 3.5
"""Seconds for all of it: Linux reports after 3.06 s that a host does not answer."""
_QUESTIONS: Final = (0.0, 1.0)
"""Seconds after the start: packets get lost."""
_ENOUGH: Final = 2.0
"""Seconds for which answers are awaited, if the router's does not take longer."""
_ROUTER_PORTS: Final = (80, 443)
"""It matters only whether anything comes back; not what, and not to whom."""
_READ_PAUSE: Final = 0.01
"""Seconds after some packets were read: a flood must not cost more than a few percent."""


def why_nothing() -> Sequence[Reason]:
    """The likely causes, the most certain first; each names one thing to do. Takes up to 4 s."""
    try:
        return causes(facts())
    except OSError as error:
        log.warning("the network can't be looked at: %s", error)
        return (Reason("asks_nobody", {"cause": error.strerror or str(error)}),)


def facts(patience: float = PATIENCE) -> NetworkFacts:
    """What can be found out within so many seconds. Raises OSError without file descriptors."""
    # Containers and virtual machines of this computer are no network that a host could be on.
    found = [each for each in interface_addresses() if not each.inner]
    if not found:
        return NetworkFacts(has_network=False)
    links = Links(asks=True)
    try:
        links.refresh()
        gateways = [address for address in routers() if links.is_neighbour(address)]
        outer = {each.interface for each in found}
        asked = [link for link in links if link.index in outer]
        inquiry = _Inquiry(links, asked, {*gateways, *(each.address for each in found)})
        with ExitStack() as held:
            probes = [held.enter_context(probe) for probe in _probes(gateways[:1])]
            router = inquiry.run(probes, patience)
        return NetworkFacts(
            has_network=True,
            by_vpn=_is_by_tunnel(found),
            asks=inquiry.sent or not inquiry.error,
            error=inquiry.error,
            answers=len(inquiry.answered),
            router=router,
        )
    finally:
        links.close()


def _is_by_tunnel(found: Iterable[InterfaceAddress]) -> bool:
    """Whether the default route leads through a tunnel."""
    sources = default_sources()
    return any(each.tunnel and each.address in sources for each in found)


class _Inquiry:
    """The questions, and who answers them."""

    def __init__(self, links: Links, asked: Sequence[Link], not_counted: Collection[str]) -> None:
        self._links = links
        self._on = asked
        self._not_counted = not_counted
        self._identifier = secrets.randbelow(0xFFFF) + 1
        self.sent = False
        self.error = ""
        self.answered: set[str] = set()
        """Addresses of other devices that answered, but for the router's."""

    def run(self, probes: Sequence[socket.socket], patience: float) -> Router:
        """Ask, and wait for answers; returns what became of the probes of the router."""
        router = Router.SILENT if probes else Router.NONE
        begun = elapsed()
        asked = 0
        with selectors.DefaultSelector() as selector:
            for link in self._on:
                for sock in link.sockets:
                    selector.register(sock, selectors.EVENT_READ)
            for probe in probes:
                selector.register(probe, selectors.EVENT_WRITE)
            waiting = len(probes)
            while True:
                passed = elapsed() - begun
                if asked < len(_QUESTIONS) and passed >= _QUESTIONS[asked]:
                    asked += 1
                    self._ask()
                is_settled = router is not Router.SILENT or not waiting
                end = min(_ENOUGH, patience) if is_settled else patience
                if self.answered or not self.sent or passed >= end:
                    return router
                until = min(end, *_QUESTIONS[asked : asked + 1], patience)
                for key, mask in selector.select(max(0.0, until - passed)):
                    assert isinstance(key.fileobj, socket.socket)  # noqa: S101 (nothing else is)
                    if mask & selectors.EVENT_READ:
                        self._read(key.fileobj)
                        time.sleep(_READ_PAUSE)
                    else:
                        selector.unregister(key.fileobj)
                        waiting -= 1
                        if _is_answer(key.fileobj):
                            router = Router.ANSWERS

    def _ask(self) -> None:
        for link in self._on:
            for name in (ALL_SERVICES, SERVICE):
                self._send(link, query(name, self._identifier))

    def _send(self, link: Link, packet: bytes) -> None:
        try:
            link.ask(packet)
        except OSError as error:
            log.debug("interface %s takes no question: %s", link.zone, error)
            self.error = error.strerror or str(error)
        else:
            self.sent = True

    def _read(self, sock: socket.socket) -> None:
        for datagram in received(sock):
            host = datagram.host.partition("%")[0]
            if datagram.port != PORT or host in self._not_counted:
                continue
            with suppress(PacketError):
                if read(datagram.data).is_response and self._links.is_neighbour(datagram.host):
                    self.answered.add(datagram.host)


def _probes(addresses: Iterable[str]) -> Iterator[socket.socket]:
    """Connections that have begun."""
    for address in addresses:
        for port in _ROUTER_PORTS:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            probe.setblocking(False)
            probe.connect_ex((address, port))  # an error at once is told by the socket, too
            yield probe


def _is_answer(probe: socket.socket) -> bool:
    """Whether what became of a connection is a reply of the other computer."""
    code = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return code in {0, errno.ECONNREFUSED, errno.ECONNRESET}
