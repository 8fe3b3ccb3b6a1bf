"""What the client does with what it hears: it loses no message, shows each once, and comes back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.attempts import Attempt, Failure
from chat_client.state.link import STABLE_AFTER
from chat_client.state.outbox import MAX_REFUSALS
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link, Status
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.codec import RemoteProtocolError, encode
from common.protocol.events import MESSAGE, Event
from common.protocol.messages import ToServer
from tests.events import message, text_of
from tests.unit.chat_client.desk import (
    EPOCH,
    SENT_AT,
    Desk,
    ack,
    cid,
    event,
    on_wire,
    only,
    room_of,
    synced,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A client that has joined before."""
    made = Desk()
    yield made
    made.cache.close()


def states(desk: Desk) -> list[tuple[str, OutboxState]]:
    """What the front end was told of the outbox, in order."""
    return [(told.cid, told.state) for told in desk.told(news.OutboxChanged)]


def welcome_to(hello: ToServer, protocol: int = limits.PROTOCOL_VERSION) -> messages.Welcome:
    """The answer to a hello."""
    return messages.Welcome(
        re=hello.id, protocol=protocol, program="S", server_name="Home", epoch=EPOCH
    )


# Coming in


def test_a_new_account_joins_and_a_known_one_signs_in() -> None:
    """The first time with the invite's secret, from then on with the device's token alone."""
    new, known = Desk(joined=False), Desk()
    for desk, kind in ((new, messages.Join), (known, messages.SignIn)):
        (hello,) = desk.connect()
        assert isinstance(hello, messages.Hello)
        welcome = messages.Welcome(
            re=hello.id,
            protocol=limits.PROTOCOL_VERSION,
            program="S",
            server_name="Renamed",
            epoch=EPOCH,
        )
        (opening,) = desk.hear(welcome)
        assert isinstance(opening, kind)
        assert isinstance(opening, messages.Join | messages.SignIn)
        assert opening.token == "1" * 64
        desk.hear(
            messages.SignedIn(
                re=opening.id,
                username="ada",
                display_name="Ada L.",
                session="a" * 32,
                role="member",
                mute=None,
            )
        )
        (changed,) = desk.told(news.AccountChanged)
        assert changed.account == desk.controller.account
        assert (changed.account.joined, changed.account.display_name) == (True, "Ada L.")
        assert changed.account.invite.server_name == "Renamed"
        assert desk.controller.status.link is Link.ONLINE


def test_what_a_server_with_another_log_does_not_know_is_kept(desk: Desk) -> None:
    """Its epoch is another, and it does not know the account: the copy is all that there is."""
    desk.go_online(general=1)
    desk.hear(event(1))
    desk.lose()
    (hello,) = desk.connect()
    other = welcome_to(hello).model_copy(update={"epoch": "f" * 32})
    (sign_in,) = desk.hear(other)
    assert isinstance(sign_in, messages.SignIn)
    assert sign_in.resume is None  # It is of the other log.
    desk.hear(messages.refusal("not_recognized", re=sign_in.id))
    assert desk.controller.status.link is Link.REFUSED
    assert desk.told(news.CacheReset) == []
    assert (desk.cache.meta("epoch"), desk.cache.position("general")) == (EPOCH, 1)
    # The server has its data back: nothing was lost, nothing is fetched anew.
    desk.controller.connect_now()
    asked = desk.sign_in()
    assert desk.told(news.CacheReset) == []
    rooms = desk.list_people(asked)
    listed = messages.Rooms(re=rooms.id, rooms=(room_of("general", 1),), more=False)
    assert only(desk.hear(listed), messages.Sync).positions == {"general": 1}


def test_the_time_there_and_the_own_role_are_told(desk: Desk) -> None:
    """The one at once, also to who is not let in; the other with the sign-in."""
    (hello,) = desk.connect()
    (sign_in,) = desk.hear(welcome_to(hello).model_copy(update={"time": 1_767_225_599_800}))
    assert desk.told(news.Welcomed) == [news.Welcomed(1_767_225_599_800, desk.now)]
    assert desk.told(news.RoleChanged) == []
    signed_in = messages.SignedIn(
        re=sign_in.id,
        username="ada",
        display_name="Ada",
        session="a" * 32,
        role="moderator",
        mute=None,
    )
    desk.hear(signed_in)
    assert desk.told(news.RoleChanged) == [news.RoleChanged("moderator")]


def test_the_chats_new_name_is_told_and_kept(desk: Desk) -> None:
    """The account has it from then on, as after a welcome that says it."""
    desk.go_online()
    before = len(desk.told(news.AccountChanged))
    desk.hear(messages.ServerChanged(server_name="Garden"))
    (changed,) = desk.told(news.AccountChanged)[before:]
    assert changed.account == desk.controller.account
    assert changed.account.invite.server_name == "Garden"
    assert desk.controller.status.link is Link.ONLINE


def test_coming_back_names_the_former_session(desk: Desk) -> None:
    """So that the server fences the old connection; the first time there is none to name."""
    (hello,) = desk.connect()
    welcome = welcome_to(hello)
    assert only(desk.hear(welcome), messages.SignIn).resume is None
    desk.lose()
    desk.sign_in()
    desk.lose()
    (hello,) = desk.connect()
    assert (
        only(desk.hear(welcome.model_copy(update={"re": hello.id})), messages.SignIn).resume
        == "a" * 32
    )


