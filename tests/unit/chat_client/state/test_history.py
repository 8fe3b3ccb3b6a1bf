"""History on demand: the newest first, older pages as they are wanted, nothing lost or doubled."""

from __future__ import annotations

import sqlite3

import pytest

from chat_client.cache.spans import Span
from chat_client.state import news
from chat_client.state.history import PAGE
from chat_client.state.news import HistoryAdded, Skipped, Wanted
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from chat_client.state.sync import CATCH_UP_LIMIT
from common import limits
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.messages import ToServer
from tests.events import text_of
from tests.unit.chat_client.desk import (
    SENT_AT,
    Desk,
    ack,
    event,
    only,
    page,
    room_of,
    skipping,
    synced,
)

ROOM = "general"
HEAD = 5000
DIRECT = "dm:ada:bob"


def behind(position: int = 0, head: int = HEAD) -> tuple[Desk, messages.History]:
    """A client that has a room up to a place, and is told that it begins at the head; its page."""
    desk = Desk(on_demand=True)
    if position:
        sync = only(desk.go_online(general=position), messages.Sync)
        desk.hear(synced(sync, general=position), *map(event, range(1, position + 1)))
        desk.lose()
        desk.news.clear()
    sync = only(desk.go_online(general=head), messages.Sync)
    return desk, only(desk.hear(skipping(sync, general=head)), messages.History)


def with_newest(position: int = 0) -> Desk:
    """The same, when its newest page has come."""
    desk, asked = behind(position)
    assert desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD)) == []
    desk.news.clear()
    return desk


def want(desk: Desk, wanted: Wanted) -> list[ToServer]:
    """The front end wants a page; what is asked then."""
    return desk.step(lambda: desk.controller.load_history(wanted))


def spans(desk: Desk, room: str = ROOM) -> list[tuple[int, int]]:
    """What is here."""
    return [(span.first, span.last) for span in desk.cache.spans(room)]


def is_online(desk: Desk) -> bool:
    """Whether nothing was wrong with what the server said."""
    return desk.controller.status.link is Link.ONLINE


def test_a_new_member_gets_the_newest_page_and_then_what_is_said() -> None:
    """Nothing of what was before it comes, or counts as new."""
    desk, asked = behind()
    assert (asked.before, asked.around, asked.at, asked.count) == (HEAD + 1, None, None, PAGE)
    assert desk.told(Skipped) == [Skipped(ROOM, HEAD, HEAD, "before")]
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD))
    assert desk.told(HistoryAdded) == [HistoryAdded(ROOM, Wanted(ROOM), (HEAD - PAGE + 1, HEAD))]
    desk.hear(event(HEAD + 1))
    assert spans(desk) == [(HEAD - PAGE + 1, HEAD + 1)]
    assert desk.shown() == [HEAD + 1]
    assert is_online(desk)


def test_a_new_member_has_nothing_unread_after_a_restart() -> None:
    """But what is said from then on."""
    desk, asked = behind()
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD), event(HEAD + 1))
    found = desk.cache._connection.execute("SELECT position, read FROM rooms").fetchall()
    assert found == [(HEAD + 1, HEAD)]


def test_only_who_reads_on_demand_asks_for_less_than_all() -> None:
    """A listener's promise is that nothing is left out."""
    for on_demand, most in ((True, CATCH_UP_LIMIT), (False, None)):
        sync = only(Desk(on_demand=on_demand).go_online(general=HEAD), messages.Sync)
        assert sync.most == most


def test_a_listener_takes_no_gap_from_a_server_that_skips_unasked() -> None:
    """What it did not ask for does not become right by being said."""
    desk = Desk()
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    assert desk.hear(skipping(sync, general=HEAD)) == []
    desk.hear(event(HEAD + 1))
    assert desk.controller.status.reason.code == "gap"
    assert desk.cache.position(ROOM) == 0


def test_what_is_said_before_the_newest_page_is_here_is_kept() -> None:
    """The page joins it from below; nobody is told anything twice."""
    desk, asked = behind(10)
    assert desk.told(Skipped) == [Skipped(ROOM, 10, HEAD)]
    desk.hear(event(HEAD + 1), event(HEAD + 2))
    assert spans(desk) == [(1, 10), (HEAD + 1, HEAD + 2)]
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD + 2), event(HEAD + 3))
    assert spans(desk) == [(1, 10), (HEAD - PAGE + 1, HEAD + 3)]
    assert desk.shown() == [HEAD + 1, HEAD + 2, HEAD + 3]
    assert is_online(desk)


