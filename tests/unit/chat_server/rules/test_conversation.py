"""What is said is stored once, reaches the right people, and is answered the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from chat_server.rules.commands import SENDERS, handle_command
from chat_server.rules.effects import (
    Disconnect,
    GoLive,
    Publish,
    ReadPage,
    Tell,
    TellAccount,
    WritePage,
)
from chat_server.rules.inputs import Drained, PageFailed, PageRead
from chat_server.rules.roles import Role
from common import limits
from common.domain.names import GENERAL, direct_room
from common.protocol import messages
from common.protocol.fast_encode import event_frame
from tests import strategies as our
from tests.events import joined, said, send
from tests.unit.chat_server.house import (
    NOW,
    House,
    acked,
    all_of,
    answered,
    listed,
    only,
    refused,
    told,
    understood,
)

A, B, C = "a" * 16, "b" * 16, "c" * 16
OTHER = "o" * 16
"""The id of an event of another history."""


def test_a_message_is_stored_and_published(house: House) -> None:
    """The log has it, the members get the event, the sender its place, in the same batch."""
    ada = house.join("ada")
    outcome = house.say(ada, "hello", cid=A)
    published = only(outcome, Publish)
    said_by_ada = said(2, text="hello", sent_at=NOW, cid=A)
    assert published.event == said_by_ada
    assert published.sender == ada.connection
    ack = acked(outcome)
    assert (ack.room, ack.seq, ack.cid, ack.sent_at) == (GENERAL, 2, A, NOW)
    assert house.stored()[1:] == [(2, "message", "ada", "hello")]
    assert house.world.head(GENERAL) == 2


def test_a_message_waits_for_the_one_it_comes_after(house: House) -> None:
    """Refused, to be tried again, as long as that one is not stored: it can't be overtaken."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "somebody else's", cid=A)
    early = refused(house.say(ada, "second", cid=B, after=A), ada)
    assert (early.code, early.field, early.retryable) == ("too_early", "after", True)
    assert house.stored()[-1][3] == "somebody else's"
    house.say(ada, "first", cid=A)
    second = acked(house.say(ada, "second", cid=B, after=A))
    # What is stored is stored: a repetition gets its first answer, whatever it comes after now.
    again = acked(house.say(ada, "second", cid=B, after=C))
    assert again.model_copy(update={"re": second.re}) == second
    assert [text for *_, text in house.stored()[-2:]] == ["first", "second"]


@pytest.mark.parametrize("text", our.HARD_TEXTS)
def test_texts_are_stored_as_they_are(house: House, text: str) -> None:
    """Nothing on the way changes a character."""
    ada = house.join("ada")
    event = only(house.say(ada, text), Publish).event
    assert event.body == {"text": text}
    assert text == house.stored()[-1][3]


def test_the_same_message_again_gets_its_first_answer(house: House) -> None:
    """Whatever was said since, from another session too: one copy, one place, one time."""
    ada = house.join("ada")
    first = acked(house.say(ada, "hello", cid=A))
    house.say(ada, "something else")
    again, _ = house.sign_in("ada")
    outcome = house.say(again, "hello", cid=A)
    assert all_of(outcome, Publish) == []
    second = acked(outcome)
    assert second.model_copy(update={"re": first.re}) == first
    assert len(house.stored()) == 3


@pytest.mark.parametrize(("text", "room"), [("other", GENERAL), ("hello", "dm:ada:bob")])
def test_a_cid_says_one_thing_for_ever(house: House, text: str, room: str) -> None:
    """Other content under the same cid is refused for good, and opens no room either."""
    ada = house.join("ada")
    house.join("bob")
    house.say(ada, "hello", cid=A)
    before = house.log.load()
    error = refused(house.say(ada, text, room, cid=A), ada)
    assert (error.code, error.field, error.retryable) == ("cid_reused", "cid", False)
    assert house.log.load() == before


class Anything(messages.Message):
    """The body of a kind that may be anything."""

    of: JsonValue = None
    to: JsonValue = None