def test_everyone_and_every_room_is_asked_for_page_by_page(desk: Desk) -> None:
    """Until the last page; then the front end is told that all has been told."""
    asked = desk.sign_in()
    people = only(asked, messages.ListPeople)
    assert people.since == 0
    bob = messages.Person(username="bob", display_name="Bob", role="member", change=7)
    (more,) = desk.hear(messages.People(re=people.id, since=0, people=(bob,), more=True))
    assert isinstance(more, messages.ListPeople)
    assert more.since == 7
    (online,) = desk.hear(messages.People(re=more.id, since=7, people=(), more=False))
    assert isinstance(online, messages.ListOnline)
    assert online.after is None
    (more_online,) = desk.hear(messages.Online(re=online.id, online=("ada",), more=True))
    assert isinstance(more_online, messages.ListOnline)
    assert more_online.after == "ada"
    (rooms,) = desk.hear(messages.Online(re=more_online.id, online=("bob",), more=False))
    assert isinstance(rooms, messages.ListRooms)
    assert rooms.after is None
    room = room_of("general", 3)
    sync, more_rooms = desk.hear(messages.Rooms(re=rooms.id, rooms=(room,), more=True))
    assert sync == messages.Sync(id=sync.id, positions={"general": 0})
    assert isinstance(more_rooms, messages.ListRooms)
    assert more_rooms.after == "general"
    assert not desk.told(news.Listed)
    assert desk.hear(messages.Rooms(re=more_rooms.id, rooms=(), more=False)) == []
    assert desk.told(news.PersonSeen) == [news.PersonSeen(bob)]
    assert desk.told(news.OnlineListed) == [news.OnlineListed(frozenset({"ada", "bob"}))]
    assert desk.told(news.RoomSeen) == [news.RoomSeen("general")]
    assert desk.told(news.Listed)


@pytest.mark.parametrize("page", ["people", "online", "rooms"])
def test_a_page_that_promises_more_than_it_has_is_no_end(desk: Desk, page: str) -> None:
    """A server that breaks its rules costs the connection at most, not the program."""
    asked = desk.sign_in()
    people = only(asked, messages.ListPeople)
    wrong: messages.ToClient = messages.People(re=people.id, since=0, people=(), more=True)
    if page == "online":
        (online,) = desk.hear(messages.People(re=people.id, since=0, people=(), more=False))
        assert isinstance(online, messages.ListOnline)
        wrong = messages.Online(re=online.id, online=(), more=True)
    elif page == "rooms":
        rooms = desk.list_people(asked)
        wrong = messages.Rooms(re=rooms.id, rooms=(), more=True)
    try:
        desk.hear(wrong)
    except RemoteProtocolError:
        return
    assert desk.controller.status.link in {Link.ONLINE, Link.PAUSED}


def test_only_followed_rooms_are_fetched() -> None:
    """The others are known, but not brought."""
    desk = Desk(follow={"general"})
    asked = desk.go_online(general=1, other=1)
    assert only(asked, messages.Sync).positions == {"general": 0}
    assert {told.room for told in desk.told(news.RoomSeen)} == {"general", "other"}
    assert Desk(follow=()).go_online(general=1) == []


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        (limits.PROTOCOL_VERSION - 1, "server_too_old"),
        (limits.PROTOCOL_VERSION + 1, "client_too_old"),
    ],
)
def test_another_protocol_is_refused_with_a_sentence(desk: Desk, theirs: int, code: str) -> None:
    """Trying again would change nothing; it says which of the two programs is too old."""
    (hello,) = desk.connect()
    desk.hear(welcome_to(hello, theirs))
    assert (desk.controller.status.link, desk.controller.status.code) == (Link.REFUSED, code)
    ours = limits.PROTOCOL_VERSION
    assert desk.controller.status.reason.params == {"theirs": theirs, "ours": ours}
    assert desk.controller.wants_disconnect
    assert not desk.controller.wants_connection


@pytest.mark.parametrize("code", get_args(messages.ErrorCode))
def test_a_refused_join_says_why(code: messages.ErrorCode) -> None:
    """What may pass later is tried again; everything else waits for the person."""
    desk = Desk(joined=False)
    (hello,) = desk.connect()
    (join,) = desk.hear(welcome_to(hello))
    desk.hear(messages.refusal(code, re=join.id, field="username", params={"username": "ada"}))
    status = desk.controller.status
    assert status.reason == Reason(code, {"username": "ada"})
    if code in messages.RETRYABLE:
        assert status.link is Link.PAUSED
    else:
        assert (status.link, status.code, status.field) == (Link.REFUSED, code, "username")
    assert desk.controller.wants_disconnect


# What others say


def test_events_are_kept_and_told_in_order(desk: Desk) -> None:
    """Stored before they are shown; those that came together are shown together."""
    desk.go_online(general=3)
    desk.hear(event(1), event(2), event(3))
    assert desk.cache.position("general") == 3
    (added,) = desk.told(news.EventsAdded)
    assert added == news.EventsAdded("general", (event(1), event(2), event(3)))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.lists(st.booleans(), max_size=40))
