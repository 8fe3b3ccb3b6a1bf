"""What the core does when this computer can't store anything, or it made a mistake itself."""

from __future__ import annotations

import queue
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from chat_client import core as core_module
from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.core import Core
from chat_client.state import news
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.state.status import STORAGE, Link
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.protocol.events import Event
from tests.events import message

DEADLINE = 10.0


class Disk(Cache):
    """A cache on a disk that can be broken; a transaction fails at its end then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.error: Exception | None = None
        self.failures = 0
        self.reopened = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Cache."""
        with super().transaction():
            yield
            if self.error is not None:
                self.failures += 1
                raise self.error

    def reopen(self) -> None:
        """See Cache."""
        self.reopened += 1
        super().reopen()


class Bench:
    """A core that is not connected, on a disk, and what it tells."""

    def __init__(self, folder: Path, on_event: Callable[[Event], bool] | None = None) -> None:
        self.disk = Disk(folder / "cache.db")
        self.told: queue.SimpleQueue[news.News] = queue.SimpleQueue()
        self.all: list[news.News] = []
        invite = Invite(("127.0.0.1",), 1, None, "k" * 22, "a server")
        account = new_account(invite, "ada", "Ada")
        self.core = Core(account, self.disk, self._tell, on_event=on_event)
        self.folder = folder

    def _tell(self, told: Sequence[news.News]) -> None:
        for item in told:
            self.told.put(item)

    def until(self, wanted: Callable[[news.News], bool]) -> news.News:
        """Wait for a piece of news."""
        while True:
            item = self.told.get(timeout=DEADLINE)
            self.all.append(item)
            if wanted(item):
                return item

    def trouble(self) -> news.StatusChanged:
        """Wait to be told that nothing can be stored."""
        found = self.until(
            lambda item: isinstance(item, news.StatusChanged) and item.status.code in STORAGE
        )
        assert isinstance(found, news.StatusChanged)
        return found

    def back(self) -> news.MessageNotStored:
        """Wait for a text that comes back."""
        found = self.until(lambda item: isinstance(item, news.MessageNotStored))
        assert isinstance(found, news.MessageNotStored)
        return found

    def became(self, state: OutboxState) -> None:
        """Wait until something in the outbox is told as that."""
        self.until(lambda item: isinstance(item, news.OutboxChanged) and item.state is state)

    def outbox(self) -> list[OutboxMessage]:
        """What is in the outbox, on the disk."""
        reader = CacheReader(self.folder / "cache.db")
        found = reader.outbox("general")
        reader.close()
        return found

    def waits(self, *texts: str) -> None:
        """Wait until the last of them is told as waiting; all are on the disk then."""
        self.became(OutboxState.WAITING)
        assert [out.text for out in self.outbox()] == list(texts)

    def drafts(self) -> dict[str, str]:
        """The drafts on the disk."""
        reader = CacheReader(self.folder / "cache.db")
        found = reader.drafts()
        reader.close()
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A core that has begun; its connector is never done."""
    monkeypatch.setattr(core_module, "connect_in_background", lambda *_: None)
    monkeypatch.setattr(random, "random", lambda: 0.0)
    made = Bench(tmp_path)
    made.core.start()
    yield made
    made.core.stop()


def full() -> sqlite3.Error:
    """What SQLite says on a full disk."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


