"""A long conversation on a real server, in the window of who has just come, or comes back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chat_client.window.find_bar import PARTLY
from chat_server.store.sqlite.store import SqliteStore
from common.domain.names import GENERAL
from common.protocol.events import MESSAGE, Event
from common.protocol.ids import new_cid
from tests.bench.load.seed import Seed, Seeds
from tests.gui.harness import Host, Town, Window

SAID = 5000
MISSED = 3000
_BEGAN = 1_767_225_600_000
_HOUR = 3_600_000


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder with 5,000 messages, an hour apart, in the room of everyone."""
    folder = tmp_path_factory.mktemp("seeds")
    Seeds(folder).put(Seed(accounts=4), folder / "server")
    say(folder / "server", 1, SAID)
    return folder / "server"


def say(server: Path, first: int, last: int) -> None:
    """Have messages stored while the server is stopped."""
    with closing(SqliteStore(server / "chat.db")) as store, store.transaction():
        directory = store.load()
        room, sender = directory.rooms[GENERAL], directory.accounts["m0001"]
        for seq in range(first, last + 1):
            at = _BEGAN + seq * _HOUR
            body = {"text": f"#{seq}"}
            store.append(room, Event(GENERAL, seq, MESSAGE, "m0001", at, new_cid(), body), sender)
            room.head = seq


@pytest.fixture
def long_host(seeded: Path, tmp_path: Path) -> Iterator[Host]:
    """Its server, running."""
    shutil.copytree(seeded, tmp_path / "server")
    host = Host(tmp_path / "server", "Harbour Team")
    host.start()
    yield host
    host.stop()


@pytest.fixture
def ada(town: Town, long_host: Host) -> Window:
    """The window of a new member."""
    return town.member(long_host, "Ada Lindqvist")


def held(ada: Window) -> list[int]:
    """The places in the list, which must follow one another, and be drawn once each, in order."""
    events = [*ada.main.transcript._reading.events]
    seqs = [event.seq for event in events]
    assert seqs == [*range(seqs[0], seqs[0] + len(seqs))]
    drawn = [int(seq) for seq in re.findall(r"^#(\d+)$", ada.said, re.MULTILINE)]
    assert drawn == [event.seq for event in events if event.text.startswith("#")]
    return seqs


def scroll_to(ada: Window, seq: int, count: int) -> None:
    """Scroll on and on until a place is in the list, pages coming meanwhile."""

    def here() -> bool:
        if seq in held(ada):
            return True
        ada.messages.yview_scroll(count, "pages")
        return False

    ada.wait(here, f"the message {seq}", within=50)
    ada.settle()


def spans(ada: Window) -> int:
    """How many stretches are on this device."""
    connection = ada.main._session.reader._connection
    (count,) = connection.execute("SELECT count(*) FROM spans").fetchone()
    return int(count)


def cached(ada: Window) -> int:
    """How many messages are on this device."""
    connection = ada.main._session.reader._connection
    (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    return int(count)


def test_a_new_member_speaks_at_once_and_reads_on_to_the_first_message(ada: Window) -> None:
    """The newest page comes alone; the others as one scrolls, each message once and in order."""
    assert held(ada)[-1] == SAID + 1
    assert cached(ada) < 500
    assert ada.main.overview.all_unread == 0
    ada.say("hello")
    ada.wait(
        lambda: "hello" in ada.lines and ada.main.connection.waiting == 0, "the acknowledgement"
    )
    scroll_to(ada, 1, -1)
    assert held(ada)[0] == 1
    assert ada.main._session.reader.is_whole(GENERAL)
    assert cached(ada) == SAID + 2


def test_the_first_message_and_then_the_gap(ada: Window) -> None:
    """Ctrl+Home leaves a gap, which is filled where somebody goes, and only there."""
    ada.key("<Control-Home>", ada.composer)
    ada.wait(lambda: held(ada)[0] == 1, "the first message")
    assert spans(ada) == 2
    scroll_to(ada, 400, 1)
    assert spans(ada) == 2
    assert cached(ada) < 1500
    ada.key("<Control-End>", ada.composer)
    ada.wait(
        lambda: held(ada)[-1] == SAID + 1 and ada.main.transcript.at_bottom, "the newest message"
    )
    assert spans(ada) == 2


def test_who_was_away_for_long_has_the_newest_and_fills_the_gap(
    town: Town, long_host: Host, ada: Window
) -> None:
    """3,000 messages later: what was missed comes as one scrolls there, to where one was."""
    data, head = ada.program.data_dir, SAID + 1
    ada.close()
    long_host.stop()
    say(long_host.data_dir, head + 1, head + MISSED)
    long_host.start()
    again = town.window(data_dir=data).online()
    again.wait(lambda: head + MISSED in held(again), "the newest")
    assert spans(again) == 2
    assert cached(again) < 1000
    again.say("back again")
    again.wait(
        lambda: "back again" in again.lines and again.main.connection.waiting == 0, "the answer"
    )
    scroll_to(again, head, -1)
    assert spans(again) == 1
    scroll_to(again, head + MISSED + 1, 1)
    again.key("<Control-End>", again.composer)
    again.wait(lambda: again.main.transcript.at_bottom, "the newest")


def test_a_date_is_gone_to(ada: Window) -> None:
    """By the keyboard; the first message of that day is in view."""

    def write() -> None:
        dialog = ada.main.dialog
        assert dialog is not None
        assert dialog.field is not None
        dialog.field.value = "2026-03-01"
        dialog.choose("yes")

    ada.root.after(200, write)
    ada.key("<Control-j>", ada.composer)
    begins = [s for s in range(1, SAID) if _BEGAN + s * _HOUR >= 1_772_323_200_000]
    near = {*range(begins[0] - 15, begins[0] + 15)}  # whatever zone this computer is in
    highlights = ada.main.transcript._highlights
    ada.wait(lambda: highlights.here in near, "that day")
    assert ada.messages.dlineinfo(ada.messages.search(f"#{highlights.here}\n", "1.0"))
    assert spans(ada) == 2


def test_the_search_says_that_it_does_not_see_everything(ada: Window) -> None:
    """Until it does."""
    bar = ada.main.find
    ada.key("<Control-f>", ada.composer)
    ada.type("49")
    ada.wait(lambda: bar.partly.winfo_manager() != "", PARTLY)
    ada.main.escape()
    scroll_to(ada, 1, -1)
    ada.key("<Control-f>", ada.composer)
    ada.wait(lambda: "of" in str(bar.field._note.cget("text")), "what is found")
    assert bar.partly.winfo_manager() == ""


def test_without_a_server_it_says_where_older_messages_are(ada: Window, long_host: Host) -> None:
    """And goes on when it is there again."""
    long_host.stop()
    ada.wait(lambda: ada.banner != "", "the end of the connection")
    transcript = ada.main.transcript

    def at_top() -> bool:
        ada.messages.yview_moveto(0.0)
        label = transcript._fetching._label
        return bool(label.winfo_manager()) and "on the server, not" in str(label.cget("text"))

    ada.wait(at_top, "the line")
    first = held(ada)[0]
    long_host.start()
    ada.main.view.connect()
    ada.wait(lambda: held(ada)[0] < first, "older messages")
