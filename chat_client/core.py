"""The client's core: one thread that owns the connection, the controller and the cache.

Front ends (the window, the command line) call the methods from their own thread and get news
through `tell`, which is called on the core's thread after the transaction is committed.
"""

import logging
import math
import random
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Self

from chat_client.cache.cache import Cache
from chat_client.cache.errors import CacheError, CacheFailedError, is_full
from chat_client.net.connector import ConnectError, Outcome, Race, connect_in_background
from chat_client.net.server_watch import Places, ServerWatch
from chat_client.state.account import Account
from chat_client.state.admission import this_program
from chat_client.state.attempts import is_wrong_server
from chat_client.state.backoff import Backoff
from chat_client.state.controller import Controller
from chat_client.state.moderation import Moderation
from chat_client.state.news import MessageNotStored, News, Wanted
from chat_client.state.request import Request
from chat_client.state.slow_mode import SlowModeOrder
from chat_client.state.suspension import SuspensionDetector
from common.domain.reasons import Reason
from common.protocol.codec import RemoteProtocolError
from common.protocol.debug_summaries import brief
from common.protocol.events import MESSAGE, Event
from common.protocol.ids import new_cid
from common.system.transport import Transport
from common.system.waker import Waker

log = logging.getLogger(__name__)

_READ: Final = 64 * 1024
_READ_AT_ONCE: Final = 256 * 1024
"""Maximum number of bytes read per turn, and so per transaction."""
_LOOK_AT_CLOCKS: Final = 5.0
"""Maximum seconds until a suspension of the computer is noticed."""
_MOVED: Final = 2.0
"""Seconds for a sign of life of a server that is announced at another address only."""
_ORDERS_AT_ONCE: Final = 256
"""Maximum number of requests of the front end per turn: a burst must not starve the connection."""
_STORAGE_PAUSES: Final = 60.0
"""Seconds without a failed transaction after which the backoff before storing is reset."""
_MAX_INTERNAL_ERRORS: Final = 20
"""Internal errors in a row after which the core gives up: a bug that repeats won't go away."""


class StopListening(Exception):  # noqa: N818 (not an error: the listener's own wish)
    """Raised by `on_event`: end at once, and keep nothing of what this turn brought."""


class _Order(NamedTuple):
    """A request of the front end. `on_store_failure` makes the news of a failure, with the reason.

    Without it the request is retried, so it has to be idempotent. With `instead`, that is carried
    out with the reason when the store works again.
    """

    action: Callable[[], object]
    on_store_failure: Callable[[Reason], MessageNotStored] | None = None
    instead: Callable[[Reason], object] | None = None

    def later(self, why: Reason) -> Self:
        """What is to be carried out after this failed."""
        return self if self.instead is None else self._replace(action=partial(self.instead, why))