TROUBLES: dict[str, Callable[[], Exception]] = {
    "full": full,
    "io": lambda: sqlite3.OperationalError("disk I/O error"),
    "readonly": lambda: sqlite3.OperationalError("attempt to write a readonly database"),
    "locked": lambda: sqlite3.OperationalError("database is locked"),
    "damaged": lambda: sqlite3.DatabaseError("database disk image is malformed"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_can_not_be_stored_comes_back_and_the_core_goes_on(bench: Bench, trouble: str) -> None:
    """The text is returned with the reason, nothing passes for waiting; then all is as before."""
    bench.core.send("general", *message("before"))
    bench.waits("before")
    bench.disk.error = TROUBLES[trouble]()
    bench.core.send("general", *message("during"))
    status = bench.trouble().status
    returned = bench.back()
    assert (returned.room, returned.text, returned.why) == ("general", "during", status.reason)
    assert status.link is Link.PAUSED
    assert ("disk is full" if trouble == "full" else "can't store") in sentence(status.reason)
    bench.disk.error = None
    # By itself, without anybody asking for it.
    bench.until(
        lambda item: isinstance(item, news.StatusChanged) and item.status.link is Link.CONNECTING
    )
    assert bool(bench.disk.reopened) == (trouble != "full")
    bench.core.send("general", *message("after"))
    bench.waits("before", "after")
    assert not [
        item for item in bench.all if isinstance(item, news.OutboxChanged) and item.waiting > 2
    ]


def test_a_message_written_when_there_is_room_again_does_not_wait(bench: Bench) -> None:
    """It is tried at once, whatever the pause."""
    bench.disk.error = full()
    for _ in range(4):
        bench.core.send("general", *message("no"))
        bench.back()
    assert bench.core._controller.status.retry_at - bench.core._failed_at >= 2
    bench.disk.error = None
    bench.core.send("general", *message("yes"))
    bench.waits("yes")


def test_a_real_limit_of_the_database_is_a_full_disk(bench: Bench) -> None:
    """SQLite's own error, as of a disk: short messages still find room, long ones come back."""
    bench.core.send("general", *message("before"))
    bench.waits("before")
    connection = bench.disk._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    bench.core.send("general", *message("x" * 16_000))
    assert bench.back().why == Reason("storage_full")
    connection.execute("PRAGMA max_page_count = 100000")
    bench.core.send("general", *message("x" * 16_000))
    bench.waits("before", "x" * 16_000)


def test_in_trouble_it_does_not_spin(bench: Bench) -> None:
    """What could not be stored waits for the next attempt, which is not at once."""
    bench.disk.error = full()
    bench.core.mark_read("general", 1)
    bench.core.save_draft("general", "half a sen")
    bench.trouble()
    first = bench.disk.failures
    # Each is an attempt of its own at most.
    for number in range(10):
        bench.core.send("general", *message(str(number)))
        bench.back()
    assert bench.disk.failures <= first + 14
    assert not bench.core._inbox
    assert len(bench.core._held) == 2
    bench.disk.error = None
    bench.core.send("general", *message("yes"))
    bench.waits("yes")
    bench.core.stop()
    assert bench.drafts() == {}, "it was said in that room since"


def test_drafts_are_stored_when_they_can_be(bench: Bench) -> None:
    """They wait in the core, as nobody would write them again."""
    bench.disk.error = full()
    bench.core.save_draft("general", "half a sen")
    bench.trouble()
    bench.disk.error = None
    bench.core.connect_now()
    bench.until(
        lambda item: isinstance(item, news.StatusChanged) and item.status.link is Link.CONNECTING
    )
    assert bench.drafts() == {"general": "half a sen"}


def test_who_was_signed_out_stays_so_after_the_trouble(bench: Bench) -> None:
    """That the disk has space again is no reason to come back."""
    controller = bench.core._controller
    bench.core._do(lambda: controller.refused(Reason("wrong_server")))
    bench.until(
        lambda item: isinstance(item, news.StatusChanged) and item.status.link is Link.REFUSED
    )
    bench.disk.error = full()
    bench.core.send("general", *message("no"))
    bench.trouble()
    bench.disk.error = None
    bench.core.send("general", *message("yes"))
    bench.until(
        lambda item: isinstance(item, news.StatusChanged) and item.status.code == "wrong_server"
    )
    assert not controller.wants_connection


def test_a_mistake_of_the_program_costs_what_it_was_made_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The text comes back, the rest goes on."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(bench.core._controller, "send", fail)
        bench.core.send("general", *message("unlucky"))
        assert bench.back().text == "unlucky"
    bench.core.send("general", *message("lucky"))
    bench.waits("lucky")
    with monkeypatch.context() as patched:
        patched.setattr(bench.core._controller, "mark_read", fail)
        bench.core.mark_read("general", 1)
        bench.core.send("general", *message("behind it"))
        bench.until(lambda item: isinstance(item, news.OutboxChanged | news.MessageNotStored))
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_nobody_has_written_is_kept_as_failed(bench: Bench, trouble: str) -> None:
    """It has no text to give back; with the reason, in its place among what was done since."""
    bench.core.send("general", "topic", {"topic": "before"})
    bench.became(OutboxState.WAITING)
    bench.disk.error = TROUBLES[trouble]()
    bench.core.send("general", "topic", {"topic": "during"})
    why = bench.trouble().status.reason
    bench.disk.error = None
    bench.became(OutboxState.FAILED)
    bench.core.send("general", *message("after"))
    bench.became(OutboxState.WAITING)
    assert [(out.kind, out.body, out.state, out.reason) for out in bench.outbox()] == [
        ("topic", {"topic": "before"}, OutboxState.WAITING, None),
        ("topic", {"topic": "during"}, OutboxState.FAILED, why),
        (*message("after"), OutboxState.WAITING, None),
    ]
    assert not [item for item in bench.all if isinstance(item, news.MessageNotStored)]


def test_a_mistake_with_what_nobody_has_written_is_kept_as_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program can't do with it, it does not try again."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(bench.core._controller, "send", fail)
        bench.core.send("general", "topic", {"topic": "unlucky"})
        bench.became(OutboxState.FAILED)
    (out,) = bench.outbox()
    assert (out.kind, out.body, out.state) == ("topic", {"topic": "unlucky"}, OutboxState.FAILED)
    assert out.reason is not None
    assert out.reason.code == "internal_error"


def test_mistakes_without_an_end_end_the_core(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not fill the log for ever; what is written afterwards comes back."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(core_module, "_MAX_INTERNAL_ERRORS", 3)
    monkeypatch.setattr(bench.core._controller, "tick", fail)
    for number in range(3):
        bench.core.send("general", *message(str(number)))
        assert bench.back().text == str(number)
    bench.core._thread.join(DEADLINE)
    assert not bench.core._thread.is_alive()
    bench.core.send("general", *message("too late"))
    returned = bench.back()
    assert (returned.text, returned.why) == ("too late", Reason("ended"))


def test_the_last_words_come_back_if_they_can_not_be_stored(
    bench: Bench,
) -> None:
    """Nobody may take them for stored."""
    bench.disk.error = full()
    bench.core._stopping = True  # not woken yet: the last transaction has it
    bench.core.send("general", *message("goodbye"))
    assert bench.back().text == "goodbye"


def test_what_is_written_last_is_stored(bench: Bench) -> None:
    """Also what could not be stored before, and can now."""
    bench.disk.error = full()
    bench.core.save_draft("general", "half a sen")
    bench.trouble()
    bench.disk.error = None
    bench.core._stopping = True
    bench.core.send("elsewhere", *message("goodbye"))
    bench.core.stop()
    assert bench.drafts() == {"general": "half a sen"}
    reader = CacheReader(bench.folder / "cache.db")
    assert [out.text for out in reader.outbox("elsewhere")] == ["goodbye"]
    reader.close()


def test_who_prints_before_storing_does_not_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would print the same again with each attempt."""
    monkeypatch.setattr(core_module, "connect_in_background", lambda *_: None)
    bench = Bench(tmp_path, on_event=lambda _: True)
    bench.disk.error = full()
    bench.core.connect_now()
    bench.core.start()
    status = bench.trouble().status
    assert (status.link, status.reason) == (Link.REFUSED, Reason("storage_full"))
    bench.core._thread.join(DEADLINE)
    assert not bench.core._thread.is_alive()