def test_it_does_not_matter_what_comes_in_one_read(reads: list[int], others: list[bool]) -> None:
    """However two rooms' events are cut into reads: all are kept and told, in their order."""
    said: list[Event] = []
    heads = {"general": 0, "other": 0}
    for is_other in others:
        room = "other" if is_other else "general"
        heads[room] += 1
        own = cid(500 + len(said))
        said.append(event(heads[room], room, "ada" if len(said) % 3 == 0 else "bob", own))
    desk = Desk()
    desk.go_online(**heads)
    rest = list(said)
    for size in itertools.cycle(reads):
        desk.hear(*rest[:size])
        rest = rest[size:]
        if not rest:
            break
    told = [each for added in desk.told(news.EventsAdded) for each in added.events]
    assert told == said
    assert {room: desk.cache.position(room) for room in heads} == heads
    desk.cache.close()


def test_thousands_at_once_are_one_piece_of_news(desk: Desk) -> None:
    """One statement for all of them, and one thing to draw; not one for each."""
    desk.go_online(general=5000)
    statements: list[str] = []
    desk.cache._connection.set_trace_callback(statements.append)
    desk.hear(*(event(seq) for seq in range(1, 5001)))
    desk.cache._connection.set_trace_callback(None)
    (added,) = desk.told(news.EventsAdded)
    assert [each.seq for each in added.events] == [*range(1, 5001)]
    assert sum(not statement.startswith("INSERT INTO events") for statement in statements) < 10


def test_a_breach_takes_back_nothing_of_before(desk: Desk) -> None:
    """Events in front of nonsense are kept, in the same read as they were."""
    desk.go_online(general=2)
    frames = b"".join(encode(on_wire(event(seq))) for seq in (1, 2)) + b"\0\0\0\0"
    with desk.cache.transaction(), pytest.raises(RemoteProtocolError):
        desk.controller.received(frames, desk.now)
    assert desk.cache.position("general") == 2


@given(st.lists(st.integers(1, 6), max_size=12))
def test_duplicates_and_gaps_never_reach_the_transcript(places: list[int]) -> None:
    """Whatever comes, what is shown is 1, 2, 3, … ; a gap ends the connection to ask again."""
    desk = Desk()
    desk.go_online(general=6)
    expected = 0
    for place in places:
        if desk.controller.wants_disconnect:
            break
        desk.hear(event(place))
        if place == expected + 1:
            expected = place
        elif place > expected + 1:
            assert desk.controller.status.link is Link.PAUSED
    assert desk.shown() == list(range(1, expected + 1))
    assert desk.cache.position("general") == expected
    desk.cache.close()


def test_after_a_gap_the_rest_is_asked_for(desk: Desk) -> None:
    """The new connection starts where the hole is."""
    desk.go_online(general=3)
    desk.hear(event(1), event(3))
    assert desk.controller.status.link is Link.PAUSED
    desk.wait(1)
    assert desk.controller.wants_connection
    assert only(desk.go_online(general=3), messages.Sync).positions == {"general": 1}


def test_a_room_that_is_added_is_fetched(desk: Desk) -> None:
    """Somebody opened a direct conversation."""
    desk.go_online(general=0)
    room = room_of("dm:ada:bob", 0)
    assert only(desk.hear(messages.RoomAdded(room=room)), messages.Sync).positions == {
        "dm:ada:bob": 0
    }
    desk.hear(event(1, "dm:ada:bob"))
    assert desk.shown("dm:ada:bob") == [1]


def test_on_event_may_say_that_it_was_enough() -> None:
    """The event is kept and was the last one; no new connection is made."""
    heard: list[int] = []

    def enough(one: Event) -> bool:
        heard.append(one.seq)
        return one.seq < 2

    desk = Desk(on_event=enough)
    desk.go_online(general=3)
    desk.hear(event(1), event(2), event(3))
    assert heard == [1, 2]
    assert desk.cache.position("general") == 2
    assert (desk.controller.status.link, desk.controller.status.code) == (
        Link.SIGNED_OUT,
        "enough",
    )
    assert desk.controller.wants_disconnect
    desk.wait(3600)
    assert not desk.controller.wants_connection


# What the person says


def test_messages_wait_for_a_connection_and_go_out_in_order(desk: Desk) -> None:
    """Written offline they are kept; online one at a time, the next after the answer."""
    for text in ("one", "two", "three"):
        assert desk.say(text) == []
    assert desk.cache.outbox.waiting == 3
    first = only(desk.sign_in(), messages.Send)
    (second,) = desk.hear(ack(first, 1))
    assert isinstance(second, messages.Send)
    assert desk.say("four") == []
    (third,) = desk.hear(ack(second, 2))
    assert isinstance(third, messages.Send)
    (fourth,) = desk.hear(ack(third, 3))
    assert isinstance(fourth, messages.Send)
    sent = [first, second, third, fourth]
    assert [text_of(each) for each in sent] == ["one", "two", "three", "four"]
    assert [each.cid for each in sent] == [cid(n) for n in range(1, 5)]


