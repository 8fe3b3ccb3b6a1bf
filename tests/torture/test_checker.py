"""The checker itself: a right history passes, and each broken promise is caught."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.protocol.events import JOIN, MESSAGE, Event
from tests.torture.checker import check
from tests.torture.epochs import Epoch
from tests.torture.history import Client, History, Kind, Store
from tests.torture.moderation import KINDS as MODERATION
from tests.torture.record import (
    Acked,
    Applied,
    Asked,
    Began,
    CacheReset,
    Connected,
    Dropped,
    Heard,
    Kept,
    Parted,
    Record,
    Refused,
    Synced,
    Transmitted,
    Welcomed,
    Wrote,
    decode,
    encode,
)

EPOCH = "5b"
ROOM = "general"


def event(seq: int, sender: str, cid: str | None, text: str = "") -> Event:
    """A message in the room; without a cid, that somebody joined it."""
    if cid is None:
        return Event(ROOM, seq, JOIN, sender, 1000 + seq, f"j{seq}", {})
    return Event(ROOM, seq, MESSAGE, sender, 1000 + seq, cid, {"text": text or f"text {cid}"})


A_JOINS = event(1, "ada", None)
B_JOINS = event(2, "ben", None)
A1 = event(3, "ada", "a1")
B1 = event(4, "ben", "b1")  # answers a1
A2 = event(5, "ada", "a2")
LOG = (A_JOINS, B_JOINS, A1, B1, A2)


def begins(*positions: int) -> list[Record]:
    """A life from a position on, up to the connection's first request."""
    position = positions[0] if positions else 0
    stored = {ROOM: position} if position else {}
    asked = {ROOM: position}
    known = EPOCH if stored else None
    return [Began(0, 1, stored, known), Connected(0), Welcomed(0, EPOCH), Asked(0, asked)]


def says(said: Event, answers: str | None = None) -> list[Record]:
    """A message is written, kept and sent."""
    return [
        Wrote(0, said.room, said.cid, said.text, answers),
        Kept(0, said.cid),
        Transmitted(0, said.cid),
    ]


def acked(said: Event) -> list[Record]:
    """Its acknowledgement arrives in its place, so it is shown."""
    return [Acked(0, said.room, said.seq, said.cid), Applied(0, said)]


def hears(*events: Event) -> list[Record]:
    """Events arrive and are shown."""
    return [record for heard in events for record in (Heard(0, heard), Applied(0, heard))]


def ada() -> list[Record]:
    """Ada's records of a right run."""
    return [
        *begins(),
        *hears(A_JOINS, B_JOINS),
        *(*says(A1), *acked(A1)),
        *hears(B1),
        *(*says(A2), *acked(A2)),
    ]


def ben() -> list[Record]:
    """Ben's records of the same run: he is killed and comes back in the middle."""
    return [
        *begins(),
        *hears(A_JOINS, B_JOINS, A1),
        *says(B1, answers="a1"),
        *begins(3),
        *(Transmitted(0, "b1"), *acked(B1)),
        *hears(A2),
    ]


def whole(
    events: Sequence[Event],
    positions: Mapping[str, int],
    epoch: str,
    waiting: Collection[str] = (),
) -> Store:
    """A store that says it has each room from its first event on."""
    spans = {room: [(1, position)] for room, position in positions.items()}
    return Store(events, positions, epoch, waiting, spans)


FULL = whole(LOG, {ROOM: 5}, EPOCH)
MEMBERS = {ROOM: ("ada", "ben")}


def history(
    ada_records: Sequence[Record] | None = None,
    ben_records: Sequence[Record] | None = None,
    *,
    log: Sequence[Event] = LOG,
    store: Store = FULL,
) -> History:
    """The run, but for what is given. `store` is Ada's."""
    return History(
        [Epoch(EPOCH, log, MEMBERS)],
        (
            Client("ada", "ada", ada() if ada_records is None else ada_records, store),
            Client("ben", "ben", ben() if ben_records is None else ben_records, FULL),
        ),
    )


def kinds(checked: History) -> set[Kind]:
    """What is wrong with it."""
    return {violation.kind for violation in check(checked)}


def without(records: Sequence[Record], *gone: Record) -> list[Record]:
    """The records but for some."""
    return [record for record in records if record not in gone]


def test_a_right_history_passes() -> None:
    """Nothing is found where nothing is wrong, a killed client and a retry included."""
    assert check(history()) == []


