"""The checker where a backup was restored: two histories, each judged by itself."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from common.protocol.events import Event
from tests.torture.checker import check
from tests.torture.copies import PlacedRecords
from tests.torture.epochs import Epoch
from tests.torture.history import Client, History, Kind, Store
from tests.torture.record import (
    Admitted,
    Asked,
    Began,
    CacheReset,
    Connected,
    Kept,
    Record,
    Records,
    Silenced,
    Synced,
    Welcomed,
    Wrote,
    encode,
)
from tests.torture.test_checker import (
    A1,
    A_JOINS,
    B1,
    B_JOINS,
    EPOCH,
    LOG,
    MEMBERS,
    ROOM,
    acked,
    ada,
    ben,
    event,
    hears,
    kinds,
    says,
    whole,
)

AFTER = "6c"
"""The epoch of the restored database: its backup had the first three events."""
A3 = event(4, "ada", "a3")
FULL = whole((A_JOINS, B_JOINS, A1, A3), {ROOM: 4}, AFTER)
OVER: list[Record] = [Connected(0), Welcomed(0, AFTER), CacheReset(0), Asked(0, {ROOM: 0})]


def ada_again() -> list[Record]:
    """Ada fetches everything anew and goes on."""
    return [*ada(), *OVER, *hears(A_JOINS, B_JOINS, A1), *says(A3), *acked(A3)]


def ben_again(over: Sequence[Record] = OVER) -> list[Record]:
    """Ben hears all of it."""
    return [*ben(), *over, *hears(A_JOINS, B_JOINS, A1, A3)]


def history(
    ada_records: Sequence[Record] | None = None,
    ben_records: Sequence[Record] | None = None,
    *,
    tail: Sequence[Event] = (A3,),
    store: Store = FULL,
) -> History:
    """The run, but for what is given. `store` is Ben's."""
    former = Epoch(EPOCH, LOG, MEMBERS)
    return History(
        [former, Epoch(AFTER, tail, MEMBERS, former, {ROOM: 3})],
        (
            Client("ada", "ada", ada_again() if ada_records is None else ada_records, FULL),
            Client("ben", "ben", ben_again() if ben_records is None else ben_records, store),
        ),
    )


def test_what_was_acknowledged_after_the_backup_may_be_gone() -> None:
    """Both histories are right, and each client has one after the other."""
    assert check(history()) == []


def test_what_was_under_way_comes_again_whatever_its_answer_was() -> None:
    """Stored in the former history and not acknowledged: in the new one it has another place."""
    b9, again = event(6, "ben", "b9"), event(4, "ben", "b9")
    former = Epoch(EPOCH, (*LOG, b9), MEMBERS)
    new = Epoch(AFTER, (again,), MEMBERS, former, {ROOM: 3})
    kept = whole((A_JOINS, B_JOINS, A1, again), {ROOM: 4}, AFTER)
    begin = [*ben(), *says(b9)]
    came: list[Record] = [*begin, *OVER, *hears(A_JOINS, B_JOINS, A1), *acked(again)]
    reader = Client("ada", "ada", [*ada(), *OVER, *hears(A_JOINS, B_JOINS, A1, again)], kept)
    assert check(History([former, new], (reader, Client("ben", "ben", came, kept)))) == []
    lost = Client("ben", "ben", begin, whole(LOG, {ROOM: 5}, EPOCH))
    assert Kind.LOST in kinds(History([former, Epoch(AFTER, (), MEMBERS, former)], (lost,)))


def test_a_client_killed_before_it_could_say_that_it_started_over() -> None:
    """Its next life begins with a copy of the new history: that is told by its store."""
    killed: list[Record] = [*OVER[:2], Began(0, 3, {ROOM: 0}, AFTER), Connected(0), OVER[1]]
    assert check(history(ben_records=ben_again([*killed, OVER[3]]))) == []


