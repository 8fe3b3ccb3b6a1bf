"""The client's behaviour without a socket or a thread: inputs and the time in, frames and news out.

The caller runs every method inside one transaction of the cache, commits, and only then sends
`take_frames` and reports `take_news`: so whatever is sent or shown is stored already. `now` is in
seconds on the monotonic clock; wall-clock times are only stored for display.

It combines the parts and dispatches each message of the server to one of them: `link` owns the
connection, `admission` the account, `outbox` messages to send, `sync` the rooms' events, `history`
earlier events, `directory` people and rooms, `moderator` moderation, `requester` devices and
invites.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from chat_client.cache.cache import Cache
from chat_client.state import moderator, news, requester
from chat_client.state.account import Account
from chat_client.state.admission import Admission, ClientInfo
from chat_client.state.attempts import Attempt
from chat_client.state.backoff import Backoff
from chat_client.state.directory import Directory
from chat_client.state.link import CHECKED, ServerLink, seconds
from chat_client.state.moderation import Moderation
from chat_client.state.moderator import Moderator
from chat_client.state.news_queue import NewsQueue
from chat_client.state.outbox import Outbox
from chat_client.state.request import Request
from chat_client.state.requester import Requester
from chat_client.state.slow_mode import SlowMode, SlowModeOrder
from chat_client.state.status import Status
from chat_client.state.sync import Sync
from common.domain.reasons import Reason, refused_by_hand
from common.protocol import messages
from common.protocol.codec import known_event
from common.protocol.events import REMOVED, Event


class Controller:
    """One account's conversation with its server, across connections.

    `follow` names the rooms to fetch; None means all. `on_event` is told each new event
    before the transaction that stores it ends; when it returns False, that was the last one.
    `new_id` makes the id of a message. `at_once` is how many messages may be under way
    unanswered; each names the one before it, so that none overtakes one that is refused. With
    `on_demand` a long history is not fetched at once: see `load_history`.
    """

    def __init__(
        self,
        account: Account,
        cache: Cache,
        program: ClientInfo,
        backoff: Backoff,
        new_id: Callable[[], str],
        *,
        follow: Collection[str] | None = None,
        on_event: Callable[[Event], bool] | None = None,
        at_once: int = 1,
        on_demand: bool = False,
    ) -> None:
        self._cache = cache
        self._news = NewsQueue()
        tell = self._news.tell
        # The part of the cache is another one when the file was reopened.
        link = self._link = ServerLink(
            backoff, tell, waiting=lambda: cache.outbox.waiting, left=self._left
        )
        self._outbox = Outbox(cache, link, tell, new_id, at_once=at_once)
        self._moderator = Moderator(link, tell)
        self._requester = Requester(link, tell)
        self._slow_mode = SlowMode(tell)
        self._sync = Sync(
            cache,
            link,
            tell,
            self._outbox,
            me=lambda: self.account.username,
            follow=follow,
            on_event=on_event,
            on_demand=on_demand,
        )
        self._history = self._sync.history
        self._admission = Admission(account, cache, program, link, tell, self._sync.meet)
        self._directory = Directory(cache, link.ask, tell, link.fault, self._sync.listed)
        self._replies = self._reply_handlers()
        self._handlers = self._push_handlers()

    # Each handler takes the type of its key, which a mapping's type can't express: hence Any.

    def _reply_handlers(self) -> Mapping[type, tuple[Any, Callable[[Any, Any, float], None]]]:
        """By type of reply: the command it answers, and the handler of both."""
        return {
            messages.Welcome: (messages.Hello, self._welcome),
            messages.SignedIn: (messages.Join | messages.SignIn, self._signed_in),
            messages.Synced: (messages.Sync, self._sync.synced),
            messages.HistoryPage: (messages.History, self._history.page),
            messages.Ack: (messages.Send, self._acknowledged),
            messages.People: (messages.ListPeople, self._directory.people),
            messages.Online: (messages.ListOnline, self._directory.online),
            messages.Rooms: (messages.ListRooms, self._rooms),
            messages.Pong: (messages.Ping, lambda *_: None),
            messages.Done: (moderator.COMMANDS | requester.COMMANDS, self._done),
            messages.Sanctions: (messages.ListSanctions, self._moderator.sanctions),
            messages.InviteCreated: (requester.MAKES_INVITE, self._requester.invite_created),
            messages.Devices: (messages.ListDevices, self._requester.devices),
            messages.Invites: (messages.ListInvites, self._requester.invites),
            messages.Joining: (messages.AskJoining, self._requester.joining),
        }

    def _push_handlers(self) -> Mapping[type, Callable[[Any, float], None]]:
        return {
            messages.PersonChanged: self._person_changed,
            messages.PresenceChanged: self._directory.presence_changed,
            messages.RoomAdded: self._sync.room_added,
            messages.RoomChanged: self._room_changed,
            messages.ServerChanged: self._admission.server_changed,
            messages.MuteChanged: self._admission.mute_changed,
            messages.DeviceAdded: self._requester.device_added,
            messages.Error: self._error,
            messages.Goodbye: self._goodbye,
        }

    # State and outputs

    @property
    def account(self) -> Account:
        """The account, as confirmed by the server once it has signed in."""
        return self._admission.account

    @property
    def status(self) -> Status:
        """The state of the connection."""
        return self._link.status

    @property
    def wants_connection(self) -> bool:
        """Whether a connection is to be made now."""
        return self._link.wants_connection

    @property
    def wants_disconnect(self) -> bool:
        """Whether the current connection is to be closed."""
        return not self._link.is_open

    @property
    def storage_trouble(self) -> bool:
        """Whether the last transaction of this computer's cache failed."""
        return self._link.storage_trouble

    def take_frames(self) -> bytes:
        """The bytes to send."""
        return self._link.take_frames()

    def take_news(self) -> list[news.News]:
        """The news for the front end."""
        return self._news.take()

    def deadline(self) -> float:
        """When `tick` is to be called at the latest."""
        if self._cache.erasure.pending and not self._link.storage_trouble:
            return -math.inf
        return min(self._link.deadline(), self._outbox.deadline())

    # Inputs from the connection

    def begin(self) -> None:
        """Call it once, first: this version may know kinds of events that the former did not."""
        rooms = self._cache.understand(known_event, messages.kinds_digest)
        if rooms:
            self._news.tell(news.EventsUpgraded(tuple(rooms)))

    def connected(self, now: float) -> None:
        """A connection was made to the server with the pinned certificate."""
        self._sync.forget()
        self._link.connected(now)
        self._admission.begin()

    def lost(self, reason: Reason, now: float) -> None:
        """The connection was lost: retry after the backoff."""
        self._link.lost(reason, now)

    def fault(self, reason: Reason, now: float) -> None:
        """The server violated the protocol: retry after the backoff, a limited number of times."""
        self._link.fault(reason, now)

    def unreachable(self, now: float, attempts: tuple[Attempt, ...] = ()) -> None:
        """No connection could be made: retry after the backoff."""
        self._link.unreachable(now, attempts)

    def refused(self, reason: Reason, attempts: tuple[Attempt, ...] = ()) -> None:
        """The failure is final: don't retry."""
        self._link.refused(reason, attempts=attempts)

    def storage_failed(self, reason: Reason, now: float, pause: float) -> None:
        """The last transaction failed and was rolled back. Does not use the cache.

        The connection is closed: what was received on it is received again. `storage_works` ends
        this state.
        """
        self._link.leave()
        self._news.clear()
        self._link.storage_failed(reason, now + pause)

    def storage_works(self) -> None:
        """A transaction succeeded again: resume where it failed."""
        self._link.storage_works()

    def failed(self, reason: Reason) -> None:
        """The core gives up; the cache may not be used any more."""
        self._link.failed(reason)

    def received(self, data: bytes, now: float) -> None:
        """Bytes were received. Raises RemoteProtocolError when the server violates the protocol."""
        for said in self._link.receive(data, now):
            if isinstance(said, list):
                self._sync.heard(said, now)
                self._slow_mode.heard(said, self.account.username)
            elif isinstance(said, messages.Reply):
                self._reply(said, now)
            else:
                self._handlers[type(said)](said, now)

    def tick(self, now: float) -> None:
        """Handle what is due; call it at `deadline`."""
        self._link.tick(now)
        self._outbox.send_next(now)
        if self._cache.erasure.pending:
            self._cache.erasure.step()

    def resumed(self, now: float) -> None:
        """The computer was suspended: the connection may be dead without a FIN or RST."""
        self._link.resumed(now)
        # The clock that holds go by stood still meanwhile.
        self._outbox.release()
        self._outbox.send_next(now)

    def check(self, now: float, within: float = CHECKED) -> None:
        """The network may be another one now: find out soon whether the connection is alive."""
        self._link.check(now, within)

    def hinted(self, now: float) -> None:
        """The server may be reachable again: don't wait for the end of the pause."""
        self._link.hinted(now)

    def moved(self, host: str, port: int) -> None:
        """The connection that was made leads to another address than those of the invite."""
        self._admission.moved(host, port)

    # Actions of the person

    def send(self, room: str, kind: str, body: Mapping[str, Any], written_at: int) -> str:
        """Add an event to the outbox and send it when there is a connection; returns its cid."""
        self.open_room(room)
        return self._outbox.send(room, kind, body, written_at)

    def keep_failed(
        self, room: str, kind: str, body: Mapping[str, Any], written_at: int, why: Reason
    ) -> None:
        """Add an event to the outbox as failed, so that the person sees it."""
        self.open_room(room)
        self._outbox.keep_failed(room, kind, body, written_at, why)

    def open_room(self, room: str) -> None:
        """Add a direct room to the list before its first message."""
        if self._cache.add_room(room):
            self._news.tell(news.RoomSeen(room))

    def drop(self, cid: str) -> None:
        """Discard a message that failed or still waits."""
        self._outbox.drop(cid)

    def send_again(self, cid: str) -> None:
        """Retry a message that failed."""
        self._outbox.send_again(cid)

    def is_in_flight(self, cid: str) -> bool:
        """Whether a message was sent and has no reply yet: then it can't be discarded."""
        return self._outbox.is_in_flight(cid)

    def save_draft(self, room: str, text: str) -> None:
        """Store the draft of a room."""
        if text.strip():
            # The room may be gone: its server has another history now. It stands where it is found.
            self.open_room(room)
        self._cache.set_draft(room, text)

    def mark_read(self, room: str, seq: int) -> None:
        """Mark a room as read up to `seq`."""
        self._cache.mark_read(room, seq)

    def load_history(self, wanted: news.Wanted) -> None:
        """Fetch a page of history, if there is a connection.

        The newest page is not for those who ask: it comes where it is missing, sooner then.
        """
        if not self._link.is_ready:
            self._news.tell(news.HistoryAdded(wanted.room, wanted, why=Reason("lost")))
        elif wanted != news.Wanted(wanted.room) or self._history.waits_for_newest(wanted.room):
            self._history.want(wanted)

    def moderate(self, what: Moderation | SlowModeOrder) -> None:
        """Carry out a moderation, now or not at all; `Moderated` reports the outcome."""
        self._moderator.ask(what)

    def list_sanctions(self) -> None:
        """Fetch the list of mutes and bans; `SanctionsListed` has the result."""
        self._moderator.list_sanctions()

    def request(self, what: Request) -> None:
        """Carry out a request, now or not at all; `Requested` reports the outcome."""
        self._requester.ask(what)

    def list_devices(self) -> None:
        """Fetch one's own devices; `DevicesListed` has the result."""
        self._requester.list_devices()

    def list_invites(self) -> None:
        """Fetch the invites that concern this account; `InvitesListed` has the result."""
        self._requester.list_invites()

    def ask_joining(self) -> None:
        """Fetch who may join, for a moderator; `JoiningTold` has the result."""
        self._requester.ask_joining()

    def connect_now(self) -> None:
        """Connect now, whatever ended the last connection."""
        self._link.connect_now()

    # Messages of the server

    def _reply(self, reply: messages.Reply, now: float) -> None:
        known = self._replies.get(type(reply))  # not what only a host asks for
        asked = self._link.answered(reply.re)
        if known is not None and isinstance(asked, known[0]):
            known[1](reply, asked, now)
        else:
            self._link.fault(Reason("unasked_answer"), now)

    def _done(self, done: messages.Done, asked: messages.Command, now: float) -> None:
        part = self._requester if isinstance(asked, requester.COMMANDS) else self._moderator
        part.done(done, asked, now)

    def _signed_in(
        self, signed_in: messages.SignedIn, asked: messages.Join | messages.SignIn, now: float
    ) -> None:
        self._admission.signed_in(signed_in, asked, now)
        if not self._link.is_open:
            return
        if signed_in.role != "member":
            self._outbox.release(code="slow_mode")  # It does not hold for moderators.
        self._outbox.signed_in()
        self._directory.begin()
        self._outbox.send_next(now)

    def _welcome(self, welcome: messages.Welcome, asked: messages.Hello, now: float) -> None:
        self._slow_mode.welcome(welcome.time, now)
        self._admission.welcome(welcome, asked, now)

    def _rooms(self, rooms: messages.Rooms, asked: messages.ListRooms, now: float) -> None:
        for room in rooms.rooms:
            self._see_room(room)
            if room.slow:
                # What was sent before this program was started, or from another device, counts.
                sent_at = self._cache.last_said(room.room, self.account.username)
                self._slow_mode.sent(room.room, sent_at)
        self._directory.rooms(rooms, asked, now)

    def _room_changed(self, changed: messages.RoomChanged, now: float) -> None:
        self._see_room(changed.room)
        self._outbox.send_next(now)

    def _see_room(self, room: messages.Room) -> None:
        if self._slow_mode.see(room):
            # A message that waits for it may be sent now; if not, the server says for how long.
            self._outbox.release((room.room,), "slow_mode")

    def _acknowledged(self, ack: messages.Ack, asked: messages.Send, now: float) -> None:
        self._slow_mode.sent(ack.room, ack.sent_at)
        self._sync.acknowledged(ack, asked, now)

    def _person_changed(self, changed: messages.PersonChanged, now: float) -> None:
        if self._directory.person_changed(changed, now):
            self._admission.person_changed(changed.person)
        if changed.person.username == self.account.username:
            # The role may be another one.
            self._outbox.release(code="slow_mode")
            self._outbox.send_next(now)

    def _error(self, error: messages.Error, now: float) -> None:
        asked = self._link.answered(error.re) if error.re is not None else None
        reason, wait = Reason(error.code, error.params), seconds(error.retry_after)
        match asked:
            case messages.SignIn() if error.code == "not_recognized" and (
                self._admission.join_anew()
            ):
                pass
            case messages.Hello() | messages.Join() | messages.SignIn() if not error.retryable:
                self._note_deletion(reason)
                self._link.refused(self._admission.refused(asked, reason), error.field or "")
            case messages.Send():
                if reason.code == "slow_mode":
                    self._slow_mode.refused(asked.room, wait, now)
                self._outbox.refused(asked, reason, now, retryable=error.retryable, wait=wait)
            # Without its newest page a room is not up to date: the connection has no more use then
            # than when `sync` itself can't be answered now.
            case messages.History() if not (
                error.retryable and self._history.asks_for_newest(asked)
            ):
                self._history.refused(asked, reason, wait if error.retryable else None)
            case _ if asked is not None and self._refused_by_hand(asked, reason, error):
                pass
            case _ if error.retryable:
                self._link.lost(reason, now, wait=wait)
            case _:
                self._link.fault(reason, now)

    def _refused_by_hand(
        self, asked: messages.Command, reason: Reason, error: messages.Error
    ) -> bool:
        """Tell the refusal of a command that a person gave; False if it was none of these."""
        why = refused_by_hand(reason, error.retry_after if error.retryable else None)
        return self._moderator.refused(asked.id, why) or self._requester.refused(asked.id, why)

    def _goodbye(self, goodbye: messages.Goodbye, now: float) -> None:
        self._note_deletion(Reason(goodbye.code, goodbye.params))
        self._link.goodbye(goodbye, now)

    def _note_deletion(self, reason: Reason) -> None:
        """If this account was deleted with its messages, remove those from the cache, too."""
        removed = reason.code == "account_deleted" and reason.params.get("messages") == REMOVED
        username = self.account.username
        if removed and self._cache.erasure.add(username):
            self._news.tell(news.MessagesErased(username))

    def _left(self) -> None:
        """The current connection is closed or about to be."""
        self._moderator.lost()
        self._requester.lost()
        self._history.forget()
        self._outbox.forget_sending()
