"""A window takes on the Tk thread what further starts of its program hand over."""

from __future__ import annotations

import socket
import threading
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.system.open_windows import WindowEntry, announce, other_windows
from common.system.second_start import Request, hand_over
from common.ui.program import second_starts
from common.ui.program.second_starts import SecondStarts
from tests.gui.harness import wait

REQUEST = Request("chat://x", "", "token")


@pytest.fixture
def entry(tmp_path: Path) -> Iterator[WindowEntry]:
    """The entry of this window."""
    entry = announce(tmp_path)
    assert entry is not None
    yield entry
    entry.remove()


def handed_over(root: tk.Tk, folder: Path, request: Request = REQUEST) -> bool:
    """Whether the window has taken a request, which a thread makes as another process would."""
    answers: list[bool] = []
    thread = threading.Thread(
        target=lambda: answers.append(hand_over(other_windows(folder, None), request))
    )
    thread.start()
    wait(root, lambda: answers, "an answer", 15)
    thread.join()
    return answers[0]


def test_it_is_done_on_the_tk_thread(root: tk.Tk, tmp_path: Path, entry: WindowEntry) -> None:
    """And whoever asked hears whether it was."""
    taken: list[tuple[Request, threading.Thread]] = []

    def take(request: Request) -> bool:
        taken.append((request, threading.current_thread()))
        return len(taken) == 1

    starts = SecondStarts(root, entry, take)
    starts.show("ada@x")
    assert not other_windows(tmp_path, None)[0].is_reachable
    starts.start()
    assert other_windows(tmp_path, None)[0].account == "ada@x"
    assert handed_over(root, tmp_path)
    assert not handed_over(root, tmp_path)
    assert taken == [(REQUEST, threading.main_thread())] * 2
    starts.stop()
    starts.stop()
    assert other_windows(tmp_path, None) == []
    wait(
        root,
        lambda: not any(each.name.startswith("further") for each in threading.enumerate()),
        "the end of its threads",
        15,
    )


def test_a_failure_is_an_answer(
    root: tk.Tk, tmp_path: Path, entry: WindowEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported as any in Tk's loop; whoever asked opens a window of its own at once."""
    reported: list[object] = []
    monkeypatch.setattr(root, "report_callback_exception", lambda *told: reported.append(told[1]))
    error = RuntimeError("no")

    def take(_: Request) -> bool:
        raise error

    starts = SecondStarts(root, entry, take)
    starts.start()
    assert not handed_over(root, tmp_path)
    assert reported == [error]
    starts.stop()


def test_nothing_is_done_for_who_went_away(
    root: tk.Tk, tmp_path: Path, entry: WindowEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that hung until whoever asked had opened its own does not do it a second time."""
    monkeypatch.setattr(second_starts, "TIMEOUT", 0.01)
    taken: list[Request] = []

    def take(request: Request) -> bool:
        taken.append(request)
        return True

    starts = SecondStarts(root, entry, take)
    starts.start()
    assert not hand_over(other_windows(tmp_path, None), REQUEST)  # and Tk's loop stands still
    monkeypatch.undo()
    assert handed_over(root, tmp_path, Request(None))
    assert taken == [Request(None)]
    starts.stop()


def test_silent_connections_do_not_keep_others_out_for_ever(
    root: tk.Tk, tmp_path: Path, entry: WindowEntry
) -> None:
    """Anybody on this computer can make them: a bounded number, and each for a while."""
    starts = SecondStarts(root, entry, lambda _: True)
    starts.start()
    [window] = other_windows(tmp_path, None)
    silent = [socket.create_connection(("127.0.0.1", window.port)) for _ in range(20)]
    closed = [each.recv(1) for each in silent[second_starts._MOST_AT_ONCE :]]
    assert closed == [b""] * 12
    for connection in silent:
        connection.close()
    wait(root, lambda: handed_over(root, tmp_path), "a connection that is talked to", 15)
    starts.stop()


def test_without_an_entry_nothing_listens(root: tk.Tk) -> None:
    """As in a folder that others may write in: the window works all the same."""
    before = threading.active_count()
    starts = SecondStarts(root, None, lambda _: True)
    starts.start()
    starts.show("ada@x")
    starts.touch()
    assert threading.active_count() == before
    starts.stop()
