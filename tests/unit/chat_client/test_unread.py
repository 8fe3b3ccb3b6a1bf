"""What the sidebar counts as unread, whatever becomes of the connection and the program.

A person is away for a while, the connection breaks off, the window is closed and opened again, the
room is read or not: each time it shows how many were said since it was read last.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state import news
from chat_client.state.history import PAGE
from chat_client.state.sync import CATCH_UP_LIMIT
from chat_client.window.overview import Overview
from common.protocol import messages
from common.protocol.events import Event
from tests.events import joined
from tests.unit.chat_client.desk import Desk, ack, event, only, page, room_of, skipping, synced

ROOM = "general"


class Person:
    """Somebody at a window, of which the room is open or another one is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.head = 0
        self.own: set[int] = set()
        """The places of what was sent from another device."""
        self.read = 0
        """How far the room was read, by what really happened."""
        self._start()
        self._desk.go_online()  # an empty chat
        self.head = 1
        self.come_back()
        self.see()

    def _start(self) -> None:
        self._cache = Cache(self._path)
        self._reader = CacheReader(self._path)
        self._desk = Desk(cache=self._cache, on_demand=True)
        self.overview = Overview("ada")
        self.overview.load(self._reader.rooms("ada"), {})

    def stop(self) -> None:
        """Close the window."""
        self._reader.close()
        self._cache.close()
        Desk.made.remove(self._desk)

    def restart(self) -> None:
        """Close the window, and open it again."""
        self.stop()
        self._start()
        assert self.overview.unread.get(ROOM, 0) == self._known()
        self.come_back()

    def _known(self) -> int:
        return self._cache.position(ROOM) - self.read

    def show(self) -> None:
        """The window takes what the core told, as the main screen does."""
        told, self._desk.news = self._desk.news, []
        for item in told:
            match item:
                case news.EventsAdded():
                    self.overview.add_events(item.room, item.events, seen=False, read=item.read)
                case news.Skipped():
                    self.overview.skip(item.room, item.after, item.head)
                case news.HistoryAdded() if item.places and item.wanted == news.Wanted(ROOM):
                    self.overview.count(self._reader.rooms("ada", only=ROOM))
                case news.RoomSeen():
                    self.overview.add_room(item.room)
                case _:
                    pass

    def come_back(self, *, live: int = 0) -> None:
        """Connect anew; `live` messages are said before the newest page comes, if one does."""
        self._desk.lose()
        self._desk.wait(60)
        sync = only(self._desk.go_online(general=self.head), messages.Sync)
        position, head = sync.positions[ROOM], self.head
        if head - position > CATCH_UP_LIMIT:
            asked = only(self._desk.hear(skipping(sync, general=head)), messages.History)
            self.hear(live)
            self.show()
            first = max(1, head - PAGE + 1)
            events = list(map(self._event, range(first, head + 1)))
            self._desk.hear(page(asked, first, head, self.head, events))
        else:
            events = list(map(self._event, range(position + 1, head + 1)))
            self._desk.hear(synced(sync, general=head), *events)
            self.hear(live)
        self.show()
        self.read = max([self.read, *self.own])

    def _event(self, seq: int) -> Event:
        return event(seq, sender="ada" if seq in self.own else "bob")

    def hear(self, count: int) -> None:
        """Somebody says something, while one is connected."""
        self._desk.hear(*map(self._event, range(self.head + 1, self.head + count + 1)))
        self.head += count
        self.show()

    def answer(self, before: int, after: int) -> None:
        """Others say something before and after the answer from another device, all at once."""
        self.own.add(self.head + before + 1)
        self.read = self.head + before + 1
        self.hear(before + 1 + after)

    def answer_while_away(self, before: int, after: int) -> None:
        """The same without a connection."""
        self.own.add(self.head + before + 1)
        self.head += before + 1 + after

    def see(self) -> None:
        """The room is opened, at its end."""
        self._desk.step(lambda: self._desk.controller.mark_read(ROOM, self.head))
        self.overview.mark_read(ROOM)
        self.read = self.head


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.sampled_from([1, 3, PAGE + 1])),
        st.tuples(
            st.just("away"), st.sampled_from([0, 1, CATCH_UP_LIMIT, CATCH_UP_LIMIT + 1, 999])
        ),
        st.tuples(st.just("away, then live"), st.sampled_from([1, CATCH_UP_LIMIT + 1, 999])),
        st.tuples(st.just("away for a restart"), st.sampled_from([0, 2, CATCH_UP_LIMIT + 1])),
        st.tuples(st.just("see"), st.just(0)),
        st.tuples(st.just("answer"), st.sampled_from([0, 1, 3])),
        st.tuples(st.just("answer away"), st.sampled_from([0, 1, CATCH_UP_LIMIT, 999])),
    ),
    max_size=7,
)


