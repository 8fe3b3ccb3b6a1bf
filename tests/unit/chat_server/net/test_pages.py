"""Pages of the log: all of it, once each, in pieces of bounded size that many may share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.net import pages
from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.net.pages import Pages
from chat_server.rules.directory import Account, RoomLog
from chat_server.rules.effects import Publish
from chat_server.store.sqlite.reader import SqliteReader
from common.protocol import messages
from common.protocol.events import Event
from common.protocol.fast_encode import event_frame
from tests import strategies as our
from tests.events import joined, said
from tests.unit.chat_server.house import NOW, House, only, seqs, understood


def inhabited(house: House, *, join: bool = True) -> tuple[RoomLog, Account]:
    """The general room and an account in it."""
    if join:
        house.join("ada")
    return house.world.directory.rooms["general"], house.world.directory.accounts["ada"]


def test_pages_bring_the_whole_log_in_bounded_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page gives every event once in order; none is larger than it must be."""
    monkeypatch.setattr(pages, "PAGE_BYTES", 2000)
    room, ada = inhabited(house)
    with house.log.transaction():
        for seq in range(2, 60):
            house.log.append(room, said(seq, text="x" * (seq * 7 % 300 + 1)), ada)
    reader = Pages(SqliteReader(house.path))
    got: list[int] = []
    last, sizes = 0, list[int]()
    while True:
        frames, after, _ = reader.page("general", last)
        if not frames:
            assert after == last
            break
        assert seqs(frames)[-1] == after
        got += seqs(frames)
        last = after
        sizes.append(len(frames))
    reader.close()
    assert got == list(range(1, 60))
    assert max(sizes) < 2000 + 600
    assert len(sizes) > 3


def test_whole_pages_are_kept_and_shared(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who catch up at once get the same bytes; what may still grow is read again."""
    monkeypatch.setattr(pages, "PAGE_EVENTS", 8)
    monkeypatch.setattr(pages, "KEPT_PAGES", 2)
    room, ada = inhabited(house)
    with house.log.transaction():
        for seq in range(2, 31):
            house.log.append(room, said(seq), ada)
    reader = Pages(SqliteReader(house.path))
    first, rest = reader.page("general", 0), reader.page("general", 24)
    assert (first.last, first.whole, rest.last, rest.whole) == (8, True, 30, False)
    assert reader.page("general", 3).last == 8
    assert reader.page("general", 0) is first
    with house.log.transaction():
        house.log.append(room, said(31), ada)
    assert reader.page("general", 24).last == 31
    assert [reader.page("general", after).last for after in (8, 16)] == [16, 24]
    again = reader.page("general", 0)
    assert again == first
    assert again is not first
    reader.close()


def test_a_page_tells_what_was_published(house: House) -> None:
    """Read from the log an event is the same bytes as when it was live."""
    ada = house.join("ada")
    said_by_ada = [only(house.say(ada, text), Publish).event for text in ("one", "två\n", "😀")]
    frames = FramesEndpoint().batch(said_by_ada).joined
    reader = Pages(SqliteReader(house.path))
    frames_read, last, _ = reader.page("general", 1)
    join, *_ = reader.page("general", 0)
    reader.close()
    assert (frames_read, last) == (frames, 4)
    assert next(understood(join)) == messages.EventMessage.model_validate(
        joined(1, sent_at=NOW)._replace(cid=house.cid_at(1))._asdict()
    )


@given(st.lists(our.event(newer=True), min_size=1, max_size=5, unique_by=lambda each: each.cid))
def test_whatever_an_event_holds_is_in_a_page(inhabited_house: House, events: list[Event]) -> None:
    """Of any kind: the same as when it was live, to the byte."""
    house = inhabited_house
    room, ada = inhabited(house, join=False)
    head = house.log.load().rooms["general"].head
    stored = [
        event._replace(room="general", seq=head + place, sender="ada", cid=house.cid())
        for place, event in enumerate(events, start=1)
    ]
    with house.log.transaction():
        assert [house.log.append(room, event, ada) for event in stored] == [None] * len(stored)
    reader = Pages(SqliteReader(house.path))
    frames = b""
    while (page := reader.page("general", head)).frames:
        frames += page.frames
        head = page.last
    reader.close()
    assert frames == b"".join(map(event_frame, stored))


@pytest.fixture(scope="module")
def inhabited_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all examples: they only add to it."""
    made = House(tmp_path_factory.mktemp("house") / "chat.db")
    made.join("ada")
    yield made
    made.close()