@pytest.mark.parametrize(
    ("body", "same"),
    [
        ({"to": {"y": [1], "x": "é"}, "of": 1}, True),
        ({"of": 1}, False),
        ({"of": 1, "to": {"x": "é", "y": [1, 1]}}, False),
        ({"of": True, "to": {"x": "é", "y": [1]}}, False),
        ({"of": 1.0, "to": {"x": "é", "y": [1]}}, False),
        ({"of": "1", "to": {"x": "é", "y": [1]}}, False),
        ({"of": 1, "to": {"x": "é", "y": [1], "z": None}}, False),
    ],
)
@pytest.mark.parametrize("committed", [True, False])
def test_a_repetition_is_known_by_its_whole_body(
    house: House, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], same: bool, committed: bool
) -> None:
    """Of any kind: whatever the order of its fields, and whether it is in the log yet or not."""
    monkeypatch.setitem(messages.KINDS, "anything", Anything)
    monkeypatch.setattr(
        "common.protocol.messages.events.SENDABLE", messages.SENDABLE | {"anything"}
    )
    monkeypatch.setitem(cast("dict[str, Role]", SENDERS), "anything", Role.MEMBER)
    ada = house.join("ada")

    def add(number: int, body: dict[str, Any]) -> messages.Send:
        return messages.Send(id=number, room=GENERAL, cid=A, kind="anything", body=body)

    first, again = add(70, {"of": 1, "to": {"x": "é", "y": [1]}}), add(71, body)
    if committed:
        outcomes = [house.do(ada, first), house.do(ada, again)]
    else:
        with house.log.transaction():
            both = [handle_command(house.world, ada, each, NOW) for each in (first, again)]
        house.world.directory.commit()
        outcomes = [answered(each) for each in both]
    assert only(outcomes[0], Publish).event.body == first.body
    if same:
        ack = acked(outcomes[0])
        assert acked(outcomes[1]).model_copy(update={"re": ack.re}) == ack
    else:
        assert refused(outcomes[1], ada).code == "cid_reused"
    other = messages.Send(id=72, room=GENERAL, cid=A, kind="message", body={"text": "1"})
    assert refused(house.do(ada, other), ada).code == "cid_reused"
    assert len(house.stored()) == 2


def test_the_event_of_a_join_has_an_id_of_its_own(house: House) -> None:
    """As each event has: a client that has it last can name it."""
    house.join("ada")
    outcome = house.do(house.connect(), house.join_command("bob"))
    event = only(outcome, Publish).event
    assert event.cid == house.cid_at(2) != house.cid_at(1)
    assert event == joined(2, "bob", sent_at=NOW)._replace(cid=event.cid)


def test_a_joins_id_can_be_nobodys_message(house: House) -> None:
    """Whoever sends under the id of their own join gets no place for it."""
    ada = house.join("ada")
    error = refused(house.say(ada, "hello", cid=house.cid_at(1)), ada)
    assert (error.code, error.field) == ("cid_reused", "cid")
    assert len(house.stored()) == 1


def test_a_cid_is_the_senders_own(house: House) -> None:
    """Two people may use the same one."""
    for name in ("ada", "bob"):
        assert all_of(house.say(house.join(name), name, cid=A), Publish)


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
    added = messages.RoomAdded(room=listed("dm:ada:bob", 0))
    for session in (ada, bob, phone):
        assert told(outcome, session) == [added]
    assert told(outcome, cem) == []
    kinds = [type(effect) for effect in outcome]
    assert kinds == [TellAccount, TellAccount, Publish]
    assert acked(outcome).seq == 1
    assert [type(each) for each in house.say(ada, "yes?", "dm:ada:bob")] == [Publish]
    assert house.world.directory == house.log.load()