def test_a_retry_whose_page_comes_after_the_first_answer_is_no_echo() -> None:
    """Acknowledged ahead of the stream, the own message comes again with the page: that's right."""
    came_back: list[Record] = [
        *ben()[:7],
        *ben()[7:11],
        *says(B1, answers="a1"),
        *begins(3)[:3],
        Transmitted(0, "b1"),
        Acked(0, ROOM, 4, "b1"),
        Asked(0, {ROOM: 3}),
        *hears(B1, A2),
    ]
    assert check(history(ben_records=came_back)) == []


def test_a_retry_that_was_refused_for_now_and_came_with_a_page_is_no_echo() -> None:
    """Stored on the connection before, so it was in the log when the server began to bring it."""
    came_back: list[Record] = [
        *ben()[:-5],
        Transmitted(0, "b1"),
        Synced(0, {ROOM: 5}),
        *hears(B1, A2),
    ]
    assert check(history(ben_records=came_back)) == []


def test_a_message_that_was_given_up_may_be_anywhere_or_nowhere() -> None:
    """Dropped before its answer: it is right with and without a place in the log."""
    extra: list[Record] = [Wrote(0, ROOM, "a3", "text a3", None), Kept(0, "a3"), Dropped(0, "a3")]
    assert check(history([*ada(), *extra])) == []


def test_a_message_killed_before_it_was_kept_may_be_nowhere() -> None:
    """The record is written first; only what reached the disk is promised."""
    assert check(history([*ada(), Wrote(0, ROOM, "a3", "text a3", None)])) == []


@pytest.mark.parametrize(("code", "found"), [("muted", set()), ("too_long", {Kind.LOST})])
def test_a_message_that_was_refused_to_a_muted_person_is_not_lost(
    code: str, found: set[Kind]
) -> None:
    """It is told so to the person, also by who was killed before it could be noted."""
    extra: list[Record] = [Wrote(0, ROOM, "a3", "text a3", None), Kept(0, "a3")]
    store = replace(FULL, refused={"a3": code})
    assert kinds(history([*ada(), *extra], store=store)) == found


_TWICE = event(6, "ada", "a2")
_FOREIGN = event(6, "ada", "a9", "never said")
_OTHERWISE = (*LOG[:4], A2._replace(body={"text": "changed"}))
_SWAPPED = (*LOG[:2], A2._replace(seq=3), B1, A1._replace(seq=5))

CASES: dict[Kind, Callable[[], History]] = {
    Kind.GAP_IN_LOG: lambda: history(log=(*LOG[:3], A2)),
    Kind.DUPLICATE: lambda: history(log=(*LOG, _TWICE)),
    Kind.NOT_SENT: lambda: history(log=(*LOG, _FOREIGN)),
    Kind.ACK_LOST: lambda: history(log=LOG[:4]),
    Kind.ACK_MOVED: lambda: history([*ada(), Acked(0, ROOM, 9, "a2")]),
    Kind.LOST: lambda: history([*ada(), Wrote(0, ROOM, "a3", "x", None), Kept(0, "a3")]),
    Kind.NOT_DELIVERED: lambda: history([*ada(), Refused(0, "a3", "too long")]),
    Kind.DEVICE_ORDER: lambda: history(log=_SWAPPED),
    Kind.EFFECT_BEFORE_CAUSE: lambda: history(
        log=(*LOG[:2], B1._replace(seq=3), A1._replace(seq=4), A2)
    ),
    Kind.HOLE_IN_VIEW: lambda: history(without(ada(), Applied(0, B1))),
    Kind.WENT_BACK: lambda: history([*ada(), Began(0, 2, {ROOM: 4}, EPOCH)]),
    Kind.BEHIND: lambda: history(
        without(ada(), *acked(A2)), store=whole(LOG[:4], {ROOM: 4}, EPOCH, ("a2",))
    ),
    Kind.DISAGREES: lambda: history(log=_OTHERWISE),
    Kind.HOLE_ON_WIRE: lambda: history(without(ada(), Heard(0, B_JOINS))),
    Kind.REPEATED_ON_WIRE: lambda: history([*ada(), Heard(0, B1)]),
    Kind.ECHOED: lambda: history([*ada(), Heard(0, A2)]),
    Kind.AFTER_GOODBYE: lambda: history(
        ben_records=[*ben()[:-2], Parted(0, "terminated"), *hears(A2)]
    ),
    Kind.MIXED: lambda: history(store=whole(LOG, {ROOM: 5}, "6c")),
    Kind.OUTSIDER: lambda: replace(history(), epochs=[Epoch(EPOCH, LOG, {ROOM: ("ben",)})]),
}


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.name.lower())
def test_each_broken_promise_is_caught(kind: Kind) -> None:
    """A history that breaks one promise is told as breaking that one."""
    assert kind in kinds(CASES[kind]())


