"""The client's behaviour without a socket or a thread: inputs and the time in, frames and news out.

Whoever drives it calls every method inside one transaction of the cache, commits, and only
then transmits `take_frames` and tells `take_news`: so what is sent or shown is kept already.
`now` is in seconds on the monotonic clock; wall-clock times are only stored for display.
"""

import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from chat_client.cache.cache import Cache
from chat_client.cache.rows import is_session
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.arrivals import in_runs
from chat_client.state.attempts import Attempt
from chat_client.state.backoff import Backoff
from chat_client.state.directory import Directory
from chat_client.state.history import History
from chat_client.state.moderation import Moderation
from chat_client.state.outgoing import Delivery, Outgoing
from chat_client.state.status import STORAGE, Link, Status
from common import limits, messages
from common.events import MESSAGE, Event
from common.protocol import ClientEnd, Phase, understood
from common.reasons import Reason

log = logging.getLogger(__name__)

MOST_MISSING: Final = 300
"""Events of a room that are fetched at once when there is no need for all of them."""
HEALTHY: Final = 30.0
"""Seconds after which a connection counts as a good one: the next pause is a short one again."""
MOST_FAULTS: Final = 6
"""Breaches of the protocol, without a good connection in between, after which to stop trying."""
MOST_REFUSALS: Final = 8
"""Refusals of one message, to be tried again, after which it is left to the person. They may come
of the message itself, and what was written after it is not to wait for ever."""
_NOT_OF_THE_MESSAGE: Final = {"busy", "disk_full", "rate_limited"}
"""Refusals for what goes on at the server, however often they come."""
_IN_FLIGHT_BYTES: Final = 256 * 1024
"""Of texts that are under way at once: what the server is ready to take without a pause."""

_RESUMED_DEADLINE: Final = 5.0
"""Seconds within which the server must say something after this computer was suspended."""
_COMES_BACK: Final = {"server_closing", "too_slow", "timeout", "internal"}
"""Goodbyes after which the client tries again by itself. Any other is final."""


@dataclass(frozen=True, slots=True)
class Program:
    """What this client tells about itself."""

    name: str
    device: str
    capabilities: tuple[str, ...] = ()