def live(path: Path, steps: list[tuple[str, int]]) -> None:
    """Go through all of it, and look at the count each time."""
    person = Person(path)
    try:
        for what, count in steps:
            match what:
                case "hear":
                    person.hear(count)
                case "away":
                    person.head += count
                    person.come_back()
                case "away, then live":
                    person.head += count
                    person.come_back(live=2)
                case "away for a restart":
                    person.head += count
                    person.restart()
                case "answer":
                    person.answer(count, count // 2)
                case "answer away":
                    person.answer_while_away(count, 2)
                    person.come_back(live=1)
                case _:
                    person.see()
            assert person.overview.unread[ROOM] == person.head - person.read, (what, count)
    finally:
        person.stop()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_unread_is_what_was_said_since_the_room_was_read(steps: list[tuple[str, int]]) -> None:
    """In whatever order; what is not here counts, too."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # Beyond so many that are here it counts no further: another promise, not this one.
        patch.setattr("chat_client.cache.pages.COUNTED", 1_000_000)
        live(Path(folder) / "cache.db", steps)


@pytest.mark.parametrize("count", [1, CATCH_UP_LIMIT, CATCH_UP_LIMIT + 1, 5000])
def test_a_conversation_that_began_while_one_was_away_is_unread(tmp_path: Path, count: int) -> None:
    """All of it, also where only its newest page is brought: it began with both."""
    room = "dm:ada:bob"
    cache = Cache(tmp_path / "cache.db")
    reader = CacheReader(tmp_path / "cache.db")
    desk, overview = Desk(cache=cache, on_demand=True), Overview("ada")
    sync = only(desk.go_online(general=0, **{room: count}), messages.Sync)
    events = [event(seq, room) for seq in range(max(1, count - PAGE + 1), count + 1)]
    if count > CATCH_UP_LIMIT:
        asked = only(desk.hear(skipping(sync, **{room: count})), messages.History)
        skipped = desk.told(news.Skipped)[0]
        overview.skip(room, skipped.after, skipped.head)
        assert overview.unread[room] == count
        desk.hear(page(asked, 0, 0, count, events))
    else:
        desk.hear(
            synced(sync, {}, **{room: count}), *(event(seq, room) for seq in range(1, count + 1))
        )
    overview.count(reader.rooms("ada", only=room))
    assert overview.unread[room] == count
    reader.close()


@pytest.mark.parametrize("away", [1, CATCH_UP_LIMIT, CATCH_UP_LIMIT + 1, 5000])
def test_a_connection_that_breaks_off_changes_no_count(tmp_path: Path, away: int) -> None:
    """Nor does one that comes back several times with nothing new, or a start of the program."""
    again = [("away", 0), ("away for a restart", 0), ("away", 0), ("hear", 1)]
    live(tmp_path / "cache.db", [("hear", 3), ("away", away), *again, ("see", 0), *again])


def _read(path: Path) -> tuple[int, int]:
    """How far the room is read in the file, and what is unread there."""
    reader = CacheReader(path)
    (room,) = reader.rooms("ada", only=ROOM)
    reader.close()
    return room.read, room.unread


def _at(path: Path, head: int) -> Desk:
    """Connected, with a room whose events come next."""
    desk = Desk(cache=Cache(path), on_demand=True)
    asked = only(desk.go_online(general=head), messages.Sync)
    desk.hear(synced(asked, general=head))
    return desk


def test_an_answer_from_another_device_reads_what_stands_before(tmp_path: Path) -> None:
    """In the file and in the news alike; a joining is no answer."""
    desk = _at(tmp_path / "cache.db", 0)
    desk.hear(event(1), event(2))
    desk.hear(event(3), event(4, sender="ada"), event(5))
    assert _read(tmp_path / "cache.db") == (4, 1)
    assert [told.read for told in desk.told(news.EventsAdded)] == [0, 4]
    desk.hear(joined(6, "ada"), event(7))
    assert _read(tmp_path / "cache.db") == (4, 2)


def test_what_waited_in_the_outbox_reads_nothing(tmp_path: Path) -> None:
    """It was written before anybody saw the messages that it stands below."""
    desk = Desk(cache=Cache(tmp_path / "cache.db"), on_demand=True)
    begun = only(desk.go_online(general=0), messages.Sync)
    desk.hear(synced(begun, general=0), event(1))
    desk.lose()
    desk.say("written on the train")
    asked = desk.sign_in()
    rooms = messages.Rooms(re=desk.list_people(asked).id, rooms=(room_of(ROOM, 2),), more=False)
    desk.hear(synced(only(desk.hear(rooms), messages.Sync), general=2), event(2))
    desk.hear(ack(only(asked, messages.Send), 3))
    assert _read(tmp_path / "cache.db") == (0, 2)
    assert [told.read for told in desk.told(news.EventsAdded)] == [0] * 3


def test_an_answer_in_the_newest_page_reads_what_stands_before(tmp_path: Path) -> None:
    """Where too much was missed to fetch all of it; not one in an older page."""
    path = tmp_path / "cache.db"
    desk = _at(path, 1)
    desk.hear(event(1))
    desk.lose()
    head = 2 * CATCH_UP_LIMIT
    asked = only(desk.go_online(general=head), messages.Sync)
    (wanted,) = desk.hear(skipping(asked, general=head))
    assert isinstance(wanted, messages.History)
    first = head - PAGE + 1
    own = head - 5
    events = [event(seq, sender="ada" if seq == own else "bob") for seq in range(first, head + 1)]
    desk.hear(page(wanted, first, head, head, events))
    assert _read(path) == (own, 5)


def test_the_history_of_a_new_device_stays_that_on_the_next_connection(tmp_path: Path) -> None:
    """A first fetch that breaks off is no absence; once it is complete, what is missed is news."""
    desk = _at(tmp_path / "cache.db", 0)
    desk.lose()
    desk = Desk(cache=Cache(tmp_path / "other.db"), on_demand=True)
    begun = only(desk.go_online(general=6, lobby=0), messages.Sync)
    desk.hear(synced(begun, general=6, lobby=0), event(1), event(2))
    desk.lose()
    for heads in ({"general": 8, "lobby": 2}, {"general": 10, "lobby": 2}):
        asked = only(desk.go_online(**heads), messages.Sync)
        events = [
            event(seq, room)
            for room, head in heads.items()
            for seq in range(asked.positions[room] + 1, head + 1)
        ]
        desk.hear(synced(asked, {}, **heads), *events)
        desk.hear(event(heads["general"] + 1)) if heads["general"] == 10 else None
        desk.lose()
    came = {(e.room, e.seq): told.came for told in desk.told(news.EventsAdded) for e in told.events}
    assert {seq: how for (room, seq), how in came.items() if room == "general"} == {
        **dict.fromkeys(range(1, 9), "before"),
        **dict.fromkeys((9, 10), "away"),
        11: "live",
    }
    assert {seq: how for (room, seq), how in came.items() if room == "lobby"} == {
        1: "away",
        2: "away",
    }


def test_a_gap_tells_whether_anything_of_it_is_news(tmp_path: Path) -> None:
    """Not what was said before this device came; also when that is told twice."""
    desk = Desk(cache=Cache(tmp_path / "cache.db"), on_demand=True)
    for _ in range(2):
        asked = only(desk.go_online(general=1000), messages.Sync)
        desk.hear(skipping(asked, general=1000))
        desk.lose()
    assert [told.came for told in desk.told(news.Skipped)] == ["before", "before"]
    asked = only(desk.go_online(general=1000), messages.Sync)
    (wanted,) = desk.hear(skipping(asked, general=1000))
    assert isinstance(wanted, messages.History)
    desk.hear(page(wanted, 1001 - PAGE, 1000, 1000))
    desk.lose()
    asked = only(desk.go_online(general=2000), messages.Sync)
    desk.hear(skipping(asked, general=2000))
    assert desk.told(news.Skipped)[-1] == news.Skipped(ROOM, 1000, 2000, "away")
