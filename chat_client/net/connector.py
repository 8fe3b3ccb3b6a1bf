"""Making the connection: an invite's addresses are tried side by side (RFC 8305).

The first connection whose peer proves the pinned certificate wins, and the others are closed. All
of it is one thread with a selector; only host names, which ChatServer never puts into an invite,
are looked up on threads of their own. There is no DNS query for an address.
"""

import errno
import ipaddress
import os
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from chat_client.state.attempts import Attempt, Failure
from common.domain.invite import Invite, Place, is_link_local, is_loopback
from common.limits import HANDSHAKE_DEADLINE
from common.system.interfaces import interface_addresses
from common.system.tls import client_context, pinned
from common.system.transport import Transport
from common.system.waker import Waker

CONNECT_DEADLINE: Final = 3.5
"""Timeout in seconds for each address. Linux reports an unreachable host after 3.06 s: with a
shorter one, a computer that is switched off would look like a firewall."""
STAGGER: Final = 0.15
"""Seconds after which the next address is tried beside those that have not answered. RFC 8305
proposes 0.25 and allows 0.1; on one network an answer takes milliseconds."""
MOST_SCOPES: Final = 16
"""Maximum number of interfaces on which a link-local IPv6 address is tried."""
MOST_OPEN: Final = 64
"""Maximum number of concurrent attempts, whatever is in an invite."""
_MOST_RESOLVED: Final = 8
"""Maximum number of addresses of one host name that are tried."""

_UNDER_WAY: Final = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR}
_FAILURES: Final = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.BROKE_OFF,
    errno.ECONNABORTED: Failure.BROKE_OFF,
    errno.EPIPE: Failure.BROKE_OFF,
    errno.ETIMEDOUT: Failure.TIMED_OUT,
    errno.EHOSTUNREACH: Failure.NO_HOST,
    errno.EHOSTDOWN: Failure.NO_HOST,
    errno.ENETUNREACH: Failure.NO_ROUTE,
    errno.ENETDOWN: Failure.NO_ROUTE,
    errno.EADDRNOTAVAIL: Failure.NO_ROUTE,
    errno.EAFNOSUPPORT: Failure.NO_ROUTE,  # this computer has no IPv6
    errno.EINVAL: Failure.NO_ROUTE,  # a link-local address without an interface
    errno.ENODEV: Failure.NO_ROUTE,
}
_TELLING: Final = {failure: place for place, failure in enumerate(Failure)}

_Address = tuple[str, int] | tuple[str, int, int, int]


