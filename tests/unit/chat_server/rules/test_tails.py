"""The newest events in memory: exactly those of the log, or nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.net.pages import Pages
from chat_server.rules.effects import Publish
from chat_server.rules.tails import TAIL_BYTES, TAILS, Tails, weight
from chat_server.store.sqlite.reader import SqliteReader
from common import limits
from common.protocol.events import Event
from tests.events import said
from tests.unit.chat_server.house import House, seqs

SIZES = (208, 1000, TAIL_BYTES // 3, TAIL_BYTES // 2)


def event(seq: int, size: int = 208) -> Event:
    """An event that weighs so much."""
    found = said(seq, text="." * (size - weight(said(1, text=""))))
    assert weight(found) == size
    return found


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5), st.sampled_from([208, 1000, TAIL_BYTES // 3, TAIL_BYTES // 2])
        ),
        max_size=20,
    ),
    st.sets(st.integers(0, 19)),
)
def test_what_is_given_is_all_that_was_asked_for(
    batches: list[tuple[int, int]], unheard: set[int]
) -> None:
    """Whatever was added, in whatever sizes, with batches that never got here: all or nothing."""
    tails = Tails()
    head = 0
    for number, (count, size) in enumerate(batches):
        events = [event(seq, size) for seq in range(head + 1, head + count + 1)]
        if number not in unheard:
            tails.add("r", events)
        head += count
        for after in range(head):
            found = tails.between("r", after, head)
            if found is not None:
                assert number not in unheard
                assert found[-1] == events[-1]
                sizes = [size for count, size in batches[: number + 1] for _ in range(count)]
                wanted = [event(seq, sizes[seq - 1]) for seq in range(after + 1, head + 1)]
                assert found == wanted
                assert sum(map(weight, found)) <= TAIL_BYTES
        if number not in unheard:
            assert tails.between("r", head - 1, head) is not None


def test_a_head_that_is_not_committed_gives_nothing() -> None:
    """A batch under way has moved the head: what is here ends before it, or after it."""
    tails = Tails()
    tails.add("r", [event(5), event(6)])
    assert tails.between("r", 4, 6) == [event(5), event(6)]
    assert tails.between("r", 5, 6) == [event(6)]
    assert tails.between("r", 3, 6) is None
    assert tails.between("r", 5, 7) is None
    assert tails.between("r", 4, 5) is None
    assert tails.between("other", 5, 6) is None


def test_rooms_are_bounded_and_the_one_silent_longest_goes() -> None:
    """As many as TAILS; talking keeps a room in."""
    tails = Tails()
    for number in range(TAILS):
        tails.add(f"r{number}", [event(1)])
    tails.add("r0", [event(2)])
    tails.add("new", [event(1)])
    assert tails.between("r1", 0, 1) is None
    assert tails.between("r0", 0, 2) == [event(1), event(2)]
    assert tails.between("r2", 0, 1) == [event(1)]
    assert len(tails._tails) == TAILS


def test_the_largest_event_fits() -> None:
    """One event is never more than a tail holds, or the newest could not be served."""
    assert limits.FRAME_JSON < TAIL_BYTES
    tails = Tails()
    tails.add("r", [event(1, TAIL_BYTES), event(2, limits.FRAME_JSON)])
    assert tails.between("r", 1, 2) == [event(2, limits.FRAME_JSON)]
    assert tails.between("r", 0, 2) is None


def test_memory_and_disk_give_the_same_bytes(house: House) -> None:
    """What a client gets does not tell where it came from."""
    ada = house.join("ada")
    tails = house.world.delivery.tails
    for number in range(30):
        for effect in house.say(ada, f"{number} “\\”\n\u2028👩‍👩‍👧‍👦"):
            if isinstance(effect, Publish):
                tails.add(effect.event.room, [effect.event])
    reader = Pages(SqliteReader(house.path))
    for after in range(1, 31):
        at_hand = tails.between("general", after, 31)
        assert at_hand is not None
        page = FramesEndpoint().events(at_hand)
        assert page == reader.page("general", after).frames
    assert seqs(reader.page("general", 29).frames) == [30, 31]
    reader.close()