def test_an_acknowledgement_takes_the_place_of_the_own_event(desk: Desk) -> None:
    """The own message stands in the transcript where the server put it, among the others'."""
    desk.go_online(general=0)
    send = only(desk.say("hello"), messages.Send)
    desk.hear(event(1), ack(send, 2), event(3))
    assert desk.shown() == [1, 2, 3]
    added = [each for told in desk.told(news.EventsAdded) for each in told.events]
    assert added[1] == Event("general", 2, MESSAGE, "ada", SENT_AT, send.cid, {"text": "hello"})
    assert states(desk) == [(cid(1), OutboxState.WAITING), (cid(1), OutboxState.SENT)]
    assert desk.cache.outbox.waiting == 0
    assert desk.cache.outbox.find(cid(1)) is None


def test_a_lost_acknowledgement_sends_the_same_message_again(desk: Desk) -> None:
    """With the same cid, and the repeated answer settles it: one message, shown once."""
    desk.go_online(general=0)
    first = only(desk.say("hello"), messages.Send)
    desk.lose()
    again = only(desk.sign_in(), messages.Send)
    assert again == first.model_copy(update={"id": again.id})
    desk.hear(ack(again, 1), event(1, sender="ada", own=again.cid))
    assert desk.shown() == [1]
    assert desk.cache.outbox.find(first.cid) is None


def test_the_own_event_settles_a_message_whose_answer_was_lost(desk: Desk) -> None:
    """Catching up brings it back before the repeated answer does; the next one may go."""
    desk.go_online(general=0)
    first = only(desk.say("one"), messages.Send)
    desk.say("two")
    desk.lose()
    asked = desk.sign_in()
    again = only(asked, messages.Send)
    rooms = desk.list_people(asked)
    listed = (room_of("general", 1),)
    desk.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False))
    desk.hear(event(1, sender="ada", own=first.cid))
    assert desk.cache.outbox.find(first.cid) is None
    (second,) = desk.hear(ack(again, 1)) or desk.wait(0)
    assert isinstance(second, messages.Send)
    assert text_of(second) == "two"
    assert desk.shown() == [1]


def test_somebody_elses_cid_settles_nothing(desk: Desk) -> None:
    """Only the own event clears the outbox, whatever others choose as their ids."""
    desk.go_online(general=0)
    only(desk.say("hello"), messages.Send)
    desk.hear(event(1, sender="bob", own=cid(1)))
    assert desk.cache.outbox.waiting == 1


def test_an_acknowledgement_ahead_of_the_room_waits_for_its_event(desk: Desk) -> None:
    """It is sent, and shown when what stands before it has come."""
    desk.go_online(general=2)
    send = only(desk.say("hello"), messages.Send)
    desk.hear(ack(send, 3))
    assert desk.cache.outbox.waiting == 0
    assert desk.shown() == []
    desk.hear(event(1), event(2), event(3, sender="ada", own=send.cid))
    assert desk.shown() == [1, 2, 3]
    assert desk.cache.outbox.find(send.cid) is None
    sent = [item for item in desk.told(news.OutboxChanged) if item.state is OutboxState.SENT]
    assert [item.seq for item in sent] == [3], "told once, though it came twice"


@pytest.mark.parametrize("code", get_args(messages.ErrorCode))
def test_a_refused_message_waits_or_fails_by_its_code(desk: Desk, code: messages.ErrorCode) -> None:
    """Retryable: kept, and tried again after a pause, before any later one. Else: failed."""
    desk.go_online(general=0)
    send = only(desk.say("one"), messages.Send)
    desk.say("two")
    after = desk.hear(messages.refusal(code, re=send.id, params={"most": 7}))
    out = desk.cache.outbox.find(send.cid)
    assert out is not None
    if code in messages.RETRYABLE:
        assert after == []
        assert out.state is OutboxState.WAITING
        assert desk.controller.deadline() <= desk.now + 30
        assert desk.wait(0) == []
        (again,) = desk.wait(desk.controller.deadline() - desk.now)
        assert isinstance(again, messages.Send)
        assert (again.cid, text_of(again)) == (send.cid, "one")
    else:
        (second,) = after
        assert isinstance(second, messages.Send)
        assert text_of(second) == "two"
        assert (out.state, out.reason) == (OutboxState.FAILED, Reason(code, {"most": 7}))
        assert states(desk)[-1] == (send.cid, OutboxState.FAILED)


def test_pauses_between_tries_grow(desk: Desk) -> None:
    """A server in trouble is not asked over and over."""
    desk.go_online(general=0)
    send = only(desk.say("one"), messages.Send)
    pauses: list[float] = []
    for _ in range(5):
        desk.hear(messages.refusal("busy", re=send.id))
        pauses.append(desk.controller.deadline() - desk.now)
        (again,) = desk.wait(pauses[-1])
        assert isinstance(again, messages.Send)
        send = again
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_what_was_not_sent_can_be_dropped(desk: Desk) -> None:
    """A waiting or failed message goes; one on its way stays until its answer."""
    desk.go_online(general=0)
    first = only(desk.say("one"), messages.Send)
    desk.say("two")
    desk.step(lambda: desk.controller.drop(first.cid))
    desk.step(lambda: desk.controller.drop(cid(2)))
    desk.step(lambda: desk.controller.drop(cid(2)))
    assert desk.cache.outbox.find(first.cid) is not None
    assert desk.cache.outbox.find(cid(2)) is None
    assert [state for _, state in states(desk)].count(OutboxState.DROPPED) == 1
    desk.hear(messages.refusal("too_long", re=first.id))
    desk.step(lambda: desk.controller.drop(first.cid))
    assert desk.cache.outbox.find(first.cid) is None


