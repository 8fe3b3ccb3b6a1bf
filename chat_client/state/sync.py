"""Syncs the rooms: which events to fetch, from which position, and whether the histories match."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.history import History
from chat_client.state.link import ServerLink
from chat_client.state.outbox import Outbox
from common.domain.names import direct_members
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import known_event
from common.protocol.events import Event

CATCH_UP_LIMIT: Final = 300
"""Maximum number of missing events of a room to catch up with when `on_demand`."""


class Sync:
    """Brings rooms up to date, and keeps each room's events without gaps.

    `follow` names the rooms to fetch; None means all. `on_event` is called for each new event
    before it is stored; when it returns False, no further one is. With `on_demand`, only the
    newest events are fetched if many are missing. `me()` is this account's username.
    """

    def __init__(
        self,
        cache: Cache,
        link: ServerLink,
        tell: Callable[[news.News], object],
        outbox: Outbox,
        *,
        me: Callable[[], str],
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        on_demand: bool = False,
    ) -> None:
        self._cache = cache
        self._link = link
        self._tell = tell
        self._outbox = outbox
        self._me = me
        self._follow = follow
        self._on_event = on_event
        self._on_demand = on_demand
        self._started: set[str] = set()
        """Rooms that were synced on this connection, and are not to be synced again."""
        self._verified_rooms: set[str] = set()
        """Rooms whose cached events match the server's log, as seen on this connection."""
        self._reset_rooms: set[str] = set()
        """Rooms that were reset on this connection: a second time would be a loop."""
        self._skipped: dict[str, int] = {}
        """Rooms whose delivery starts after this position, and not after the cached one."""
        self._listed = False
        """Whether the list of rooms is complete on this connection."""
        self._heads: dict[str, int] = {}
        """By room: the last event that was there when delivery started on this connection."""
        self._is_new = False
        """Whether the cache has had nothing of this server, and not all rooms are listed yet."""
        self._begun: set[str] = set()
        """Direct conversations that began on this connection."""
        self._new_here: set[str] = set()
        """Rooms whose events up to the head were sent before this device had any of them.

        They are so until all of these are here, however often the connection breaks off meanwhile.
        """
        self.history = History(self, link.ask, tell, link.fault)

    def forget(self) -> None:
        """A new connection: sync and verify everything again."""
        self._started.clear()
        self._verified_rooms.clear()
        self._reset_rooms.clear()
        self._skipped.clear()
        self._heads.clear()
        self._begun.clear()
        self._listed = False

    def meet(self, epoch: str) -> None:
        """Compare the server's epoch with the cache's; another one resets the cache."""
        known = self._cache.meta("epoch")
        self._is_new = self._is_new or known != epoch
        if known is None:
            self._cache.set_meta("epoch", epoch)
        elif known != epoch:
            self._cache.reset(epoch)
            # Also if the list of rooms is the same.
            self._tell(news.CacheReset())
            for room in self._cache.rooms():
                self._tell(news.RoomSeen(room))

    def _bring(self, *rooms: str) -> None:
        """Add the rooms to the cache, and sync those that are followed."""
        for room in rooms:
            self._cache.add_room(room)
            self._tell(news.RoomSeen(room))
        positions = {
            room: self._cache.position(room)
            for room in rooms
            if room not in self._started and (self._follow is None or room in self._follow)
        }
        self._started.update(positions)
        if positions:
            last = self._cache.cids(positions)
            most = CATCH_UP_LIMIT if self._on_demand else None
            self._link.ask(messages.Sync, positions=positions, last=last, most=most)

    def listed(self, rooms: Sequence[str], ended: bool, now: float) -> None:
        """The account is in these rooms, and in no others once the list has `ended`."""
        if self._is_new:
            self._new_here.update(rooms)
        self._bring(*rooms)
        if ended:
            self._is_new = False
            self._listed = True
            self._tell(news.Listed())
            self.history.go_on()
            self._outbox.send_next(now)

    def room_added(self, added: messages.RoomAdded, _now: float) -> None:
        """The account is in a new room."""
        room = added.room.room
        # A direct conversation begins with a message that was sent just now. What was said in
        # another room before one came to it is not new.
        (self._begun if direct_members(room) is not None else self._new_here).add(room)
        self._bring(room)

    def synced(self, synced: messages.Synced, asked: messages.Sync, now: float) -> None:
        """The reply to `sync`: delivery starts in these rooms, or was refused."""
        # The heads are not stored: only the events that follow count.
        self._verified_rooms.update(synced.heads.keys() & asked.positions.keys())
        self._heads.update(synced.heads)
        for room, head in synced.heads.items():
            if head <= self._cache.position(room):
                self._new_here.discard(room)
        for room in synced.skipped:
            if asked.most is not None and room in synced.heads and room in asked.positions:
                self._skip(room, synced.heads[room])
        refused = synced.refused.keys() & asked.positions.keys()
        # Rooms that the server lists and does not have, or refuses for an unknown reason, are
        # skipped.
        self._started -= refused
        ahead = []
        for room in sorted(refused):
            code = synced.refused[room]
            if code == "position_ahead":
                ahead.append(room)
            else:
                self._tell(news.RoomRefused(room, Reason(code, {"room": room})))
        if ahead:
            self._reset(ahead, asked, now)
        self.history.go_on()
        self._outbox.send_next(now)

    def _skip(self, room: str, head: int) -> None:
        """Too many events are missing: fetch the newest page, the others on demand."""
        position = self._cache.position(room)
        if head <= position:
            return
        self._skipped[room] = head
        if not position and direct_members(room) is None:
            # What was said before one came to a room is not new. A direct conversation begins with
            # both: if nothing of it is here, nothing of it was read.
            self._cache.begin_reading(room, head)
            position = head
        self._tell(news.Skipped(room, position, head, self._came(room)))
        self.history.want(news.Wanted(room), first=False)

    def _came(self, room: str) -> news.Came:
        """How the events of a room come that were there when delivery started."""
        if room in self._begun:
            return "live"
        return "before" if room in self._new_here else "away"

    # For the history

    def is_ready(self, room: str) -> bool:
        """Whether the cached events of a room are verified, or the room is not synced at all."""
        # Of one that is not brought at all the server says why, if it is asked.
        return room in self._verified_rooms or (self._listed and room not in self._started)

    def end(self, room: str) -> int:
        """The `seq` before the next event that the server will deliver."""
        return max(self._cache.position(room), self._skipped.get(room, 0))

    def store_past(self, events: Sequence[Event], upto: int, *, newest: bool) -> None:
        """Store a page of history; with `newest` it ends where the server's delivery starts."""
        events = [self._cache.erasure.apply(event) for event in events]
        self._cache.add_past(events, upto)
        self._erase_senders(events)
        if newest:
            self._read_by_answering(events)
            self._new_here.discard(events[0].room)
        self._take_own(events)
        if newest and self._cache.outbox.send_again(events[0].room):
            # Acknowledged by a server whose backup may have been restored since: only what was said
            # in between, which is not here, would tell. It has those it knows once all the same.
            self._outbox.begin_again(events[0].room)

    def _reset(self, rooms: Sequence[str], refused: messages.Sync, now: float) -> None:
        """The server was restored from a backup, with its epoch: fetch these rooms again."""
        # No position can be before the room's beginning: from there the events are right.
        again = not self._reset_rooms.isdisjoint(rooms)
        if again or not all(refused.positions[room] for room in rooms):
            self._link.fault(Reason("unknown_places"), now)
            return
        self._reset_rooms.update(rooms)
        self._outbox.begin_again(*rooms)
        for room in rooms:
            self._cache.forget_room(room)
            self._skipped.pop(room, None)
        self._tell(news.CacheReset(tuple(rooms)))
        self._new_here.update(rooms)
        self._bring(*rooms)

    def acknowledged(self, ack: messages.Ack, asked: messages.Send, now: float) -> None:
        """A message of this account was acknowledged; returns its event if it follows the cache."""
        if (ack.room, ack.cid) != (asked.room, asked.cid):
            self._link.fault(Reason("unasked_ack"), now)
            return
        out = self._outbox.acknowledged(ack.cid)
        if out is not None:
            position = self.end(ack.room)
            # Before it is verified, the cache may be of a diverged history. With a new event on top
            # it would pass the comparison by the newest event's `cid`.
            confirmed = position == 0 or ack.room in self._verified_rooms
            if ack.seq == position + 1 and confirmed:
                me, at = self._me(), ack.sent_at
                event = Event(ack.room, ack.seq, out.kind, me, at, ack.cid, out.body)
                self._take([known_event(event)], now)
            else:
                self._outbox.ahead(ack, is_here=confirmed and ack.seq <= position)
        self._outbox.send_next(now)

    def heard(self, events: Sequence[Event], now: float) -> None:
        """Events arrived; their rooms must have been synced."""
        if self._started.issuperset({event.room for event in events}):
            self._take(events, now)
        else:
            self._link.fault(Reason("unasked_room"), now)

    def _take(self, events: Sequence[Event], now: float) -> None:
        """Store the events that follow the rooms' positions, consecutive ones together."""
        fresh: list[Event] = []
        for event in events:
            if fresh and event.room != fresh[0].room:
                self._store(fresh)
                fresh = []
            position = fresh[-1].seq if fresh else self.end(event.room)
            if event.seq <= position:
                continue  # A duplicate: a page and an acknowledgement may both bring it.
            if event.seq > position + 1:
                # The server leaves no gaps; syncing again from our position is always right.
                self._store(fresh)
                self._link.fault(Reason("gap"), now)
                return
            fresh.append(self._cache.erasure.apply(event))
            if self._on_event is not None:
                shown = fresh[-1]
                self._store(fresh)
                fresh = []
                if not self._on_event(shown):
                    self._link.sign_out(Reason("enough"))
                    return
        self._store(fresh)

    def _store(self, events: Sequence[Event]) -> None:
        """Store consecutive new events of a room, and report them."""
        if not events:
            return
        room = events[0].room
        read = max(self._cache.add_events(events), self._read_by_answering(events))
        self._verified_rooms.add(room)
        head = self._heads.get(room, 0)
        fetched = tuple(event for event in events if event.seq <= head)
        if fetched:
            if self._came(room) == "before" and direct_members(room) is None:
                # As where there is more of it than is fetched at once; see `_skip`.
                known = max(read, self._cache.begin_reading(room, fetched[-1].seq))
            else:
                known = read
            self._tell(news.EventsAdded(room, fetched, known, self._came(room)))
            if fetched[-1].seq == head:
                self._new_here.discard(room)
        if len(fetched) < len(events):
            self._tell(news.EventsAdded(room, tuple(events[len(fetched) :]), read))
        # Reported after the events: what has left the outbox must be visible in its room by then.
        self._take_own(events)
        self._erase_senders(events)

    def _erase_senders(self, events: Sequence[Event]) -> None:
        """Remove the messages of those who, by these events, had all of theirs removed.

        Pages that were on their way may still bring some: they are stored without their texts.
        """
        for event in events:
            if event.removes_messages and self._cache.erasure.add(event.sender):
                self._tell(news.MessagesErased(event.sender))

    def _read_by_answering(self, events: Sequence[Event]) -> int:
        """Mark a room as read up to the last message that was sent from another device, if any.

        Whoever answers has read what stands before. Not so for what was written here: it may have
        waited in the outbox, and stand below messages that nobody has seen yet.
        """
        me = self._me()
        answers = (event for event in reversed(events) if event.sender == me and event.is_message)
        seq = next((event.seq for event in answers if not self._outbox.has(event.cid)), 0)
        if seq:
            self._cache.mark_read(events[0].room, seq)
        return seq

    def _take_own(self, events: Sequence[Event]) -> None:
        """Remove this account's own messages from the outbox, now that their events are cached."""
        me = self._me()
        for event in events:
            if event.sender == me:
                self._outbox.in_room(event)
