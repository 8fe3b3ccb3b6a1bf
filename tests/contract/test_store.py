"""What every storage engine has to do: one set of tests, run for each of them.

Whoever writes another engine adds it to `engines.py`, with its own ways to fail, and a class at
the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_server.rules.directory import Account, Device, Directory, RoomLog
from chat_server.rules.issued_invites import STANDING, InviteKind, IssuedInvite, secret_hash
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction, SanctionKind
from chat_server.store.sqlite import store as sqlite_store
from chat_server.store.store import (
    AuditRow,
    StoreBusyError,
    StoreFailedError,
    StoreFaultError,
    StoreFullError,
    StoreUnreadableError,
)
from common.domain.names import GENERAL
from common.protocol.events import Event
from tests import strategies as our
from tests.contract.engines import Engine, MemoryEngine, SqliteEngine
from tests.events import cid_of, deleted, joined, said

KEY: Final = bytes(range(32))
INSTALLATION: Final = "1" * 32


class Everything(NamedTuple):
    """What is in a store."""

    directory: Directory
    events: list[list[Event]]
    """Of each room."""
    settings: tuple[str, str]
    audit: list[AuditRow]


class Filled:
    """A store with one room and two people in it, and what a test needs of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.open()
        with self.store.transaction():
            self.epoch = self.store.epoch()
            self.general = self.store.add_room(GENERAL, 0)
            self.ada = self.add("ada", 5)
            self.bob = self.add("bob", 9)

    def add(self, name: str, change: int) -> Account:
        """Somebody, with a device, in the general room."""
        account = self.store.add_account(name, name.title(), change, 0)
        self.store.add_device(account, name.encode().ljust(32), device(name))
        self.store.add_member(self.general, account)
        return account

    def say(self, *events: Event, by: Account | None = None) -> None:
        """Events of the general room, in a transaction of their own."""
        with self.store.transaction():
            for event in events:
                assert self.store.append(self.general, event, by or self.ada) is None

    def stored(self, room: str = GENERAL) -> list[Event]:
        """What a reader sees."""
        with closing(self.engine.reader()) as reader:
            return reader.after(room, 0, 10_000)

    def everything(self) -> Everything:
        """All that is stored, as far as the face tells."""
        directory = self.store.load()
        with self.store.transaction():
            settings = (self.store.meta("name", "Home"), self.store.epoch())
        rooms = [self.stored(room) for room in sorted(directory.rooms)]
        with closing(self.engine.reader()) as reader:
            return Everything(directory, rooms, settings, reader.audit(None, 100))


def device(
    username: str,
    name: str = "Linux",
    *,
    installation: str = INSTALLATION,
    last_seen: int | None = None,
) -> Device:
    """A device that joined with no invite that is known."""
    return Device(username, installation, name, 0, None, last_seen)


def facts(device: Device) -> tuple[object, ...]:
    """All of a device, also what is not compared."""
    return tuple(getattr(device, each.name) for each in fields(device))


def invite(**terms: Any) -> IssuedInvite:
    """An invite that everything is known of; `terms` make it another."""
    given = IssuedInvite(
        0, b"\xff" * 32, InviteKind.LINK, 5, "ada", Role.MODERATOR, None, "Cousins — Ω", 90, 10
    )
    return replace(given, **terms)


def sanction(kind: SanctionKind) -> Sanction:
    """Something that bob may not do."""
    known = frozenset({INSTALLATION, "2" * 32})
    return Sanction(0, kind, "bob", known, None, 9, "Enough — Ω", "(host)", 5)


Writes = Callable[[Filled], object]

WRITES: Final[dict[str, Writes]] = {
    "a setting": lambda filled: filled.store.set_meta("name", "Garden"),
    "a setting's default": lambda filled: filled.store.meta("colour", "red"),
    "an account": lambda filled: filled.store.add_account("cem", "Cem", 12, 0),
    "a device": lambda filled: filled.store.add_device(filled.ada, KEY, device("ada", "Phone")),
    "the end of a device": lambda filled: filled.store.remove_device(b"bob".ljust(32)),
    "that a device was seen": lambda filled: filled.store.save_seen(
        {b"ada".ljust(32): device("ada", last_seen=7)}
    ),
    "an invite": lambda filled: filled.store.add_invite(invite()),
    "a change of an account": lambda filled: filled.store.change_account(
        replace(filled.bob, role=Role.MODERATOR, change=11)
    ),
    "the end of an account": lambda filled: filled.store.delete_account(
        replace(filled.bob, display_name="Former member", change=13, former=True, erased=True), 0
    ),
    "a ban": lambda filled: filled.store.add_sanction(sanction(SanctionKind.BAN)),
    "a mute": lambda filled: filled.store.add_sanction(sanction(SanctionKind.MUTE)),
    "an entry of the audit log": lambda filled: filled.store.add_audit(
        5, "(host)", "ban", {"username": "bob", "reason": "Ω"}
    ),
    "a room": lambda filled: filled.store.add_room("dm:ada:bob", 0),
    "a room's slow mode": lambda filled: filled.store.set_slow(filled.general, 30),
    "a member": lambda filled: filled.store.add_member(
        filled.store.add_room("other", 0), filled.ada
    ),
    "an event": lambda filled: filled.store.append(filled.general, said(1), filled.ada),
}
"""Everything that can be written."""