class Controller:
    """One account's conversation with its server, across connections.

    `follow` names the rooms to fetch; None means all. `on_event` is told each new event
    before the transaction that stores it ends; when it returns False, that was the last one.
    `new_id` makes the id of a message. `at_once` is how many messages may be under way
    unanswered; each names the one before it, so that none overtakes one that is refused. With
    `on_demand` a long history is not fetched at once: see `load_history`.
    """

    def __init__(  # noqa: PLR0915 - one statement for each field
        self,
        account: Account,
        cache: Cache,
        program: Program,
        backoff: Backoff,
        new_id: Callable[[], str],
        *,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        at_once: int = 1,
        on_demand: bool = False,
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
        self._at_once = at_once
        self._on_demand = on_demand
        self._in_flight: dict[str, int] = {}
        """Messages that are sent and not answered, oldest first: their `cid` and bytes."""
        self._sent_up_to = 0
        """The number of the message of the outbox that was sent last."""
        self._answers_first = False
        """Whether to send nothing before all that is in flight is answered: the oldest message
        that waits was refused or may be gone, and goes out before what was written after it."""
        self._acknowledged = 0
        """The number of the newest message that was ever acknowledged: each counts once, so that
        no server shortens the pauses with one message again and again."""
        self._refused_often = ("", 0)
        """The oldest message that waits, if it is refused for itself, and how often that was."""
        self._started: set[str] = set()
        """Rooms that are to be brought on this connection: asking again changes nothing."""
        self._confirmed: set[str] = set()
        """Rooms whose copy is of this server as it is now: seen on this connection."""
        self._were_set_back: set[str] = set()
        """Rooms fetched anew on this connection, which can't be needed twice."""
        self._history = History(cache, self._ask, self._news_of, self.fault)
        self._skipped: dict[str, int] = {}
        """Rooms whose events begin after this place on this connection."""
        self._directory = Directory(cache, self._ask, self._news_of, self.fault, self._rooms_listed)
        self._faults = 0
        self._healthy_at: float | None = None
        """When the present connection will count as a good one, if it does not yet."""
        self._retry = Backoff(backoff.chance)
        """The pauses before messages that were refused are sent again."""
        self._before_trouble = Status(Link.CONNECTING)
        """What the connection was doing when nothing could be stored any more."""
        self._moderating: dict[int, Moderation] = {}
        """What is to be done to people, and is not answered."""
        self._hold_until = 0.0
        self._compare_first = False
        """Whether to send nothing before all copies are compared: some may have to go again."""
        self._heard = 0.0
        self._told = 0.0
        self._closed: Reason | None = None
        """Why there is no server to be reached, if it said so itself with its last words."""
        self._replies = self._reply_handlers()
        self._handlers = self._push_handlers()

    # What each handler takes is its key's own type, which a mapping can't say: hence Any.

    def _reply_handlers(self) -> Mapping[type, tuple[Any, Callable[[Any, Any, float], None]]]:
        """By reply: the command it answers, and who takes both."""
        return {
            messages.Welcome: (messages.Hello, self._welcome),
            messages.SignedIn: (messages.Join | messages.SignIn, self._signed_in),
            messages.Synced: (messages.Sync, self._synced),
            messages.HistoryPage: (messages.History, self._history.page),
            messages.Ack: (messages.Send, self._ack),
            messages.People: (messages.ListPeople, self._directory.people),
            messages.Online: (messages.ListOnline, self._directory.online),
            messages.Rooms: (messages.ListRooms, self._directory.rooms),
            messages.Pong: (messages.Ping, self._answered),
            messages.Done: (
                messages.MutePerson | messages.Unmute | messages.Ban | messages.Terminate,
                self._done,
            ),
        }

    def _push_handlers(self) -> Mapping[type, Callable[[Any, float], None]]:
        return {
            messages.PersonChanged: self._directory.person_changed,
            messages.PresenceChanged: self._directory.presence_changed,
            messages.RoomAdded: self._room_added,
            messages.ServerChanged: self._server_changed,
            messages.MuteChanged: self._mute_changed,
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

    def begin(self) -> None:
        """Once, before anything else: this program may understand more than the one before."""
        rooms = self._cache.understand(understood)
        if rooms:
            self._news.append(news.Understood(tuple(rooms)))

    # The connection

    def connected(self, now: float) -> None:
        """A connection stands, to the server with the pinned certificate."""
        self._end = ClientEnd()
        self._closed = None
        self._heard = self._told = now
        self._asked.clear()
        self._started.clear()
        self._confirmed.clear()
        self._were_set_back.clear()
        self._skipped.clear()
        self._history.forget()
        self._forget_sending()
        self._ask(
            messages.Hello,
            protocol=limits.PROTOCOL_VERSION,
            capabilities=self._program.capabilities,
            program=self._program.name,
        )

    def lost(
        self, reason: Reason, now: float, attempts: tuple[Attempt, ...] = (), *, wait: float = 0.0
    ) -> None:
        """The connection is gone, or could not be made: try again after a pause.

        It takes `wait` seconds at least.
        """
        self._leave()
        if self.status.link in {Link.CONNECTING, Link.ONLINE}:
            retry_at = now + max(wait, self._backoff.next())
            self._set(Status(Link.PAUSED, reason, retry_at=retry_at, attempts=attempts))

    def fault(self, reason: Reason, now: float) -> None:
        """The server broke the protocol: try again after a pause, but not for ever.

        What has gone wrong so often goes wrong again; the person decides then.
        """
        self._faults += 1
        if self._faults < MOST_FAULTS or self.status.link not in {Link.CONNECTING, Link.ONLINE}:
            self.lost(reason, now)
            return
        self._leave()
        params = {**reason.params, "why": reason.code}
        self._set(Status(Link.STOPPED, Reason("given_up", params)))

    def unreachable(self, now: float, attempts: tuple[Attempt, ...] = ()) -> None:
        """No connection could be made: try again after a pause.

        A server that was stopped in order has said why there is none; that is the better reason.
        """
        self.lost(self._closed or Reason("unreachable"), now, attempts)

    def refused(self, reason: Reason, field: str = "", attempts: tuple[Attempt, ...] = ()) -> None:
        """Trying again would change nothing."""
        self._leave()
        self._set(Status(Link.REFUSED, reason, field=field, attempts=attempts))

    def storage_failed(self, reason: Reason, now: float, pause: float) -> None:
        """What was done last could not be stored and did not happen. Asks nothing of the cache.

        The connection goes with it: what came on it comes again. `storage_works` ends this.
        """
        self._leave()
        self._news.clear()  # They tell of what did not happen.
        if not self.storage_trouble:
            self._before_trouble = self.status
        self._set(Status(Link.PAUSED, reason, retry_at=now + pause))

    @property
    def storage_trouble(self) -> bool:
        """Whether this computer could not store what was done last."""
        return self.status.link is Link.PAUSED and self.status.code in STORAGE

    def storage_works(self) -> None:
        """Something was stored again: go on where the trouble began."""
        ended = {Link.SIGNED_OUT, Link.REFUSED, Link.STOPPED}
        before = self._before_trouble
        self._set(before if before.link in ended else Status(Link.CONNECTING))

    def failed(self, reason: Reason) -> None:
        """This computer can't go on; nothing may be asked of the cache any more."""
        self._end = None
        self.status = Status(Link.REFUSED, reason)
        self._news.append(news.StatusChanged(self.status, 0))

    def received(self, data: bytes, now: float) -> None:
        """Bytes came. Raises RemoteProtocolError when the server breaks its rules."""
        end = self._end
        if end is None:
            return
        self._heard = now
        for said in in_runs(end.receive(data)):
            if isinstance(said, list):
                if self._started.issuperset({event.room for event in said}):
                    self._events(said, now)
                else:
                    self.fault(Reason("unasked_room"), now)
            elif isinstance(said, messages.Reply):
                self._reply(said, now)
            else:
                self._handlers[type(said)](said, now)
            if self._end is not end:
                return

    def _reply(self, reply: messages.Reply, now: float) -> None:
        known = self._replies.get(type(reply))  # not what only a host asks for
        asked = self._asked.pop(reply.re, None)
        if known is not None and isinstance(asked, known[0]):
            known[1](reply, asked, now)
        else:
            self.fault(Reason("unasked_answer"), now)

    def tick(self, now: float) -> None:
        """Let time do its part; call it at `deadline`."""
        waited = self.status.link is Link.PAUSED and now >= self.status.retry_at
        if waited and not self.storage_trouble:
            self._set(Status(Link.CONNECTING))
        if self._end is None:
            return
        if self._healthy_at is not None and now >= self._healthy_at:
            self._healthy_at = None
            self._faults = 0
            self._backoff.reset()
        if now - self._heard >= limits.SILENCE_DEADLINE:
            self.lost(Reason("no_answer"), now)
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
        if self._hold_until and not self._in_flight:
            times.append(self._hold_until)
        if self._healthy_at is not None:
            times.append(self._healthy_at)
        return min(times)

    def resumed(self, now: float) -> None:
        """The computer was suspended: the connection may be gone without a word.

        The server is asked for a sign of life, with a short deadline; a pause between two tries
        ends at once. No deadline tells it by itself, as the monotonic clock stood still.
        """
        if self.status.link is Link.PAUSED:
            self.connect_now()
        if self._end is None:
            return
        self._heard = min(self._heard, now - limits.SILENCE_DEADLINE + _RESUMED_DEADLINE)
        if self._end.phase is Phase.READY:
            self._told = now
            self._ask(messages.Ping)

    # What the person does

    def say(self, room: str, text: str, written_at: int) -> str:
        """Write a message: it is kept, and sent as soon as there is a connection. Its cid."""
        cid = self._new_id()
        if self._cache.add_room(room):
            self._news.append(news.RoomSeen(room))
        self._cache.put_out(room, cid, text, written_at)
        self._cache.set_draft(room, "")  # It is sent, in the same transaction.
        self._outbox_changed(room, cid, Delivery.WAITING)
        return cid

    def open_room(self, room: str) -> None:
        """Have a direct conversation among the rooms before anything is said in it."""
        if self._cache.add_room(room):
            self._news.append(news.RoomSeen(room))

    def drop(self, cid: str) -> None:
        """Give up a message that could not be sent, or still waits."""
        out = self._cache.outgoing(cid)
        if out is not None and out.state is not Delivery.SENT and cid not in self._in_flight:
            self._cache.take_out(cid)
            self._outbox_changed(out.room, cid, Delivery.DROPPED)

    def save_draft(self, room: str, text: str) -> None:
        """Keep what is written in a room and not sent yet."""
        self._cache.set_draft(room, text)

    def mark_read(self, room: str, seq: int) -> None:
        """The person has seen a room up to `seq`."""
        self._cache.mark_read(room, seq)

    def moderate(self, what: Moderation) -> None:
        """Do something to a person, now or not at all; `Moderated` tells what came of it."""
        if self._end is None or self._end.phase is not Phase.READY:
            self._news.append(news.Moderated(what, Reason("lost")))
            return
        self._ask(what.command)
        self._moderating[self._requests] = what

    def connect_now(self) -> None:
        """The person wants a connection now, whatever ended the last one."""
        if self._end is None and self.status.link is not Link.CONNECTING:
            if self.storage_trouble:
                return  # There is nothing to connect for, and it is being tried.
            self._backoff.reset()
            self._faults = 0
            self._set(Status(Link.CONNECTING))

    # What the server says

    def _welcome(self, welcome: messages.Welcome, _asked: messages.Hello, _now: float) -> None:
        if welcome.protocol != limits.PROTOCOL_VERSION:
            params = {"theirs": welcome.protocol, "ours": limits.PROTOCOL_VERSION}
            self.refused(Reason("version_differs", params))
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
        session = self._cache.meta("session")
        if account.joined:
            self._ask(
                messages.SignIn,
                username=account.username,
                token=account.token,
                device=self._program.device,
                installation=account.installation,
                resume=session if is_session(session) else None,
            )
        else:
            self._ask(
                messages.Join,
                secret=account.invite.secret,
                username=account.username,
                display_name=account.display_name,
                token=account.token,
                device=self._program.device,
                installation=account.installation,
            )

    def _signed_in(
        self, signed_in: messages.SignedIn, _asked: messages.Join | messages.SignIn, now: float
    ) -> None:
        self.account = self.account.confirmed(signed_in.username, signed_in.display_name)
        self._cache.set_meta("session", signed_in.session)
        self._news.append(news.AccountChanged(self.account))
        self._news.append(news.MuteChanged(_mute(signed_in.mute)))
        # Not yet a reason for short pauses: who comes in and is thrown out again would come and
        # go several times a second.
        self._healthy_at = now + HEALTHY
        # What was acknowledged and is gone with what was set back goes before what was written
        # after it.
        self._compare_first = self._cache.has_unseen()
        self._set(Status(Link.ONLINE))
        self._directory.begin()
        self._send_next(now)

    def _rooms_listed(self, rooms: Sequence[str], ended: bool, now: float) -> None:
        self._sync(*rooms)
        if ended:
            self._news.append(news.Listed())
            self._send_next(now)

    def _room_added(self, added: messages.RoomAdded, _now: float) -> None:
        self._sync(added.room.room)

    def _server_changed(self, changed: messages.ServerChanged, _now: float) -> None:
        """The host gave the chat another name; the front end keeps it with the account."""
        invite = replace(self.account.invite, server_name=changed.server_name)
        self.account = replace(self.account, invite=invite)
        self._news.append(news.AccountChanged(self.account))

    def _mute_changed(self, changed: messages.MuteChanged, _now: float) -> None:
        self._news.append(news.MuteChanged(_mute(changed.mute)))

    def _sync(self, *rooms: str) -> None:
        """Know the rooms, and have those brought that are followed."""
        for room in rooms:
            self._cache.add_room(room)
            self._news.append(news.RoomSeen(room))
        positions = {
            room: self._cache.position(room)
            for room in rooms
            if room not in self._started and (self._follow is None or room in self._follow)
        }
        self._started.update(positions)
        if positions:
            last = self._cache.cids(positions)
            most = MOST_MISSING if self._on_demand else None
            self._ask(messages.Sync, positions=positions, last=last, most=most)

    def _synced(self, synced: messages.Synced, asked: messages.Sync, now: float) -> None:
        # The heads are not kept: what counts are the events that follow.
        self._confirmed.update(synced.heads.keys() & asked.positions.keys())
        for room in synced.heads.keys() & set(synced.skipped) & asked.positions.keys():
            self._skip(room, synced.heads[room])
        refused = synced.refused.keys() & asked.positions.keys()
        # A room that the server lists and does not have, or refuses for a reason that this program
        # does not know, is done without.
        self._started -= refused
        ahead = [room for room in refused if synced.refused[room] == "position_ahead"]
        if ahead:
            self._set_back(sorted(ahead), asked, now)
        self._send_next(now)

    def _skip(self, room: str, head: int) -> None:
        """Too much is missing to be brought at once: the newest page is fetched, the rest later."""
        self._skipped[room] = head
        missing = head - self._cache.position(room)
        if missing > 0:
            self._news.append(news.Skipped(room, missing))
            self._history.want(news.Wanted(room), first=False)

    def _expected(self, room: str) -> int:
        """The place before the next event that the server will bring."""
        return max(self._cache.position(room), self._skipped.get(room, 0))

    def load_history(self, wanted: news.Wanted) -> None:
        """Have a page of what was said before fetched, if there is a connection."""
        if self._end is not None and self._end.phase is Phase.READY:
            self._history.want(wanted)
        else:
            self._news.append(news.HistoryAdded(wanted.room, wanted, ()))

    def _set_back(self, rooms: Sequence[str], refused: messages.Sync, now: float) -> None:
        """The server was set back without a new epoch: fetch again what is of before that."""
        # Nothing can be ahead of a room's beginning, and from there it is right afterwards.
        again = not self._were_set_back.isdisjoint(rooms)
        if again or not all(refused.positions[room] for room in rooms):
            self.fault(Reason("unknown_places"), now)
            return
        self._were_set_back.update(rooms)
        self._answers_first = True  # What is sent again was written before what is in flight.
        for room in rooms:
            self._cache.forget_room(room)
        self._news.append(news.StartedOver(tuple(rooms)))
        self._sync(*rooms)

    def _events(self, events: Sequence[Event], now: float) -> None:
        """Take what follows the rooms' positions, as much at once as belongs together."""
        fresh: list[Event] = []
        for event in events:
            if fresh and event.room != fresh[0].room:
                self._store(fresh)
                fresh = []
            position = fresh[-1].seq if fresh else self._expected(event.room)
            if event.seq <= position:
                continue  # Already here: a page and an acknowledgement may both bring it.
            if event.seq > position + 1:
                # The server leaves no gaps; asking again from our position is always right.
                self._store(fresh)
                self.fault(Reason("gap"), now)
                return
            fresh.append(event)
            if self._on_event is not None:
                self._store(fresh)
                fresh = []
                if not self._on_event(event):
                    self._leave()
                    self._set(Status(Link.SIGNED_OUT, Reason("enough")))
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
            if event.sender == me:
                self._own_came(event)

    def _own_came(self, event: Event) -> None:
        """A message of this account is in its room: it leaves the outbox, if it was there."""
        cid = event.cid
        self._in_flight.pop(cid, None)
        out = self._cache.outgoing(cid)
        self._cache.take_out(cid)
        # Of an acknowledgement that was ahead, SENT has been told already.
        if out is not None and out.state is not Delivery.SENT:
            self._outbox_changed(event.room, cid, Delivery.SENT, seq=event.seq)

    def _ack(self, ack: messages.Ack, asked: messages.Send, now: float) -> None:
        if (ack.room, ack.cid) != (asked.room, asked.cid):
            self.fault(Reason("unasked_ack"), now)
            return
        self._in_flight.pop(ack.cid, None)
        out = self._cache.outgoing(ack.cid)
        if out is not None:
            if out.number > self._acknowledged:
                self._acknowledged = out.number
                self._backoff.reset()
                self._retry.reset()
            position = self._expected(ack.room)
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
                    self.lost(_reason(error), now, wait=_seconds(error.retry_after))
                else:
                    self.refused(_reason(error), error.field or "")
            case messages.Send():
                self._in_flight.pop(asked.cid, None)
                if error.retryable:
                    self._refused(asked, error, now)
                else:
                    self._fail(asked.room, asked.cid, _reason(error))
                self._send_next(now)
            case messages.History():
                self._history.refused(asked)
            case _ if asked is not None and asked.id in self._moderating:
                self._news.append(news.Moderated(self._moderating.pop(asked.id), _reason(error)))
            case _ if error.retryable:
                self.lost(_reason(error), now, wait=_seconds(error.retry_after))
            case _:
                self.fault(_reason(error), now)

    def _refused(self, asked: messages.Send, error: messages.Error, now: float) -> None:
        """A message is to be tried again, before all that were written after it."""
        self._answers_first = True
        if error.code == "too_early" and asked.after is not None:
            return  # It follows from the refusal of the one before it, which tells what to do.
        its_own = error.code not in _NOT_OF_THE_MESSAGE
        if asked.after is None and its_own:
            cid, times = self._refused_often
            times = times + 1 if cid == asked.cid else 1
            self._refused_often = (asked.cid, times)
            if times >= MOST_REFUSALS:
                self._fail(asked.room, asked.cid, _reason(error))
                return
        self._outbox_changed(asked.room, asked.cid, Delivery.WAITING, reason=_reason(error))
        # Of several that were under way one pause is enough.
        if not self._hold_until:
            self._hold_until = now + max(self._retry.next(), _seconds(error.retry_after))

    def _fail(self, room: str, cid: str, reason: Reason) -> None:
        """A message will never be taken: the person changes or drops it, and the others go on."""
        self._cache.mark_out(cid, Delivery.FAILED, reason)
        self._outbox_changed(room, cid, Delivery.FAILED, reason=reason)

    def _goodbye(self, goodbye: messages.Goodbye, now: float) -> None:
        reason = _reason(goodbye)
        if goodbye.code in _COMES_BACK:
            self.lost(reason, now, wait=_seconds(goodbye.retry_after))
            if goodbye.code == "server_closing":
                self._closed = reason
        else:
            self._leave()
            self._set(Status(Link.SIGNED_OUT, reason))

    def _answered(self, reply: messages.Reply, _asked: messages.Command, _now: float) -> None:
        """Nothing follows from it."""

    def _done(self, _done: messages.Done, asked: messages.Command, _now: float) -> None:
        self._news.append(news.Moderated(self._moderating.pop(asked.id), None))

    # Shared

    def _leave(self) -> None:
        """The present connection has no more use."""
        self._end = None
        for what in self._moderating.values():
            self._news.append(news.Moderated(what, Reason("lost")))
        self._moderating.clear()
        self._healthy_at = None
        self._frames.clear()
        self._forget_sending()

    def _forget_sending(self) -> None:
        """Nothing is under way: what waits is sent from the oldest on."""
        self._in_flight.clear()
        self._sent_up_to = 0
        self._answers_first = False
        self._hold_until = 0.0

    def _send_next(self, now: float) -> None:
        """Send the oldest waiting messages, as many as may be under way at once."""
        if self._end is None or self._end.phase is not Phase.READY or now < self._hold_until:
            return
        if self._answers_first:
            if self._in_flight:
                return
            self._forget_sending()
        if self._compare_first:
            asked = (messages.ListPeople, messages.ListOnline, messages.ListRooms, messages.Sync)
            if any(isinstance(command, asked) for command in self._asked.values()):
                return
            self._compare_first = False
        while self._may_send():
            out = self._cache.next_waiting(self._sent_up_to)
            if out is None:
                return
            self._sent_up_to = out.number
            self._transmit(out, now)

    def _may_send(self) -> bool:
        if not self._in_flight:
            return True
        return (
            len(self._in_flight) < self._at_once
            and sum(self._in_flight.values()) < _IN_FLIGHT_BYTES
        )

    def _transmit(self, out: Outgoing, now: float) -> None:
        """Send a message, if it is one: a cache may hold what no server takes."""
        after = next(reversed(self._in_flight), None)
        try:
            body = messages.MessageBody(text=out.text)
            self._ask(
                messages.Send, room=out.room, cid=out.cid, kind=MESSAGE, body=body, after=after
            )
        except ValidationError as error:
            log.warning("a message of the outbox can't be sent: %s", error.errors()[0]["msg"])
            self._fail(out.room, out.cid, Reason("not_sendable"))
            return
        self._in_flight[out.cid] = len(out.text)
        self._told = now

    def _ask(self, command: Callable[..., Any], **fields: object) -> None:
        if self._end is None:
            return
        message = command(id=self._requests + 1, **fields)
        self._requests += 1
        self._asked[self._requests] = message
        self._frames.append(self._end.send(message))

    def _news_of(self, item: news.News) -> None:
        self._news.append(item)

    def _set(self, status: Status) -> None:
        self.status = status
        self._news.append(news.StatusChanged(status, self._cache.waiting()))

    def _outbox_changed(
        self, room: str, cid: str, state: Delivery, *, reason: Reason | None = None, seq: int = 0
    ) -> None:
        waiting = self._cache.waiting()
        self._news.append(news.OutboxChanged(room, cid, state, waiting, reason, seq))


def _own_event(username: str, text: str, ack: messages.Ack) -> Event:
    return Event(ack.room, ack.seq, MESSAGE, username, ack.sent_at, ack.cid, {"text": text})


def _seconds(milliseconds: int | None) -> float:
    return (milliseconds or 0) / 1000


def _mute(mute: messages.Mute | None) -> Reason | None:
    if mute is None:
        return None
    until = {} if mute.until is None else {"until": mute.until}
    return Reason("muted", {"reason": mute.reason, **until})


def _reason(said: messages.Error | messages.Goodbye) -> Reason:
    return Reason(said.code, said.params)
