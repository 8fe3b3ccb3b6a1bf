"""Changing one's display name, and deleting an account, with its messages or without."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest

from chat_server.net.queries import answer
from chat_server.rules import effects, inputs
from chat_server.rules.sessions import Session
from chat_server.rules.view import AccountDeleted, PersonRenamed
from chat_server.rules.world import Outcome
from chat_server.store.sqlite import store as sqlite_store
from chat_server.store.sqlite.reader import SqliteReader
from common import limits
from common.domain.names import FORMER_MEMBER, GENERAL
from common.protocol import messages
from common.protocol.events import ACCOUNT_DELETED, KEPT, REMOVED, WITHOUT_TEXT, Event
from tests.unit.chat_server.house import (
    House,
    acked,
    all_of,
    newcomers,
    only,
    refused,
    told,
)

DIRECT: Final = "dm:ada:bob"


def rename(house: House, session: Session, name: str) -> Outcome:
    """What another display name leads to."""
    return house.do(session, messages.RenameMe(id=house.request(), display_name=name))


def delete(house: House, session: Session, fate: messages.FateOfMessages) -> Outcome:
    """What the end of one's account leads to."""
    return house.do(session, messages.DeleteMe(id=house.request(), messages=fate))


def erase_all(house: House) -> int:
    """Take step after step until nothing is left; returns how many were needed."""
    for step in range(1, 10_000):
        with house.log.transaction():
            outcome = house.happen(inputs.EraseMessages())
        house.world.directory.commit()
        if not outcome:
            return step
        assert outcome == [effects.After(inputs.EraseMessages())]
    raise AssertionError("it never ends")


def read(house: House, room: str = GENERAL) -> list[Event]:
    """What a worker reads."""
    with closing(SqliteReader(house.path)) as reader:
        return reader.after(room, 0, 10_000)


class TestRenaming:
    """The name that people see."""

    def test_everyone_is_told_and_it_is_stored(self, house: House) -> None:
        """The account's other devices, too: they are among everyone."""
        ada = house.join("ada")
        before = house.world.person("ada").change
        outcome = rename(house, ada, "  Ada   Lovelace ")
        (person,) = newcomers(outcome)
        assert (person.display_name, person.former) == ("Ada Lovelace", False)
        assert person.change > before
        assert messages.Done(re=1) not in told(outcome, ada)
        assert [type(each) for each in told(outcome, ada)] == [messages.Done]
        shown = only(outcome, PersonRenamed)
        assert (shown.username, shown.before, shown.display_name) == (
            "ada", "Ada", "Ada Lovelace",
        )  # fmt: skip
        assert house.log.load() == house.world.directory
        _, back = house.sign_in("ada")
        assert [each.display_name for each in _signed_in(back)] == ["Ada Lovelace"]

    @pytest.mark.parametrize("name", ["Home", "Ada (you)", "\u200b", "Former member", "x" * 65])
    def test_what_nobody_may_be_called_is_refused(self, house: House, name: str) -> None:
        """With the reason that a joining gives."""
        ada = house.join("ada")
        command = messages.RenameMe.model_construct(id=7, display_name=name)
        error = refused(house.do(ada, command), ada)
        assert (error.code, error.field) == ("name_refused", "display_name")
        assert house.world.person("ada").display_name == "Ada"

    def test_the_same_name_again_is_told_to_nobody(self, house: House) -> None:
        """And takes nothing of what one may change in an hour."""
        ada = house.join("ada")
        for _ in range(2 * limits.RENAMES):
            outcome = rename(house, ada, "Ada")
            assert not newcomers(outcome)
        assert newcomers(rename(house, ada, "Countess"))

    def test_so_many_in_an_hour_and_no_more(self, house: House) -> None:
        """From all of one's devices together; others are free to."""
        first = house.join("ada")
        second, _ = house.sign_in("ada")
        for count in range(limits.RENAMES):
            assert newcomers(rename(house, (first, second)[count % 2], f"Ada {count}"))
        error = refused(rename(house, second, "Once more"), second)
        assert (error.code, error.retryable) == ("rate_limited", True)
        assert error.retry_after == 3600 * 1000 // limits.RENAMES
        assert newcomers(rename(house, house.join("bob"), "Bobby"))


