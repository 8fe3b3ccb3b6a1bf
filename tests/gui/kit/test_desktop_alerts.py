"""What carries out a policy: its timer, and the notifications and sounds of a window."""

from __future__ import annotations

import subprocess
import sys
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.desktop.notifier import Activated, App, Dismissed
from common.desktop.sound import Sound
from common.ui.program.desktop_alerts import Answer, DesktopAlerts, PolicyTimer
from tests.gui.desktop import Desktop, SilentPlayer, silent_backends

ROOT = Path(__file__).resolve().parents[3]


class Plan:
    """A policy with one step for each time."""

    def __init__(self, *times: float) -> None:
        self.times = list(times)

    def due(self, now: float) -> list[float]:
        """Those that have come."""
        ripe = [at for at in self.times if at <= now]
        self.times = [at for at in self.times if at > now]
        return ripe

    def deadline(self) -> float | None:
        """The next of them."""
        return min(self.times, default=None)


class Timers:
    """In place of Tk's: what is to be called, and after how many milliseconds."""

    def __init__(self, root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting: dict[str, tuple[int, Callable[[], object]]] = {}
        self.made = 0
        monkeypatch.setattr(root, "after", self.after)
        monkeypatch.setattr(root, "after_cancel", self.waiting.pop)

    def after(self, milliseconds: int, call: Callable[[], object]) -> str:
        """As that of Tk."""
        self.made += 1
        name = f"after#{self.made}"
        self.waiting[name] = milliseconds, call
        return name

    @property
    def times(self) -> list[int]:
        """Of all that wait, in milliseconds."""
        return [milliseconds for milliseconds, _ in self.waiting.values()]

    def fire(self) -> None:
        """Let the time pass for the only one."""
        ((name, (_, call)),) = self.waiting.items()
        del self.waiting[name]
        call()


def test_steps_are_done_when_they_are_due(
    bare_root: tk.Tk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of now at once; for the others there is one timer, and none when nothing waits."""
    timers, plan, done = Timers(bare_root, monkeypatch), Plan(1, 2, 4.5, 4.5005), list[float]()
    now = 2.0
    timer = PolicyTimer(bare_root, done.append, lambda: timer.run(plan), lambda: now)
    timer.run(plan)
    assert done == [1, 2]
    assert timers.times == [2500]
    timer.run(plan)
    assert timers.times == [2500]
    now = 4.5
    timers.fire()
    assert done == [1, 2, 4.5]
    assert timers.times == [1], "never before it is due, which would be again and again"
    now = 5.0
    timers.fire()
    assert done == [1, 2, 4.5, 4.5005]
    assert timers.times == []


def test_a_wait_replaces_the_former_one(bare_root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that for a deadline; `stop` ends it, and may be called again."""
    timers, woken = Timers(bare_root, monkeypatch), list[str]()
    timer = PolicyTimer[float](bare_root, print, lambda: woken.append("woken"), lambda: 0.0)
    timer.run(Plan(3))
    timer.wake_after(500)
    assert timers.times == [500]
    timers.fire()
    assert woken == ["woken"]
    timer.wake_after(500)
    timer.stop()
    timer.stop()
    assert timers.times == []


@pytest.fixture
def answers() -> list[Answer]:
    """What somebody did with notifications."""
    return []


@pytest.fixture
def alerts(bare_root: tk.Tk, answers: list[Answer]) -> Iterator[DesktopAlerts]:
    """Those of a window, at a volume of 40 %."""
    alerts = DesktopAlerts(
        bare_root, "chat-client", App("Test", "lan.chat.Test"), lambda: 40, answers.append,
        silent_backends(),
    )  # fmt: skip
    yield alerts
    alerts.stop()
    assert isinstance(alerts.notifier, Desktop)
    assert alerts.notifier.stopped


def test_trying_it(
    bare_root: tk.Tk,
    alerts: DesktopAlerts,
    answers: list[Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is shown and heard, and what becomes of it; a click raises the window."""
    raised: list[str | None] = []
    monkeypatch.setattr(alerts.attention, "raise_window", raised.append)
    alerts.test("A click on one opens this window.", "knock")
    desktop, player = alerts.notifier, alerts.player
    assert isinstance(desktop, Desktop)
    assert isinstance(player, SilentPlayer)
    assert desktop.bodies == ["A click on one opens this window."]
    assert (player.played, player.volumes) == ([Sound.KNOCK], [0.4])
    key = desktop.click("", "token")
    alerts.test("again", "knock")
    desktop.dismiss()
    desktop.click_late("unknown")
    while len(answers) < 3:
        bare_root.update()
    assert answers == [Activated(key, "token"), Dismissed(key), Activated("unknown")]
    assert raised == ["token", None]


def test_another_state_is_told(bare_root: tk.Tk, alerts: DesktopAlerts) -> None:
    """Nobody looks for a notification server before somebody wants to know."""
    told: list[str] = []
    alerts.on_state = lambda: told.append(alerts.status())
    assert alerts.status().startswith("Looking for")
    while not told:
        bare_root.update()
    assert told == ["Notifications are shown by Test 1. No sounds: no player was found."]


@pytest.mark.parametrize("window", ["chat_client.window.screens", "chat_server.window.host"])
def test_no_sound_player_is_loaded_with_a_window(window: str) -> None:
    """It is not needed before something is to be heard."""
    code = f"import sys, {window}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "common.ui.program.desktop_alerts" in loaded
    assert not loaded & {"common.desktop.sound", "wave"}
