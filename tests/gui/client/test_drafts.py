"""What is written and not sent: kept over restarts and kills, given back if it can't be sent."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.state.status import STORAGE, Link
from chat_client.window import drafts
from common.ui.widgets.dialog import Answer, Dialog
from tests.events import message
from tests.gui.harness import Alarm, Peer, Town, Window

GENERAL = "general"


def stored(window: Window) -> dict[str, str]:
    """The drafts on the disk."""
    (path,) = Path(window.program.data_dir).glob("accounts/*/cache.db")
    reader = CacheReader(path)
    drafts = reader.drafts()
    reader.close()
    return drafts


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a second in a test."""
    monkeypatch.setattr(drafts, "PAUSE", 0.02)


@pytest.mark.usefixtures("hasty")
def test_drafts_survive_a_restart_in_each_room(ada: Window, bruno: Peer, town: Town) -> None:
    """Closed in the middle of a word, in two conversations; both are there again."""
    direct = f"dm:{ada.main.overview.me}:{bruno.username}"
    ada.type("for all", ada.composer)
    ada.click_row(ada.main.members.people, bruno.username)
    ada.type("for you")
    ada.close()
    again = town.window(data_dir=ada.program.data_dir)
    assert again.main.composer.draft == "for all"
    again.online()
    again.click_row(again.main.sidebar.rooms, direct)
    assert again.main.composer.draft == "for you"
    # What is sent is erased with it, and nothing comes back.
    again.key("<Return>")
    bruno.until(lambda: bruno.texts(direct) == ["for you"], "the message")
    again.wait(lambda: stored(again) == {GENERAL: "for all"}, "the erased draft")
    again.click_row(again.main.sidebar.rooms, GENERAL)
    assert again.main.composer.draft == "for all"
    for _ in "for all":
        again.key("<BackSpace>")
    again.close()
    last = town.window(data_dir=ada.program.data_dir)
    assert last.main.composer.draft == ""


@pytest.mark.usefixtures("hasty")
def test_a_draft_is_on_the_disk_while_it_is_written(ada: Window, town: Town) -> None:
    """So it is there after a kill: what a copy of the folder begins with."""
    ada.type("half a sen", ada.composer)
    ada.wait(lambda: stored(ada) == {GENERAL: "half a sen"}, "the draft")
    copy = Path(ada.program.data_dir).with_name("killed")
    shutil.copytree(ada.program.data_dir, copy)
    again = town.window(data_dir=copy)
    assert again.main.composer.draft == "half a sen"


