"""What is said is stored once, reaches the right people, and is answered the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.rules.conversation import frame_of
from chat_server.rules.directory import StoredEvent
from chat_server.rules.effects import GoLive, HangUp, Publish, ReadPage, Tell, WritePage
from chat_server.rules.inputs import PageFailed, PageRead
from chat_server.rules.table import handle_command
from common import limits, messages
from common.names import GENERAL, direct_room
from tests import strategies as our
from tests.chat_server.house import (
    NOW,
    House,
    acked,
    all_of,
    answered,
    only,
    refused,
    told,
    understood,
)


def test_a_message_is_stored_and_published(house: House) -> None:
    """The log has it, the members get the event, the sender its place, in the same batch."""
    ada = house.join("ada")
    outcome = house.say(ada, "hello", cid="a" * 32)
    published = only(outcome, Publish)
    (event,) = understood(published.frame)
    assert event == messages.Event(
        room=GENERAL, seq=2, kind="message", sender="ada", text="hello", sent_at=NOW, cid="a" * 32
    )
    assert published.sender == ada.connection
    ack = acked(outcome)
    assert (ack.room, ack.seq, ack.cid, ack.sent_at) == (GENERAL, 2, "a" * 32, NOW)
    assert house.stored()[1:] == [(2, "message", "ada", "hello")]
    assert house.world.head(GENERAL) == 2


def test_a_message_waits_for_the_one_it_comes_after(house: House) -> None:
    """Refused, to be tried again, as long as that one is not stored: it can't be overtaken."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "somebody else's", cid="a" * 32)
    early = refused(house.say(ada, "second", cid="b" * 32, after="a" * 32), ada)
    assert (early.code, early.field, early.retryable) == ("too_early", "after", True)
    assert house.stored()[-1][3] == "somebody else's"
    house.say(ada, "first", cid="a" * 32)
    second = acked(house.say(ada, "second", cid="b" * 32, after="a" * 32))
    # What is stored is stored: a repetition gets its first answer, whatever it comes after now.
    again = acked(house.say(ada, "second", cid="b" * 32, after="c" * 32))
    assert again.model_copy(update={"re": second.re}) == second
    assert [text for *_, text in house.stored()[-2:]] == ["first", "second"]


@pytest.mark.parametrize("text", our.HARD_TEXTS)
def test_texts_are_stored_as_they_are(house: House, text: str) -> None:
    """Nothing on the way changes a character."""
    ada = house.join("ada")
    (event,) = understood(only(house.say(ada, text), Publish).frame)
    assert isinstance(event, messages.Event)
    assert event.text == text == house.stored()[-1][3]


def test_the_same_message_again_gets_its_first_answer(house: House) -> None:
    """Whatever was said since, from another session too: one copy, one place, one time."""
    ada = house.join("ada")
    first = acked(house.say(ada, "hello", cid="a" * 32))
    house.say(ada, "something else")
    again, _ = house.sign_in("ada")
    outcome = house.say(again, "hello", cid="a" * 32)
    assert all_of(outcome, Publish) == []
    second = acked(outcome)
    assert second.model_copy(update={"re": first.re}) == first
    assert len(house.stored()) == 3


@pytest.mark.parametrize(("text", "room"), [("other", GENERAL), ("hello", "dm:ada:bob")])
def test_a_cid_says_one_thing_for_ever(house: House, text: str, room: str) -> None:
    """Other content under the same cid is refused for good, and opens no room either."""
    ada = house.join("ada")
    house.join("bob")
    house.say(ada, "hello", cid="a" * 32)
    before = house.log.load()
    error = refused(house.say(ada, text, room, cid="a" * 32), ada)
    assert (error.code, error.field, error.retryable) == ("cid_reused", "cid", False)
    assert house.log.load() == before


def test_a_cid_is_the_senders_own(house: House) -> None:
    """Two people may use the same one."""
    for name in ("ada", "bob"):
        assert all_of(house.say(house.join(name), name, cid="a" * 32), Publish)


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("nowhere", "no_such_room"),
        ("dm:bob:cem", "no_such_room"),
        ("dm:ada:zoe", "no_such_person"),
        ("dm:bob:ada", "no_such_room"),
        ("dm:ada:ada", "no_such_room"),
    ],
)
def test_what_is_no_room_of_mine_gets_nothing(house: House, room: str, code: str) -> None:
    """Others' conversations look like none; only the sorted pair is a room."""
    ada, bob = house.join("ada"), house.join("bob")
    house.join("cem")
    house.say(bob, "psst", "dm:bob:cem")
    before = house.log.load()
    error = refused(house.say(ada, "hello", room), ada)
    assert (error.code, error.field, error.retryable) == (code, "room", False)
    assert house.log.load() == before == house.world.directory