def test_an_own_message_is_acknowledged_before_the_page_is_here() -> None:
    """One can speak at once: it stands right after what was skipped."""
    desk, asked = behind()
    send = only(desk.say("hello"), messages.Send)
    desk.hear(ack(send, HEAD + 1))
    assert desk.shown() == [HEAD + 1]
    assert (desk.cache.outbox.waiting, desk.cache.outbox.find(send.cid)) == (0, None)
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD + 1))
    assert spans(desk) == [(HEAD - PAGE + 1, HEAD + 1)]


def test_a_page_does_not_bring_what_comes_by_itself() -> None:
    """Else it would pass for known, and nobody would be told of it."""
    desk = with_newest()
    (asked,) = want(desk, Wanted(ROOM, around=HEAD))
    assert isinstance(asked, messages.History)
    desk.hear(page(asked, HEAD - 40, HEAD + 30, HEAD + 30))
    assert desk.cache.position(ROOM) == HEAD
    desk.hear(*map(event, range(HEAD + 1, HEAD + 31)))
    assert desk.shown() == [*range(HEAD + 1, HEAD + 31)]
    assert spans(desk) == [(HEAD - PAGE + 1, HEAD + 30)]


def test_nothing_but_what_comes_by_itself_is_as_good_as_nothing() -> None:
    """It is told as such, and the next is asked for."""
    desk = with_newest()
    (asked,) = want(desk, Wanted(ROOM, at=SENT_AT))
    assert want(desk, Wanted(ROOM, before=HEAD - PAGE + 1)) == []
    assert isinstance(asked, messages.History)
    (following,) = desk.hear(page(asked, HEAD + 5, HEAD + 9, HEAD + 9))
    assert desk.told(HistoryAdded) == [HistoryAdded(ROOM, Wanted(ROOM, at=SENT_AT))]
    assert isinstance(following, messages.History)
    assert following.before == HEAD - PAGE + 1


def test_older_pages_come_one_after_the_other_down_to_the_first() -> None:
    """In a row, to the very first, without one twice."""
    desk = with_newest()
    first = HEAD - PAGE + 1
    while first > 1:
        (asked,) = want(desk, Wanted(ROOM, before=first))
        assert isinstance(asked, messages.History)
        begin = max(1, first - PAGE)
        desk.hear(page(asked, begin, first - 1, HEAD))
        first = begin
    assert spans(desk) == [(1, HEAD)]
    told = [item.places for item in desk.told(HistoryAdded)]
    assert [seq for begin, end in reversed(told) for seq in range(begin, end + 1)] == [
        *range(1, HEAD - PAGE + 1)
    ]


def test_a_gap_is_filled_from_either_side() -> None:
    """Pages may overlap what is here: nothing is doubled, and the stretches become one."""
    desk, newest = behind(200, 500)
    desk.hear(page(newest, 401, 500, 500))
    assert spans(desk) == [(1, 200), (401, 500)]
    (asked,) = want(desk, Wanted(ROOM, around=201))
    assert isinstance(asked, messages.History)
    assert asked.around == 201
    desk.hear(page(asked, 151, 250, 500))
    assert spans(desk) == [(1, 250), (401, 500)]
    (asked,) = want(desk, Wanted(ROOM, before=401))
    assert isinstance(asked, messages.History)
    desk.hear(page(asked, 211, 400, 500))
    assert spans(desk) == [(1, 500)]
    assert desk.cache._connection.execute("SELECT count(*) FROM events").fetchone() == (500,)


def test_one_page_is_asked_for_at_a_time_and_the_newest_wish_first() -> None:
    """Who scrolls on has no use for what was passed; a wish is one, however often it is made."""
    desk = with_newest()
    a, b, c = (Wanted(ROOM, before=seq) for seq in (4000, 3000, 2000))
    (first,) = want(desk, a)
    assert [want(desk, each) for each in (a, b, c, b, a)] == [[]] * 5
    assert isinstance(first, messages.History)
    (second,) = desk.hear(page(first, 3900, 3999, HEAD))
    assert isinstance(second, messages.History)
    assert second.before == 3000
    (third,) = desk.hear(page(second, 2900, 2999, HEAD))
    assert isinstance(third, messages.History)
    assert third.before == 2000
    assert desk.hear(page(third, 1900, 1999, HEAD)) == []