CASES: dict[str, tuple[Kind, Callable[[], History]]] = {
    "never started over": (
        Kind.MIXED,
        lambda: history(ben_records=ben_again([*OVER[:2], OVER[3]])),
    ),
    "went on from its old place": (
        Kind.HOLE_IN_VIEW,
        lambda: history(ben_records=[*ben(), *OVER[:3], Asked(0, {ROOM: 3}), *hears(A3)]),
    ),
    "started over without a cause": (
        Kind.WENT_BACK,
        lambda: history(ben_records=[*ben_again(), CacheReset(0)]),
    ),
    "heard the old history": (
        Kind.DISAGREES,
        lambda: history(ben_records=[*ben_again(), *hears(B1._replace(seq=5))]),
    ),
    "kept the old history": (
        Kind.DISAGREES,
        lambda: history(store=whole((*LOG[:3], B1), {ROOM: 4}, AFTER)),
    ),
    "came back with a history of nobody": (
        Kind.DISAGREES,
        lambda: history(ben_records=[*ben_again(), Began(0, 3, {ROOM: 4}, "7d")]),
    ),
    "said twice": (
        Kind.DUPLICATE,
        lambda: history(tail=(A3, event(5, "ada", "a1"))),
    ),
    "lost in the new one": (
        Kind.LOST,
        lambda: history([*ada_again(), Wrote(0, ROOM, "a4", "x", None), Kept(0, "a4")]),
    ),
    "acknowledged and lost in the new one": (Kind.ACK_LOST, lambda: history(tail=())),
}


@pytest.mark.parametrize("case", CASES)
def test_each_broken_promise_is_caught(case: str) -> None:
    """A history that breaks one promise after the restoring is told as breaking that one."""
    kind, broken = CASES[case]
    assert kind in kinds(broken())


COPIED = f"{EPOCH}#2"
"""The history that begins where the backup is copied back with its epoch."""
BACK: list[Record] = [Connected(0), Welcomed(0, COPIED)]


def copied_back(
    ben_records: Sequence[Record], store: Store | None = None, *, cut: int = 3
) -> History:
    """Ben's part of a run in which the database was copied back as of its first `cut` events."""
    former = Epoch(EPOCH, LOG, MEMBERS)
    tail = tuple(event(seq, "ada", f"c{seq}") for seq in range(cut + 1, 7))
    new = Epoch(COPIED, tail, MEMBERS, former, {ROOM: cut})
    full = whole((*LOG[:cut], *tail), {ROOM: 6}, EPOCH)
    ada_records: list[Record] = [
        *ada(), *BACK, Asked(0, {ROOM: 5}), Asked(0, {ROOM: 0}), CacheReset(0),
        *hears(*LOG[:cut]), *(each for one in tail for each in (*says(one), *acked(one))),
    ]  # fmt: skip
    return History(
        [former, new],
        (Client("ada", "ada", ada_records, full), Client("ben", "ben", ben_records, store or full)),
    )


def test_a_copy_that_was_refused_is_started_over() -> None:
    """After it was asked for again: that is the order in which it is told."""
    tail = tuple(event(seq, "ada", f"c{seq}") for seq in (4, 5, 6))
    again: list[Record] = [Asked(0, {ROOM: 5}), Asked(0, {ROOM: 0}), CacheReset(0)]
    everything = hears(*LOG[:3], *tail)
    assert check(copied_back([*ben(), *BACK, *again, *everything])) == []
    killed: list[Record] = [*again[:2], Began(0, 3, {ROOM: 0}, EPOCH), *BACK, again[1]]
    assert check(copied_back([*ben(), *BACK, *killed, *everything])) == []
    # Without a cause it may not.
    found = kinds(copied_back([*ben(), CacheReset(0), *BACK, *again, *everything]))
    assert Kind.WENT_BACK in found


