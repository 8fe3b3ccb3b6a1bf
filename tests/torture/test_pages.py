"""The checker and history on demand: a right run passes, wrong pages and stretches are caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from common.protocol.events import MESSAGE, Event
from tests.torture.checker import check
from tests.torture.epochs import Epoch
from tests.torture.history import Client, History, Kind, Store
from tests.torture.record import (
    Acked,
    Applied,
    Asked,
    Began,
    Connected,
    Filled,
    Heard,
    Kept,
    PageAsked,
    Paged,
    Record,
    Synced,
    Transmitted,
    Welcomed,
    Wrote,
)
from tests.torture.views import Stretches

EPOCH = "5b"
ROOM = "general"
HEAD = 20
LOG = tuple(
    Event(ROOM, seq, MESSAGE, "ben", 1000 + seq, f"b{seq}", {"text": f"text b{seq}"})
    for seq in range(1, HEAD + 3)
)


def written() -> list[Record]:
    """All that Ben said."""
    records: list[Record] = [Began(0, 1, {}, None), Connected(0), Welcomed(0, EPOCH)]
    records += [Asked(0, {ROOM: 0}), Synced(0, {ROOM: 0})]
    for event in LOG:
        records += [Wrote(0, ROOM, event.cid, event.text, None), Kept(0, event.cid)]
        records += [Transmitted(0, event.cid), Acked(0, ROOM, event.seq, event.cid)]
        records.append(Applied(0, event))
    return records


def page(
    number: int, first: int, last: int, filled: int = 0, *, ask: PageAsked | None = None
) -> list[Record]:
    """A page is asked for, comes, and is taken, up to `filled` if that is named."""
    events = LOG[first - 1 : last]
    return [
        ask or PageAsked(0, number, ROOM, last + 1, None, None),
        Paged(0, number, ROOM, events, HEAD, first > 1, last < HEAD),
        Filled(0, ROOM, first, filled or last),
    ]


def heard(*seqs: int) -> list[Record]:
    """Events come by themselves and are shown."""
    events = [LOG[seq - 1] for seq in seqs]
    return [record for event in events for record in (Heard(0, event), Applied(0, event))]


BEGUN: Sequence[Record] = [
    *(Began(0, 1, {}, None), Connected(0), Welcomed(0, EPOCH), Asked(0, {ROOM: 0})),
    Synced(0, {ROOM: HEAD}, [ROOM]),
]
AROUND = PageAsked(0, 2, ROOM, None, 4, None)
RIGHT: Sequence[Record] = [
    *BEGUN,
    *page(1, 16, 20),
    *heard(21),
    *page(2, 3, 6, ask=AROUND),
    *heard(22),
]
SPANS = [(3, 6), (16, 22)]


def store(spans: Sequence[tuple[int, int]] = SPANS, events: Sequence[Event] = ()) -> Store:
    """Ada's cache, with the events of these stretches or others."""
    here = events or [LOG[seq - 1] for first, last in spans for seq in range(first, last + 1)]
    return Store(here, {ROOM: spans[-1][1]}, EPOCH, (), {ROOM: spans})


def run(records: Sequence[Record] = RIGHT, kept: Store | None = None) -> History:
    """Ben talks, and Ada comes late and reads what she wants of it."""
    whole = store([(1, HEAD + 2)])
    clients = (
        Client("ben", "ben", written(), whole),
        Client("ada", "ada", records, kept or store()),
    )
    return History([Epoch(EPOCH, LOG, {ROOM: ("ada", "ben")})], clients)


def without(*gone: int) -> Sequence[Record]:
    """The right run but for the records at these places."""
    return [record for at, record in enumerate(RIGHT) if at not in gone]


def test_a_right_run_passes() -> None:
    """The newest page, what is said then, and an island."""
    assert check(run()) == []