def write_all(filled: Filled) -> None:
    """Some of everything."""
    for write in WRITES.values():
        write(filled)


class StoreContract:
    """The tests. A class that inherits them has a fixture `engine`."""

    @pytest.fixture
    def filled(self, engine: Engine) -> Iterator[Filled]:
        """A store with something in it."""
        made = Filled(engine)
        yield made
        made.store.close()

    # What is kept

    def test_everything_is_there_the_next_time(self, filled: Filled) -> None:
        """Accounts, devices, rooms, members, heads, events, settings and secrets."""
        with filled.store.transaction():
            write_all(filled)
            secret = filled.store.invite_secret(3)
        before = filled.everything()
        filled.store.close()
        filled.store = filled.engine.open()
        assert filled.everything() == before
        with filled.store.transaction():
            assert filled.store.invite_secret(3) == secret
            assert filled.store.meta("colour", "blue") == "red"

    def test_what_is_written_is_loaded(self, filled: Filled) -> None:
        """By the numbers and names that it was given."""
        with filled.store.transaction():
            direct = filled.store.add_room("dm:ada:bob", 0)
            filled.store.add_member(direct, filled.ada)
            filled.store.add_member(direct, filled.bob)
            filled.store.append(direct, said(1, room="dm:ada:bob"), filled.ada)
            filled.store.append(direct, said(2, room="dm:ada:bob", cid=cid_of(7)), filled.ada)
            filled.store.set_slow(filled.general, 30)
        directory = filled.store.load()
        assert directory.accounts == {"ada": filled.ada, "bob": filled.bob}
        assert filled.ada == replace(filled.ada, username="ada", display_name="Ada", change=5)
        assert directory.changes == [(5, "ada"), (9, "bob")]
        assert directory.devices == {
            name.encode().ljust(32): device(name) for name in ("ada", "bob")
        }
        both = {"ada", "bob"}
        assert directory.rooms == {
            GENERAL: RoomLog(filled.general.number, GENERAL, 0, both, slow=30),
            "dm:ada:bob": RoomLog(direct.number, "dm:ada:bob", 2, both),
        }
        assert directory.rooms_of == {name: ["dm:ada:bob", GENERAL] for name in both}
        # What is loaded is the caller's own: nothing to take back is noted in it.
        directory.undo.roll_back()
        assert directory == filled.store.load()

    def test_people_are_loaded_in_the_order_of_their_changes(self, filled: Filled) -> None:
        """Whenever they were added."""
        with filled.store.transaction():
            filled.add("cem", 7)
        assert filled.store.load().changes == [(5, "ada"), (7, "cem"), (9, "bob")]

    def test_names_and_secrets_are_each_stores_own(self, filled: Filled) -> None:
        """Random, of a lawful form, and they stay."""
        with filled.store.transaction():
            epoch, secret = filled.store.epoch(), filled.store.invite_secret(3)
            assert (filled.store.epoch(), filled.store.invite_secret(3)) == (epoch, secret)
        assert epoch == filled.epoch
        assert (len(bytes.fromhex(epoch)), len(secret)) == (16, 22)
        with filled.engine.replaced(filled.store), pytest.raises(StoreFailedError):
            filled.store.reopen(filled.epoch)

    def test_a_setting_has_its_first_default_until_it_is_changed(self, filled: Filled) -> None:
        """A default is written, too."""
        with filled.store.transaction():
            assert filled.store.meta("name", "Home") == "Home"
            assert filled.store.meta("name", "Garden") == "Home"
            filled.store.set_meta("name", "Street")
            filled.store.set_meta("new", "1")
            assert filled.store.meta("name", "Home") == "Street"
            assert filled.store.meta("new", "2") == "1"

    @given(st.lists(our.event(newer=True), min_size=1, max_size=5, unique_by=lambda each: each.cid))
    @settings(suppress_health_check=list(HealthCheck))  # all examples add to one store
    def test_whatever_an_event_holds_comes_back(self, filled: Filled, events: list[Event]) -> None:
        """Of any kind, by its id and by its place."""
        head = filled.store.load().rooms[GENERAL].head
        stored = [
            event._replace(room=GENERAL, seq=seq, sender="ada", cid=cid_of(seq))
            for seq, event in enumerate(events, start=head + 1)
        ]
        filled.say(*stored)
        with filled.store.transaction():
            filled.store.recall([(filled.ada, event.cid) for event in stored])
            assert [filled.store.find(filled.ada, event.cid) for event in stored] == stored
        with closing(filled.engine.reader()) as reader:
            assert reader.after(GENERAL, head, 100) == stored

    # All or nothing

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_of_a_transaction_that_breaks_off_nothing_stays(
        self, filled: Filled, write: Writes
    ) -> None:
        """Whatever was written in it; and the next one works."""
        before = filled.everything()
        with pytest.raises(ZeroDivisionError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
            write(filled)
            raise ZeroDivisionError
        assert filled.everything() == before
        with filled.store.transaction():
            write(filled)

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_of_a_part_that_breaks_off_nothing_stays(self, filled: Filled, write: Writes) -> None:
        """The rest of its transaction is stored."""
        before = filled.everything()
        first, last = said(2, cid=cid_of(90)), said(3, cid=cid_of(91))
        with filled.store.transaction():
            filled.store.append(filled.general, first, filled.ada)
            with pytest.raises(ZeroDivisionError), filled.store.atomic():  # noqa: PT012 (it is the whole that fails)
                filled.store.append(filled.general, said(3, cid=cid_of(92)), filled.ada)
                write(filled)
                raise ZeroDivisionError
            assert filled.store.find(filled.ada, cid_of(92)) is None
            filled.store.append(filled.general, last, filled.ada)
        directory, events, settings, audit = filled.everything()
        assert (events, settings, audit) == ([[first, last]], before.settings, before.audit)
        assert directory.accounts == before.directory.accounts
        assert directory.devices == before.directory.devices
        assert directory.rooms.keys() == {GENERAL}
        with filled.store.transaction():
            write(filled)

    def test_a_part_that_ends_well_is_stored_with_the_rest(self, filled: Filled) -> None:
        """And goes with it."""
        before = filled.everything()
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
                with filled.store.atomic():
                    write_all(filled)
                raise ZeroDivisionError
            assert filled.everything() == before
        with filled.store.transaction(), filled.store.atomic():
            write_all(filled)
        assert set(filled.store.load().accounts) == {"ada", "bob", "cem"}
        assert filled.stored() == [said(1)]

    def test_what_is_there_already_is_not_added_again(self, filled: Filled) -> None:
        """A name, a room, a device, a place: the store refuses, whatever the rules think."""
        filled.say(said(1))
        twice: list[Writes] = [
            lambda filled: filled.store.add_account("ada", "Twice", 20, 0),
            lambda filled: filled.store.add_room(GENERAL, 0),
            lambda filled: filled.store.add_device(filled.bob, b"ada".ljust(32), device("bob")),
            lambda filled: [filled.store.add_invite(invite()) for _ in range(2)],
            lambda filled: filled.store.append(filled.general, said(1, cid="2" * 16), filled.bob),
        ]
        before = filled.everything()
        for write in twice:
            with pytest.raises(StoreFaultError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
                filled.store.set_meta("name", "Garden")
                write(filled)
            assert filled.everything() == before

    # Roles, bans, mutes, and what was done

    def test_a_changed_account_is_loaded_as_it_is(self, filled: Filled) -> None:
        """And the number of its former change stays known."""
        changed = replace(filled.bob, display_name="Bobby", role=Role.MODERATOR, change=11)
        with filled.store.transaction():
            filled.store.change_account(changed)
        directory = filled.store.load()
        assert directory.accounts["bob"] == changed
        assert directory.changes == [(5, "ada"), (11, "bob")]
        assert [directory.was_change(number) for number in (5, 9, 10, 11)] == [
            True, True, False, True,
        ]  # fmt: skip

    def test_bans_and_mutes_are_kept_until_they_are_lifted(self, filled: Filled) -> None:
        """Each with a number that no other ever had."""
        device = replace(sanction(SanctionKind.BAN), username=None, device="Phone", until=None)
        with filled.store.transaction():
            added = [
                filled.store.add_sanction(each)
                for each in (sanction(SanctionKind.BAN), sanction(SanctionKind.MUTE), device)
            ]
        numbers = [each.number for each in added]
        assert numbers == sorted(set(numbers))
        assert min(numbers) > 0
        sanctions = filled.store.load().sanctions
        assert [sanctions.get(number) for number in numbers] == added
        with filled.store.transaction():
            filled.store.remove_sanction(added[2])
        assert filled.store.load().sanctions.get(numbers[2]) is None
        with filled.store.transaction():
            assert filled.store.add_sanction(device).number > numbers[2]

    def test_installations_are_kept_by_account(self, filled: Filled) -> None:
        """Each once, however many devices came from it."""
        with filled.store.transaction():
            for key in (KEY, KEY[::-1]):
                filled.store.add_device(filled.ada, key, device("ada", installation="2" * 32))
        assert filled.store.load().installations == {
            "ada": {INSTALLATION, "2" * 32}, "bob": {INSTALLATION},
        }  # fmt: skip

    def test_invites_are_kept_with_all_their_terms(self, filled: Filled) -> None:
        """Each with a number that no other ever had; the standing one has the number 0."""
        with filled.store.transaction():
            secret = filled.store.invite_secret(3)
            added = [
                filled.store.add_invite(each)
                for each in (
                    invite(),
                    invite(secret_hash=b"2" * 32, by=None, username="bob", expires=None),
                    invite(secret_hash=b"3" * 32, kind=InviteKind.KNOCK, most_uses=None),
                )
            ]
        numbers = [each.number for each in added]
        assert numbers == sorted(set(numbers))
        assert min(numbers) > STANDING
        standing = IssuedInvite(STANDING, secret_hash(secret), InviteKind.LINK, 3)
        assert list(filled.store.load().invites.before(None)) == [*added[::-1], standing]
        used = [each.used(7) for each in added]
        with filled.store.transaction():
            for each in (*used, standing.used(8)):
                filled.store.change_invite(each)
            assert filled.store.invite_secret(99) == secret
            filled.store.remove_invite(added[2])
        kept = [*used[1::-1], standing.used(8)]
        assert list(filled.store.load().invites.before(None)) == kept
        with filled.store.transaction():
            again = filled.store.add_invite(invite(secret_hash=b"4" * 32))
        assert again.number > numbers[2]

    def test_the_standing_invite_may_get_another_secret(self, filled: Filled) -> None:
        """It keeps its number, and the old one is no invite any more."""
        with filled.store.transaction():
            old = filled.store.invite_secret(3)
            filled.store.set_meta("invite_secret", "n" * 22)
            renewed = IssuedInvite(STANDING, secret_hash("n" * 22), InviteKind.LINK, 9)
            filled.store.change_invite(renewed)
            assert filled.store.invite_secret(99) == "n" * 22
        invites = filled.store.load().invites
        assert invites.of_secret("n" * 22) == renewed
        assert invites.of_secret(old) is None

    def test_a_device_is_kept_until_it_is_removed(self, filled: Filled) -> None:
        """With its name, when it was seen last, and the invite that it came by."""
        phone = replace(device("ada", "Phone", last_seen=5), invite=8, created=4)
        with filled.store.transaction():
            filled.store.add_device(filled.ada, KEY, phone)
        assert facts(filled.store.load().devices[KEY]) == facts(phone)
        renamed = replace(phone, name="Pixel", last_seen=6)
        with filled.store.transaction():
            # Of one that is not there nothing is written.
            filled.store.save_seen({KEY: renamed, b"x" * 32: renamed})
        devices = filled.store.load().devices
        assert facts(devices[KEY]) == facts(renamed)
        assert b"x" * 32 not in devices
        with filled.store.transaction():
            filled.store.remove_device(KEY)
        assert filled.store.load().devices.keys() == devices.keys() - {KEY}

    def test_the_audit_log_is_read_backwards(self, filled: Filled) -> None:
        """In pages, each before a number."""
        for number in range(5):
            with filled.store.transaction():
                filled.store.add_audit(number, "ada", "mute", {"username": "bob", "until": number})
        with closing(filled.engine.reader()) as reader:
            newest = reader.audit(None, 2)
            assert [(row.at, row.by, row.action, row.fields) for row in newest] == [
                (number, "ada", "mute", {"username": "bob", "until": number}) for number in (4, 3)
            ]
            older = reader.audit(newest[-1].number, 10)
            assert [row.at for row in older] == [2, 1, 0]
            assert reader.audit(older[-1].number, 10) == []
            with filled.engine.unreadable(reader), pytest.raises(StoreFailedError):
                reader.audit(None, 1)

    def test_the_place_of_a_time_is_found(self, filled: Filled) -> None:
        """The first event of that time or later; after the last if there is none."""
        filled.say(*(said(seq, cid=f"{seq:016}", sent_at=100 * (seq // 2)) for seq in range(1, 9)))
        with closing(filled.engine.reader()) as reader:
            found = [reader.place_at(GENERAL, at) for at in (0, 1, 100, 101, 400, 401)]
            assert found == [1, 2, 2, 4, 8, 9]
            assert reader.place_at("nowhere", 5) == 1

    # What is visible when

    @pytest.mark.parametrize("erased", [True, False])
    def test_of_a_deleted_account_no_text_is_read_if_they_go(
        self, filled: Filled, erased: bool
    ) -> None:
        """From the commit on that deletes it, whatever is still stored; ids and places stay."""
        events = [joined(1), said(2, text="mine"), said(3, "bob", "theirs"), said(4, text="again")]
        filled.say(*events[:2])
        filled.say(events[2], by=filled.bob)
        filled.say(events[3])
        gone = replace(filled.ada, display_name="Former member", change=11, former=True)
        gone = replace(gone, erased=erased)
        with filled.store.transaction():
            filled.store.delete_account(gone, 5)
            filled.store.append(filled.general, deleted(5), filled.ada)
        left = [each.without_text() if each.sender == "ada" and erased else each for each in events]
        assert filled.stored() == [*left, deleted(5)]
        directory = filled.store.load()
        assert directory.accounts["ada"] == gone
        assert directory.erasing == ({"ada": 0} if erased else {})

    def test_texts_are_removed_for_good_in_steps_that_may_be_broken_off(
        self, filled: Filled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is left after any of them is told at the next start; others' texts stay."""
        monkeypatch.setattr(sqlite_store, "_ERASED_AT_ONCE", 2)
        monkeypatch.setattr(sqlite_store, "_LOOKED_AT_ONCE", 3)
        for seq in range(1, 12):
            filled.say(said(seq), by=filled.ada) if seq % 3 else filled.say(
                said(seq, "bob", "theirs"), by=filled.bob
            )
        with filled.store.transaction():
            filled.store.delete_account(replace(filled.ada, change=11, former=True, erased=True), 5)
        steps, cursor = 0, 0
        while True:
            with suppress(ZeroDivisionError), filled.store.transaction():
                filled.store.erase(filled.ada, cursor)
                raise ZeroDivisionError
            assert filled.store.load().erasing == {"ada": 0}
            with filled.store.transaction():
                reached = filled.store.erase(filled.ada, cursor)
            steps += 1
            if reached is None:
                break
            assert reached > cursor
            cursor = reached
        assert steps > 3
        assert filled.store.load().erasing == {}
        assert filled.store.load().accounts["ada"].erased
        texts = {event.seq: event.text for event in filled.stored()}
        assert texts == {seq: "" if seq % 3 else "theirs" for seq in range(1, 12)}
        ids = [filled.store.find(filled.ada, cid_of(seq)) for seq in range(1, 12)]
        assert [event.seq for event in ids if event is not None] == [
            seq for seq in range(1, 12) if seq % 3
        ]
        assert not any(event.text for event in ids if event is not None)

    def test_readers_see_what_is_committed(self, filled: Filled) -> None:
        """Not before, and then without being opened anew."""
        with closing(filled.engine.reader()) as reader:
            with filled.store.transaction():
                filled.store.append(filled.general, said(1), filled.ada)
                with filled.store.atomic():
                    filled.store.append(filled.general, said(2), filled.ada)
                assert reader.after(GENERAL, 0, 9) == []
            assert reader.after(GENERAL, 0, 9) == [said(1), said(2)]

    def test_a_reader_gets_a_piece_of_one_room_in_order(self, filled: Filled) -> None:
        """What follows a place, at most so many, whoever said it."""
        with filled.store.transaction():
            other = filled.store.add_room("dm:ada:bob", 0)
            filled.store.append(other, said(1, room="dm:ada:bob", cid="f" * 16), filled.ada)
        events = [joined(1, "bob"), *(said(seq) for seq in range(2, 30))]
        filled.say(events[0], by=filled.bob)
        filled.say(*events[1:])
        with closing(filled.engine.reader()) as reader:
            assert reader.after(GENERAL, 0, 100) == events
            assert reader.after(GENERAL, 7, 5) == events[7:12]
            assert reader.after(GENERAL, 28, 5) == events[28:]
            assert reader.after(GENERAL, 29, 5) == reader.after("nowhere", 0, 5) == []

    def test_a_transaction_sees_what_it_wrote(self, filled: Filled) -> None:
        """All that is loaded in its midst, and what is found by an id."""
        with filled.store.transaction():
            filled.add("cem", 12)
            filled.store.append(filled.general, said(1), filled.ada)
            assert filled.store.find(filled.ada, said(1).cid) == said(1)
            directory = filled.store.load()
            assert set(directory.accounts) == {"ada", "bob", "cem"}
            assert directory.rooms[GENERAL].head == 1
            filled.store.append(filled.general, said(2), filled.ada)
        assert filled.stored() == [said(1), said(2)]

    def test_ids_by_place_are_of_what_is_stored(self, filled: Filled) -> None:
        """Of many rooms at once; an empty place has none, one that is being written may."""
        with filled.store.transaction():
            rooms = [filled.store.add_room(f"room{number}", 0) for number in range(100)]
            for number, room in enumerate(rooms):
                for seq in (1, 2):
                    event = said(seq, room=room.room, cid=cid_of(1000 * seq + number))
                    filled.store.append(room, event, filled.ada)
        wanted = {room.room: cid_of(2000 + number) for number, room in enumerate(rooms)}
        assert filled.store.cids([(room, 2) for room in rooms]) == wanted
        assert filled.store.cids([(rooms[7], 1), (rooms[8], 3)]) == {"room7": cid_of(1007)}
        assert filled.store.cids([]) == {}
        with filled.store.transaction():
            filled.store.append(rooms[0], said(3, room="room0", cid="f" * 16), filled.ada)
            assert filled.store.cids([(rooms[0], 3)]) in ({}, {"room0": "f" * 16})
            assert filled.store.cids([(rooms[0], 2)]) == {"room0": cid_of(2000)}

    # One copy of each event

    def test_an_event_is_found_by_its_sender_and_id(self, filled: Filled) -> None:
        """As it was stored, and nobody else's; also one that was looked up in vain before."""
        event = said(1, text="what was said", cid="ab" * 8)
        with filled.store.transaction():
            assert filled.store.find(filled.ada, "ab" * 8) is None
            filled.store.append(filled.general, event, filled.ada)
        for account, cid, found in (
            (filled.ada, "ab" * 8, event),
            (filled.bob, "ab" * 8, None),
            (filled.ada, "cd" * 8, None),
        ):
            with filled.store.transaction():
                assert filled.store.find(account, cid) == found

    def test_outside_of_a_transaction_is_found_what_is_stored_for_good(
        self, filled: Filled
    ) -> None:
        """Nothing of a transaction that failed, whether it could be rolled back or not."""
        filled.say(said(1))
        assert filled.store.find(filled.ada, said(1).cid) == said(1)
        assert filled.store.find(filled.bob, said(1).cid) is None
        with suppress(ZeroDivisionError), filled.store.transaction():
            filled.store.append(filled.general, said(2), filled.ada)
            raise ZeroDivisionError
        assert filled.store.find(filled.ada, said(2).cid) is None
        with ExitStack() as away:
            with pytest.raises(StoreFailedError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
                filled.store.append(filled.general, said(2), filled.ada)
                filled.store.add_room("other", 0)
                filled.store.load()
                away.enter_context(filled.engine.unreadable(filled.store))
                filled.store.load()
            with pytest.raises(StoreFailedError):
                filled.store.find(filled.ada, said(1).cid)
        found: Event | None = None
        with suppress(StoreFailedError):
            found = filled.store.find(filled.ada, said(2).cid)
        assert found is None
        filled.say(said(2))
        assert filled.store.find(filled.ada, said(2).cid) == said(2)

    def test_an_event_has_one_copy(self, filled: Filled) -> None:
        """The second one is not written; what it was said with is given, in whatever room."""
        first = said(1, text="what was said", cid="1" * 16)
        with filled.store.transaction():
            other = filled.store.add_room("other", 0)
            assert filled.store.append(filled.general, first, filled.ada) is None
            again = said(2, cid="1" * 16)
            assert filled.store.append(filled.general, again, filled.ada) == first
            elsewhere = said(1, room="other", cid="1" * 16)
            assert filled.store.append(other, elsewhere, filled.ada) == first
            # Another's is another.
            bobs = said(2, "bob", cid="1" * 16)
            assert filled.store.append(filled.general, bobs, filled.bob) is None
        with filled.store.transaction():
            assert filled.store.append(filled.general, said(3, cid="1" * 16), filled.ada) == first
        assert filled.stored() == [first, bobs]
        assert filled.stored("other") == []

    def test_many_are_looked_up_and_written_at_once(self, filled: Filled) -> None:
        """Those that were said come back as they were said, also from the same transaction."""
        cids = [cid_of(number) for number in range(100)]
        old = [said(place, text=f"old {place}", cid=cid) for place, cid in enumerate(cids[:90], 1)]
        filled.say(*old)
        store, room, ada = filled.store, filled.general, filled.ada
        with store.transaction():
            store.recall([(ada, cid) for cid in cids])
            again = [store.append(room, said(91, text="new", cid=cid), ada) for cid in cids[:91]]
            assert again == [*old, None]
            new = said(91, text="new", cid=cids[90])
            assert store.append(room, said(92, cid=cids[90]), ada) == new
            assert store.load().rooms[GENERAL].head == 91
        assert filled.stored() == [*old, new]

    def test_nothing_of_what_was_undone_is_remembered(self, filled: Filled) -> None:
        """An id that was used in what failed is free."""
        store, room, ada = filled.store, filled.general, filled.ada
        with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 (it is the whole that fails)
            store.append(room, said(1, cid="1" * 16), ada)
            raise ZeroDivisionError
        with store.transaction():
            with pytest.raises(ZeroDivisionError), store.atomic():  # noqa: PT012 (it is the whole that fails)
                store.append(room, said(1, cid="2" * 16), ada)
                raise ZeroDivisionError
            store.begin_command()
            store.append(room, said(1, cid="3" * 16), ada)
            assert store.undo_command()
            for place in (1, 2, 3):
                assert store.append(room, said(place, cid=str(place) * 16), ada) is None
        assert [event.cid for event in filled.stored()] == ["1" * 16, "2" * 16, "3" * 16]

    # A command that broke off

    def test_appended_events_of_a_command_are_undone(self, filled: Filled) -> None:
        """Those of the commands before it stay, and it may be done again."""
        store, room = filled.store, filled.general
        with store.transaction():
            store.begin_command()
            store.append(room, said(1), filled.ada)
            store.begin_command()
            store.append(room, said(2), filled.ada)
            store.append(room, said(3), filled.ada)
            assert store.undo_command()
            assert store.find(filled.ada, said(2).cid) is None
            store.begin_command()
            assert store.append(room, said(2, "bob"), filled.bob) is None
        assert filled.stored() == [said(1), said(2, "bob")]

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    @pytest.mark.parametrize("in_a_part", [True, False])
    @pytest.mark.parametrize("after", [True, False])
    def test_a_command_is_undone_or_that_is_told(
        self, filled: Filled, write: Writes, *, in_a_part: bool, after: bool
    ) -> None:
        """Whatever it wrote, in a part of its own or not, before events or after them."""
        before = filled.everything()
        store, room = filled.store, filled.general
        earlier, own = said(2, "bob", cid=cid_of(80)), said(3, cid=cid_of(81))

        def do() -> None:
            with store.transaction():
                store.begin_command()
                store.append(room, earlier, filled.bob)
                store.begin_command()
                if after:
                    store.append(room, own, filled.ada)
                with store.atomic() if in_a_part else nullcontext():
                    write(filled)
                if not after:
                    store.append(room, own, filled.ada)
                if not store.undo_command():
                    raise ZeroDivisionError  # as the hub does

        try:
            do()
        except ZeroDivisionError:
            assert filled.everything() == before
        else:
            now = filled.everything()
            assert (now.events, now.settings) == ([[earlier]], before.settings)
            assert now.directory.accounts == before.directory.accounts
            assert now.directory.devices == before.directory.devices

    def test_a_part_that_broke_off_can_be_undone(self, filled: Filled) -> None:
        """So that a mistake in it costs the command that made it, and no other."""
        store = filled.store
        with store.transaction():
            store.begin_command()
            store.append(filled.general, said(1), filled.ada)
            store.begin_command()
            with pytest.raises(ZeroDivisionError), store.atomic():  # noqa: PT012 (it is the whole that fails)
                store.add_account("cem", "Cem", 12, 0)
                raise ZeroDivisionError
            assert store.undo_command()
        assert filled.stored() == [said(1)]
        assert store.load().accounts.keys() == {"ada", "bob"}

    # How it fails

    @pytest.mark.parametrize(
        ("trouble", "error"),
        [
            (lambda filled: filled.engine.full(filled.store), StoreFullError),
            (lambda filled: filled.engine.busy(filled.store), StoreBusyError),
            (lambda filled: filled.engine.unreadable(filled.store), StoreUnreadableError),
        ],
        ids=["full", "busy", "unreadable"],
    )
    def test_what_fails_is_told_by_its_kind_and_leaves_nothing(
        self,
        filled: Filled,
        trouble: Callable[[Filled], AbstractContextManager[None]],
        error: type[StoreFailedError],
    ) -> None:
        """Not half a transaction, and no memory of one; when the trouble is over it works again."""
        filled.say(said(1))
        before = filled.everything()
        events = [said(seq, text="x" * 10_000) for seq in range(2, 12)]

        def write() -> None:
            with filled.store.transaction():
                filled.store.set_meta("name", "Garden")
                filled.add("cem", 12)
                for event in events:
                    assert filled.store.append(filled.general, event, filled.ada) is None

        with trouble(filled):
            for _ in range(3):
                with pytest.raises(error) as told:
                    write()
                assert str(told.value)
        assert filled.everything() == before
        write()
        assert filled.stored() == [said(1), *events]
        assert filled.store.load().accounts.keys() == {"ada", "bob", "cem"}

    def test_who_only_reads_is_told_too(self, filled: Filled) -> None:
        """Each way to look something up, and a reader."""
        store = filled.store
        with closing(filled.engine.reader()) as reader:
            with filled.engine.unreadable(store, reader):
                for look in (
                    store.load,
                    lambda: store.cids([(filled.general, 1)]),
                    lambda: store.reopen(filled.epoch),
                    lambda: reader.after(GENERAL, 0, 1),
                ):
                    with pytest.raises(StoreUnreadableError):
                        look()
            filled.say(said(1))
            assert reader.after(GENERAL, 0, 1) == [said(1)]

    def test_a_disk_that_goes_in_the_midst_takes_the_transaction_along(
        self, filled: Filled
    ) -> None:
        """Also when it is back before the next one, which begins as ever."""
        before = filled.everything()
        with pytest.raises(StoreFailedError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
            filled.store.set_meta("name", "Garden")
            filled.store.append(filled.general, said(1), filled.ada)
            with filled.engine.unreadable(filled.store):
                filled.store.find(filled.ada, "f" * 16)
                filled.store.load()
        assert filled.everything() == before
        filled.say(said(1))

    def test_a_disk_that_is_away_until_later_leaves_nothing_either(self, filled: Filled) -> None:
        """The transaction could not even be rolled back: that is made up for."""
        before = filled.everything()
        with ExitStack() as away:
            with pytest.raises(StoreFailedError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
                filled.store.set_meta("name", "Garden")
                filled.store.append(filled.general, said(1), filled.ada)
                away.enter_context(filled.engine.unreadable(filled.store))
                filled.store.load()
            with pytest.raises(StoreFailedError):
                filled.say(said(1))
        assert filled.everything() == before
        filled.say(said(1))

    def test_what_raises_nothing_raises_nothing(self, filled: Filled) -> None:
        """On the way out and on a full disk nobody is there to catch it."""
        with filled.engine.unreadable(filled.store):
            filled.store.release_reserve()
            filled.store.has_space()
        filled.say(said(1))

    def test_a_store_can_be_closed_while_its_disk_is_away(self, filled: Filled) -> None:
        """And more than once."""
        with filled.engine.unreadable(filled.store):
            filled.store.close()
            filled.store.close()

    def test_room_is_asked_for_and_given_up(self, filled: Filled) -> None:
        """There is none while others have it all, and again when they have not."""
        store = filled.store
        assert store.has_space()
        store.release_reserve()
        with filled.engine.no_room():
            assert not store.has_space()
            assert not store.has_space()
        assert store.has_space()
        filled.say(said(1))

    # Opened anew

    def test_it_is_opened_anew_where_it_was(self, filled: Filled) -> None:
        """With everything in it, and goes on."""
        filled.say(said(1))
        before = filled.everything()
        filled.store.reopen(filled.epoch)
        assert filled.everything() == before
        with filled.store.transaction():
            assert filled.store.find(filled.ada, said(1).cid) == said(1)
        filled.say(said(2))
        assert filled.stored() == [said(1), said(2)]

    def test_it_is_opened_anew_after_a_transaction_that_failed(self, filled: Filled) -> None:
        """As after a disk that went away in the midst of one."""
        with pytest.raises(StoreFailedError), filled.store.transaction():  # noqa: PT012 (it is the whole that fails)
            filled.store.append(filled.general, said(1), filled.ada)
            with filled.engine.unreadable(filled.store):
                filled.store.load()
        filled.store.reopen(filled.epoch)
        filled.say(said(1, cid="1" * 16))
        assert [event.cid for event in filled.stored()] == ["1" * 16]

    def test_another_in_its_place_is_not_taken_for_it(self, filled: Filled) -> None:
        """What is written goes on into the one that was there."""
        filled.say(said(1))
        with filled.engine.replaced(filled.store), pytest.raises(StoreFailedError):
            filled.store.reopen(filled.epoch)
        with pytest.raises(StoreFailedError):
            filled.store.reopen("0" * 32)
        filled.say(said(2))
        assert filled.stored() == [said(1), said(2)]


class TestSqlite(StoreContract):
    """On a real disk."""

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Engine:
        """A database of its own."""
        return SqliteEngine(tmp_path)


class TestMemory(StoreContract):
    """The smallest there is."""

    @pytest.fixture
    def engine(self) -> Engine:
        """A medium of its own."""
        return MemoryEngine()
