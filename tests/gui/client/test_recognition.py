"""One question at a time of whether a chat is the one of an account; late answers are dropped."""

from __future__ import annotations

import threading
import tkinter as tk
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from chat_client.state.account import Account
from chat_client.window.join.recognition import Recognition
from tests.gui.harness import Host

DEADLINE = 20
"""Seconds after which a test fails."""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[bool]:
    """What the server will say; until then the question waits."""
    said: SimpleQueue[bool] = SimpleQueue()
    monkeypatch.setattr(
        "chat_client.net.recognition.is_known", lambda *_: said.get(timeout=DEADLINE)
    )
    return said


def until(root: tk.Tk, met: Callable[[], object]) -> None:
    """Run the window until something is so."""
    late: list[bool] = []
    timer = root.after(1000 * DEADLINE, lambda: late.append(True))
    while not met():
        assert not late
        root.after(5, lambda: None)
        root.tk.dooneevent(0)
    root.after_cancel(timer)


def test_only_the_last_question_is_answered(
    bare_root: tk.Tk, answers: SimpleQueue[bool], host: Host
) -> None:
    """Whoever cancelled is not told, and nor is who asked before."""
    account = Account(host.invite, "ada", "Ada", "1" * 64)
    told: list[tuple[str, bool]] = []
    recognition = Recognition(bare_root)

    def ask(who: str) -> None:
        recognition.ask(account, host.invite, lambda known: told.append((who, known)), pytest.fail)

    ask("cancelled")
    recognition.cancel()
    ask("replaced")
    ask("last")
    for _ in range(3):
        answers.put(True)
    for thread in threading.enumerate():
        if thread.name == "recognition":
            thread.join()
    until(bare_root, lambda: told)
    bare_root.update()
    assert told == [("last", True)]
    recognition.close()