def test_positions_are_synced_and_heads_told(house: House) -> None:
    """Up to date means live at once; behind means a page first. Each is answered with its head."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    synced, outcome = house.sync(ada, {GENERAL: 2, "dm:ada:bob": 0})
    assert (synced.heads, synced.refused) == ({GENERAL: 2, "dm:ada:bob": 1}, {})
    assert only(outcome, GoLive).room == GENERAL
    assert only(outcome, ReadPage) == ReadPage(ada.connection, (("dm:ada:bob", 0),))
    assert isinstance(outcome[0], Tell)


@pytest.mark.parametrize(
    ("positions", "refused"),
    [
        ({"nowhere": 0}, {"nowhere": "no_such_room"}),
        ({"dm:bob:cem": 0}, {"dm:bob:cem": "no_such_room"}),
        ({"dm:bob:cem": 9}, {"dm:bob:cem": "no_such_room"}),
        ({"dm:ada:zoe": 0}, {"dm:ada:zoe": "no_such_room"}),
        ({"dm:ada:bob": 2}, {"dm:ada:bob": "position_ahead"}),
        (
            {"nowhere": 0, "dm:ada:bob": 7, "dm:bob:cem": 1},
            {"nowhere": "no_such_room", "dm:ada:bob": "position_ahead"}
            | {"dm:bob:cem": "no_such_room"},
        ),
    ],
)
def test_a_room_that_is_refused_keeps_no_other_from_beginning(
    house: House, positions: dict[str, int], refused: dict[str, str]
) -> None:
    """Each of them gets its reason; others' conversations look like none."""
    ada, bob = house.join("ada"), house.join("bob")
    house.join("cem")
    house.say(bob, "psst", "dm:bob:cem")
    house.say(bob, "psst", "dm:ada:bob")
    synced, outcome = house.sync(ada, {GENERAL: 1, **positions})
    assert (synced.heads, synced.refused) == ({GENERAL: 3}, refused)
    assert ada.cursors == {GENERAL: 1}
    assert not ada.live
    assert only(outcome, ReadPage).rooms == ((GENERAL, 1),)
    # And nothing else begins where all are refused.
    phone, _ = house.sign_in("ada")
    synced, outcome = house.sync(phone, positions)
    assert (synced.heads, synced.refused) == ({}, refused)
    assert [type(effect) for effect in outcome] == [Tell]
    assert not phone.cursors
    assert not phone.live


def test_a_room_that_was_refused_can_be_begun_anew(house: House) -> None:
    """From nothing, in the same session: what the client had was of another history."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    synced, _ = house.sync(ada, {GENERAL: 2, "dm:ada:bob": 1}, {"dm:ada:bob": OTHER})
    assert synced.refused == {"dm:ada:bob": "position_ahead"}
    synced, outcome = house.sync(ada, {"dm:ada:bob": 0})
    assert (synced.heads, synced.refused) == ({"dm:ada:bob": 1}, {})
    assert only(outcome, ReadPage).rooms == (("dm:ada:bob", 0),)


def _sync(positions: dict[str, int], last: dict[str, str]) -> messages.Sync:
    return messages.Sync(id=5, positions=positions, last=last)


@pytest.mark.parametrize("named", [[], [GENERAL], ["dm:ada:bob"], [GENERAL, "dm:ada:bob"]])
def test_a_copy_of_this_log_is_followed_up(house: House, named: list[str]) -> None:
    """Whichever of its last events a client names; without any, its positions are believed."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    positions = {GENERAL: 1, "dm:ada:bob": 1}
    last = {room: house.cid_at(1, room) for room in named}
    # Outside of a transaction, as in a batch that writes nothing.
    outcome = answered(handle_command(house.world, ada, _sync(positions, last), NOW))
    assert told(outcome, ada) == [
        messages.Synced(re=5, heads={GENERAL: 2, "dm:ada:bob": 1}, skipped=(), refused={})
    ]
    assert ada.cursors == {GENERAL: 1}
    assert ada.live == {"dm:ada:bob"}


@pytest.mark.parametrize("wrong", [[GENERAL], ["dm:ada:bob"], [GENERAL, "dm:ada:bob"]])
def test_a_copy_of_another_history_is_refused(house: House, wrong: list[str]) -> None:
    """Something else was in that place when the client got it; other rooms' copies are right."""
    ada, bob = house.join("ada"), house.join("bob")
    house.say(bob, "psst", "dm:ada:bob")
    positions = {GENERAL: 2, "dm:ada:bob": 1}
    last = {room: house.cid_at(seq, room) for room, seq in positions.items()}
    synced, _ = house.sync(ada, positions, last | dict.fromkeys(wrong, OTHER))
    assert synced.refused == dict.fromkeys(wrong, "position_ahead")
    assert synced.heads == {room: at for room, at in positions.items() if room not in wrong}
    assert not ada.cursors
    assert ada.live == set(synced.heads)