class ConnectError(Exception):
    """No address led to the server. `attempts` has the outcome of each, in the invite's order."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        super().__init__(
            "; ".join(f"{each.address}: {each.failure.name} {each.detail}" for each in attempts)
        )
        self.attempts = tuple(attempts)


Outcome = Transport | ConnectError
"""A connection with a finished handshake, or the reason why there is none."""


def connect_in_background(
    invite: Invite, done: Callable[[Outcome], object], found: Sequence[tuple[str, int]] = ()
) -> "Race | None":
    """Try the invite's addresses on another thread and pass the outcome to `done`.

    `done` is called once, usually on that thread; after `cancel` of the result it may not be
    called at all. For `found` see Race.
    """
    try:
        race = Race(invite, found=found)
    except OSError as error:
        done(nothing_tried(invite, error))  # not even a socketpair can be had
        return None
    race.start(done)
    return race


def connect(invite: Invite) -> Outcome:
    """A connection to the server with the pinned certificate, or a ConnectError; it blocks."""
    try:
        return Race(invite).run()
    except OSError as error:
        return nothing_tried(invite, error)


def nothing_tried(place: Invite | Place, error: OSError) -> ConnectError:
    """The outcome where not even a first address could be tried."""
    detail = error.strerror or str(error)
    return ConnectError([Attempt(h, place.port, Failure.FAILED, detail) for h in place.hosts])


class Race:
    """One attempt with all addresses. Raises OSError when file descriptors run out.

    Without a fingerprint there is no TLS; or with `learn` there is, and any certificate is taken.
    `found` are addresses and ports where the server is said to be: they are tried first, and what
    becomes of them is not told, as anybody may have said so.
    """

    def __init__(
        self,
        invite: Invite | Place,
        *,
        learn: bool = False,
        found: Sequence[tuple[str, int]] = (),
    ) -> None:
        self._invite = invite
        self._learn = learn
        self._waker = Waker()
        self._cancelled = False
        self._thread: threading.Thread | None = None
        self._resolved: deque[tuple[str, list[_Address] | Failure]] = deque()
        self._lookups = 0
        """Number of host names that are still being looked up."""
        self._added: deque[Sequence[tuple[str, int]]] = deque([found])
        self._begun: set[tuple[str, int]] = set()
        """The found places that were lined up."""
        self._steps: deque[Sequence[tuple[str, _Address]]] = deque()
        """Addresses to try, in steps: those of one step are variants of the same address."""
        self._next_start = 0.0
        self._runners: set[_Runner] = set()
        self._failures: dict[str, tuple[Failure, str]] = {}

    def add(self, found: Sequence[tuple[str, int]]) -> None:
        """The server is said to be at these places, too. From any thread."""
        self._added.append(found)
        self._waker.wake()

    def start(self, done: Callable[[Outcome], object]) -> None:
        """Run on a new thread."""

        def run() -> None:
            outcome = self.run()
            if self._cancelled and isinstance(outcome, ConnectError):
                return
            done(outcome)

        self._thread = threading.Thread(target=run, name="connector", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Cancel all attempts; everything is closed when this returns.

        A connection that has won already is still handed over.
        """
        self._cancelled = True
        self._waker.wake()
        if self._thread is not None:
            self._thread.join()

    def run(self) -> Outcome:
        """Try all addresses; call it once."""
        try:
            with selectors.DefaultSelector() as selector:
                return self._run(selector)
        except OSError as error:
            return nothing_tried(self._invite, error)
        finally:
            for runner in self._runners:
                runner.close()
            self._waker.close()

    def _run(self, selector: selectors.BaseSelector) -> Outcome:
        selector.register(self._waker.receiver, selectors.EVENT_READ)
        pin = self._invite.fingerprint
        context = client_context() if pin is not None or self._learn else None
        self._line_up()
        while not self._cancelled:
            self._take_added()
            self._take_resolved()
            now = time.monotonic()
            self._begin_next(selector, context, now)
            if not (self._runners or self._steps or self._lookups):
                break
            for key, _ in selector.select(self._wait(now)):
                if key.data is None:
                    self._waker.clear()
                elif self._step(selector, key.data, pin):
                    return self._won(selector, key.data)
            # Timeouts go by a clock that was read before the selector was polled: on a busy
            # computer an answer may have arrived already when its timeout is noticed.
            for runner in [each for each in self._runners if now >= each.until]:
                self._drop(selector, runner, Failure.TIMED_OUT)
        return ConnectError([*self._attempts()])

    def _wait(self, now: float) -> float | None:
        """Seconds until the next deadline; None for none."""
        times = [runner.until for runner in self._runners]
        if self._steps and len(self._runners) < MOST_OPEN:
            times.append(self._next_start)
        return max(0.0, min(times) - now) if times else None

    def _step(self, selector: selectors.BaseSelector, runner: "_Runner", pin: bytes | None) -> bool:
        """Go on with a runner whose socket is ready; returns whether it has won."""
        try:
            if runner.step(pin, learn=self._learn):
                return True
        except _LostError as lost:
            self._drop(selector, runner, lost.failure, lost.detail)
        else:
            selector.modify(runner.transport.socket, runner.interest, runner)
        return False

    def _line_up(self) -> None:
        """Queue the addresses in the order of attempts, and start looking up host names."""
        literals = [host for host in self._invite.hosts if _is_literal(host)]
        self._steps.extend(_targets(host, self._invite.port) for host in in_order(literals))
        for host in dict.fromkeys(self._invite.hosts):
            if host not in literals:
                self._lookups += 1
                threading.Thread(
                    target=self._look_up, args=(host,), name="name lookup", daemon=True
                ).start()

    def _take_added(self) -> None:
        """Put places that were found before everything else."""
        while self._added:
            places = [place for place in self._added.popleft() if place not in self._begun]
            self._begun.update(places)
            # Under no address of the invite: it is not one of its attempts.
            steps = [[("", address) for _, address in _targets(*place)] for place in places]
            self._steps.extendleft(reversed(steps))
            if places:
                self._next_start = 0.0

    def _look_up(self, host: str) -> None:
        """On a thread of its own, which may outlive the race: the resolver can't be cancelled."""
        found: list[_Address] | Failure = Failure.NO_NAME
        # UnicodeError: not a valid host name.
        with suppress(OSError, UnicodeError):
            named = socket.getaddrinfo(host, self._invite.port, type=socket.SOCK_STREAM)
            found = [address for *_, address in named if isinstance(address[0], str)]
        self._resolved.append((host, found))
        self._waker.wake()

    def _take_resolved(self) -> None:
        while self._resolved:
            host, found = self._resolved.popleft()
            self._lookups -= 1
            if isinstance(found, Failure):
                self._note(host, found)
            else:
                steps = [[(host, address)] for address in dict.fromkeys(found)]
                # To the front of the queue: they have waited for the resolver.
                self._steps.extendleft(reversed(steps[:_MOST_RESOLVED]))

    def _begin_next(
        self, selector: selectors.BaseSelector, context: ssl.SSLContext | None, now: float
    ) -> None:
        """Start the next step if its time has come."""
        while self._steps and now >= self._next_start and len(self._runners) < MOST_OPEN:
            for host, address in self._steps.popleft():
                try:
                    runner = _Runner(host, address, context, now + CONNECT_DEADLINE)
                except OSError as error:
                    # If none could be started, the next step need not wait.
                    self._note(host, _failure(error), error.strerror or str(error))
                else:
                    self._runners.add(runner)
                    selector.register(runner.transport.socket, runner.interest, runner)
                    self._next_start = now + STAGGER

    def _won(self, selector: selectors.BaseSelector, runner: "_Runner") -> Transport:
        selector.unregister(runner.transport.socket)
        self._runners.remove(runner)
        return runner.transport

    def _drop(
        self,
        selector: selectors.BaseSelector,
        runner: "_Runner",
        failure: Failure,
        detail: str = "",
    ) -> None:
        """Remove a runner that failed; the next address need not wait any longer."""
        selector.unregister(runner.transport.socket)
        self._runners.remove(runner)
        runner.close()
        self._note(runner.host, failure, detail)
        self._next_start = 0.0

    def _note(self, host: str, failure: Failure, detail: str = "") -> None:
        """Record the failure of an address of the invite; of several the most informative."""
        known = self._failures.get(host)
        if known is None or _TELLING[failure] < _TELLING[known[0]]:
            detail = detail if failure is Failure.FAILED else ""
            self._failures[host] = (failure, detail)

    def _attempts(self) -> Iterator[Attempt]:
        for host in dict.fromkeys(self._invite.hosts):
            failure, detail = self._failures.get(host, (Failure.NO_ROUTE, ""))
            here = any(_is_here(address) for _, address in _targets(host, self._invite.port))
            yield Attempt(host, self._invite.port, failure, detail, here)