def test_a_copy_of_what_both_histories_have_goes_on() -> None:
    """Ben was away since before the backup: what he has is right, and is kept."""
    tail = tuple(event(seq, "ada", f"c{seq}") for seq in (6,))
    goes_on: list[Record] = [*BACK, Asked(0, {ROOM: 5}), Synced(0, {ROOM: 6}), *hears(*tail)]
    assert check(copied_back([*ben(), *goes_on], cut=5)) == []


def test_two_histories_of_one_epoch_in_one_copy_are_caught() -> None:
    """The server believed Ben's position: his store is of neither history."""
    tail = (event(6, "ada", "c6"),)
    goes_on: list[Record] = [*BACK, Asked(0, {ROOM: 5}), Synced(0, {ROOM: 6}), *hears(*tail)]
    mixed = whole((*LOG, *tail), {ROOM: 6}, EPOCH)
    assert Kind.DISAGREES in kinds(copied_back([*ben(), *goes_on], mixed))


def test_a_room_that_the_backup_did_not_have_is_kept_as_it_was() -> None:
    """Nobody has said anything there since, so the server lists no such room."""
    direct = [event(seq, "ada", f"d{seq}")._replace(room="dm:ada:ben") for seq in (1, 2)]
    former = Epoch(EPOCH, (*LOG, *direct), {**MEMBERS, "dm:ada:ben": ("ada", "ben")})
    new = Epoch(COPIED, (), MEMBERS, former, {ROOM: 5})
    goes_on: list[Record] = [*BACK, Asked(0, {ROOM: 5}), Synced(0, {ROOM: 5})]
    asked: list[Record] = [Asked(0, {"dm:ada:ben": 0}), *hears(*direct)]
    said = [record for each in direct for record in (*says(each), *acked(each))]
    positions = {ROOM: 5, "dm:ada:ben": 2}
    other = B1._replace(room="dm:ada:ben", seq=2)
    for second, wrong in ((direct[1], set()), (other, {Kind.DISAGREES})):
        store = whole((*LOG, direct[0], second), positions, EPOCH)
        right = whole((*LOG, *direct), positions, EPOCH)
        clients = [
            Client("ada", "ada", [*ada(), *said, *goes_on], right),
            Client("ben", "ben", [*ben(), *asked, *goes_on], store),
        ]
        assert kinds(History([former, new], clients)) == wrong


def test_a_welcome_is_placed_by_the_session_that_followed(tmp_path: Path) -> None:
    """Which history the server had; one that led to no session tells of none."""
    records: list[Record] = [
        Began(0, 1, {}, None), Connected(0), Welcomed(0, EPOCH), Asked(0, {}), Admitted(0, "s1"),
        Welcomed(1, EPOCH), Connected(1), Welcomed(2, EPOCH), Admitted(2, "s2"), Silenced(3),
        Connected(4), Welcomed(4, EPOCH), Silenced(5),
    ]  # fmt: skip
    path = tmp_path / "ben.record"
    path.write_bytes(b"".join(map(encode, records)))
    placed = list(PlacedRecords(Records(path), {"s1": EPOCH, "s2": COPIED}))
    records[7] = Welcomed(2, COPIED)
    assert placed == [*records[:5], *records[6:11], records[12]]


def test_the_prefix_that_histories_share_is_held_once_and_found_in_both() -> None:
    """Down to the history in which a backup was made, and no farther than the backup."""
    former = Epoch(EPOCH, LOG, MEMBERS)
    new = Epoch(AFTER, (A3,), MEMBERS, former, {ROOM: 3})
    assert [new.at(ROOM, seq) for seq in range(6)] == [None, A_JOINS, B_JOINS, A1, A3, None]
    assert new.place(("ada", "a1")) == A1
    assert new.place(("ben", "b1")) is None
    assert former.place(("ben", "b1")) == B1
    assert (former.head(ROOM), new.head(ROOM)) == (5, 4)
    newest = Epoch("7d", (), MEMBERS, new, {ROOM: 3})
    assert newest.place(("ada", "a1")) == A1
    assert newest.place(("ada", "a3")) is None