def test_the_newest_page_of_other_rooms_waits_for_what_somebody_looks_at() -> None:
    """And the room that is opened comes before the others."""
    rooms = {f"room-{number}": 900 for number in range(4)}
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(**rooms), messages.Sync)
    (asked,) = desk.hear(skipping(sync, **rooms))
    assert isinstance(asked, messages.History)
    assert asked.room == "room-0"
    assert want(desk, Wanted("room-2")) == []
    (asked,) = desk.hear(page(asked, 801, 900, 900))
    assert isinstance(asked, messages.History)
    assert (asked.room, asked.before) == ("room-2", 901)
    assert want(desk, Wanted("room-2", before=801)) == []
    (asked,) = desk.hear(page(asked, 801, 900, 900))
    assert isinstance(asked, messages.History)
    assert (asked.room, asked.before) == ("room-2", 801)
    (asked,) = desk.hear(page(asked, 701, 800, 900))
    assert isinstance(asked, messages.History)
    assert asked.room == "room-1"


def test_a_newest_page_that_is_here_is_not_fetched_again() -> None:
    """What is said after it comes by itself."""
    desk = with_newest()
    assert want(desk, Wanted(ROOM)) == []
    assert desk.news == []


def test_nothing_is_asked_for_before_the_copy_is_compared() -> None:
    """A page of one history does not get between events of another."""
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(general=9), messages.Sync)
    desk.hear(synced(sync, general=9), *map(event, range(1, 10)))
    desk.lose()
    sync = only(desk.go_online(general=2000), messages.Sync)
    assert want(desk, Wanted(ROOM, at=SENT_AT)) == []
    (again,) = desk.hear(synced(sync, {ROOM: "position_ahead"}))
    assert isinstance(again, messages.Sync)
    assert want(desk, Wanted(ROOM, around=5)) == []
    (newer,) = desk.hear(skipping(again, general=2000))
    assert isinstance(newer, messages.History)
    assert newer.around == 5
    (at,) = desk.hear(page(newer, 1, 55, 2000))
    assert isinstance(at, messages.History)
    assert at.at == SENT_AT
    (newest,) = desk.hear(page(at, 1, 100, 2000))
    assert isinstance(newest, messages.History)
    assert newest.before == 2001
    desk.hear(page(newest, 1901, 2000, 2000))
    assert spans(desk) == [(1, 100), (1901, 2000)]
    assert is_online(desk)


def test_nothing_is_asked_for_while_the_rooms_are_not_listed() -> None:
    """On each connection: one that is not listed yet may be compared in a moment."""
    desk = with_newest()
    desk.lose()
    listing = desk.list_people(desk.sign_in())
    assert want(desk, Wanted(ROOM, before=HEAD - PAGE + 1)) == []
    rooms = messages.Rooms(re=listing.id, rooms=(room_of(ROOM, HEAD),), more=False)
    sync = only(desk.hear(rooms), messages.Sync)
    (asked,) = desk.hear(synced(sync, general=HEAD))
    assert isinstance(asked, messages.History)


def test_a_page_of_a_room_that_is_not_brought_is_refused_by_the_server() -> None:
    """It knows why; nobody waits for what never comes."""
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(general=9), messages.Sync)
    (_, asked) = (desk.hear(synced(sync, general=9)), want(desk, Wanted(DIRECT, around=1)))
    (history,) = asked
    desk.hear(messages.Error(re=history.id, code="no_such_room", params={}, field="room",
                             retryable=False, retry_after=None))  # fmt: skip
    assert desk.told(HistoryAdded) == [
        HistoryAdded(DIRECT, Wanted(DIRECT, around=1), why=Reason("no_such_room"), again=None)
    ]
    assert is_online(desk)


def test_without_a_connection_a_page_can_not_be_had() -> None:
    """It is told at once, and not fetched when nobody wants it any more."""
    desk = with_newest()
    desk.lose()
    wanted = Wanted(ROOM, before=4901)
    assert want(desk, wanted) == []
    assert desk.told(HistoryAdded) == [HistoryAdded(ROOM, wanted, why=Reason("lost"))]
    desk.news.clear()
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    assert sync.positions == {ROOM: HEAD}
    assert sync.last == {ROOM: event(HEAD).cid}
    assert desk.hear(synced(sync, general=HEAD)) == []