class _LostError(Exception):
    """A runner has failed."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(failure.name)
        self.failure = failure
        self.detail = detail


class _Runner:
    """One attempt: it connects, then does the TLS handshake. Raises OSError."""

    def __init__(
        self, host: str, address: _Address, context: ssl.SSLContext | None, until: float
    ) -> None:
        self.host = host
        self.until = until
        self.interest = selectors.EVENT_WRITE
        self._context = context
        self._connected = False
        family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            code = sock.connect_ex(address)
            _check(0 if code in _UNDER_WAY else code)
        except BaseException:
            sock.close()
            raise
        self.transport = Transport(sock)

    def step(self, pin: bytes | None, *, learn: bool) -> bool:
        """Go on; returns whether the server has proven its identity. Raises _LostError.

        To `learn` an identity that is not known yet, any is taken.
        """
        try:
            if not self._connected:
                self._connect()
            if not self.transport.handshake():
                wants_write = self.transport.wants_write
                self.interest = selectors.EVENT_WRITE if wants_write else selectors.EVENT_READ
                return False
        except OSError as error:
            raise _LostError(_failure(error), error.strerror or str(error)) from error
        connection = self.transport.socket
        # Before a byte is sent.
        if isinstance(connection, ssl.SSLSocket) and not (
            learn if pin is None else pinned(connection, pin)
        ):
            raise _LostError(Failure.WRONG_SERVER)
        return True

    def _connect(self) -> None:
        """The socket is connected, or has failed."""
        sock = self.transport.socket
        _check(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        self._connected = True
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            self.until = time.monotonic() + HANDSHAKE_DEADLINE
            self.transport.secure(self._context, server_side=False)

    def close(self) -> None:
        """Close the socket."""
        with suppress(OSError):
            self.transport.close()


def in_order(hosts: Sequence[str]) -> list[str]:
    """Addresses in the order in which to try them (RFC 8305 §4): IPv4 and IPv6 alternate.

    The invite's order is kept within each family. Last come link-local addresses, which take the
    most attempts, and loopback addresses, which lead to this computer: usually the wrong one.
    """
    turns: tuple[deque[str], deque[str]] = deque(), deque()
    last: list[str] = []
    for host in dict.fromkeys(hosts):
        if is_link_local(host) or is_loopback(host):
            last.append(host)
        else:
            turns[":" in host].append(host)
    order: list[str] = []
    turn = bool(turns[0]) and ":" in hosts[0]
    while turns[0] or turns[1]:
        queue = turns[turn] or turns[not turn]
        order.append(queue.popleft())
        turn = not turn
    return [*order, *last]


def _targets(host: str, port: int) -> list[tuple[str, _Address]]:
    """The socket addresses for an address of the invite.

    A link-local IPv6 address is tried on each interface: its zone is unknown, as names of
    interfaces are local to a computer.
    """
    address, _, zone = host.partition("%")
    if ":" not in address:
        return [(host, (address, port))]
    if not is_link_local(address):
        return [(host, (address, port, 0, 0))]
    scopes = [_scope(zone)] if zone else []
    if not any(scopes):
        scopes = [index for index, _ in _interfaces()][:MOST_SCOPES]
    return [(host, (address, port, 0, scope)) for scope in scopes]


def _is_here(address: _Address) -> bool:
    """Whether an address is one of this computer's own. Nothing is sent.

    The system would send from the same address then; also from one of an interface that is down.
    """
    if not _is_literal(address[0]):
        return False
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)
        return bool(probe.getsockname()[0].partition("%")[0] == address[0])
    return False


def _scope(zone: str) -> int:
    """The index of a local interface by its name or number; 0 when there is none.

    Then all are tried: so a zone of another computer does no harm, nor one that was encoded for a
    URI, where %252 stands for the second interface (RFC 6874).
    """
    there = _interfaces()
    return next((index for index, name in there if zone in {name, str(index)}), 0)


def _interfaces() -> list[tuple[int, str]]:
    """Index and name of each, the likeliest first: there may be more than are tried.

    Those with an address that lead to other computers, not only to containers of this one.
    """
    try:
        there = socket.if_nameindex()
        outer = {each.interface for each in interface_addresses() if not each.inner}
    except OSError:
        return []
    return sorted(there, key=lambda each: each[0] not in outer)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))


def _failure(error: OSError) -> Failure:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure.BROKE_OFF
    if isinstance(error, ssl.SSLError):
        return Failure.NO_TLS
    return _FAILURES.get(error.errno or 0, Failure.FAILED)