class TestDeleting:
    """The end of an account."""

    @pytest.mark.parametrize("fate", ["keep", "remove"])
    def test_everyone_is_told_in_each_room(
        self, house: House, fate: messages.FateOfMessages
    ) -> None:
        """By an event, and by the list of people; the connections end once it is stored."""
        ada, bob = house.join("ada"), house.join("bob")
        second, _ = house.sign_in("ada")
        house.say(bob, "psst", room=DIRECT)
        outcome = delete(house, ada, fate)
        what = REMOVED if fate == "remove" else KEPT
        published = [each.event for each in all_of(outcome, effects.Publish)]
        assert {event.room for event in published} == {GENERAL, DIRECT}
        for event in published:
            assert (event.kind, event.sender, event.body) == (
                ACCOUNT_DELETED, "ada", {"messages": what},
            )  # fmt: skip
            assert read(house, event.room)[-1] == event
        (person,) = newcomers(outcome)
        assert person.display_name == FORMER_MEMBER
        assert (person.former, person.erased) == (True, fate == "remove")
        assert only(outcome, AccountDeleted).by == "ada"
        goodbyes = house.follow(outcome)
        for session in (ada, second):
            (goodbye,) = told(goodbyes, session)
            assert isinstance(goodbye, messages.Goodbye)
            assert (goodbye.code, goodbye.params) == ("account_deleted", {"messages": what})
        assert not house.world.sessions.online("ada")
        assert house.log.load() == house.world.directory

    def test_the_host_may_do_it_too(self, house: House) -> None:
        """To anybody, once; a moderator is none afterwards."""
        house.join("ada")
        host = house.host()
        house.do(host, messages.SetRole(id=1, username="ada", role="moderator"))
        command = messages.DeleteAccount(id=2, username="ADA", messages="keep")
        outcome = house.do(host, command)
        assert told(outcome, host) == [messages.Done(re=2)]
        assert newcomers(outcome)[0].role == "member"
        assert only(outcome, AccountDeleted).by == "(host)"
        again = refused(house.do(host, command), host)
        assert again.code == "no_such_person"
        role = messages.SetRole(id=3, username="ada", role="moderator")
        assert refused(house.do(host, role), host).code == "no_such_person"

    def test_until_its_connections_end_they_can_do_nothing(self, house: House) -> None:
        """What they sent meanwhile is refused: nothing may come after the end."""
        ada = house.join("ada")
        delete(house, ada, "keep")
        before = house.stored()
        assert refused(house.say(ada, "but"), ada).code == "busy"
        assert refused(rename(house, ada, "Ada"), ada).code == "busy"
        assert refused(delete(house, ada, "remove"), ada).code == "busy"
        assert house.stored() == before

    @pytest.mark.parametrize("fate", ["keep", "remove"])
    def test_its_devices_are_told_so_and_the_username_stays_taken(
        self, house: House, fate: messages.FateOfMessages
    ) -> None:
        """Whoever comes later must not pass for whom others knew."""
        ada = house.join("ada")
        house.follow(delete(house, ada, fate))
        what = REMOVED if fate == "remove" else KEPT
        session = house.connect()
        for command in (house.sign_in_command("ada"), house.join_command("ada")):
            error = refused(house.do(session, command), session)
            assert (error.code, error.params) == ("account_deleted", {"messages": what})
        other = house.connect()
        taken = house.join_command("ada", token="9" * 64)
        assert refused(house.do(other, taken), other).code == "name_taken"
        unknown = house.sign_in_command("ada").model_copy(update={"token": "9" * 64})
        assert refused(house.do(other, unknown), other).code == "not_recognized"

    def test_nobody_writes_to_somebody_who_is_gone(self, house: House) -> None:
        """Neither where one did before, nor anew; what was stored before gets its first answer."""
        ada, bob, cem = house.join("ada"), house.join("bob"), house.join("cem")
        cid = house.cid()
        first = acked(house.say(bob, "psst", room=DIRECT, cid=cid))
        house.follow(delete(house, ada, "keep"))
        for session, room in ((bob, DIRECT), (cem, "dm:ada:cem")):
            error = refused(house.say(session, "hello?", room=room), session)
            assert (error.code, error.field) == ("former_member", "room")
        again = acked(house.say(bob, "psst", room=DIRECT, cid=cid))
        assert (again.seq, again.sent_at) == (first.seq, first.sent_at)
        assert acked(house.say(bob, "all the same")).room == GENERAL

    def test_a_mute_and_a_ban_outlast_it(self, house: House) -> None:
        """Nobody gets rid of them by deleting the account."""
        ada = house.join("ada")
        host = house.host()
        house.follow(delete(house, ada, "keep"))
        outcome = house.do(host, messages.Ban(id=1, username="ada"))
        assert messages.Done(re=1) in told(outcome, host)
        session = house.connect()
        other = house.join_command("other", installation=house.join_command("ada").installation)
        assert refused(house.do(session, other), session).code == "banned"


