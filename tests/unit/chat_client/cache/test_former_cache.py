"""An account's folder of the version before events had bodies, as that version left it.

`format_2/` was made by it and read out of its database as SQL.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_client.accounts import Accounts
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader, RoomSummary
from chat_client.state import news
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.events import JOIN, MESSAGE, Event
from common.protocol.messages import ToServer
from tests.events import message, text_of
from tests.unit.chat_client.desk import Desk, ack, only, room_of, synced

FORMER = Path(__file__).with_name("format_2")
T = 1_767_225_600_000
DIRECT = "dm:ada:bob"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The account's folder in a data folder."""
    folder = tmp_path / "accounts" / "ada@0001020304050607"
    folder.mkdir(parents=True)
    shutil.copy(FORMER / "account.json", folder)
    former = sqlite3.connect(folder / "cache.db")
    former.executescript((FORMER / "cache.sql").read_text(encoding="utf-8"))
    former.close()
    return folder


@pytest.fixture
def cache(folder: Path) -> Iterator[Cache]:
    """Its cache, opened by this version."""
    cache = Cache(folder / "cache.db")
    yield cache
    cache.close()


def test_the_account_is_the_same(folder: Path, cache: Cache) -> None:
    """With its token, and its folder."""
    accounts = Accounts(folder.parents[1])
    (account,) = accounts.all()
    assert (account.username, account.display_name) == ("ada", "Ada Lindqvist")
    assert (account.token, account.joined) == ("1" * 64, True)
    assert account.invite.server_name == "Home"
    assert accounts.folder(account) == folder
    assert cache.meta("session") == "a" * 32


def test_what_was_said_is_kept(folder: Path, cache: Cache) -> None:
    """Each event's id is the last half of what it was; those who joined had none."""
    reader = CacheReader(folder / "cache.db")
    assert reader.latest("general", 9) == [
        Event("general", 1, JOIN, "ada", T, "", {}),
        Event("general", 2, JOIN, "bob", T + 1000, "", {}),
        *(
            Event("general", seq, MESSAGE, sender, T + 1000 * seq, f"abc{seq:013d}", {"text": text})
            for seq, sender, text in (
                (3, "ada", "Hello, Bob"),
                (4, "bob", "Hello, Ada \U0001f600"),
                (5, "bob", 'It\'s "here"'),
            )
        ),
    ]
    assert [event.text for event in reader.latest(DIRECT, 9)] == ["psst"]
    assert reader.people() == {"ada": "Ada Lindqvist", "bob": "Bob"}
    # Read up to the one before the last.
    assert reader.rooms("ada") == [
        RoomSummary(DIRECT, position=1, read=0, unread=1),
        RoomSummary("general", position=5, read=4, unread=1),
    ]
    reader.close()
    assert cache.meta("epoch") == "e" * 32


def test_what_was_written_is_kept(folder: Path, cache: Cache) -> None:
    """The outbox in its order with the last 16 characters of each id, and the drafts."""
    reader = CacheReader(folder / "cache.db")
    assert reader.outbox("general") == [
        OutboxMessage(
            "general",
            "1230000000000001",
            *message("acknowledged"),
            T + 20_000,
            OutboxState.SENT,
            None,
            1,
        ),
        OutboxMessage(
            "general",
            "1230000000000002",
            *message("waits"),
            T + 21_000,
            OutboxState.WAITING,
            None,
            2,
        ),
    ]
    why = Reason("text", {"text": "there is no such room"})  # It was kept as a sentence.
    assert reader.outbox(DIRECT) == [
        OutboxMessage(
            DIRECT, "1230000000000003", *message("refused"), T + 22_000, OutboxState.FAILED, why, 3
        )
    ]
    assert reader.drafts() == {"general": "half a sen", DIRECT: "two\nlines"}
    reader.close()
    assert cache.outbox.waiting == 1


def test_there_is_a_copy_as_it_was(folder: Path, cache: Cache) -> None:
    """With the ids of before, should anybody go back."""
    del cache
    copy = sqlite3.connect(folder / "cache.db.before-format-3")
    assert copy.execute("PRAGMA user_version").fetchone() == (2,)
    assert copy.execute("SELECT cid FROM outbox WHERE text = 'waits'").fetchone() == (
        "019b76dafa0800001230000000000002",
    )
    copy.close()


def test_it_goes_on_where_it_was(cache: Cache) -> None:
    """The server, whose ids became shorter in the same way, sees what is here and what waits."""
    desk = Desk(cache=cache)
    desk.step(desk.controller.begin)
    asked = desk.sign_in()
    assert only(asked, messages.ListPeople).since == 0
    bob = messages.Person(username="bob", display_name="Bob B.", role="member", change=2)
    rooms = desk.list_people(asked, [bob])
    listed = (room_of(DIRECT, 1), room_of("general", 7))
    sync = only(desk.hear(messages.Rooms(re=rooms.id, rooms=listed, more=False)), messages.Sync)
    assert sync.positions == {DIRECT: 1, "general": 5}
    assert sync.last == {DIRECT: "def0000000000001", "general": "abc0000000000005"}
    # What was acknowledged and is not here goes again, before what waits; and it comes.
    (again,) = desk.hear(synced(sync))
    assert isinstance(again, messages.Send)
    assert (again.cid, text_of(again)) == ("1230000000000001", "acknowledged")
    own = Event("general", 6, MESSAGE, "ada", T, "1230000000000001", {"text": "acknowledged"})
    (send,) = desk.hear(own, ack(again, 6))
    assert isinstance(send, messages.Send)
    assert (send.cid, text_of(send)) == ("1230000000000002", "waits")
    desk.hear(ack(send, 7))
    assert desk.shown() == [6, 7]
    assert cache.position("general") == 7
    assert [cache.outbox.find(f"123000000000000{n}") for n in (1, 2)] == [None, None]
    assert cache.outbox.waiting == 0
    assert not desk.told(news.CacheReset)
    assert not desk.told(news.PeopleForgotten)
    assert cache.people.change() == 2


def test_ids_that_end_alike_keep_nothing_from_being_opened(folder: Path) -> None:
    """No program makes them: the second is left as it is, and later to the person."""
    former = sqlite3.connect(folder / "cache.db")
    former.execute(
        "INSERT INTO outbox (room, cid, text, written_at, state)"
        " VALUES ('general', 'ffffffffffffffff1230000000000002', 'odd', 1, 'waiting')"
    )
    former.commit()
    former.close()
    desk = Desk(cache=Cache(folder / "cache.db"))
    assert desk.cache.outbox.waiting == 2
    again = only(_online(desk), messages.Send)
    send = only(desk.hear(ack(again, 6)), messages.Send)
    assert text_of(send) == "waits"
    desk.hear(ack(send, 7))
    odd = desk.cache.outbox.find("ffffffffffffffff1230000000000002")
    assert odd is not None
    assert (odd.text, odd.state) == ("odd", OutboxState.FAILED)


def _online(desk: Desk) -> list[ToServer]:
    sync = only(desk.go_online(general=5), messages.Sync)
    return desk.hear(synced(sync))