def test_what_is_edited_again_is_a_draft_before_it_leaves_the_outbox(
    ada: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash right after "Edit" finds the text: no pause of the typing is waited for."""
    monkeypatch.setattr(drafts, "PAUSE", 3600.0)
    monkeypatch.setattr(drafts, "LATEST", 3600.0)
    room = f"dm:{ada.main.overview.me}:nobody"
    ada.main._session.core.send(room, *message("to nobody"))
    ada.click_row(ada.main.sidebar.rooms, room)
    ada.wait(lambda: "Not sent: " in ada.said, "the refusal")
    ada.click_text("Edit")
    ada.wait(
        lambda: ada.main.connection.waiting == 0 and "Not sent: " not in ada.said, "the outbox"
    )
    assert stored(ada) == {room: "to nobody"}


def test_who_types_on_and_on_has_a_draft_all_the_same(
    ada: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause never comes, the latest moment does."""
    monkeypatch.setattr(drafts, "PAUSE", 60.0)
    monkeypatch.setattr(drafts, "LATEST", 0.05)
    ada.focus(ada.composer)

    def typed() -> bool:
        ada.key("<Key-x>")
        return GENERAL in stored(ada)

    ada.wait(typed, "a draft")


def test_drafts_are_cheap(ada: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """One write for many keys, and none where nothing changed."""
    writes: list[str] = []
    original = Cache.set_draft

    def counted(cache: Cache, room: str, text: str) -> None:
        writes.append(text)
        original(cache, room, text)

    monkeypatch.setattr(Cache, "set_draft", counted)
    monkeypatch.setattr(drafts, "PAUSE", 0.5)
    ada.type("one two three", ada.composer)
    ada.wait(lambda: stored(ada) == {GENERAL: "one two three"}, "the draft")
    assert len(writes) <= 3
    ada.main.save_draft()
    ada.main.save_draft()
    ada.settle()
    assert len(writes) <= 3


class Disk:
    """Makes this computer's disk full, for every cache in this process that has a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        original = Cache.transaction

        @contextmanager
        def transaction(cache: Cache) -> Iterator[None]:
            with original(cache):
                yield
                if self.full and cache._path is not None:
                    error = sqlite3.OperationalError("database or disk is full")
                    error.sqlite_errorcode = sqlite3.SQLITE_FULL
                    raise error

        monkeypatch.setattr(Cache, "transaction", transaction)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that can be made full. Whoever closes a window then means it."""
    monkeypatch.setattr(Dialog, "ask", lambda _: Answer("close"))
    return Disk(monkeypatch)


@pytest.fixture
def _logged(alarm: Alarm) -> Iterator[None]:
    """That nothing can be stored is logged as an error, rightly."""
    yield
    assert alarm.heard
    alarm.heard[:] = [line for line in alarm.heard if "can't store messages" not in line]


@pytest.mark.usefixtures("_logged")
def test_on_a_full_disk_the_text_stays_and_is_sent_later(
    ada: Window, bruno: Peer, disk: Disk
) -> None:
    """With its reason beside it; nothing is shown as waiting that is not on the disk."""
    disk.full = True
    ada.say("do not lose me")
    ada.wait(lambda: ada.main.connection.status.code in STORAGE, "the trouble")
    ada.wait(lambda: ada.main.composer.draft == "do not lose me", "the text")
    problem = str(ada.main.composer._problem.cget("text"))
    ada.wait(ada.main.composer._problem.winfo_ismapped, "the reason in sight")
    assert problem.startswith("Not sent. This computer's disk is full.")
    assert "disk is full" in ada.banner
    assert "sent later" not in ada.banner
    assert "do not lose me" not in ada.lines
    assert "trying again in" in ada.state
    # Again, and with more: still there, once.
    ada.key("<Return>")
    ada.wait(lambda: ada.main.composer.draft == "do not lose me", "the text again")
    disk.full = False
    ada.focus(ada.composer)
    ada.key("<Return>")
    bruno.until(lambda: bruno.texts() == ["do not lose me"], "the message, once")
    ada.wait(lambda: ada.link is Link.ONLINE and not ada.banner, "the connection")
    assert ada.main.composer.draft == ""
    ada.wait(lambda: ada.main.connection.waiting == 0, "the acknowledgement")
    assert ada.lines.count("do not lose me") == 1


@pytest.mark.usefixtures("_logged")
def test_the_core_goes_on_by_itself_when_there_is_room(
    ada: Window, bruno: Peer, disk: Disk
) -> None:
    """Nobody has to start anything again, and nothing that came meanwhile is missing."""
    disk.full = True
    bruno.say("came meanwhile")
    ada.wait(lambda: ada.main.connection.status.code in STORAGE, "the trouble")
    assert "came meanwhile" not in ada.lines
    disk.full = False
    ada.online()
    ada.wait(lambda: ada.lines.count("came meanwhile") == 1, "the message")


@pytest.mark.usefixtures("_logged")
def test_what_came_back_says_when_it_can_be_sent(ada: Window, disk: Disk) -> None:
    """The reason beside it is true as long as it stands there; a change takes it away."""
    problem = ada.main.composer._problem
    disk.full = True
    ada.say("do not lose me")
    ada.wait(lambda: "disk is full" in str(problem.cget("text")), "the reason")
    disk.full = False
    ada.main.view.connect()
    ada.online()
    assert problem.winfo_ismapped()
    assert "can store messages again" in str(problem.cget("text"))
    ada.focus(ada.composer)
    ada.key("<Key-x>")
    assert not problem.winfo_manager()


@pytest.mark.usefixtures("_logged")
def test_what_was_changed_since_has_no_reason_beside_it(ada: Window, disk: Disk) -> None:
    """Not when there is room again either."""
    problem = ada.main.composer._problem
    disk.full = True
    ada.say("do not lose me")
    ada.wait(lambda: "disk is full" in str(problem.cget("text")), "the reason")
    ada.focus(ada.composer)
    ada.key("<Key-x>")
    disk.full = False
    ada.main.view.connect()
    ada.online()
    assert not problem.winfo_manager()


@pytest.mark.usefixtures("_logged")
def test_what_comes_back_finds_its_conversation(ada: Window, bruno: Peer, disk: Disk) -> None:
    """Also when another one is shown by then; and what was written since stands behind it."""
    ada.main.entry.take_back([])
    disk.full = True
    ada.type("first", ada.composer)
    ada.main.composer.submit()
    ada.main.composer.set_draft("second")
    ada.wait(lambda: ada.main.composer.draft == "first\nsecond", "both")
    ada.main.composer.submit()
    ada.main._open_direct(bruno.username)
    ada.wait(lambda: ada.main.entry.drafts.of(GENERAL) == "first\nsecond", "the text")
    assert ada.main.composer.draft == ""
    ada.main.open(GENERAL)
    assert ada.main.composer.draft == "first\nsecond"
    disk.full = False
    ada.main.view.connect()
    ada.online()


@pytest.mark.usefixtures("_logged")
def test_closing_asks_before_something_is_lost(
    ada: Window, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only while it can't be kept, and not for what is on the disk already."""
    asked: list[str] = []

    def ask(dialog: Dialog) -> object:
        asked.append(dialog.window.title())
        dialog.choose("keep")
        return Answer("keep")

    monkeypatch.setattr(Dialog, "ask", ask)
    disk.full = True
    ada.say("do not lose me")
    ada.wait(lambda: ada.main.connection.status.code in STORAGE, "the trouble")
    ada.wait(lambda: ada.main.composer.draft, "the text")
    ada.close()
    assert asked == ["Close and lose what you wrote?"]
    assert not ada.ended
    disk.full = False
    ada.online()
    ada.close()
    ada.wait(lambda: ada.ended, "the end")
    assert len(asked) == 1
    assert stored(ada) == {GENERAL: "do not lose me"}