def test_a_first_message_opens_a_direct_room(house: House) -> None:
    """Both people's sessions hear of the room before its first event, and nobody else does."""
    ada, bob, cem = house.join("ada"), house.join("bob"), house.join("cem")
    phone, _ = house.sign_in("bob")
    outcome = house.say(bob, "psst", "dm:ada:bob")
    added = messages.RoomAdded(room=messages.Room(room="dm:ada:bob", head=0))
    for session in (ada, bob, phone):
        assert told(outcome, session) == [added]
    assert told(outcome, cem) == []
    kinds = [type(effect) for effect in outcome]
    assert kinds == [Tell, Tell, Tell, Publish]
    assert acked(outcome).seq == 1
    assert [type(each) for each in house.say(ada, "yes?", "dm:ada:bob")] == [Publish]
    assert house.world.directory == house.log.load()


def test_positions_are_synced_and_heads_told(house: House) -> None:
    """Up to date means live at once; behind means a page first. Each is answered with its head."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    command = messages.Sync(id=5, positions={GENERAL: 2, "dm:ada:bob": 0})
    outcome = house.do(ada, command)
    assert told(outcome, ada) == [messages.Synced(re=5, heads={GENERAL: 2, "dm:ada:bob": 1})]
    assert only(outcome, GoLive).room == GENERAL
    assert only(outcome, ReadPage) == ReadPage(ada.connection, (("dm:ada:bob", 0),))
    assert isinstance(outcome[0], Tell)


@pytest.mark.parametrize(
    ("positions", "code", "field"),
    [
        ({GENERAL: 0, "nowhere": 0}, "no_such_room", "nowhere"),
        ({GENERAL: 0, "dm:bob:cem": 0}, "no_such_room", "dm:bob:cem"),
        ({GENERAL: 4}, "position_ahead", GENERAL),
    ],
)
def test_sync_is_all_or_nothing(
    house: House, positions: dict[str, int], code: str, field: str
) -> None:
    """One wrong room and no delivery starts; the error says which room it was."""
    ada, bob = house.join("ada"), house.join("bob")
    house.join("cem")
    house.say(bob, "psst", "dm:bob:cem")
    error = refused(house.do(ada, messages.Sync(id=5, positions=positions)), ada)
    assert (error.code, error.field, error.retryable) == (code, f"positions.{field}", False)
    assert not ada.cursors
    assert not ada.live


def _sync(positions: dict[str, int], last: dict[str, int]) -> messages.Sync:
    return messages.Sync(id=5, positions=positions, last=last)


@pytest.mark.parametrize(
    "last", [{}, {GENERAL: NOW}, {"dm:ada:bob": NOW}, {GENERAL: NOW, "dm:ada:bob": NOW}]
)
def test_a_copy_of_this_log_is_followed_up(house: House, last: dict[str, int]) -> None:
    """Whichever of its last events a client names; without any, its positions are believed."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    positions = {GENERAL: 1, "dm:ada:bob": 1}
    # Outside of a transaction, as in a batch that writes nothing.
    outcome = answered(handle_command(house.world, ada, _sync(positions, last), NOW))
    assert told(outcome, ada) == [messages.Synced(re=5, heads={GENERAL: 2, "dm:ada:bob": 1})]
    assert ada.cursors == {GENERAL: 1}
    assert ada.live == {"dm:ada:bob"}


@pytest.mark.parametrize("wrong", [GENERAL, "dm:ada:bob"])
def test_a_copy_of_another_history_is_refused(house: House, wrong: str) -> None:
    """Something else was in that place when the client got it: nothing is started anywhere."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    last = {GENERAL: NOW, "dm:ada:bob": NOW} | {wrong: NOW - 1}
    error = refused(house.do(ada, _sync({GENERAL: 2, "dm:ada:bob": 1}, last)), ada)
    assert (error.code, error.field, error.retryable) == ("position_ahead", f"last.{wrong}", False)
    assert "another time of this server" in error.message
    assert not ada.cursors
    assert not ada.live


def test_what_is_said_in_the_same_batch_is_in_nobodys_copy(house: House) -> None:
    """The room is as long as the old copy only since a moment ago, and nothing is written yet."""
    ada, bob = house.join("ada"), house.join("bob")
    sync = _sync({GENERAL: 3}, {GENERAL: NOW})
    with house.log.transaction():
        send = messages.Send(id=6, room=GENERAL, cid=house.cid(), text="hello")
        handle_command(house.world, bob, send, NOW)
        assert house.world.head(GENERAL) == 3
        error = refused(handle_command(house.world, ada, sync, NOW), ada)
        # What was published before in this batch is no reason to doubt another copy.
        one = handle_command(house.world, ada, _sync({GENERAL: 2}, {GENERAL: NOW}), NOW)
    assert error.field == f"last.{GENERAL}"
    assert told(answered(one), ada) == [messages.Synced(re=5, heads={GENERAL: 3})]
    phone, _ = house.sign_in("ada")
    assert told(house.do(phone, sync), phone) == [messages.Synced(re=5, heads={GENERAL: 3})]


def test_a_sync_that_can_not_be_checked_is_to_be_tried_again(tmp_path: Path) -> None:
    """With a log that can't be read nothing is believed, and nothing started."""
    house = House(tmp_path / "other.db")
    ada = house.join("ada")
    house.close()
    outcome = handle_command(house.world, ada, _sync({GENERAL: 1}, {GENERAL: NOW}), NOW)
    error = refused(outcome, ada)
    assert (error.code, error.re, error.retryable) == ("internal", 5, True)
    assert not ada.cursors
    assert not ada.live