def test_a_connection_that_is_lost_takes_what_was_asked_with_it() -> None:
    """On the next one it can be wanted again, and the newest page comes if it has not."""
    desk, asked = behind(10)
    assert want(desk, Wanted(ROOM, around=11)) == []
    desk.lose()
    sync = only(desk.go_online(general=HEAD + 7), messages.Sync)
    assert sync.positions == {ROOM: 10}
    (again,) = desk.hear(skipping(sync, general=HEAD + 7))
    assert isinstance(again, messages.History)
    assert again.before == HEAD + 8
    assert desk.told(Skipped) == [Skipped(ROOM, 10, HEAD), Skipped(ROOM, 10, HEAD + 7)]
    # The former answer, if it came now, would be one to nothing.
    assert asked.id != again.id
    desk.hear(page(again, HEAD - 92, HEAD + 7, HEAD + 7))
    (older,) = want(desk, Wanted(ROOM, around=11))
    assert isinstance(older, messages.History)


def test_who_was_away_goes_on_from_the_newest_that_is_here() -> None:
    """The gap stays until somebody looks at it."""
    desk = with_newest(10)
    desk.lose()
    sync = only(desk.go_online(general=HEAD + 2), messages.Sync)
    assert sync.positions == {ROOM: HEAD}
    assert desk.hear(synced(sync, general=HEAD + 2), event(HEAD + 1), event(HEAD + 2)) == []
    assert spans(desk) == [(1, 10), (HEAD - PAGE + 1, HEAD + 2)]


def test_a_refusal_ends_the_waiting_and_not_the_connection() -> None:
    """With its reason; the next page is asked for."""
    desk = with_newest()
    first, second = Wanted(ROOM, before=4901), Wanted(ROOM, around=1)
    (asked,) = want(desk, first)
    assert want(desk, second) == []
    refusal = messages.Error(re=asked.id, code="busy", params={}, field=None, retryable=True,
                             retry_after=500)  # fmt: skip
    (following,) = desk.hear(refusal)
    assert desk.told(HistoryAdded) == [HistoryAdded(ROOM, first, why=Reason("busy"), again=0.5)]
    assert isinstance(following, messages.History)
    assert following.around == 1
    assert is_online(desk)


def test_an_empty_page_is_no_page() -> None:
    """A room in which nothing was said, and nothing before the first event."""
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(general=0), messages.Sync)
    desk.hear(synced(sync, general=0))
    for wanted in (Wanted(ROOM, around=1), Wanted(ROOM, at=SENT_AT), Wanted(ROOM, before=1)):
        (asked,) = want(desk, wanted)
        assert isinstance(asked, messages.History)
        assert desk.hear(page(asked, 1, 0, 0)) == []
        assert desk.told(HistoryAdded)[-1] == HistoryAdded(ROOM, wanted)
    assert spans(desk) == []
    assert is_online(desk)


def _without(places: set[int], asked: messages.History) -> messages.HistoryPage:
    events = [event(seq) for seq in range(3980, 4000) if seq not in places]
    return page(asked, 3980, 3999, HEAD, events)