def test_answered_commands_are_forgotten(desk: Desk) -> None:
    """A connection that lasts for days does not remember everything it ever asked."""
    desk.go_online(general=0)
    for number in range(1, 21):
        desk.hear(ack(only(desk.say("hello"), messages.Send), number))
    assert len(desk.controller._link.unanswered) <= 3


# Another history


def test_another_epoch_starts_over_but_keeps_what_was_written(desk: Desk) -> None:
    """A restored backup: everything is fetched anew, nothing the person wrote is lost."""
    desk.go_online(general=3)
    desk.hear(event(1), event(2))
    sent = only(desk.say("sent"), messages.Send)
    desk.hear(ack(sent, 9))
    desk.say("waiting")
    desk.lose()
    first = only(desk.sign_in(epoch="f" * 32), messages.Send)
    assert desk.told(news.CacheReset) == [news.CacheReset()]
    told = desk.news[desk.news.index(news.CacheReset()) :]
    assert news.RoomSeen("general") in told  # Its messages have to be seen somewhere.
    assert desk.cache.position("general") == 0
    assert text_of(first) == "sent"
    assert desk.cache.outbox.waiting == 2
    assert desk.cache.meta("epoch") == "f" * 32


@pytest.mark.parametrize("room", ["general", "dm:ada:bob"])
def test_what_is_written_in_a_room_that_is_gone_is_found_again(desk: Desk, room: str) -> None:
    """Typed a moment before its server turned out to have another history."""
    desk.step(lambda: desk.controller.open_room(room))
    desk.sign_in()
    desk.lose()
    desk.wait(30)
    desk.sign_in(epoch="f" * 32)
    assert room not in desk.cache.rooms()
    desk.news.clear()
    desk.step(lambda: desk.controller.save_draft(room, "half a sen"))
    assert room in desk.cache.rooms()
    assert desk.told(news.RoomSeen) == [news.RoomSeen(room)]
    desk.step(lambda: desk.controller.save_draft("elsewhere", " "))
    assert "elsewhere" not in desk.cache.rooms()


def test_a_started_over_room_is_kept_when_its_answer_comes_first(desk: Desk) -> None:
    """The own message may be the first of a room that has not been listed yet."""
    desk.go_online(general=0)
    desk.say("waiting")
    desk.lose()
    send = only(desk.sign_in(epoch="f" * 32), messages.Send)
    desk.hear(ack(send, 1))
    rows = desk.cache._connection.execute("SELECT room, position FROM rooms").fetchall()
    assert rows == [("general", 1)]


def test_a_position_ahead_fetches_the_room_again(desk: Desk) -> None:
    """The server was set back under the same epoch: its log counts, from the beginning."""
    desk.go_online(general=2)
    desk.hear(event(1), event(2))
    desk.lose()
    sync = only(desk.go_online(general=1), messages.Sync)
    assert sync.positions == {"general": 2}
    ahead = synced(sync, {"general": "position_ahead"})
    assert only(desk.hear(ahead), messages.Sync).positions == {"general": 0}
    assert desk.told(news.CacheReset) == [news.CacheReset(("general",))]
    desk.hear(event(1))
    assert desk.shown() == [1, 2, 1]


def test_what_was_read_is_told_as_read_when_it_is_fetched_again(desk: Desk) -> None:
    """Else the window would count it once more. Also when it comes in several reads."""
    desk.go_online(general=4)
    desk.hear(*(event(seq)._replace(sent_at=seq) for seq in (1, 2, 3, 4)))
    with desk.cache.transaction():
        desk.cache.mark_read("general", 3)
    desk.lose()
    desk.news.clear()
    sync = only(desk.go_online(general=3), messages.Sync)
    desk.hear(synced(sync, {"general": "position_ahead"}))
    again = [event(seq)._replace(sent_at=seq) for seq in (1, 2, 3, 4)]
    desk.hear(*again[:2])
    desk.hear(*again[2:])
    assert max(added.read for added in desk.told(news.EventsAdded)) == 3


def test_what_leaves_the_outbox_is_in_its_room_by_then(desk: Desk) -> None:
    """A window takes news one by one: in between the message must not be gone."""
    desk.go_online(general=0)
    sent = only(desk.say("mine"), messages.Send)
    desk.news.clear()
    desk.hear(ack(sent, 1))
    added, changed = desk.news
    assert isinstance(added, news.EventsAdded)
    assert isinstance(changed, news.OutboxChanged)


def test_what_is_here_last_is_told_to_the_server(desk: Desk) -> None:
    """Of each room whose position means an event; what follows is taken then."""
    asked = only(desk.go_online(general=2), messages.Sync)
    assert (asked.positions, asked.last) == ({"general": 0}, {})
    desk.hear(event(1), event(2, own=cid(77)))
    desk.say("first words", "dm:ada:bob")
    desk.lose()
    sync = only(desk.go_online(**{"general": 2, "dm:ada:bob": 0}), messages.Sync)
    assert sync.positions == {"general": 2, "dm:ada:bob": 0}
    assert sync.last == {"general": cid(77)}