class TestErasing:
    """Removing the messages of a deleted account."""

    def fill(self, house: House, most: int = 40) -> tuple[Session, Session]:
        """Two people who say something by turns, and to each other."""
        ada, bob = house.join("ada"), house.join("bob")
        for number in range(most):
            house.say((ada, bob)[number % 2], f"{'hers' if number % 2 == 0 else 'his'} {number}")
        house.say(ada, "hers between us", room=DIRECT)
        house.say(bob, "his between us", room=DIRECT)
        return ada, bob

    @pytest.mark.parametrize("at_once", [3, 500])
    def test_it_takes_steps_and_leaves_what_others_said(
        self, house: House, monkeypatch: pytest.MonkeyPatch, at_once: int
    ) -> None:
        """Places and ids stay, so that nothing has to be fetched again."""
        monkeypatch.setattr(sqlite_store, "_ERASED_AT_ONCE", at_once)
        ada, _ = self.fill(house)
        before = {(e.room, e.seq): e for room in (GENERAL, DIRECT) for e in read(house, room)}
        outcome = delete(house, ada, "remove")
        assert effects.After(inputs.EraseMessages()) in outcome
        assert all_of(outcome, effects.ForgetPages)
        steps = erase_all(house)
        assert steps == (1 if at_once == 500 else 8)
        for room in (GENERAL, DIRECT):
            after = read(house, room)
            for event in after[:-1]:
                was = before[room, event.seq]
                assert event == (was.without_text() if was.sender == "ada" else was)
            assert after[-1].removes_messages
            assert [row[1:] for row in house.stored(room)] == [
                (event.kind, event.sender, event.text) for event in after
            ]
        assert house.log.load() == house.world.directory

    def test_no_page_shows_a_text_from_its_beginning_on(self, house: House) -> None:
        """While all of them are on the disk still: pages of the log, of history, and tails."""
        ada, bob = self.fill(house)
        session, _ = house.sign_in("bob")
        house.world.delivery.tails.add(GENERAL, read(house))
        published = all_of(delete(house, ada, "remove"), effects.Publish)
        for each in published:
            house.world.delivery.tails.add(each.event.room, [each.event])
        assert [row for row in house.stored() if row[3].startswith("hers")]
        for room in (GENERAL, DIRECT):
            assert not [event for event in read(house, room) if event.text.startswith("hers")]
        with closing(SqliteReader(house.path)) as reader:
            head = house.world.head(GENERAL)
            query = effects.ReadHistory(GENERAL, head, head + 1, None, None, None, 200)
            page = answer(query, 1, reader)
        assert isinstance(page, messages.HistoryPage)
        assert "hers" not in page.model_dump_json()
        assert "his" in page.model_dump_json()
        _, outcome = house.sync(session, {GENERAL: 0})
        (job,) = all_of(outcome, effects.ReadPage)
        assert job.rooms == ((GENERAL, 0),)
        assert bob.username == "bob"

    def test_it_goes_on_after_a_restart(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the beginning: what is removed already costs only a look."""
        monkeypatch.setattr(sqlite_store, "_ERASED_AT_ONCE", 4)
        ada, _ = self.fill(house)
        delete(house, ada, "remove")
        with house.log.transaction():
            house.happen(inputs.EraseMessages())
        house.close()
        again = House(house.path)
        assert again.world.directory.erasing == {"ada": 0}
        erase_all(again)
        assert not [row for row in again.stored() if row[3].startswith("hers")]
        again.close()
        third = House(house.path)
        assert third.world.directory.erasing == {}
        third.close()

    def test_nothing_of_it_is_left_on_the_disk(self, house: House) -> None:
        """Neither in the database's free space nor in the write-ahead log."""
        canary = "canary-" + "x" * 40
        ada, bob = house.join("ada"), house.join("bob")
        for number in range(300):
            house.say((ada, bob)[number % 2], f"{canary if number % 2 == 0 else 'other'} {number}")
        files = [house.path, house.path.with_name(f"{house.path.name}-wal")]
        assert any(canary.encode() in file.read_bytes() for file in files)
        delete(house, ada, "remove")
        erase_all(house)
        assert not any(canary.encode() in file.read_bytes() for file in files)
        assert house.stored()[-2][3] == "other 299"

    def test_two_go_at_the_same_time(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """One after the other, and both to the end."""
        monkeypatch.setattr(sqlite_store, "_ERASED_AT_ONCE", 5)
        ada, bob = self.fill(house)
        delete(house, ada, "remove")
        delete(house, bob, "remove")
        erase_all(house)
        assert {row[1] for row in house.stored()} <= WITHOUT_TEXT
        assert house.world.directory.erasing == {}


def _signed_in(outcome: Outcome) -> list[messages.SignedIn]:
    said = [each.message for each in all_of(outcome, effects.Tell)]
    return [each for each in said if isinstance(each, messages.SignedIn)]
