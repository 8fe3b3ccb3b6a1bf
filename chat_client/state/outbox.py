"""The outbox: sends messages in order, retries them, and keeps the outcome of each."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.backoff import Backoff
from chat_client.state.lane import Lane
from chat_client.state.link import ServerLink
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.events import MESSAGE, Event
from common.protocol.fast_encode import body_json

log = logging.getLogger(__name__)

MAX_REFUSALS: Final = 8
"""Retryable refusals of one message before it is marked as failed: the cause may be the message
itself, and would block all behind it (head-of-line blocking)."""
_OF_THE_SERVER: Final = {"busy", "disk_full"}
"""Codes about the state of the server: they hold all rooms."""
_NOT_OF_THE_MESSAGE: Final = {*_OF_THE_SERVER, "rate_limited", "slow_mode"}
"""Codes that are not about the message: retried without a limit."""
_IN_FLIGHT_BYTES: Final = 256 * 1024
"""Maximum bytes of bodies in flight: as much as the server reads in one turn."""
_COMPARING: Final = (
    messages.ListPeople,
    messages.ListOnline,
    messages.ListRooms,
    messages.Sync,
)
"""Commands whose replies tell whether the cache matches the server's history."""


class Outbox:
    """Sends the messages of the outbox, oldest first, and stores the outcome of each.

    `at_once` is the maximum number in flight; each names the one before it in its room (`after`),
    so that none overtakes one that is refused. A room that is held, as by slow mode, holds up no
    other: order is that within each room. `new_id` makes the id of a message.
    """

    def __init__(
        self,
        cache: Cache,
        link: ServerLink,
        tell: Callable[[news.News], object],
        new_id: Callable[[], str],
        *,
        at_once: int = 1,
    ) -> None:
        self._cache = cache
        self._link = link
        self._tell = tell
        self._new_id = new_id
        self._at_once = at_once
        self._lanes: dict[str, Lane] = {}
        """By room, once something was sent there."""
        self._in_flight: dict[str, Lane] = {}
        """In-flight messages of all rooms, by `cid`."""
        self._bytes = 0
        """Of their bodies."""
        self._looked_up_to = 0
        """The number of the outbox entry up to which all that wait were sent, but for those of the
        rooms in `_behind`."""
        self._behind: dict[str, Lane] = {}
        """Rooms of which older messages may wait: each is looked up by itself, so that those of a
        held room are not gone over for every message of another."""
        self._hold_until_verified = False
        """Whether to send nothing until the cache was compared with the server's history: messages
        that were acknowledged may have to be sent again, and first."""
        self._retry = Backoff(link.backoff.chance)
        """The backoff while the server can't store anything."""
        self._hold_until = 0.0
        """When messages of all rooms are to be sent again; 0 for no hold."""

    # Actions of the person

    def send(self, room: str, kind: str, body: Mapping[str, Any], written_at: int) -> str:
        """Store an event for a known room, to send it when connected; returns its cid."""
        cid = self._new_id()
        self._cache.outbox.add(room, cid, kind, body, written_at)
        if kind == MESSAGE:
            self._cache.set_draft(room, "")  # Its draft is deleted in the same transaction.
        self._changed(room, cid, OutboxState.WAITING)
        return cid

    def keep_failed(
        self, room: str, kind: str, body: Mapping[str, Any], written_at: int, why: Reason
    ) -> None:
        """Store an event for a known room as failed, with the reason."""
        cid = self._new_id()
        self._cache.outbox.add(room, cid, kind, body, written_at)
        self._fail(room, cid, why)

    def drop(self, cid: str) -> None:
        """Discard a message that failed or still waits."""
        out = self._cache.outbox.find(cid)
        if out is not None and out.state is not OutboxState.SENT and not self.is_in_flight(cid):
            self._cache.outbox.remove(cid)
            self._changed(out.room, cid, OutboxState.DROPPED)

    def send_again(self, cid: str) -> None:
        """Retry a message that failed, before those of its room that were written after it."""
        out = self._cache.outbox.find(cid)
        if out is not None and out.state is OutboxState.FAILED:
            self._cache.outbox.set_state(cid, OutboxState.WAITING)
            self._lane(out.room).refused_often = ("", 0)
            self.begin_again(out.room)
            self._changed(out.room, cid, OutboxState.WAITING)

    # The connection

    def signed_in(self) -> None:
        """The session is admitted: messages may be sent from now on.

        A server that was restored from a backup may have lost messages that it acknowledged on a
        former connection, even where the cache matches its log. Those whose events never came are
        sent again before those written after them; hence the comparison comes first.
        """
        self._hold_until_verified = self._cache.outbox.send_again() > 0

    def forget_sending(self) -> None:
        """Nothing is in flight any more: start again from the oldest waiting message.

        A room is held for as long as the server demanded.
        """
        self._in_flight.clear()
        self._bytes = 0
        self._looked_up_to = 0
        self._hold_until = 0.0
        for lane in self._lanes.values():
            lane.connection_lost()
        self._behind = {room: lane for room, lane in self._lanes.items() if lane.hold_until}

    def begin_again(self, *rooms: str) -> None:
        """In each of these rooms a message that is older than those in flight is to be sent."""
        for room in rooms:
            lane = self._lane(room)
            lane.draining = True
            self._behind[room] = lane

    def release(self, rooms: Iterable[str] | None = None, code: str = "") -> None:
        """What held these rooms, or all, may be over: try again. With a `code`, if it was that."""
        for lane in self._lanes.values() if rooms is None else map(self._lane, rooms):
            if not code or (lane.refused is not None and lane.refused.code == code):
                lane.release()

    def is_in_flight(self, cid: str) -> bool:
        """Whether a message was sent and has no reply yet."""
        return cid in self._in_flight

    def has(self, cid: str) -> bool:
        """Whether a message was written on this device and is not known to be in its room."""
        return self._cache.outbox.find(cid) is not None

    def deadline(self) -> float:
        """When messages that were refused are to be sent again, on the monotonic clock."""
        if not self._link.is_ready:
            return math.inf
        holds = [lane.hold_until for lane in self._behind.values() if not lane.in_flight]
        if not self._in_flight:
            holds.append(self._hold_until)
        return min(filter(None, holds), default=math.inf)

    # Sending

    def send_next(self, now: float) -> None:
        """Send the oldest waiting messages, as many as may be in flight."""
        if not self._link.is_ready:
            return
        for lane in self._behind.values():
            if lane.hold_until <= now:
                lane.release()
        if now < self._hold_until:
            return
        self._hold_until = 0.0
        if self._hold_until_verified:
            if self._link.awaits(*_COMPARING):
                return
            self._hold_until_verified = False
        while self._may_send():
            out = self._next()
            if out is None:
                return
            self._transmit(out, now)

    def _may_send(self) -> bool:
        if not self._in_flight:
            return True
        return len(self._in_flight) < self._at_once and self._bytes < _IN_FLIGHT_BYTES

    def _next(self) -> OutboxMessage | None:
        """The oldest message that waits in a room where one may be sent."""
        older = [out for lane in tuple(self._behind.values()) if (out := self._older(lane))]
        if older:
            return min(older, key=lambda out: out.number)
        while True:
            out = self._cache.outbox.next(self._looked_up_to, but=self._behind)
            if out is None:
                if self._behind:
                    # Else the many that wait in a held room would be gone over each time.
                    self._looked_up_to = self._cache.outbox.last_written()
                return None
            self._looked_up_to = out.number
            lane = self._lanes.get(out.room)
            if lane is None or lane.may_send:
                return out
            self._behind[out.room] = lane

    def _older(self, lane: Lane) -> OutboxMessage | None:
        """The oldest message that waits in a room of `_behind`, if one may be sent there."""
        if not lane.may_send:
            return None
        if lane.draining:
            lane.begin_again()
        out = self._cache.outbox.next(lane.sent_up_to, room=lane.room)
        if out is not None and out.number <= self._looked_up_to:
            return out
        del self._behind[lane.room]
        return None

    def _transmit(self, out: OutboxMessage, now: float) -> None:
        """Send a message, unless it is invalid: a damaged cache may hold anything."""
        lane = self._lane(out.room)
        lane.sent_up_to = max(lane.sent_up_to, out.number)
        try:
            self._link.ask(
                messages.Send,
                room=out.room,
                cid=out.cid,
                kind=out.kind,
                body=out.body,
                after=lane.last_in_flight,
            )
        except ValidationError as error:
            log.warning("an event of the outbox can't be sent: %s", error.errors()[0]["msg"])
            self._fail(out.room, out.cid, Reason("not_sendable"))
            return
        size = len(body_json(out.body))
        self._in_flight[out.cid] = lane
        self._bytes += size
        lane.in_flight[out.cid] = size
        self._link.spoke(now)

    def _lane(self, room: str) -> Lane:
        lane = self._lanes.get(room)
        if lane is None:
            retry = Backoff(self._link.backoff.chance)
            lane = self._lanes[room] = Lane(room, retry, self._at_once, self._at_once)
        return lane

    # Outcomes

    def acknowledged(self, cid: str) -> OutboxMessage | None:
        """The server acknowledged a message; returns it if it is still in the outbox.

        `in_room` or `ahead` is to be called next.
        """
        self._settled(cid)
        out = self._cache.outbox.find(cid)
        if out is not None and self._lane(out.room).acknowledge(out.number):
            self._link.backoff.reset()
            self._retry.reset()
        return out

    def in_room(self, event: Event) -> None:
        """A message of this account is in its room: it leaves the outbox, if it was there."""
        cid = event.cid
        self._settled(cid)
        out = self._cache.outbox.find(cid)
        self._cache.outbox.remove(cid)
        # For an acknowledgement that was ahead, SENT has been reported already.
        if out is not None and out.state is not OutboxState.SENT:
            self._changed(event.room, cid, OutboxState.SENT, seq=event.seq)

    def ahead(self, ack: messages.Ack, *, is_here: bool) -> None:
        """The acknowledged message does not directly follow the cached events of its room.

        Its event will arrive with those before it, or `is_here` already.
        """
        self._cache.outbox.set_state(ack.cid, OutboxState.SENT)
        if is_here:
            self._cache.outbox.remove(ack.cid)
        self._changed(ack.room, ack.cid, OutboxState.SENT, seq=ack.seq)

    def refused(
        self, asked: messages.Send, reason: Reason, now: float, *, retryable: bool, wait: float
    ) -> None:
        """The server refused a message: finally, or to be retried after at least `wait` seconds."""
        self._settled(asked.cid)
        if retryable:
            self._try_again(asked, reason, now, wait)
        else:
            self._fail(asked.room, asked.cid, reason)
        self.send_next(now)

    def _settled(self, cid: str) -> None:
        """A message is not in flight any more."""
        lane = self._in_flight.pop(cid, None)
        if lane is not None:
            self._bytes -= lane.in_flight.pop(cid)

    def _try_again(self, asked: messages.Send, reason: Reason, now: float, wait: float) -> None:
        """Retry a message, before all of its room that were written after it."""
        self.begin_again(asked.room)
        if reason.code == "too_early" and asked.after is not None:
            return  # A consequence of the refusal of its predecessor, which decides what to do.
        lane = self._lane(asked.room)
        if asked.after is None and reason.code not in _NOT_OF_THE_MESSAGE:
            cid, times = lane.refused_often
            times = times + 1 if cid == asked.cid else 1
            lane.refused_often = (asked.cid, times)
            if times >= MAX_REFUSALS:
                self._fail(asked.room, asked.cid, reason)
                return
        if reason.code in _OF_THE_SERVER:
            # One pause for all that were in flight.
            if not self._hold_until:
                self._hold_until = now + max(self._retry.next(), wait)
            until = self._hold_until
        else:
            lane.window = 1
            lane.hold(reason, now, wait)
            until = lane.hold_until
        again = max(0.0, until - now)
        self._changed(asked.room, asked.cid, OutboxState.WAITING, reason=reason, again=again)

    def _fail(self, room: str, cid: str, reason: Reason) -> None:
        """A message failed finally: the person decides about it, and the others go on."""
        self._cache.outbox.set_state(cid, OutboxState.FAILED, reason)
        self._changed(room, cid, OutboxState.FAILED, reason=reason)

    def _changed(
        self,
        room: str,
        cid: str,
        state: OutboxState,
        *,
        reason: Reason | None = None,
        seq: int = 0,
        again: float | None = None,
    ) -> None:
        waiting = self._cache.outbox.waiting
        self._tell(news.OutboxChanged(room, cid, state, waiting, reason, seq, again))