def test_a_copy_of_another_time_of_the_server_is_fetched_again(desk: Desk) -> None:
    """The log has grown past the position with other events; rooms that are as before stay."""
    desk.go_online(**{"general": 2, "dm:ada:bob": 1})
    desk.hear(event(1), event(2), event(1, "dm:ada:bob"))
    desk.lose()
    sync = only(desk.go_online(**{"general": 9, "dm:ada:bob": 1}), messages.Sync)
    sent = only(desk.say("sent"), messages.Send)
    (waiting,) = desk.hear(ack(sent, 10)) or desk.say("waiting")
    assert isinstance(waiting, messages.Send)
    ahead = synced(sync, {"general": "position_ahead"})
    again = only(desk.hear(ahead), messages.Sync)
    assert (again.positions, again.last) == ({"general": 0}, {})
    assert desk.told(news.CacheReset) == [news.CacheReset(("general",))]
    assert desk.cache.position("dm:ada:bob") == 1
    # It may be gone with what was set back: the answer tells.
    (repeated,) = desk.hear(ack(waiting, 11))
    assert isinstance(repeated, messages.Send)
    assert repeated.cid == sent.cid


def test_a_room_that_was_compared_already_is_not_fetched_again(desk: Desk) -> None:
    """It came into being on this connection, and was listed with the others a moment later."""
    desk.go_online(general=2)
    desk.hear(event(1), event(2))
    desk.lose()
    asked = desk.sign_in()
    added = messages.RoomAdded(room=room_of("dm:ada:bob", 0))
    first = only(desk.hear(added), messages.Sync)
    rooms = desk.list_people(asked)
    listed = tuple(room_of(room, 1) for room in ("dm:ada:bob", "general"))
    second = only(desk.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False)), messages.Sync)
    assert second.positions == {"general": 2}, "the other is under way"
    desk.hear(synced(first), event(1, "dm:ada:bob"))
    again = only(desk.hear(synced(second, {"general": "position_ahead"})), messages.Sync)
    assert again.positions == {"general": 0}
    desk.hear(event(2, "dm:ada:bob"))
    assert desk.shown("dm:ada:bob") == [1, 2]


def test_what_may_be_gone_is_sent_again_before_what_was_written_later(desk: Desk) -> None:
    """With messages whose events never came, nothing goes out before the copies are compared."""
    desk.go_online(general=9)
    desk.hear(event(1), event(2))
    desk.hear(ack(only(desk.say("sent"), messages.Send), 9))
    desk.lose()
    desk.say("waiting")
    sync = only(desk.go_online(general=4), messages.Sync)
    assert desk.wait(0) == []
    (again,) = desk.hear(synced(sync, {"general": "position_ahead"}))
    assert isinstance(again, messages.Sync)
    (first,) = desk.hear(synced(again, general=4))
    assert isinstance(first, messages.Send)
    assert text_of(first) == "sent"
    (second,) = desk.hear(ack(first, 5))
    assert isinstance(second, messages.Send)
    assert text_of(second) == "waiting"


def test_an_acknowledgement_does_not_hide_that_the_copy_is_of_another_time(desk: Desk) -> None:
    """It follows the position by chance, before the server has compared what is here."""
    desk.go_online(general=2)
    desk.hear(event(1), event(2))
    desk.lose()
    desk.say("waiting")
    asked = desk.sign_in()
    send = only(asked, messages.Send)
    desk.hear(ack(send, 3))
    assert desk.shown() == [1, 2]
    assert desk.cache.position("general") == 2
    assert states(desk)[-1] == (send.cid, OutboxState.SENT)
    rooms = desk.list_people(asked)
    listed = (room_of("general", 3),)
    sync = only(desk.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False)), messages.Sync)
    assert (sync.positions, sync.last) == ({"general": 2}, {"general": event(2).cid})
    # It is of this server: the own event comes with what was missed, and what follows is taken.
    desk.hear(synced(sync, general=3))
    desk.hear(event(3, sender="ada", own=send.cid))
    assert desk.cache.outbox.find(send.cid) is None
    desk.hear(ack(only(desk.say("more"), messages.Send), 4))
    assert desk.shown() == [1, 2, 3, 4]
    # On the next connection it has to be compared again.
    desk.lose()
    desk.say("once more")
    desk.hear(ack(only(desk.sign_in(), messages.Send), 5))
    assert desk.shown() == [1, 2, 3, 4]


def test_a_room_that_was_compared_takes_its_acknowledgements(desk: Desk) -> None:
    """Told by the answer to its `sync`, though no event has come."""
    desk.go_online(general=1)
    desk.hear(event(1))
    desk.lose()
    sync = only(desk.go_online(general=1), messages.Sync)
    desk.hear(synced(sync))
    desk.hear(ack(only(desk.say("hello"), messages.Send), 2))
    assert desk.shown() == [1, 2]


# The connection


