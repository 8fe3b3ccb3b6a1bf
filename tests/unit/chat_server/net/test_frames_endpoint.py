"""The endpoint of frames: each event is encoded once, and what is kept is what would be encoded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat_server.net.connection import Connection
from chat_server.net.endpoints import frames as module
from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.rules import effects
from chat_server.rules.tails import TAIL_BYTES, TAILS
from common.protocol.events import Event
from common.protocol.fast_encode import event_frame
from tests.unit.chat_server.house import seqs, understood
from tests.unit.chat_server.net.test_io import SENT_BY_SOMEBODY_GONE, ack, fanout, spoken
from tests.unit.chat_server.net.turns import Turns


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The places of the events that are encoded, as it goes on."""
    noted: list[int] = []

    def note(event: Event) -> bytes:
        noted.append(event.seq)
        return event_frame(event)

    monkeypatch.setattr(module, "event_frame", note)
    return noted


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """An I/O thread whose turns the test takes."""
    made = Turns(monkeypatch)
    yield made
    made.close()


def test_for_a_thousand_receivers_each_event_is_encoded_once_and_joined_once(
    turns: Turns, encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everyone who sent none of them has the same object in the outbox."""
    connection, _, _ = turns.sign_in()
    crowd = range(1000, 2000)
    live = turns.io._out._live["general"] = dict.fromkeys(crowd, connection)
    put: list[bytes] = []
    enqueue = Connection.enqueue

    def noted(connection: Connection, frames: bytes, now: float) -> None:
        put.append(frames)
        enqueue(connection, frames, now)

    monkeypatch.setattr(Connection, "enqueue", noted)
    turns.io._out.carry_out(fanout(spoken(1), spoken(2), acks=SENT_BY_SOMEBODY_GONE), 0.0)
    assert encoded == [1, 2]
    assert len(put) == len(live) == 1000
    assert {id(frames) for frames in put} == {id(put[0])}
    assert seqs(put[0]) == [1, 2]


def test_acknowledgements_stand_in_the_places_of_what_they_acknowledge() -> None:
    """With what the event says of itself; who is not live gets nothing else."""
    batch = FramesEndpoint().batch([spoken(1), spoken(2), spoken(3)])
    mine = list(understood(batch.own({0: 8, 2: 9}, live=True)))
    assert (mine[0], mine[2]) == (ack(8, 1), ack(9, 3))
    assert seqs(batch.own({0: 8, 2: 9}, live=True)) == [1, 2, 3]
    assert list(understood(batch.own({0: 8, 2: 9}, live=False))) == [ack(8, 1), ack(9, 3)]


def test_what_was_said_last_is_not_encoded_again(encoded: list[int]) -> None:
    """For those who come back after a moment; what is older is."""
    endpoint = FramesEndpoint()
    new = [spoken(seq) for seq in (2, 3)]
    joined = endpoint.batch(new).joined
    # As it comes from another process: equal, and another object.
    again = [spoken(seq) for seq in (1, 2, 3)]
    assert endpoint.events(again) == event_frame(spoken(1)) + joined
    assert encoded == [2, 3, 1]


def test_another_event_in_the_same_place_is_not_taken_for_the_former() -> None:
    """A disk may lose what it said it had, and the place is given again."""
    endpoint = FramesEndpoint()
    endpoint.batch([spoken(1, "lost")])
    assert endpoint.events([spoken(1, "instead")]) == event_frame(spoken(1, "instead"))
    endpoint.batch([spoken(1, "instead")])
    assert endpoint.events([spoken(1, "instead")]) == event_frame(spoken(1, "instead"))


def test_what_is_kept_is_bounded(encoded: list[int]) -> None:
    """By the bytes of each room, of which the oldest events go, and by the number of rooms."""
    endpoint = FramesEndpoint()
    large = "x" * (TAIL_BYTES // 4)
    for seq in (1, 2, 3, 4, 5):
        endpoint.batch([spoken(seq, large)])
    encoded.clear()
    again = [spoken(seq, large) for seq in (1, 2, 3, 4, 5, 6)]
    assert seqs(endpoint.events(again)) == [1, 2, 3, 4, 5, 6]
    assert encoded == [1, 2, 6]
    endpoint.batch([spoken(6, large * 5)])  # larger than all that may be kept
    encoded.clear()
    assert seqs(endpoint.events(again[-2:])) == [5, 6]
    assert encoded == [5, 6]


def test_rooms_are_bounded_and_the_one_silent_longest_goes(encoded: list[int]) -> None:
    """As many as the rules have at hand; talking keeps a room in."""
    endpoint = FramesEndpoint()
    rooms = [f"dm:ada:b{number}" for number in range(TAILS + 1)]
    first = [spoken(seq)._replace(room=room) for seq, room in enumerate(rooms, 1)]
    for event in first[:-1]:
        endpoint.batch([event])
    endpoint.batch([spoken(2)._replace(room=rooms[0])])
    endpoint.batch([first[-1]])
    encoded.clear()
    assert seqs(endpoint.events(first)) == [event.seq for event in first]
    assert encoded == [2]


def test_after_a_gap_only_what_follows_is_kept(encoded: list[int]) -> None:
    """As it may be after the store was found to differ from what was acknowledged."""
    endpoint = FramesEndpoint()
    endpoint.batch([spoken(1), spoken(2)])
    endpoint.batch([spoken(5)])
    encoded.clear()
    assert seqs(endpoint.events(spoken(seq) for seq in (1, 2, 5))) == [1, 2, 5]
    assert encoded == [1, 2]


def test_a_page_waits_for_the_hubs_word(turns: Turns) -> None:
    """The next one may be read before that word came for the first: each is written in its turn."""
    connection, client, end = turns.sign_in()
    first = turns.page(connection.number, event_frame(spoken(1)))
    second = turns.page(connection.number, event_frame(spoken(2)))
    turns.turn(3)
    assert turns.heard(client, end) == []
    turns.io.post([first])
    turns.io.post([second])
    turns.turn(3)
    assert turns.heard(client, end) == [spoken(1), spoken(2)]
    assert connection.pages == {}


def test_an_account_is_told_on_all_its_connections(turns: Turns) -> None:
    """And nobody else is; who has gone is not."""
    here, there, gone = (turns.sign_in() for _ in range(3))
    stranger = turns.greet()
    for connection, *_ in (here, there, gone):
        turns.io.post([effects.Admit(connection.number, "bob", frozenset())])
    ada = turns.sign_in()
    turns.turn()
    gone[1].close()
    turns.turn(2)
    told = ack(9, 1)
    turns.io.post([effects.TellAccount("bob", told), effects.TellAccount("nobody", told)])
    turns.turn(2)
    assert [turns.heard(*each[1:]) for each in (here, there, ada, stranger)] == [
        [told], [told], [], [],
    ]  # fmt: skip