WRONG = {
    "another room": lambda asked: page(asked, 3900, 3999, HEAD).model_copy(update={"room": DIRECT}),
    "a hole": lambda asked: _without({3990}, asked),
    "twice the same": lambda asked: page(asked, 0, 0, HEAD, [event(3999), event(3999)]),
    "backwards": lambda asked: page(asked, 0, 0, HEAD, [event(3999), event(3998)]),
    "not up to what was asked": lambda asked: page(asked, 3900, 3998, HEAD),
    "beyond what was asked": lambda asked: page(asked, 3900, 4000, HEAD),
    "nothing of what is there": lambda asked: page(asked, 1, 0, HEAD),
    "what is not there yet": lambda asked: page(asked, 3900, 3999, 3950),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_page_that_is_none_of_what_was_asked_is_a_fault(wrong: str) -> None:
    """Nothing of it is kept: else it would be asked for again and again, or stand in its place."""
    desk = with_newest()
    (asked,) = want(desk, Wanted(ROOM, before=4000))
    assert isinstance(asked, messages.History)
    assert desk.hear(WRONG[wrong](asked)) == []
    assert desk.controller.status.reason.code == "wrong_page"
    assert spans(desk) == [(HEAD - PAGE + 1, HEAD)]


def test_a_page_around_a_place_has_that_place() -> None:
    """Or it is none of it."""
    desk = with_newest(10)
    (asked,) = want(desk, Wanted(ROOM, around=11))
    assert isinstance(asked, messages.History)
    desk.hear(page(asked, 12, 99, HEAD))
    assert desk.controller.status.reason.code == "wrong_page"


def test_a_page_that_nobody_asked_for_is_a_fault() -> None:
    """As any answer to nothing."""
    desk = with_newest()
    desk.hear(page(messages.History(id=77, room=ROOM, count=1), 1, 1, HEAD))
    assert desk.controller.status.reason.code == "unasked_answer"
    assert spans(desk) == [(HEAD - PAGE + 1, HEAD)]


def test_a_page_that_can_not_be_stored_did_not_come() -> None:
    """The connection goes with it; afterwards all is as it was, and can be wanted again."""
    desk, asked = behind(10)
    answer = desk.server.send(page(asked, HEAD - PAGE + 1, HEAD, HEAD))

    def fail_after() -> None:
        desk.controller.received(answer, desk.now)
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError):
        desk.step(fail_after)
    desk.controller.storage_failed(Reason("storage_full"), desk.now, 1.0)
    assert spans(desk) == [(1, 10)]
    assert desk.cache.position(ROOM) == 10
    assert [item for item in desk.controller.take_news() if isinstance(item, HistoryAdded)] == []
    desk.step(desk.controller.storage_works)
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    assert sync.positions == {ROOM: 10}
    (again,) = desk.hear(skipping(sync, general=HEAD))
    assert isinstance(again, messages.History)
    desk.hear(page(again, HEAD - PAGE + 1, HEAD, HEAD))
    assert spans(desk) == [(1, 10), (HEAD - PAGE + 1, HEAD)]


def test_a_message_whose_acknowledgement_was_lost_is_found_in_a_page() -> None:
    """It leaves the outbox, as if its event had come."""
    desk, asked = behind()
    send = only(desk.say("hello"), messages.Send)
    own = event(HEAD - 3, sender="ada", own=send.cid)
    found = [own if seq == own.seq else event(seq) for seq in range(HEAD - PAGE + 1, HEAD + 1)]
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD, found))
    assert (desk.cache.outbox.waiting, desk.cache.outbox.find(send.cid)) == (0, None)
    told = desk.told(news.OutboxChanged)[-1]
    assert (told.cid, told.state, told.seq) == (send.cid, OutboxState.SENT, own.seq)
    # The answer that was on its way all the same changes nothing.
    assert desk.hear(ack(send, own.seq)) == []
    assert is_online(desk)


def state_of(desk: Desk, send: messages.Send) -> OutboxState:
    """What became of a message that is still in the outbox."""
    out = desk.cache.outbox.find(send.cid)
    assert out is not None
    return out.state


def test_what_was_acknowledged_and_is_in_the_gap_is_sent_again() -> None:
    """Nothing that is here tells whether the server still has it: it answers as it did."""
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(general=10), messages.Sync)
    desk.hear(synced(sync, general=10), *map(event, range(1, 10)))
    send = only(desk.say("hello"), messages.Send)
    desk.hear(ack(send, 40))  # what is before it did not come any more
    assert state_of(desk, send) is OutboxState.SENT
    desk.say("what was written since")
    desk.lose()
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    # Not after what was written since: if a backup took it, it is stored now.
    asked, again = desk.hear(skipping(sync, general=HEAD))
    assert isinstance(asked, messages.History)
    assert isinstance(again, messages.Send)
    assert (again.cid, text_of(again)) == (send.cid, "hello")
    assert desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD)) == []
    (later,) = desk.hear(ack(again, 40))
    assert isinstance(later, messages.Send)
    assert text_of(later) == "what was written since"
    assert desk.hear(ack(later, HEAD + 1)) == []
    assert (desk.cache.outbox.waiting, desk.cache.outbox.find(send.cid)) == (0, None)
    assert spans(desk) == [(1, 9), (HEAD - PAGE + 1, HEAD + 1)]