@pytest.mark.parametrize("code", get_args(messages.GoodbyeCode))
def test_a_goodbye_is_final_or_a_pause_by_its_code(desk: Desk, code: messages.GoodbyeCode) -> None:
    """Sent away, replaced or in breach: only the person comes back. Else it does by itself."""
    desk.go_online(general=0)
    desk.hear(messages.Goodbye(code=code, params={"reason": "Enough"}))
    assert desk.controller.wants_disconnect
    desk.lose()  # The socket ends, too; that must not count as a reason to come back.
    status = desk.controller.status
    assert status.reason == Reason(code, {"reason": "Enough"})
    desk.wait(60)
    final = {"terminated", "banned", "account_deleted", "replaced", "violation", "device_removed"}
    if code in final:
        assert (status.link, status.code) == (Link.SIGNED_OUT, code)
        assert not desk.controller.wants_connection
        assert desk.controller.deadline() == math.inf
        desk.step(desk.controller.connect_now)
    assert desk.controller.wants_connection


def test_after_an_orderly_stop_the_reason_stays(desk: Desk) -> None:
    """That the server can't be reached follows from what the host did; it is no other reason."""
    desk.go_online(general=0)
    desk.hear(messages.Goodbye(code="server_closing", params={}))
    for _ in range(4):
        desk.wait(30)
        assert desk.controller.wants_connection
        desk.step(lambda: desk.controller.unreachable(desk.now))
        assert desk.controller.status.reason == Reason("server_closing", {})
    desk.wait(30)
    desk.sign_in()
    desk.lose()
    desk.wait(30)
    desk.step(lambda: desk.controller.unreachable(desk.now))
    assert desk.controller.status.reason == Reason("unreachable")


def test_what_came_of_each_address_is_in_the_status(desk: Desk) -> None:
    """For as long as it is true: the next try begins without it."""
    attempts = (
        Attempt("192.0.2.1", 4000, Failure.REFUSED),
        Attempt("fd00::1", 4000, Failure.FAILED),
    )
    desk.step(lambda: desk.controller.unreachable(desk.now, attempts))
    assert desk.controller.status.attempts == attempts
    desk.wait(30)
    assert desk.controller.status == Status(Link.CONNECTING)
    desk.step(lambda: desk.controller.refused(Reason("wrong_server"), attempts=attempts))
    assert desk.controller.status == Status(Link.REFUSED, Reason("wrong_server"), attempts=attempts)


def test_a_lost_connection_comes_back_after_a_growing_pause(desk: Desk) -> None:
    """Each failed try doubles the pause up to a bound, until a connection is a good one."""
    pauses: list[float] = []
    for _ in range(10):
        desk.lose()
        pauses.append(desk.controller.deadline() - desk.now)
        desk.wait(pauses[-1])
        assert desk.controller.wants_connection
    assert pauses[:3] == [0.25, 0.5, 1.0]
    assert pauses[-1] == 15.0
    desk.sign_in()
    desk.wait(STABLE_AFTER - 1)
    desk.lose()
    assert desk.controller.deadline() - desk.now == 15.0, "it did not last"
    desk.wait(15)
    desk.go_online(general=0)
    for _ in range(2):
        desk.wait(STABLE_AFTER / 2)
        desk.hear(event(1))  # a sign of life
    desk.lose()
    assert desk.controller.deadline() - desk.now == 0.25


def test_an_acknowledgement_makes_the_pauses_short_again(desk: Desk) -> None:
    """It shows that the server works; but each message does so once, whatever is set back."""
    for _ in range(6):
        desk.lose()
        desk.wait(30)
    desk.go_online(general=0)
    sent = only(desk.say("hello"), messages.Send)
    desk.hear(ack(sent, 7))
    desk.lose()
    assert desk.controller.deadline() - desk.now == 0.25
    pauses: list[float] = []
    for number in range(8):
        desk.wait(30)
        # Another history each time: the same message waits again, and is acknowledged again.
        again = only(desk.sign_in(epoch=f"{number:032x}"), messages.Send)
        assert again.cid == sent.cid
        desk.hear(ack(again, 7))
        desk.lose()
        pauses.append(desk.controller.deadline() - desk.now)
    assert pauses[-1] == 15.0


def test_the_person_can_cut_a_pause_short(desk: Desk) -> None:
    """At once, and with short pauses again."""
    desk.lose()
    desk.step(desk.controller.connect_now)
    assert desk.controller.wants_connection
    desk.lose()
    assert desk.controller.deadline() - desk.now == 0.25


@pytest.mark.parametrize("field", ["room", None])
@pytest.mark.parametrize(
    ("code", "fails"),
    [
        ("internal", True),
        ("rate_limited", False),
        ("slow_mode", False),
        ("busy", False),
        ("disk_full", False),
    ],
)
def test_a_message_that_is_refused_for_itself_does_not_hold_up_the_others(
    desk: Desk, code: messages.ErrorCode, field: str | None, fails: bool
) -> None:
    """It fails in the end; what has its cause elsewhere is awaited, as it passes by itself."""
    desk.go_online(general=0)
    send = only(desk.say("hello", "dm:ada:bob"), messages.Send)
    desk.say("later", "dm:ada:bob")
    for _ in range(MAX_REFUSALS):
        assert text_of(send) == "hello"
        refusal = messages.refusal(code, re=send.id, field=field)
        send = only(desk.hear(refusal) or desk.wait(30), messages.Send)
    assert text_of(send) == ("later" if fails else "hello")


