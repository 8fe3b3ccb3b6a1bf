"""A thread of the server that breaks off is told of, and the server is stopped."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from chat_server import headless
from chat_server.hub.queue import HubQueue
from chat_server.net.acceptor import Acceptor
from chat_server.net.io_thread import IoThread
from chat_server.net.query_workers import Readers
from chat_server.options import parse_options
from chat_server.rules.view import ServerFailed, ViewEvent
from chat_server.service import Server
from chat_server.thread_watch import watched
from chat_server.window import server_thread

_DEADLINE = 10.0


def test_only_a_thread_that_breaks_off_is_told_of() -> None:
    """One that returns was told to."""
    told: list[str] = []
    thread = watched(lambda: None, "quiet", told.append)
    thread.start()
    thread.join()
    assert told == []


@pytest.mark.usefixtures("errors_logged")
@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError, SystemExit])
def test_whatever_ended_it(error: type[BaseException]) -> None:
    """The name comes once, on the thread itself."""
    told: list[tuple[str, str]] = []

    def run() -> None:
        raise error

    thread = watched(run, "loud", lambda name: told.append((name, threading.current_thread().name)))
    thread.start()
    thread.join()
    assert told == [("loud", "loud")]


def _break_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(_: HubQueue) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(HubQueue, "take", take)


def _break_io(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(_: IoThread) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(IoThread, "_turn", turn)


def _break_acceptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(_: Acceptor) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Acceptor, "_run", accept)


def _break_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: Readers) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Readers, "_run", run)


BREAKS = pytest.mark.parametrize(
    ("break_it", "name"),
    [
        (_break_hub, "hub"),
        (_break_io, "io-0"),
        (_break_acceptor, "acceptor"),
        (_break_reader, "reader"),
    ],
)
Break = Callable[[pytest.MonkeyPatch], None]


@BREAKS
@pytest.mark.usefixtures("errors_logged")
def test_a_server_that_lost_a_thread_says_so_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Break, name: str
) -> None:
    """Once, whichever it was; and nothing of it is left after its end."""
    break_it(monkeypatch)
    shown: queue.SimpleQueue[ViewEvent] = queue.SimpleQueue()

    def show(events: Sequence[ViewEvent]) -> None:
        for event in events:
            shown.put(event)

    before = threading.active_count()
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0"])
    server = Server(options, tmp_path, show)
    server.start()
    event = shown.get(timeout=_DEADLINE)
    assert isinstance(event, ServerFailed)
    assert name in str(event.reason.params["thread"])
    assert server.failure == event.reason
    server.stop()
    assert shown.empty()
    assert threading.active_count() == before
    assert not (tmp_path / "running.json").exists()


@BREAKS
@pytest.mark.usefixtures("errors_logged")
def test_without_a_window_it_ends_with_an_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    break_it: Break,
    name: str,
) -> None:
    """Whoever started it learns it from the status; no ready file stays behind."""
    break_it(monkeypatch)
    monkeypatch.setattr(headless, "start_logging", lambda *_: None)
    ready = tmp_path / "ready.json"
    arguments = ["--headless", "--host", "127.0.0.1", "--port", "0", "--ready-file", str(ready)]
    assert headless.main(parse_options(arguments), tmp_path / "data") == 1
    assert name in capsys.readouterr().err
    assert not ready.exists()


@BREAKS
@pytest.mark.usefixtures("errors_logged")
def test_the_window_is_told_and_may_start_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Break, name: str
) -> None:
    """It is stopped before that is told; the next one runs."""
    break_it(monkeypatch)
    options = parse_options(["--host", "127.0.0.1", "--port", "0"])
    told: queue.SimpleQueue[server_thread.ServerNews] = queue.SimpleQueue()
    kept = server_thread.ServerThread(options, tmp_path, told.put)
    kept.begin()
    try:
        news = told.get(timeout=_DEADLINE)
        while not isinstance(news, server_thread.Aborted):
            news = told.get(timeout=_DEADLINE)
        assert name in str(news.reason.params["thread"])
        assert kept.running is None
        monkeypatch.undo()
        kept.start_server(None)
        while not isinstance(news, server_thread.Started):
            news = told.get(timeout=_DEADLINE)
        assert kept.running is not None
    finally:
        kept.quit()
        kept.join()
