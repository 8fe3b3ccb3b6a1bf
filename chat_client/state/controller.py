"""The client's behaviour without a socket or a thread: inputs and the time in, frames and news out.

Whoever drives it calls every method inside one transaction of the cache, commits, and only
then transmits `take_frames` and tells `take_news`: so what is sent or shown is kept already.
`now` is in seconds on the monotonic clock; wall-clock times are only stored for display.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.arrivals import in_runs
from chat_client.state.attempts import Attempt
from chat_client.state.backoff import Backoff
from chat_client.state.outgoing import Delivery
from chat_client.state.status import Link, Status
from common import limits, messages
from common.messages import Event
from common.protocol import ClientEnd, Phase

_COMES_BACK: Final = {"server_closing", "too_slow", "timeout", "internal"}
"""Goodbyes after which the client tries again by itself."""


@dataclass(frozen=True, slots=True)
class Program:
    """What this client tells about itself."""

    name: str
    device: str


class Controller:
    """One account's conversation with its server, across connections.

    `follow` names the rooms to fetch; None means all. `on_event` is told each new event
    before the transaction that stores it ends; when it returns False, that was the last one.
    `new_id` makes 128 random bits in hexadecimal.
    """

    def __init__(
        self,
        account: Account,
        cache: Cache,
        program: Program,
        backoff: Backoff,
        new_id: Callable[[], str],
        *,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
    ) -> None:
        self.account = account
        self.status = Status(Link.CONNECTING)
        self._cache = cache
        self._program = program
        self._backoff = backoff
        self._new_id = new_id
        self._follow = follow
        self._on_event = on_event
        self._end: ClientEnd | None = None
        self._frames: list[bytes] = []
        self._news: list[news.News] = []
        self._requests = 0
        self._asked: dict[int, messages.Command] = {}
        self._in_flight: str | None = None
        self._confirmed: set[str] = set()
        """Rooms whose copy is of this server as it is now: seen on this connection."""
        self._hold_until = 0.0
        self._compare_first = False
        """Whether to send nothing before all copies are compared: some may have to go again."""
        self._heard = 0.0
        self._told = 0.0
        self._closed = ""
        """Why there is no server to be reached, if it said so itself with its last words."""
        # What each handler takes is its key's own type, which a mapping can't say: hence Any.
        self._handlers: Final[Mapping[type, Callable[[Any, float], None]]] = {
            messages.Welcome: self._welcome,
            messages.SignedIn: self._signed_in,
            messages.Synced: self._synced,
            messages.Ack: self._ack,
            messages.People: self._people,
            messages.Rooms: self._rooms,
            messages.Pong: self._answered,
            messages.PersonChanged: self._person,
            messages.RoomAdded: self._room_added,
            messages.Error: self._error,
            messages.Goodbye: self._goodbye,
        }

    # What to do next

    @property
    def wants_connection(self) -> bool:
        """Whether a connection is to be made now."""
        return self.status.link is Link.CONNECTING and self._end is None

    @property
    def wants_hang_up(self) -> bool:
        """Whether the present connection has no more use."""
        return self._end is None

    def take_frames(self) -> bytes:
        """What to transmit."""
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames

    def take_news(self) -> list[news.News]:
        """What to tell the front end."""
        taken, self._news = self._news, []
        return taken

    # The connection

    def connected(self, now: float) -> None:
        """A connection stands, to the server with the pinned certificate."""
        self._end = ClientEnd()
        self._closed = ""
        self._heard = self._told = now
        self._asked.clear()
        self._confirmed.clear()
        self._in_flight = None
        self._hold_until = 0.0
        self._ask(messages.Hello, protocol=limits.PROTOCOL_VERSION, program=self._program.name)

    def lost(self, why: str, now: float, attempts: tuple[Attempt, ...] = ()) -> None:
        """The connection is gone, or could not be made: try again after a pause."""
        self._end = None
        self._in_flight = None
        self._frames.clear()
        if self.status.link in {Link.CONNECTING, Link.ONLINE}:
            retry_at = now + self._backoff.next()
            self._set(Status(Link.PAUSED, why, retry_at=retry_at, attempts=attempts))

    def unreachable(self, why: str, now: float, attempts: tuple[Attempt, ...] = ()) -> None:
        """No connection could be made: try again after a pause.

        A server that was stopped in order has said why there is none; that is the better reason.
        """
        self.lost(self._closed or why, now, attempts)

    def refused(
        self,
        why: str,
        code: str,
        field: str = "",
        suggestion: str = "",
        attempts: tuple[Attempt, ...] = (),
    ) -> None:
        """Trying again would change nothing."""
        self._end = None
        self._frames.clear()
        self._set(
            Status(
                Link.REFUSED,
                why,
                code=code,
                field=field,
                suggestion=suggestion,
                attempts=attempts,
            )
        )

    def failed(self, why: str, code: str) -> None:
        """This computer can't go on; nothing may be asked of the cache any more."""
        self._end = None
        self.status = Status(Link.REFUSED, why, code=code)
        self._news.append(news.StatusChanged(self.status, 0))

    def received(self, data: bytes, now: float) -> None:
        """Bytes came. Raises RemoteProtocolError when the server breaks its rules."""
        end = self._end
        if end is None:
            return
        self._heard = now
        for said in in_runs(end.receive(data)):
            if isinstance(said, list):
                self._events(said, now)
            else:
                if isinstance(said, messages.Reply):
                    self._asked.pop(said.re, None)
                self._handlers[type(said)](said, now)
            if self._end is not end:
                return

    def tick(self, now: float) -> None:
        """Let time do its part; call it at `deadline`."""
        if self.status.link is Link.PAUSED and now >= self.status.retry_at:
            self._set(Status(Link.CONNECTING))
        if self._end is None:
            return
        if now - self._heard >= limits.SILENCE_DEADLINE:
            self.lost("The server does not answer", now)
        elif self._end.phase is Phase.READY:
            if now - self._told >= limits.PING_INTERVAL:
                self._told = now
                self._ask(messages.Ping)
            self._send_next(now)

    def deadline(self) -> float:
        """When `tick` has something to do at the latest."""
        if self.status.link is Link.PAUSED:
            return self.status.retry_at
        if self._end is None:
            return math.inf
        times = [self._told + limits.PING_INTERVAL, self._heard + limits.SILENCE_DEADLINE]
        if self._hold_until:
            times.append(self._hold_until)
        return min(times)

    # What the person does

    def say(self, room: str, text: str, written_at: int) -> str:
        """Write a message: it is kept, and sent as soon as there is a connection. Its cid."""
        cid = self._new_id()
        if self._cache.add_room(room):
            self._news.append(news.RoomSeen(room))
        self._cache.put_out(room, cid, text, written_at)
        self._outbox_changed(room, cid, Delivery.WAITING)
        return cid

    def open_room(self, room: str) -> None:
        """Have a direct conversation among the rooms before anything is said in it."""
        if self._cache.add_room(room):
            self._news.append(news.RoomSeen(room))

    def drop(self, cid: str) -> None:
        """Give up a message that could not be sent, or still waits."""
        out = self._cache.outgoing(cid)
        if out is not None and out.state is not Delivery.SENT and cid != self._in_flight:
            self._cache.take_out(cid)
            self._outbox_changed(out.room, cid, Delivery.DROPPED)

    def mark_read(self, room: str, seq: int) -> None:
        """The person has seen a room up to `seq`."""
        self._cache.mark_read(room, seq)

    def connect_now(self) -> None:
        """The person wants a connection now, whatever ended the last one."""
        if self._end is None and self.status.link is not Link.CONNECTING:
            self._backoff.reset()
            self._set(Status(Link.CONNECTING))

    # What the server says

    def _welcome(self, welcome: messages.Welcome, _now: float) -> None:
        if welcome.protocol != limits.PROTOCOL_VERSION:
            self.refused(
                f"This chat speaks protocol {welcome.protocol}, this program "
                f"{limits.PROTOCOL_VERSION}; use the same version of both programs",
                "version",
            )
            return
        epoch = self._cache.meta("epoch")
        if epoch is None:
            self._cache.set_meta("epoch", welcome.epoch)
        elif epoch != welcome.epoch:
            self._cache.start_over(welcome.epoch)
            # Also which rooms there are all the same.
            self._news.append(news.StartedOver())
            self._news += map(news.RoomSeen, self._cache.rooms())
        account = self.account
        if account.invite.server_name != welcome.server_name:
            invite = replace(account.invite, server_name=welcome.server_name)
            self.account = account = replace(account, invite=invite)
        if account.joined:
            self._ask(
                messages.SignIn,
                username=account.username,
                token=account.token,
                device=self._program.device,
                resume=self._cache.meta("session") or None,
            )
        else:
            self._ask(
                messages.Join,
                secret=account.invite.secret,
                username=account.username,
                display_name=account.display_name,
                token=account.token,
                device=self._program.device,
            )

    def _signed_in(self, signed_in: messages.SignedIn, now: float) -> None:
        self.account = self.account.confirmed(signed_in.username, signed_in.display_name)
        self._cache.set_meta("session", signed_in.session)
        self._news.append(news.AccountChanged(self.account))
        self._backoff.reset()
        # What was acknowledged and is gone with what was set back goes before what was written
        # after it.
        self._compare_first = self._cache.has_unseen()
        self._set(Status(Link.ONLINE))
        self._ask(messages.ListPeople)
        self._send_next(now)

    def _people(self, people: messages.People, _now: float) -> None:
        for person in people.people:
            self._see(person)
        if people.more and people.people:
            self._ask(messages.ListPeople, after=people.people[-1].username)
        else:
            self._ask(messages.ListRooms)

    def _rooms(self, rooms: messages.Rooms, now: float) -> None:
        self._sync(*(room.room for room in rooms.rooms))
        if rooms.more and rooms.rooms:
            self._ask(messages.ListRooms, after=rooms.rooms[-1].room)
        else:
            self._news.append(news.Listed())
            self._send_next(now)

    def _room_added(self, added: messages.RoomAdded, _now: float) -> None:
        self._sync(added.room.room)

    def _sync(self, *rooms: str) -> None:
        """Know the rooms, and have those brought that are followed."""
        for room in rooms:
            self._cache.add_room(room)
            self._news.append(news.RoomSeen(room))
        positions = {
            room: self._cache.position(room)
            for room in rooms
            if self._follow is None or room in self._follow
        }
        if positions:
            self._ask(messages.Sync, positions=positions, last=self._cache.times(positions))

    def _synced(self, synced: messages.Synced, now: float) -> None:
        self._confirmed.update(synced.heads)
        self._send_next(now)

    def _set_back(self, refused: messages.Sync, field: str) -> None:
        """The server was set back without a new epoch: fetch again what is of before that.

        Where one room shows it, the others of the command are of the same time. But those that
        were compared on this connection are right, and would not be brought twice on it.
        """
        shown = field.partition(".")[2]
        rooms = [r for r in refused.positions if r == shown or r not in self._confirmed]
        for room in rooms:
            self._cache.forget_room(room)
        self._news.append(news.StartedOver(tuple(rooms)))
        self._sync(*refused.positions)

    def _person(self, changed: messages.PersonChanged, _now: float) -> None:
        self._see(changed.person)

    def _see(self, person: messages.Person) -> None:
        self._cache.add_person(person)
        self._news.append(news.PersonSeen(person))

    def _events(self, events: Sequence[Event], now: float) -> None:
        """Take what follows the rooms' positions, as much at once as belongs together."""
        fresh: list[Event] = []
        for event in events:
            if fresh and event.room != fresh[0].room:
                self._store(fresh)
                fresh = []
            position = fresh[-1].seq if fresh else self._cache.position(event.room)
            if event.seq <= position:
                continue  # Already here: a page and an acknowledgement may both bring it.
            if event.seq > position + 1:
                # The server leaves no gaps; asking again from our position is always right.
                self._store(fresh)
                self.lost("Something was missed on the way", now)
                return
            fresh.append(event)
            if self._on_event is not None:
                self._store(fresh)
                fresh = []
                if not self._on_event(event):
                    self._end = None
                    self._set(Status(Link.SIGNED_OUT, "enough was heard", code="enough"))
                    return
        self._store(fresh)

    def _store(self, events: Sequence[Event]) -> None:
        """Keep consecutive new events of a room, and tell of them."""
        if not events:
            return
        read = self._cache.add_events(events)
        room = events[0].room
        self._confirmed.add(room)
        last = self._news[-1] if self._news else None
        if isinstance(last, news.EventsAdded) and last.room == room:
            read = max(last.read, read)
            self._news[-1] = news.EventsAdded(room, (*last.events, *events), read)
        else:
            self._news.append(news.EventsAdded(room, tuple(events), read))
        # Told after the events: what has left the outbox must be seen in its room by then.
        me = self.account.username
        for event in events:
            if event.sender == me and event.cid is not None:
                self._own_came(event, event.cid)

    def _own_came(self, event: Event, cid: str) -> None:
        """A message of this account is in its room: it leaves the outbox, if it was there."""
        if cid == self._in_flight:
            self._in_flight = None
        out = self._cache.outgoing(cid)
        self._cache.take_out(cid)
        # Of an acknowledgement that was ahead, SENT has been told already.
        if out is not None and out.state is not Delivery.SENT:
            self._outbox_changed(event.room, cid, Delivery.SENT, seq=event.seq)

    def _ack(self, ack: messages.Ack, now: float) -> None:
        self._in_flight = None
        self._backoff.reset()
        out = self._cache.outgoing(ack.cid)
        if out is not None:
            position = self._cache.position(ack.room)
            # Until the server has compared it, a copy may be of another history: with an event of
            # now on top of it, it would pass for one of this.
            confirmed = position == 0 or ack.room in self._confirmed
            if ack.seq == position + 1 and confirmed:
                self._events([_own_event(self.account.username, out.text, ack)], now)
            else:
                # Ahead of what is here: its event comes with those before it. Else it is here.
                self._cache.mark_out(ack.cid, Delivery.SENT)
                if ack.seq <= position:
                    self._cache.take_out(ack.cid)
                self._outbox_changed(ack.room, ack.cid, Delivery.SENT, seq=ack.seq)
        self._send_next(now)

    def _error(self, error: messages.Error, now: float) -> None:
        asked = self._asked.pop(error.re, None) if error.re is not None else None
        match asked:
            case messages.Hello() | messages.Join() | messages.SignIn():
                if error.retryable:
                    self.lost(_sentence(error.message), now)
                else:
                    why, field = _sentence(error.message), error.field or ""
                    self.refused(why, error.code, field, error.suggestion or "")
            case messages.Send():
                self._in_flight = None
                if error.retryable:
                    self._hold_until = now + self._backoff.next()
                else:
                    self._cache.mark_out(asked.cid, Delivery.FAILED, error.message)
                    self._outbox_changed(
                        asked.room, asked.cid, Delivery.FAILED, reason=error.message
                    )
                    self._send_next(now)
            case messages.Sync() if error.code == "position_ahead":
                self._set_back(asked, error.field or "")
                self._send_next(now)
            case _:
                self.lost(_sentence(error.message), now)

    def _goodbye(self, goodbye: messages.Goodbye, now: float) -> None:
        why = goodbye.reason or goodbye.code.replace("_", " ")
        if goodbye.code in _COMES_BACK:
            self.lost(why.rstrip("."), now)
            if goodbye.code == "server_closing":
                self._closed = why.rstrip(".")
        else:
            self._end = None
            self._set(Status(Link.SIGNED_OUT, why, code=goodbye.code))

    def _answered(self, reply: messages.Reply, _now: float) -> None:
        """Nothing follows from it."""

    # Shared

    def _send_next(self, now: float) -> None:
        """Send the oldest waiting message. One at a time keeps their order whatever fails."""
        if self._in_flight is not None or self._end is None or now < self._hold_until:
            return
        if self._end.phase is not Phase.READY:
            return
        if self._compare_first:
            asked = (messages.ListPeople, messages.ListRooms, messages.Sync)
            if any(isinstance(command, asked) for command in self._asked.values()):
                return
            self._compare_first = False
        self._hold_until = 0.0
        out = self._cache.next_waiting()
        if out is not None:
            self._in_flight = out.cid
            self._told = now
            self._ask(messages.Send, room=out.room, cid=out.cid, text=out.text)

    def _ask(self, command: Callable[..., Any], **fields: object) -> None:
        if self._end is None:
            return
        self._requests += 1
        message = command(id=self._requests, **fields)
        self._asked[self._requests] = message
        self._frames.append(self._end.send(message))

    def _set(self, status: Status) -> None:
        self.status = status
        self._news.append(news.StatusChanged(status, self._cache.waiting()))

    def _outbox_changed(
        self, room: str, cid: str, state: Delivery, *, reason: str = "", seq: int = 0
    ) -> None:
        waiting = self._cache.waiting()
        self._news.append(news.OutboxChanged(room, cid, state, waiting, reason, seq))


def _own_event(username: str, text: str, ack: messages.Ack) -> Event:
    return Event(
        room=ack.room,
        seq=ack.seq,
        kind="message",
        sender=username,
        text=text,
        sent_at=ack.sent_at,
        cid=ack.cid,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