def test_every_kind_has_its_case() -> None:
    """A promise without a history that breaks it would be one nobody checks."""
    # What is found in what programs print, and what has cases of its own.
    assert set(Kind) - set(CASES) == {Kind.PROGRAM_ERROR, *MODERATION}


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        pytest.param(history([*ada(), CacheReset(0)]), Kind.WENT_BACK, id="started over"),
        pytest.param(
            history([*ada(), Applied(0, B1)]), Kind.HOLE_IN_VIEW, id="shown a second time"
        ),
        pytest.param(
            history(store=whole(LOG[1:], {ROOM: 5}, EPOCH)),
            Kind.HOLE_IN_VIEW,
            id="hole in the store",
        ),
        pytest.param(
            history(store=whole((*LOG[:4], A2._replace(body={"text": "?"})), {ROOM: 5}, EPOCH)),
            Kind.DISAGREES,
            id="another text in the store",
        ),
        pytest.param(
            history([*begins(), Welcomed(0, "6c"), *ada()[3:]]), Kind.DISAGREES, id="epoch"
        ),
        pytest.param(
            history(store=whole(LOG, {ROOM: 5}, EPOCH, ("a3",))),
            Kind.NOT_DELIVERED,
            id="still waits",
        ),
        pytest.param(
            history(store=whole(LOG[:4], {ROOM: 4}, EPOCH)),
            Kind.WENT_BACK,
            id="store behind the view",
        ),
        pytest.param(
            history([*ada(), Refused(0, "a2", "muted")]),
            Kind.NOT_DELIVERED,
            id="stored and refused",
        ),
        pytest.param(
            history([*ada()[:3], *ada()[4:]]), Kind.HOLE_ON_WIRE, id="a room nobody asked for"
        ),
        pytest.param(
            history(without(ada(), *acked(A1)[:1])), Kind.HOLE_ON_WIRE, id="an ack that never came"
        ),
        pytest.param(
            history([*ada()[:11], Heard(0, A1), *ada()[11:]]), Kind.ECHOED, id="before the ack"
        ),
        pytest.param(
            history([*ada()[:4], Synced(0, {ROOM: 0}), *ada()[4:12], Heard(0, A1), *ada()[12:]]),
            Kind.ECHOED,
            id="at the head from the beginning",
        ),
    ],
)
def test_other_ways_to_break_them(broken: History, kind: Kind) -> None:
    """The same promises, broken in another place."""
    assert kind in kinds(broken)


@given(st.data())
def test_a_view_with_any_event_left_out_is_caught(data: st.DataObject) -> None:
    """Of a longer run, any one event that is not shown, or not sent, is missed."""
    length = data.draw(st.integers(3, 30))
    log = [event(seq, "ben", f"{seq:x}") for seq in range(1, length + 1)]
    gone = data.draw(st.sampled_from(log[:-1]))
    said = [record for each in log for record in (*says(each), *acked(each))]
    kept = whole(log, {ROOM: length}, EPOCH)
    writer = Client("ben", "ben", [*begins(), *said], kept)
    for record, kind in (
        (Applied(0, gone), Kind.HOLE_IN_VIEW),
        (Heard(0, gone), Kind.HOLE_ON_WIRE),
    ):
        reader = Client("ada", "ada", [*begins(), *without(hears(*log), record)], kept)
        right = Client("ada", "ada", [*begins(), *hears(*log)], kept)
        epochs = [Epoch(EPOCH, log, MEMBERS)]
        assert check(History(epochs, (writer, right))) == []
        assert kind in kinds(History(epochs, (writer, reader)))


@given(st.permutations(range(1, 7)))
def test_only_the_order_of_the_log_passes(order: list[int]) -> None:
    """Whatever order events are sent in, it is wrong unless it is the log's."""
    log = [event(seq, "ben", f"{seq:x}") for seq in range(1, 7)]
    said = [record for each in log for record in (*says(each), *acked(each))]
    kept = whole(log, {ROOM: 6}, EPOCH)
    writer = Client("ben", "ben", [*begins(), *said], kept)
    heard = [log[seq - 1] for seq in order]
    records: list[Record] = [*begins(), *(Heard(0, each) for each in heard)]
    reader = Client("ada", "ada", records, kept)
    found = check(History([Epoch(EPOCH, log, MEMBERS)], (writer, reader)))
    assert (found == []) == (order == sorted(order))


@pytest.mark.parametrize(
    "record", [*ada(), Refused(0, "a3", "too long"), Synced(0, {ROOM: 5}, [ROOM]), CacheReset(0)]
)
def test_a_record_survives_its_file(record: Record) -> None:
    """What is read back is what was written."""
    assert decode(encode(record).rstrip(b"\n")) == record
