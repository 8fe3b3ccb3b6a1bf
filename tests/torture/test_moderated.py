"""The checker of bans, mutes, roles, the invite, the audit log and pages: right ones pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from common.protocol.events import Event
from tests.torture.clock import ServerClock
from tests.torture.epochs import Epoch, Moderated
from tests.torture.history import Client, History, Kind, Store
from tests.torture.moderation import KINDS, check_moderation
from tests.torture.pages import Pages
from tests.torture.record import (
    HOST,
    Acked,
    Admitted,
    Answered,
    Connected,
    Heard,
    KeptOut,
    Learned,
    LetIn,
    Listed,
    Ordered,
    PageAsked,
    Paged,
    Parted,
    Record,
    Refused,
    Transmitted,
    Tried,
    TurnedAway,
    Welcomed,
    decode,
    encode,
)
from tests.torture.rights import NO_RIGHTS, Entry, Rights, Sanction
from tests.torture.test_checker import A1, A2, A_JOINS, B1, B_JOINS, EPOCH, LOG, ROOM

DAY = 86_400_000
"""Milliseconds."""
SECOND = 1_000_000_000
"""Nanoseconds."""
CLOCK = ServerClock([(0, DAY * 1_000_000)])
"""Tells the second day of 1970 at the beginning."""


@dataclass(frozen=True)
class Run:
    """What happened, for a test to change; times are in seconds."""

    host: Sequence[Record] = ()
    ada: Sequence[Record] = ()
    ben: Sequence[Record] = ()
    audit: Sequence[Entry] = ()
    before: Rights = NO_RIGHTS
    after: Rights = NO_RIGHTS
    log: Sequence[Event] = (A_JOINS, B_JOINS)
    members: Sequence[str] = ("ada", "ben")
    clock: ServerClock = field(default=CLOCK)

    def found(self) -> set[Kind]:
        """What the checker has to say."""
        moderated = Moderated(self.before, self.after, self.audit)
        epoch = Epoch(EPOCH, self.log, {ROOM: self.members}, moderated=moderated)
        clients = [
            Client(name, name, [at(record) for record in records], Store())
            for name, records in (("ada", self.ada), ("ben", self.ben))
        ]
        host = [at(record) for record in self.host]
        history = History([epoch], clients, (), host, self.clock)
        return {violation.kind for violation in check_moderation(history)}


def at(record: Record) -> Record:
    """The record with its times in nanoseconds."""
    changed = replace(record, at=record.at * SECOND)
    if isinstance(changed, Listed | Learned):
        return replace(changed, since=changed.since * SECOND)
    return changed


def done(
    begin: int, end: int, number: int, action: str, about: str, *, code: str = "", **fields: Any
) -> list[Record]:
    """Something is asked for and answered."""
    return [Ordered(begin, number, action, fields, about), Answered(end, number, code)]


def comes(begin: int, end: int) -> list[Record]:
    """Somebody connects and is let in."""
    return [Connected(begin), Welcomed(begin, EPOCH), Admitted(end, f"s{begin}")]


def says(begin: int, end: int, said: Event) -> list[Record]:
    """Somebody says something and is told that it is stored."""
    return [Transmitted(begin, said.cid), Acked(end, said.room, said.seq, said.cid)]


def rights(*sanctions: Sanction, moderators: Sequence[str] = (), entries: int = 0) -> Rights:
    """What a database has after so many entries of the audit log."""
    numbered = dict(enumerate(sanctions, 1))
    return Rights(numbered, frozenset(moderators), len(sanctions), entries)


WORDS = {"username": "ben", "reason": "ben 1"}
BANNED = done(10, 20, 1, "ban", "ben", **WORDS)
MUTED = done(10, 20, 1, "mute", "ben", **WORDS)
BAN, MUTE = Sanction("ban", "ben", None, "ben 1"), Sanction("mute", "ben", None, "ben 1")
IS_BANNED = Run(
    BANNED,
    comes(1, 2),
    [*comes(1, 2), Parted(15, "banned"), Connected(30), TurnedAway(31, "banned")],
    [Entry(1, HOST, "ban", WORDS)],
    after=rights(BAN, entries=1),
)
IS_MUTED = Run(
    MUTED,
    comes(1, 2),
    [*comes(1, 2), Transmitted(30, "b1"), Refused(31, "b1", "muted")],
    [Entry(1, HOST, "mute", WORDS)],
    after=rights(MUTE, entries=1),
)
LIFTED = [*BANNED, *done(40, 50, 2, "unban", "ben", username="ben")]
IS_BACK = replace(
    IS_BANNED,
    host=LIFTED,
    ben=[*IS_BANNED.ben, *comes(45, 46), Heard(47, A1)],
    ada=[*IS_BANNED.ada, *says(25, 26, A1)],
    audit=[*IS_BANNED.audit, Entry(2, HOST, "unban", {"username": "ben"})],
    after=Rights({}, frozenset(), 1, 2),
    log=(A_JOINS, B_JOINS, A1),
)
MODERATES = Run(
    done(3, 4, 1, "set_role", "ada", username="ada", role="moderator"),
    [*comes(1, 2), *done(10, 20, 1, "mute", "ben", **WORDS)],
    audit=[
        Entry(1, HOST, "set_role", {"username": "ada", "role": "moderator"}),
        Entry(2, "ada", "mute", WORDS),
    ],
    after=rights(MUTE, moderators=["ada"], entries=2),
)
RENEWED = [Learned(5, 4, "old"), *done(10, 11, 1, "new_invite", ""), Learned(11, 10, "new")]
IS_RENEWED = Run(
    [*RENEWED, Tried(12, "gus", "new", ""), LetIn(13, "gus")],
    audit=[Entry(1, HOST, "new_invite", {})],
    after=rights(entries=1),
    members=("ada", "ben", "gus"),
)
END = DAY + 30_000
"""Thirty seconds after the beginning."""
UNTIL: Mapping[str, Any] = {**WORDS, "until": END}
FOR_A_WHILE = replace(
    IS_BANNED,
    host=done(10, 20, 1, "ban", "ben", **UNTIL),
    audit=[Entry(1, HOST, "ban", UNTIL)],
    ben=[*comes(1, 2), Parted(15, "banned"), Connected(21), TurnedAway(22, "banned")],
    after=Rights({}, frozenset(), 1, 1),
)

OF_DEVICE: Mapping[str, Any] = {"connection": 3, "reason": "ben 1"}
IS_OF_DEVICE = replace(
    IS_BANNED,
    host=done(10, 20, 1, "ban", "ben", **OF_DEVICE),
    audit=[Entry(1, HOST, "ban", {**OF_DEVICE, "username": "ben", "device": "Linux"})],
    after=rights(replace(BAN, of_device=True), entries=1),
)

RIGHT: Mapping[str, Run] = {
    "nothing": Run(),
    "banned": IS_BANNED,
    "muted": IS_MUTED,
    "back": IS_BACK,
    "moderates": MODERATES,
    "renewed": IS_RENEWED,
    "for a while": FOR_A_WHILE,
    "what has ended is there": replace(
        FOR_A_WHILE, after=rights(replace(BAN, until=END), entries=1)
    ),
    "a device": IS_OF_DEVICE,
    "a device, and lifted": replace(
        IS_OF_DEVICE,
        host=[
            *IS_OF_DEVICE.host,
            Ordered(40, 2, "unban", {"number": 1}, "ben", "ben 1"),
            Answered(50, 2, ""),
        ],
        ben=[*IS_OF_DEVICE.ben, *comes(45, 46)],
        audit=[*IS_OF_DEVICE.audit, Entry(2, HOST, "unban", {"number": 1, "device": "Linux"})],
        after=Rights({}, frozenset(), 1, 2),
    ),
    "ended by itself": replace(FOR_A_WHILE, ben=[*FOR_A_WHILE.ben, *comes(31, 32)]),
    "not answered and not done": Run(BANNED[:1], comes(1, 2), comes(30, 31)),
    "not answered and done": replace(IS_BANNED, host=BANNED[:1]),
    "refused": Run(done(10, 20, 1, "ban", "ben", code="disk_full", **WORDS), ben=comes(1, 2)),
    "heard what was sent before": replace(
        IS_BANNED,
        ada=[*comes(1, 2), *says(12, 26, A1)],
        ben=[*comes(1, 2), Heard(27, A1)],
        log=(A_JOINS, B_JOINS, A1),
    ),
    "member": Run(ada=[*comes(1, 2), *done(10, 20, 1, "mute", "ben", code="not_allowed", **WORDS)]),
    "by the old link": Run(
        [*RENEWED, Tried(12, "gus", "old", ""), KeptOut(13, "gus", "bad_secret")],
        audit=IS_RENEWED.audit,
        after=IS_RENEWED.after,
    ),
    "listed": replace(IS_BANNED, host=[*BANNED, Listed(23, 21, ["ben 1"], [])]),
    "from a banned device": replace(
        IS_BANNED, host=[*BANNED, Tried(21, "gus", "?", "ben"), KeptOut(22, "gus", "banned")]
    ),
    "another server's time": replace(
        FOR_A_WHILE,
        # The clock jumps over the end of the ban, which then may be gone for good.
        clock=ServerClock([(0, DAY * 1_000_000), (21 * SECOND, None), (22 * SECOND, 2 * 10**15)]),
        ben=[*comes(1, 2), Parted(15, "banned"), *comes(23, 24)],
    ),
}


@pytest.mark.parametrize("run", RIGHT)
def test_a_right_run_passes(run: str) -> None:
    """Whatever is not sure is not held against anybody."""
    assert RIGHT[run].found() == set()


_OTHER = {"username": "ben", "reason": "ben 2"}
_TWO = [*BANNED, *done(21, 22, 2, "mute", "ben", **_OTHER)]
_BY_TWO = replace(MODERATES, host=[*MODERATES.host, *done(21, 22, 2, "terminate", "ben", **_OTHER)])
_ENDED_BY_ADA = Entry(2, HOST, "terminate", _OTHER)

WRONG: Mapping[str, tuple[Kind, Run]] = {
    "not written down": (Kind.AUDIT_MISSING, replace(IS_BANNED, audit=[], after=NO_RIGHTS)),
    "written down in another order": (
        Kind.AUDIT_MISSING,
        replace(
            IS_BANNED,
            host=_TWO,
            audit=[Entry(1, HOST, "mute", _OTHER), Entry(2, HOST, "ban", WORDS)],
            after=rights(replace(MUTE, reason="ben 2"), BAN, entries=2),
        ),
    ),
    "two people in another order": (
        Kind.AUDIT_MISSING,
        replace(
            _BY_TWO,
            audit=[MODERATES.audit[0], _ENDED_BY_ADA, Entry(3, "ada", "mute", WORDS)],
            after=rights(MUTE, moderators=["ada"], entries=3),
        ),
    ),
    "somebody else's device": (
        Kind.AUDIT_MISSING,
        replace(
            IS_OF_DEVICE,
            audit=[Entry(1, HOST, "ban", {**OF_DEVICE, "username": "ada"})],
            after=rights(replace(BAN, username="ada", of_device=True), entries=1),
        ),
    ),
    "an entry is left out": (
        Kind.AUDIT_MISSING,
        replace(IS_BANNED, audit=[Entry(2, HOST, "ban", WORDS)], after=rights(BAN, entries=2)),
    ),
    "written down twice": (
        Kind.AUDIT_EXTRA,
        replace(
            IS_BANNED,
            audit=[*IS_BANNED.audit, Entry(2, HOST, "ban", WORDS)],
            after=rights(BAN, BAN, entries=2),
        ),
    ),
    "written down though refused": (
        Kind.AUDIT_EXTRA,
        replace(IS_BANNED, host=done(10, 20, 1, "ban", "ben", code="busy", **WORDS), ben=[]),
    ),
    "not stored": (Kind.RIGHTS_DIFFER, replace(IS_BANNED, after=rights(entries=1))),
    "a role not stored": (
        Kind.RIGHTS_DIFFER,
        replace(MODERATES, after=rights(MUTE, entries=2)),
    ),
    "not listed": (
        Kind.RIGHTS_DIFFER,
        replace(IS_BANNED, host=[*BANNED, Listed(23, 21, [], [])]),
    ),
    "listed and lifted": (
        Kind.RIGHTS_DIFFER,
        replace(IS_BACK, host=[*LIFTED, Listed(53, 51, ["ben 1"], [])]),
    ),
    "listed without a role": (
        Kind.RIGHTS_DIFFER,
        replace(MODERATES, host=[*MODERATES.host, Listed(53, 51, ["ben 1"], [])]),
    ),
    "shown what was said after a ban": (
        Kind.SHOWN_TO_BANNED,
        replace(
            IS_BANNED,
            ada=[*comes(1, 2), *says(25, 26, A1)],
            ben=[*comes(1, 2), Heard(60, A1)],
            log=(A_JOINS, B_JOINS, A1),
        ),
    ),
    "shown what follows that": (
        Kind.SHOWN_TO_BANNED,
        replace(
            IS_BANNED,
            ada=[*comes(1, 2), *says(25, 26, A1), Transmitted(5, "a2")],
            ben=[*comes(1, 2), Heard(27, A2._replace(seq=4))],
            log=(A_JOINS, B_JOINS, A1, A2._replace(seq=4)),
        ),
    ),
    "shown a page of it": (
        Kind.SHOWN_TO_BANNED,
        replace(
            IS_BANNED,
            ada=[*comes(1, 2), *says(25, 26, A1)],
            ben=[*comes(1, 2), Paged(27, 3, ROOM, [A_JOINS, B_JOINS, A1], 3, False, False)],
            log=(A_JOINS, B_JOINS, A1),
        ),
    ),
    "let in": (Kind.BANNED_LET_IN, replace(IS_BANNED, ben=[*IS_BANNED.ben, *comes(35, 36)])),
    "let in before the end": (
        Kind.BANNED_LET_IN,
        replace(FOR_A_WHILE, ben=[*FOR_A_WHILE.ben, *comes(28, 29)]),
    ),
    "somebody new from a banned device": (
        Kind.BANNED_LET_IN,
        replace(
            IS_BANNED,
            host=[*BANNED, Tried(21, "gus", "?", "ben"), LetIn(22, "gus")],
            members=("ada", "ben", "gus"),
        ),
    ),
    "a banned device goes on": (
        Kind.HEARD_THOUGH_BANNED,
        replace(IS_BANNED, ben=[*comes(1, 2), *says(25, 26, B1)]),
    ),
    "what a banned person said is stored": (
        Kind.HEARD_THOUGH_BANNED,
        replace(
            IS_BANNED,
            ben=[*IS_BANNED.ben, Transmitted(32, "b1")],
            log=(A_JOINS, B_JOINS, B1._replace(seq=3)),
        ),
    ),
    "what a muted person said is stored": (
        Kind.HEARD_THOUGH_MUTED,
        replace(IS_MUTED, log=(A_JOINS, B_JOINS, B1._replace(seq=3))),
    ),
    "and before the mute is lifted": (
        Kind.HEARD_THOUGH_MUTED,
        replace(
            IS_MUTED,
            host=[*MUTED, *done(40, 50, 2, "unmute", "ben", username="ben")],
            ben=[*comes(1, 2), *says(30, 31, B1._replace(seq=3))],
            audit=[*IS_MUTED.audit, Entry(2, HOST, "unmute", {"username": "ben"})],
            after=Rights({}, frozenset(), 1, 2),
            log=(A_JOINS, B_JOINS, B1._replace(seq=3)),
        ),
    ),
    "refused as muted": (Kind.UNJUST, replace(Run(), ben=IS_MUTED.ben)),
    "sent away as banned": (Kind.UNJUST, replace(Run(), ben=[*comes(1, 2), Parted(3, "banned")])),
    "sent away though the ban was refused": (
        Kind.UNJUST,
        replace(RIGHT["refused"], ben=[*comes(1, 2), Parted(15, "banned")]),
    ),
    "turned away after the end": (
        Kind.UNJUST,
        replace(FOR_A_WHILE, ben=[*FOR_A_WHILE.ben, Connected(40), TurnedAway(41, "banned")]),
    ),
    "terminated by nobody": (
        Kind.UNJUST,
        replace(Run(), ben=[*comes(1, 2), Parted(3, "terminated")]),
    ),
    "a moderator is refused": (
        Kind.UNJUST,
        replace(
            MODERATES,
            ada=[*comes(1, 2), *done(10, 20, 1, "mute", "ben", code="not_allowed", **WORDS)],
            audit=MODERATES.audit[:1],
            after=rights(moderators=["ada"], entries=1),
        ),
    ),
    "the newest link is refused": (
        Kind.UNJUST,
        replace(
            IS_RENEWED,
            host=[*RENEWED, Tried(12, "gus", "new", ""), KeptOut(13, "gus", "bad_secret")],
        ),
    ),
    "a member moderates": (
        Kind.NOT_ALLOWED,
        replace(MODERATES, host=[], audit=[Entry(1, "ada", "mute", WORDS)], after=rights(MUTE)),
    ),
    "the old link is taken": (
        Kind.OLD_LINK,
        replace(IS_RENEWED, host=[*RENEWED, Tried(12, "gus", "old", ""), LetIn(13, "gus")]),
    ),
    "a join is lost": (Kind.JOIN_LOST, replace(IS_RENEWED, members=("ada", "ben"))),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_broken_promise_is_caught(case: str) -> None:
    """And nothing else is found broken."""
    kind, run = WRONG[case]
    assert run.found() == {kind}


def test_every_kind_has_its_case() -> None:
    """A promise without a run that breaks it would be one nobody checks."""
    assert {kind for kind, _ in WRONG.values()} == KINDS


def test_a_restored_backup_ends_what_was_done_after_it() -> None:
    """And what it has holds again: each history is judged by itself."""
    first = Moderated(audit=IS_BANNED.audit, after=IS_BANNED.after, ended=40 * SECOND)
    later = Moderated(began=40 * SECOND)
    restored = Moderated(IS_BANNED.after, IS_BANNED.after, began=40 * SECOND)
    epochs = [Epoch(EPOCH, (), {}, moderated=first), Epoch("6c", (), {}, moderated=later)]
    again: list[Record] = [Connected(45), Welcomed(45, "6c"), Admitted(46, "s")]
    ben = Client("ben", "ben", [at(each) for each in [*IS_BANNED.ben, *again]], Store())
    host = [at(record) for record in BANNED]
    assert not [*check_moderation(History(epochs, [ben], (), host, CLOCK))]
    epochs[1] = Epoch("6c", (), {}, moderated=restored)
    (found,) = check_moderation(History(epochs, [ben], (), host, CLOCK))
    assert found.kind is Kind.BANNED_LET_IN


@pytest.mark.parametrize(
    "record",
    [*BANNED, *IS_RENEWED.host, Listed(2, 1, ["ben 1"], ["ada"]), TurnedAway(1, "banned")],
)
def test_a_record_survives_its_file(record: Record) -> None:
    """What is read back is what was written."""
    assert decode(encode(record).rstrip(b"\n")) == record


# The clock


def test_a_clock_that_jumps_may_have_told_both() -> None:
    """What it told before, until it surely told something else; nothing before the first line."""
    clock = ServerClock([(0, 10 * SECOND), (SECOND, None), (2 * SECOND, 0), (5 * SECOND, SECOND)])
    assert clock.told(-1, 0) is None
    assert clock.told(0, SECOND - 1) == (10_000, 10_999)
    assert clock.told(SECOND, SECOND) == (-1_000, 11_000)
    assert clock.told(3 * SECOND, 4 * SECOND) == (1_000, 2_000)
    assert clock.told(4 * SECOND, 6 * SECOND) == (1_000, 3_000)


# Pages


def paged(asked: PageAsked, page: Paged, *, member: str = "ben") -> set[Kind]:
    """What is wrong with a page."""
    epoch = Epoch(EPOCH, LOG, {ROOM: (member,)})
    client = Client("ben", "ben", (), Store())
    pages = Pages(client, History([epoch], [client]))
    records: list[Record] = [Connected(0), Welcomed(0, EPOCH), asked, page]
    return {violation.kind for record in records for violation in pages.take(record)}


BEFORE = PageAsked(0, 1, ROOM, 5, None, None)
PAGE = Paged(0, 1, ROOM, [B_JOINS, A1, B1], 5, older=True, newer=True)
AROUND = PageAsked(0, 1, ROOM, None, 9, None)
NEWEST = PageAsked(0, 1, ROOM, None, None, None)
LAST = Paged(0, 1, ROOM, [B1, A2], 5, older=True, newer=False)


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        (BEFORE, PAGE),
        (AROUND, LAST),
        (NEWEST, LAST),
        (PageAsked(0, 1, ROOM, None, None, 1003), PAGE),
        (PageAsked(0, 1, ROOM, 1, None, None), Paged(0, 1, ROOM, [], 5, older=False, newer=False)),
    ],
)
def test_a_right_page_passes(asked: PageAsked, page: Paged) -> None:
    """What was asked for, up to what was there."""
    assert paged(asked, page) == set()


CASES: Mapping[str, tuple[Kind, Callable[[], set[Kind]]]] = {
    "hole": (
        Kind.HOLE_ON_WIRE,
        lambda: paged(BEFORE, replace(PAGE, events=[B_JOINS, B1])),
    ),
    "too early": (
        Kind.HOLE_ON_WIRE,
        lambda: paged(BEFORE, replace(PAGE, events=[B_JOINS, A1])),
    ),
    "elsewhere": (Kind.HOLE_ON_WIRE, lambda: paged(AROUND, PAGE)),
    "empty": (Kind.HOLE_ON_WIRE, lambda: paged(NEWEST, replace(PAGE, events=[]))),
    "otherwise": (
        Kind.DISAGREES,
        lambda: paged(BEFORE, replace(PAGE, events=[B_JOINS, A1._replace(sender="ben"), B1])),
    ),
    "more than there is": (Kind.DISAGREES, lambda: paged(BEFORE, replace(PAGE, upto=6))),
    "nothing older": (Kind.DISAGREES, lambda: paged(BEFORE, replace(PAGE, older=False))),
    "outsider": (Kind.OUTSIDER, lambda: paged(BEFORE, PAGE, member="ada")),
}


@pytest.mark.parametrize("case", CASES)
def test_each_wrong_page_is_caught(case: str) -> None:
    """For what it is."""
    kind, found = CASES[case]
    assert found() == {kind}