def test_a_kind_of_a_newer_program_is_kept_as_it_came() -> None:
    """In a page as in what is said now."""
    desk, asked = behind()
    poll = Event(ROOM, HEAD, "poll", "bob", SENT_AT, "p" * 16, {"text": "Lunch?", "of": [1, 2]})
    found = [*map(event, range(HEAD - PAGE + 1, HEAD)), poll]
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD, found))
    seen: list[Event] = []

    def read(event: Event) -> Event:
        seen.append(event)
        return event

    with desk.cache.transaction():
        desk.cache.understand(read, lambda: "all")
    assert [(each.kind, each.body) for each in seen] == [("poll", {"text": "Lunch?", "of": [1, 2]})]


def test_a_skip_that_skips_nothing_is_none() -> None:
    """Whatever a server says: what is here is not fetched again."""
    desk = with_newest()
    desk.lose()
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    assert desk.hear(skipping(sync, general=HEAD)) == []
    assert desk.told(Skipped) == []
    desk.hear(event(HEAD + 1))
    assert desk.shown() == [HEAD + 1]


def test_a_set_back_room_begins_at_its_newest_page() -> None:
    """The copy is of another time: it goes, and nothing of it counts as read that was not."""
    desk = Desk(on_demand=True)
    sync = only(desk.go_online(general=9), messages.Sync)
    desk.hear(synced(sync, general=9), *map(event, range(1, 10)))
    desk.step(lambda: desk.controller.mark_read(ROOM, 9))
    desk.lose()
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    (again,) = desk.hear(synced(sync, {ROOM: "position_ahead"}))
    assert isinstance(again, messages.Sync)
    (asked,) = desk.hear(skipping(again, general=HEAD))
    assert isinstance(asked, messages.History)
    desk.hear(page(asked, HEAD - PAGE + 1, HEAD, HEAD))
    assert desk.cache.spans(ROOM) == (Span(HEAD - PAGE + 1, HEAD),)


@pytest.mark.parametrize("head", [10**14, limits.MAX_INTEGER - 1, limits.MAX_INTEGER])
@pytest.mark.parametrize("position", [0, 2])
def test_a_head_may_be_as_high_as_a_number_can_be(position: int, head: int) -> None:
    """What is behind the last place there can be has no number that could be asked with."""
    desk, asked = behind(position, head)
    assert asked.before == (head + 1 if head < limits.MAX_INTEGER else None)
    said = [event(seq, own=f"f{seq % 1000:015d}") for seq in range(head - 9, head + 1)]
    desk.hear(page(asked, head - 9, head, head, said))
    assert is_online(desk)
    assert desk.cache.position(ROOM) == head


@pytest.mark.parametrize(("wait", "comes"), [(None, 1.0), (7000, 7.0)])
def test_a_newest_page_that_can_not_be_had_now_is_tried_again(
    wait: int | None, comes: float
) -> None:
    """Else the room would end where it was left, and nothing would say so."""
    desk, asked = behind(10)
    refusal = messages.Error(
        re=asked.id, code="internal", params={}, retryable=True, retry_after=wait
    )
    desk.hear(refusal)
    assert (desk.controller.status.link, desk.controller.status.code) == (Link.PAUSED, "internal")
    desk.wait(comes)
    assert desk.controller.wants_connection
    sync = only(desk.go_online(general=HEAD), messages.Sync)
    (again,) = desk.hear(skipping(sync, general=HEAD))
    assert isinstance(again, messages.History)
    desk.hear(page(again, HEAD - PAGE + 1, HEAD, HEAD))
    assert spans(desk) == [(1, 10), (HEAD - PAGE + 1, HEAD)]


@pytest.mark.parametrize("retryable", [True, False])
def test_a_page_that_somebody_scrolled_to_ends_no_connection(retryable: bool) -> None:
    """It is told why it can't be had; nor does a newest page that will never be had."""
    desk = with_newest()
    (asked,) = want(desk, Wanted(ROOM, before=HEAD - PAGE + 1))
    desk.hear(messages.Error(re=asked.id, code="internal", params={}, retryable=retryable))
    assert desk.told(HistoryAdded)[-1].why == Reason("internal")
    assert is_online(desk)
    desk, newest = behind(10)
    desk.hear(messages.Error(re=newest.id, code="no_such_room", params={}, retryable=False))
    assert desk.told(HistoryAdded)[-1].why == Reason("no_such_room")
    assert is_online(desk)