def test_what_is_said_in_the_same_batch_is_in_nobodys_copy(house: House) -> None:
    """The room is as long as the old copy only since a moment ago, and nothing is written yet."""
    ada, bob = house.join("ada"), house.join("bob")
    sync = _sync({GENERAL: 3}, {GENERAL: A})
    seen = house.cid_at(2)
    refused = messages.Synced(re=5, heads={}, skipped=(), refused={GENERAL: "position_ahead"})
    with house.log.transaction():
        handle_command(house.world, bob, send(6, cid=A), NOW)
        assert house.world.head(GENERAL) == 3
        early = handle_command(house.world, ada, sync, NOW)
        # What was published before in this batch is no reason to doubt another copy.
        one = handle_command(house.world, ada, _sync({GENERAL: 2}, {GENERAL: seen}), NOW)
    assert told(answered(early), ada) == [refused]
    begun = messages.Synced(re=5, heads={GENERAL: 3}, skipped=(), refused={})
    assert told(answered(one), ada) == [begun]
    phone, _ = house.sign_in("ada")
    assert told(house.do(phone, sync), phone) == [begun]


def test_a_sync_that_can_not_be_checked_is_to_be_tried_again(tmp_path: Path) -> None:
    """With a log that can't be read nothing is believed, and nothing started."""
    house = House(tmp_path / "other.db")
    ada = house.join("ada")
    house.close()
    outcome = handle_command(house.world, ada, _sync({GENERAL: 1}, {GENERAL: OTHER}), NOW)
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
            other = house.log.add_account(f"p{number:03}", "P", 2**40 + number, NOW)
            room = house.log.add_room(direct_room("ada", other.username), NOW)
            house.log.add_member(room, account)
            house.log.add_member(room, other)
    house.world.directory = house.log.load()
    rooms: list[messages.Room] = []
    after, more = None, True
    while more:
        (page,) = told(house.do(ada, messages.ListRooms(id=1, after=after)), ada)
        assert isinstance(page, messages.Rooms)
        assert len(page.rooms) <= limits.PAGE_ROOMS
        rooms += page.rooms
        after, more = page.rooms[-1].room, page.more
    assert [each.room for each in rooms] == sorted(house.world.directory.rooms_of["ada"])
    assert rooms[0] == listed("dm:ada:p000", 0)
    assert rooms[-1] == listed(GENERAL, 2)


def test_a_ping_is_answered(house: House) -> None:
    """With its own id."""
    session = house.connect()
    assert told(house.do(session, messages.Ping(id=9)), session) == [messages.Pong(re=9)]


def test_an_unreadable_log_ends_the_connection_to_try_again(house: House) -> None:
    """The client is told to come back; pages for those that left are dropped."""
    ada = house.join("ada")
    house.do(ada, messages.Sync(id=5, positions={GENERAL: 0}))
    outcome = house.happen(PageFailed(ada.connection))
    assert only(outcome, Disconnect).goodbye.code == "internal"
    assert house.happen(PageFailed(ada.connection)) == []
    assert house.happen(PageRead(ada.connection, 7, ((GENERAL, 1),))) == []


def test_a_page_that_was_read_is_written(house: House) -> None:
    """And the next one waits for it; without anything in it there is none."""
    ada = house.join("ada")
    house.do(ada, messages.Sync(id=5, positions={GENERAL: 0}))
    house.join("bob")
    outcome = house.happen(PageRead(ada.connection, 7, ((GENERAL, 1),)))
    assert outcome == [WritePage(ada.connection, 7)]
    house.happen(Drained(ada.connection, 1))
    outcome = house.happen(PageRead(ada.connection, None, ((GENERAL, 1),)))
    assert outcome == [ReadPage(ada.connection, ((GENERAL, 1),))]


@given(text=our.text(), seq=our.number(1), room=our.room())
def test_an_events_frame_is_what_clients_understand(text: str, seq: int, room: str) -> None:
    """The quick way past the checks still gives lawful events."""
    event = said(seq, text=text, room=room, sent_at=NOW)
    (message,) = understood(event_frame(event))
    assert isinstance(message, messages.EventMessage)
    assert message.model_dump(exclude={"type"}) == event._asdict()


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
