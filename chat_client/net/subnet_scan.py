"""Looks for servers at each address of this computer's own networks, by TCP: the last resort.

Where UDP port 5353 is dropped, no chat is found, though a connection to its host works. So a person
may have this done, by a click, once at a time. It is bounded: private IPv4 networks that this
computer is on, 254 addresses of each, one port, at most 64 connections at once, three seconds. All
that is asked for is the certificate: whoever answers learns nothing but that somebody came.
"""

import errno
import ipaddress
import logging
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import ceil
from typing import Final

from chat_client.state.discovery import FoundChat
from common.limits import DEFAULT_PORT
from common.system.clock import elapsed
from common.system.interfaces import InterfaceAddress, interface_addresses
from common.system.tls import client_context, fingerprint
from common.system.transport import Transport
from common.system.waker import Waker

log = logging.getLogger(__name__)

DEADLINE: Final = 3.0
"""Seconds for all of it."""
MOST_AT_ONCE: Final = 64
MOST_NETWORKS: Final = 2
"""A cable and a wireless network: with more of them, each address would have too little time."""
_PREFIX: Final = 24
"""Bits: of a larger network, only the part around this computer."""
_MOST_PATIENCE: Final = 0.7
"""Seconds for a connection: on one network it takes milliseconds, on a busy wireless one tenths."""
_HANDSHAKE: Final = 1.0
"""Seconds for the certificate."""
_UNDER_WAY: Final = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR}

Tell = Callable[[Sequence[FoundChat], int | None], object]


class SubnetScan:
    """One scan, from `start` on; `stop` ends it before its time.

    `tell` is called on its thread with the chats found so far, which have their address for a name,
    and at the end with the number of addresses that were tried; not after `stop`.
    """

    def __init__(self, tell: Tell, port: int = DEFAULT_PORT) -> None:
        self._tell, self._port = tell, port
        self._stopping = threading.Event()
        self._waker = Waker()
        self._found: dict[bytes, list[str]] = {}
        """Fingerprints of certificates, and the addresses at which they are."""
        self._thread = threading.Thread(target=self._run, name="subnet scan", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait until all connections are closed. Idempotent, also before `start`."""
        self._stopping.set()
        self._waker.wake()
        if self._thread.ident is None:
            self._waker.close()
        elif threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        tried = 0
        try:
            tried = self._scan(targets(interface_addresses()))
        except OSError as error:
            log.warning("this network can't be searched: %s", error)
        except Exception:
            # A chat can be joined without it, by a link or an address.
            log.exception("this network can't be searched")
        finally:
            self._waker.close()
            self._say(tried)

    def _say(self, tried: int | None = None) -> None:
        if not self._stopping.is_set():
            self._tell([self._chat(*each) for each in self._found.items()], tried)

    def _chat(self, pin: bytes, hosts: list[str]) -> FoundChat:
        places = tuple((host, self._port) for host in hosts)
        return FoundChat(pin, hosts[0], tuple(hosts), self._port, elapsed(), places)

    def _scan(self, hosts: Sequence[str]) -> int:
        """Try them all; returns how many were tried."""
        waiting, running = deque(hosts), set[_Probe]()
        context = client_context()
        end = elapsed() + DEADLINE
        patience = _patience(len(hosts))
        with selectors.DefaultSelector() as selector:
            selector.register(self._waker.receiver, selectors.EVENT_READ)
            try:
                while (waiting or running) and not self._stopping.is_set() and elapsed() < end:
                    while waiting and len(running) < MOST_AT_ONCE:
                        host = waiting.popleft()
                        probe = _Probe(host, self._port, elapsed() + patience)
                        running.add(probe)
                        selector.register(probe.transport.socket, selectors.EVENT_WRITE, probe)
                    until = min([end, *(probe.until for probe in running)])
                    for key, _ in selector.select(max(0.0, until - elapsed())):
                        if isinstance(key.data, _Probe) and self._step(selector, key.data, context):
                            running.discard(key.data)
                    now = elapsed()
                    for probe in [each for each in running if now >= each.until]:
                        _end(selector, probe)
                        running.discard(probe)
            finally:
                for probe in running:
                    _end(selector, probe)
        return len(hosts) - len(waiting)

    def _step(
        self, selector: selectors.BaseSelector, probe: "_Probe", context: ssl.SSLContext
    ) -> bool:
        """Go on with a probe whose socket is ready; returns whether it is over."""
        try:
            pin = probe.step(context)
        except OSError:  # refused, not there, or no TLS
            _end(selector, probe)
            return True
        if pin is None:
            wants = selectors.EVENT_WRITE if probe.transport.wants_write else selectors.EVENT_READ
            selector.modify(probe.transport.socket, wants, probe)
            return False
        _end(selector, probe)
        self._found.setdefault(pin, []).append(probe.host)
        self._say()
        return True


def targets(found: Iterable[InterfaceAddress]) -> list[str]:
    """The addresses to try: those of private networks that lead to other computers, not own ones.

    Of a network with more than 254, those around this computer.
    """
    there = list(found)
    networks: dict[ipaddress.IPv4Network, None] = {}
    for each in there:
        address = ipaddress.ip_address(each.address)
        if address.version == 4 and address.is_private and not (each.tunnel or each.inner):
            prefix = max(each.prefix or _PREFIX, _PREFIX)
            networks[ipaddress.IPv4Network((int(address), prefix), strict=False)] = None
    own = {each.address for each in there}
    hosts = (str(host) for network in [*networks][:MOST_NETWORKS] for host in network.hosts())
    return [host for host in dict.fromkeys(hosts) if host not in own]


def _patience(count: int) -> float:
    """Seconds for each connection, so that all have their turn."""
    rounds = max(1, ceil(count / MOST_AT_ONCE))
    return min(_MOST_PATIENCE, DEADLINE / (rounds + 0.5))


def _end(selector: selectors.BaseSelector, probe: "_Probe") -> None:
    selector.unregister(probe.transport.socket)
    with suppress(OSError):
        probe.transport.close()


class _Probe:
    """A connection to one address, for its certificate. Raises OSError without descriptors."""

    def __init__(self, host: str, port: int, until: float) -> None:
        self.host, self.until = host, until
        self._connected = False
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        self.transport = Transport(sock)
        self._code = sock.connect_ex((host, port))

    def step(self, context: ssl.SSLContext) -> bytes | None:
        """Go on; the fingerprint once it is known. Raises OSError."""
        if not self._connected:
            code = self._code if self._code not in _UNDER_WAY else 0
            code = code or self.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, "no connection")
            self._connected = True
            self.until = elapsed() + _HANDSHAKE
            self.transport.secure(context, server_side=False)
        if not self.transport.handshake():
            return None
        connection = self.transport.socket
        assert isinstance(connection, ssl.SSLSocket)  # noqa: S101 (it was secured)
        return fingerprint(connection.getpeercert(binary_form=True) or b"")