def test_what_comes_by_itself_is_left_out_of_a_page() -> None:
    """It is shown when it comes."""
    late = [*BEGUN, *page(1, 16, 20), *heard(21, 22)]
    around: list[Record] = [
        PageAsked(0, 2, ROOM, None, 20, None),
        Paged(0, 2, ROOM, LOG[17:22], 22, True, False),
    ]
    spans = [(16, 22)]
    assert check(run([*late[:8], *around, Filled(0, ROOM, 18, 20), *late[8:]], store(spans))) == []
    wrong = run([*late[:8], *around, Filled(0, ROOM, 18, 22), *late[8:]], store(spans))
    assert Kind.HOLE_IN_VIEW in {violation.kind for violation in check(wrong)}


def test_another_life_goes_on_from_the_newest() -> None:
    """With its stretches; a skip that was not filled before a kill is skipped again."""
    killed = [*BEGUN, Began(0, 2, {}, EPOCH), *BEGUN[1:], *RIGHT[5:]]
    assert check(run(killed)) == []


_OTHER = LOG[3]._replace(body={"text": "something else"})
CASES: dict[str, tuple[Kind, Callable[[], History]]] = {
    "an event after a skip is not shown": (
        Kind.HOLE_IN_VIEW,
        lambda: run(without(9)),
    ),
    "an event after a skip does not come": (Kind.HOLE_ON_WIRE, lambda: run(without(8, 9))),
    "a page that is not in the store": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store([(16, 22)])),
    ),
    "a part of a page that is not in the store": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store([(4, 6), (16, 22)])),
    ),
    "an event that a stretch says is there": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store(SPANS, [event for event in store().events if event.seq != 5])),
    ),
    "an event that no stretch says is there": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store(SPANS, [*store().events, LOG[9]])),
    ),
    "stretches that touch": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store([(3, 6), (16, 18), (19, 22)])),
    ),
    "stretches that overlap": (
        Kind.HOLE_IN_VIEW,
        lambda: run(kept=store([(3, 6), (16, 19), (18, 22)], list(store().events))),
    ),
    "a page with a hole": (
        Kind.HOLE_ON_WIRE,
        lambda: run([*RIGHT[:11], Paged(0, 2, ROOM, (LOG[2], LOG[4], LOG[5]), HEAD, True, True),
                     *RIGHT[12:]]),
    ),
    "a page of something else": (
        Kind.DISAGREES,
        lambda: run([*RIGHT[:11], Paged(0, 2, ROOM, (LOG[2], _OTHER, *LOG[4:6]), HEAD, True, True),
                     *RIGHT[12:]]),
    ),
    "a page of another place": (
        Kind.HOLE_ON_WIRE,
        lambda: run([*RIGHT[:10], *page(2, 3, 6, ask=PageAsked(0, 2, ROOM, None, 9, None)),
                     *RIGHT[13:]]),
    ),
    "more is filled than came": (
        Kind.HOLE_IN_VIEW,
        lambda: run([*RIGHT[:10], *page(2, 3, 6, filled=7, ask=AROUND),
                     *RIGHT[13:]], store([(3, 7), (16, 22)])),
    ),
    "the first of a page is not filled": (
        Kind.HOLE_IN_VIEW,
        lambda: run([*RIGHT[:12], Filled(0, ROOM, 4, 6), *RIGHT[13:]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_caught(case: str) -> None:
    """Each by its kind."""
    kind, wrong = CASES[case]
    assert kind in {violation.kind for violation in check(wrong())}


def test_stretches_are_few() -> None:
    """However many places there are."""
    stretches = Stretches()
    for seq in (*range(50, 100), *range(1, 40), 45):
        stretches.add(seq, seq)
    assert sorted(stretches._stretches) == [(1, 39), (45, 45), (50, 99)]
    stretches.add(38, 50)
    assert stretches._stretches == [(1, 99)]
    assert stretches.missing_in([(1, 50), (51, 99)]) == [(1, 99)]
    assert stretches.missing_in([(1, 99)]) == []