def test_syncing_twice_starts_nothing_twice(house: House) -> None:
    """A room that is on its way is not begun again."""
    ada = house.join("ada")
    house.do(ada, messages.Sync(id=5, positions={GENERAL: 0}))
    outcome = house.do(ada, messages.Sync(id=6, positions={GENERAL: 0}))
    assert [type(effect) for effect in outcome] == [Tell]


def test_rooms_come_in_pages(house: House) -> None:
    """Only one's own rooms, in order, with their heads, page by page."""
    ada = house.join("ada")
    house.join("zed")
    with house.log.transaction():
        account = house.world.directory.accounts["ada"]
        for number in range(limits.PAGE_ROOMS + 5):
            other = house.log.add_account(f"p{number:03}", "P", NOW)
            room = house.log.add_room(direct_room("ada", other.username), NOW)
            house.log.add_member(room, account)
            house.log.add_member(room, other)
    house.world.reload()
    rooms: list[messages.Room] = []
    after, more = None, True
    while more:
        (page,) = told(house.do(ada, messages.ListRooms(id=1, after=after)), ada)
        assert isinstance(page, messages.Rooms)
        assert len(page.rooms) <= limits.PAGE_ROOMS
        rooms += page.rooms
        after, more = page.rooms[-1].room, page.more
    assert [each.room for each in rooms] == sorted(house.world.directory.rooms_of["ada"])
    assert rooms[-1] == messages.Room(room=GENERAL, head=2)


def test_a_ping_is_answered(house: House) -> None:
    """With its own id."""
    session = house.connect()
    assert told(house.do(session, messages.Ping(id=9)), session) == [messages.Pong(re=9)]


def test_an_unreadable_log_ends_the_connection_to_try_again(house: House) -> None:
    """The client is told to come back; pages for those that left are dropped."""
    ada = house.join("ada")
    house.do(ada, messages.Sync(id=5, positions={GENERAL: 0}))
    outcome = house.happen(PageFailed(ada.connection))
    assert only(outcome, HangUp).goodbye.code == "internal"
    assert house.happen(PageFailed(ada.connection)) == []
    assert house.happen(PageRead(ada.connection, b"frames", ((GENERAL, 1),))) == []


def test_a_page_is_handed_on_as_it_was_read(house: House) -> None:
    """The reader's bytes reach the connection unchanged, and the next page waits for them."""
    ada = house.join("ada")
    house.do(ada, messages.Sync(id=5, positions={GENERAL: 0}))
    house.join("bob")
    outcome = house.happen(PageRead(ada.connection, b"frames", ((GENERAL, 1),)))
    assert outcome == [WritePage(ada.connection, b"frames")]


@given(text=our.text(), seq=our.number(1), room=our.room())
def test_an_events_frame_is_what_clients_understand(text: str, seq: int, room: str) -> None:
    """The quick way past the checks still gives lawful events."""
    event = StoredEvent(room, seq, "message", "ada", text, NOW, "a" * 32)
    (message,) = understood(frame_of(event))
    assert isinstance(message, messages.Event)
    assert (message.text, message.seq, message.room) == (text, seq, room)


@given(st.lists(st.sampled_from(["ada", "bob"]), max_size=8))
def test_places_have_no_gap(house_of_two: House, order: list[str]) -> None:
    """Whoever speaks, each room counts on by one."""
    sessions = {name: next(house_of_two.world.sessions.of(name)) for name in ("ada", "bob")}
    for name in order:
        house_of_two.say(sessions[name], name)
    places = [seq for seq, *_ in house_of_two.stored()]
    assert places == list(range(1, len(places) + 1))


@pytest.fixture(scope="module")
def house_of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all examples: they only add to it."""
    made = House(tmp_path_factory.mktemp("house") / "chat.db")
    made.join("ada")
    made.join("bob")
    yield made
    made.close()