class Core:
    """Runs one account. Every public method may be called from any thread.

    All return at once but `stop`, which joins the thread. When nothing can be stored, the core
    retries with backoff, but not with `on_event`: what is printed before it is stored would be
    printed again on each retry. A message that can't be stored is told as MessageNotStored.

    `follow` names the rooms to fetch; None means all. Without `follow` and `on_event` it is a
    window's: presence is pushed, and of a long history only the newest events are fetched.
    """

    def __init__(
        self,
        account: Account,
        cache: Cache,
        tell: Callable[[Sequence[News]], None],
        *,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        at_once: int = 1,
    ) -> None:
        self._cache = cache
        self._tell = tell
        for_window = follow is None and on_event is None
        self._controller = Controller(
            account,
            cache,
            this_program(presence=for_window),
            Backoff(random.random),
            new_cid,
            follow=follow,
            on_event=on_event,
            at_once=at_once,
            on_demand=for_window,
        )
        self._inbox: deque[_Order] = deque()
        self._held: list[_Order] = []
        """Requests that could not be stored, to be retried with the next transaction."""
        self._taken: list[_Order] = []
        """Requests in the current transaction, to be returned if that fails."""
        self._returned: list[News] = []
        self._goes_on = on_event is None
        self._pauses = Backoff(random.random)
        """Backoff after a failed transaction: nothing could be stored, or an internal error."""
        self._failed_at = -math.inf
        self._rest_until = -math.inf
        self._internal_errors = 0
        self._begun = False
        self._reopens = False
        self._suspension = SuspensionDetector(time.time(), time.monotonic())
        self._selector = selectors.DefaultSelector()
        self._waker = Waker()
        self._selector.register(self._waker.receiver, selectors.EVENT_READ)
        self._transport: Transport | None = None
        self._connecting = False
        self._server_watch = ServerWatch(
            lambda places: self._do(lambda: self._found(places)),
            lambda: self._do(self._network_changed),
        )
        self._places: Places = ()
        """Where discovery has found the server."""
        self._race: Race | None = None
        self._made: Outcome | None = None
        self._handing_over = threading.Lock()
        self._ended = False
        self._unwritten = memoryview(b"")
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="core")

    # From the front end's thread

    def start(self) -> None:
        """Start the thread, which stays connected until `stop`."""
        self._waker.wake()  # else the first turn would wait for the network to answer
        self._thread.start()

    def send(self, room: str, kind: str, body: Mapping[str, Any]) -> None:
        """Send an event to a room, now or when there is a connection.

        The text of a message must have passed check_text. If a message can't be stored,
        MessageNotStored returns it to the composer. An event of another kind is stored as failed,
        as soon as the store works again.
        """
        written_at = time.time_ns() // 1_000_000
        controller = self._controller

        def send() -> None:
            controller.send(room, kind, body, written_at)

        def keep_failed(why: Reason) -> None:
            controller.keep_failed(room, kind, body, written_at, why)

        if kind == MESSAGE:
            self._do(send, on_store_failure=lambda why: MessageNotStored(room, body["text"], why))
        else:
            self._do(send, instead=keep_failed)

    def open_room(self, room: str) -> None:
        """Add a direct room to the rooms."""
        self._do(lambda: self._controller.open_room(room))

    def load_history(self, wanted: Wanted) -> None:
        """Fetch a page of history; HistoryAdded reports the outcome."""
        self._do(lambda: self._controller.load_history(wanted))

    def drop(self, cid: str) -> None:
        """Discard a message that was not sent."""
        self._do(lambda: self._controller.drop(cid))

    def send_again(self, cid: str) -> None:
        """Retry a message that was refused."""
        self._do(lambda: self._controller.send_again(cid))

    def mark_read(self, room: str, seq: int) -> None:
        """Mark a room as read up to `seq`."""
        self._do(lambda: self._controller.mark_read(room, seq))

    def save_draft(self, room: str, text: str) -> None:
        """Store the draft of a room; "" deletes it."""
        self._do(lambda: self._controller.save_draft(room, text))

    def moderate(self, what: Moderation | SlowModeOrder) -> None:
        """Carry out a moderation; Moderated reports the outcome."""
        self._do(lambda: self._controller.moderate(what))

    def list_sanctions(self) -> None:
        """Fetch the list of mutes and bans, for moderators; SanctionsListed has the result."""
        self._do(self._controller.list_sanctions)

    def request(self, what: Request) -> None:
        """Carry out a request; Requested reports the outcome."""
        self._do(lambda: self._controller.request(what))

    def list_devices(self) -> None:
        """Fetch one's own devices; DevicesListed has the result."""
        self._do(self._controller.list_devices)

    def list_invites(self) -> None:
        """Fetch the invites that concern this account; InvitesListed has the result."""
        self._do(self._controller.list_invites)

    def ask_joining(self) -> None:
        """Fetch who may join, for a moderator; JoiningTold has the result."""
        self._do(self._controller.ask_joining)

    def with_cache(self, action: Callable[[Cache], object]) -> None:
        """Call `action` with the cache on the core's thread, in a transaction of a turn."""
        self._do(lambda: action(self._cache))

    def connect_now(self) -> None:
        """Connect now instead of after the pause, or again after being signed out."""
        self._do(self._controller.connect_now)

    def stop(self) -> None:
        """Disconnect, store everything and join the thread. Idempotent."""
        self._stopping = True
        if self._thread.is_alive():
            self._waker.wake()
            if threading.current_thread() is not self._thread:
                self._thread.join()

    def _do(
        self,
        action: Callable[[], object],
        on_store_failure: Callable[[Reason], MessageNotStored] | None = None,
        instead: Callable[[Reason], object] | None = None,
    ) -> None:
        with self._handing_over:
            ended = self._ended
            if not ended:
                self._inbox.append(_Order(action, on_store_failure, instead))
        if not ended:
            self._waker.wake()
        elif on_store_failure is not None:
            self._tell([on_store_failure(Reason("ended"))])

    # The core's thread

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
            self._store_remaining()
        except StopListening:
            self._give_up(Reason("enough"))
        except CacheFailedError as error:
            log.exception("the messages could not be stored")
            self._give_up(_why_not_stored(error))
        except Exception as error:
            log.exception("the core failed")
            self._give_up(_internal(error))
        finally:
            with self._handing_over:
                self._ended = True
            self._return_orders([*self._taken, *self._inbox], Reason("ended"))
            self._tell_news()
            self._server_watch.stop()
            if self._race is not None:
                self._race.cancel()
            _close(self._made)
            self._disconnect()
            self._selector.close()
            self._waker.close()
            self._cache.close()

    def _give_up(self, reason: Reason) -> None:
        self._controller.take_news()  # Its transaction was rolled back.
        self._controller.failed(reason)
        self._tell(self._controller.take_news())

    def _store_remaining(self) -> None:
        """Store the requests that arrived after the last turn, before the thread ends."""
        self._inbox.extendleft(reversed(self._held))
        try:
            with self._cache.transaction():
                while self._inbox:
                    self._take_inbox()
            self._taken.clear()
        except CacheFailedError as error:
            log.exception("what was written last could not be stored")
            self._controller.take_news()
            self._return_orders(self._taken, _why_not_stored(error))
            self._taken.clear()

    def _turn(self) -> None:
        controller = self._controller
        if controller.wants_connection and not self._connecting:
            self._connecting = True
            invite = controller.account.invite
            self._race = connect_in_background(invite, self._connected, self._places)
        for key, mask in self._selector.select(self._wait()):
            if key.fileobj is self._waker.receiver:
                self._waker.clear()
            elif mask & selectors.EVENT_WRITE:
                self._watch()
        data, ended = self._read()
        self._attempt(data, ended, time.monotonic())
        if controller.wants_disconnect:
            self._disconnect()
        self._write(controller.take_frames())
        self._tell_news()
        self._server_watch.follow(controller.account.invite, controller.status, time.monotonic())

    def _attempt(self, data: bytes, ended: bool, now: float) -> None:
        """Apply one turn atomically; if that fails, retry later."""
        try:
            self._apply(data, ended, now)
        except StopListening:
            raise
        except (CacheFailedError, CacheError) as error:
            if not self._goes_on:
                raise
            self._storage_failed(error, now)
        except Exception as error:
            self._internal_errors += 1
            if not self._goes_on or self._internal_errors >= _MAX_INTERNAL_ERRORS:
                raise
            self._internal_error(error, now)
        else:
            self._internal_errors = 0
        self._taken.clear()

    def _wait(self) -> float:
        """Seconds until the next deadline."""
        if self._inbox or (self._transport is not None and self._transport.more):
            return 0.0
        now = time.monotonic()
        until = max(self._controller.deadline(), self._rest_until)
        until = min(until, self._server_watch.deadline())
        return max(0.0, min(until - now, _LOOK_AT_CLOCKS))

    def _apply(self, data: bytes, ended: bool, now: float) -> None:
        """Everything of one turn, in one transaction."""
        controller = self._controller
        trouble = controller.storage_trouble
        if trouble and not self._inbox and now < controller.status.retry_at:
            return
        self._inbox.extendleft(reversed(self._held))
        self._held = []
        if trouble and self._reopens:
            self._cache.reopen()
        with self._cache.transaction():
            if not self._begun:
                controller.begin()
            if trouble:
                self._cache.probe()
                controller.storage_works()
            self._take_connection()
            self._take_inbox()
            if data:
                self._receive(data, now)
            if ended and self._transport is not None and not controller.wants_disconnect:
                controller.lost(Reason("lost"), now)
            if self._suspension.was_suspended(time.time(), now):
                log.info("this computer was suspended")
                controller.resumed(now)
            controller.tick(now)
        self._begun = True

    def _take_inbox(self) -> None:
        for _ in range(min(len(self._inbox), _ORDERS_AT_ONCE)):
            order = self._inbox.popleft()
            self._taken.append(order)
            order.action()

    def _storage_failed(self, error: Exception, now: float) -> None:
        """The transaction was rolled back: report why, return the messages, retry with backoff."""
        if not self._controller.storage_trouble:
            log.error("this computer can't store messages", exc_info=error)
        why = _why_not_stored(error)
        # A full disk only needs space; after any other error the file is opened anew.
        self._reopens = not is_full(error)
        if now - self._failed_at > _STORAGE_PAUSES:
            self._pauses.reset()
        self._failed_at = now
        self._controller.storage_failed(why, now, self._pauses.next())
        orders = [*self._taken, *self._inbox]
        self._inbox.clear()
        self._held = [order.later(why) for order in orders if order.on_store_failure is None]
        self._return_orders(orders, why)

    def _internal_error(self, error: Exception, now: float) -> None:
        """The turn was rolled back; the connection counts a fault, and is given up after some."""
        log.error("the core failed", exc_info=error)
        self._controller.take_news()
        self._controller.fault(_internal(error), now)
        self._rest_until = now + self._pauses.next()
        # The request that was begun last may be the one that fails.
        for order in self._taken:
            if order.on_store_failure is None and (order is not self._taken[-1] or order.instead):
                self._held.append(order.later(_internal(error)))
        self._return_orders(self._taken, _internal(error))

    def _return_orders(self, orders: Sequence[_Order], why: Reason) -> None:
        self._returned += [
            order.on_store_failure(why) for order in orders if order.on_store_failure is not None
        ]

    def _tell_news(self) -> None:
        told = [*self._controller.take_news(), *self._returned]
        self._returned.clear()
        if log.isEnabledFor(logging.DEBUG):
            for item in told:
                log.debug("news: %s", brief(item))
        if told:
            self._tell(told)

    def _receive(self, data: bytes, now: float) -> None:
        try:
            self._controller.received(data, now)
        except RemoteProtocolError as error:
            log.warning("the server violated the protocol: %s", error)
            self._controller.fault(Reason("unknown_message"), now)

    def _connected(self, outcome: Outcome) -> None:
        """On the connector's thread, which may finish after the core has ended."""
        with self._handing_over:
            if not self._ended:
                self._made = outcome
                self._waker.wake()
                return
        _close(outcome)

    def _take_connection(self) -> None:
        with self._handing_over:
            outcome, self._made = self._made, None
        if outcome is None:
            return
        self._connecting = False
        now = time.monotonic()
        if isinstance(outcome, ConnectError):
            log.info("no connection: %s", outcome)
            attempts = outcome.attempts
            if is_wrong_server(attempts):
                known = self._controller.account.joined
                code = "wrong_server" if known else "not_the_invites"
                self._controller.refused(Reason(code), attempts=attempts)
            else:
                self._controller.unreachable(now, attempts)
        elif self._stopping or not self._controller.wants_connection:
            outcome.close()
        else:
            log.debug("connected")
            self._transport = outcome
            self._selector.register(outcome.socket, selectors.EVENT_READ)
            self._controller.connected(now)
            self._note_place(outcome)

    def _note_place(self, transport: Transport) -> None:
        """If discovery led to the server, the account's invite gets the address."""
        if not self._places:
            return
        host, port = _peer(transport)
        invite = self._controller.account.invite
        found = {(_without_zone(host), port) for host, port in self._places}
        if (host, port) in found and (host not in invite.hosts or port != invite.port):
            log.info("the server was found at another address")
            self._controller.moved(host, port)

    def _found(self, places: Places) -> None:
        """Discovery has found the server, or lost it."""
        self._places = places
        if not places:
            return
        now = time.monotonic()
        if self._connecting:
            if self._race is not None:
                self._race.add(places)
        elif self._transport is None:
            self._controller.hinted(now)
        elif _peer(self._transport)[0] not in {_without_zone(host) for host, _ in places}:
            self._controller.check(now, _MOVED)

    def _network_changed(self) -> None:
        """This computer has other interfaces or addresses than before."""
        now = time.monotonic()
        self._controller.hinted(now)
        self._controller.check(now)

    def _read(self) -> tuple[bytes, bool]:
        """All received bytes, and whether the connection has ended."""
        if self._transport is None:
            return b"", False
        pieces: list[bytes] = []
        try:
            # Not by `extend`: what was received before the end counts.
            for piece in self._transport.pieces(_READ, _READ_AT_ONCE):
                pieces.append(piece)  # noqa: PERF402
        except (EOFError, OSError):
            return b"".join(pieces), True
        return b"".join(pieces), False

    def _write(self, frames: bytes) -> None:
        if self._transport is None:
            return
        if frames:
            self._unwritten = memoryview(bytes(self._unwritten) + frames)
        try:
            while self._unwritten and (written := self._transport.write(self._unwritten)):
                self._unwritten = self._unwritten[written:]
        except OSError:
            # The next read fails, too, and ends the connection in its transaction.
            log.debug("could not write", exc_info=True)
        self._watch()

    def _watch(self) -> None:
        transport = self._transport
        if transport is not None:
            write = selectors.EVENT_WRITE if self._unwritten or transport.wants_write else 0
            self._selector.modify(transport.socket, selectors.EVENT_READ | write)

    def _disconnect(self) -> None:
        if self._transport is not None:
            log.debug("disconnecting")
            self._selector.unregister(self._transport.socket)
            self._transport.close()
            self._transport = None
        self._unwritten = memoryview(b"")


def _why_not_stored(error: Exception) -> Reason:
    if is_full(error):
        return Reason("storage_full")
    return Reason("storage", {"cause": str(error)})


def _internal(error: Exception) -> Reason:
    return Reason("internal_error", {"cause": str(error)})


def _peer(transport: Transport) -> tuple[str, int]:
    """The server's address, without a zone, and port; empty if the connection is lost already."""
    try:
        host, port = transport.socket.getpeername()[:2]
    except OSError:
        return "", 0
    return _without_zone(host), port


def _without_zone(host: str) -> str:
    return host.partition("%")[0]


def _close(outcome: Outcome | None) -> None:
    if isinstance(outcome, Transport):
        outcome.close()