def test_a_quiet_connection_is_asked_for_a_sign_of_life(desk: Desk) -> None:
    """A ping in time; an answer keeps it, silence ends it."""
    desk.go_online(general=0)
    assert desk.controller.deadline() <= desk.now + limits.PING_INTERVAL
    (ping,) = desk.wait(limits.PING_INTERVAL)
    assert isinstance(ping, messages.Ping)
    desk.hear(messages.Pong(re=ping.id))
    for _ in range(2):
        (ping,) = desk.wait(limits.PING_INTERVAL)
    desk.wait(limits.PING_INTERVAL)
    assert desk.controller.status.link is Link.PAUSED
    assert desk.controller.wants_disconnect


def test_after_a_suspension_the_connection_is_tested_at_once(desk: Desk) -> None:
    """An answer keeps it; without one it is given up within seconds, and made anew."""
    desk.go_online(general=0)
    (ping,) = desk.step(lambda: desk.controller.resumed(desk.now))
    desk.hear(messages.Pong(re=ping.id))
    desk.wait(10)
    assert desk.told(news.StatusChanged)[-1].status.link is Link.ONLINE
    (ping,) = desk.step(lambda: desk.controller.resumed(desk.now))
    assert desk.controller.deadline() <= desk.now + 5
    desk.wait(5)
    assert desk.controller.status.link is Link.PAUSED
    assert desk.controller.wants_disconnect
    desk.wait(0.25)
    assert desk.controller.wants_connection


def test_a_suspension_during_the_greeting(desk: Desk) -> None:
    """There is nothing to ask with yet; the short deadline holds."""
    desk.connect()
    assert desk.step(lambda: desk.controller.resumed(desk.now)) == []
    desk.wait(5)
    assert desk.controller.status.link is Link.PAUSED


def test_a_suspension_ends_a_pause_between_two_tries(desk: Desk) -> None:
    """The network may be another one now."""
    for _ in range(6):
        desk.lose()
    desk.step(lambda: desk.controller.resumed(desk.now))
    assert desk.controller.wants_connection


def test_a_suspension_does_not_undo_a_goodbye(desk: Desk) -> None:
    """Who was sent away stays away until the person wishes otherwise."""
    desk.go_online(general=0)
    desk.hear(messages.Goodbye(code="terminated", params={}))
    assert desk.step(lambda: desk.controller.resumed(desk.now)) == []
    assert desk.controller.status.link is Link.SIGNED_OUT
    assert not desk.controller.wants_connection


def test_a_sign_of_life_is_asked_for_once(desk: Desk) -> None:
    """Until the next is due: else there would be one in every turn."""
    desk.go_online(general=0)
    assert len(desk.wait(limits.PING_INTERVAL)) == 1
    assert desk.wait(0) == desk.wait(1) == []
    assert desk.controller.deadline() > desk.now + limits.PING_INTERVAL - 12


def test_a_server_that_never_answers_the_greeting_is_given_up(desk: Desk) -> None:
    """Silence counts from the moment the connection stands."""
    desk.connect()
    desk.wait(limits.SILENCE_DEADLINE)
    assert desk.controller.status.link is Link.PAUSED


def test_nothing_of_a_lost_connection_goes_out_on_the_next(desk: Desk) -> None:
    """Frames not yet transmitted are dropped with their connection."""
    desk.go_online(general=0)
    with desk.cache.transaction():
        desk.controller.send("general", *message("hello"), SENT_AT)
        desk.controller.tick(desk.now)
        desk.controller.lost(Reason("lost"), desk.now)
    assert desk.controller.take_frames() == b""
    assert desk.cache.outbox.waiting == 1


def test_a_breach_by_the_server_is_an_error_and_late_bytes_are_nothing(desk: Desk) -> None:
    """Bytes of a connection that is over already change nothing."""
    desk.go_online(general=1)
    with pytest.raises(RemoteProtocolError):
        desk.controller.received(b"\0\0\0\0", desk.now)
    desk.lose()
    desk.step(lambda: desk.controller.received(encode(on_wire(event(1))), desk.now))
    assert desk.shown() == []


def test_a_crash_between_two_messages_loses_nothing() -> None:
    """What a former run wrote and did not send is sent by the next one, in order."""
    cache = Cache(None)
    before = Desk(cache=cache)
    before.say("one")
    before.say("two")
    after = Desk(cache=cache)
    first = only(after.sign_in(), messages.Send)
    (second,) = after.hear(ack(first, 1))
    assert isinstance(second, messages.Send)
    assert [text_of(first), text_of(second)] == ["one", "two"]
    cache.close()


def test_a_failed_computer_asks_nothing_of_the_cache(desk: Desk) -> None:
    """When the store itself failed the front end still learns why."""
    desk.cache.close()
    desk.controller.failed(Reason("storage_full"))
    (told,) = desk.controller.take_news()
    assert isinstance(told, news.StatusChanged)
    assert (told.status.link, told.status.code) == (Link.REFUSED, "storage_full")
