"""A town for each test: whatever it starts is ended, and must have been free of errors."""

from __future__ import annotations

import gc
import logging
import threading
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import pytest

from chat_client.settings import SettingsStore
from chat_client.window.notifications import Notifications
from chat_server.notify.policy import Topic
from chat_server.settings import SettingsStore as HostSettings
from chat_server.window.notifications import Notifications as HostNotifications
from common.ui.look import fonts
from tests.gui.desktop import silent_backends
from tests.gui.harness import Alarm, Host, Town
from tests.gui.network import QuietNetwork
from tests.gui.thread_watch import ThreadWatch


@pytest.fixture(autouse=True)
def _threads_let_go_of_tk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No thread may refer to a Tk object once the windows are closed: it could end later."""
    watch = ThreadWatch()
    start = threading.Thread.start

    def watched(thread: threading.Thread) -> None:
        watch.add(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", watched)
    yield
    holding = watch.holding()
    gc.disable()
    watch.clear()
    gc.collect()
    gc.enable()
    assert not holding, "\n".join(holding)


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """A logged ERROR, and with it a Tk callback that raised, fails the test."""
    alarm = Alarm()
    logging.getLogger().addHandler(alarm)
    yield alarm
    logging.getLogger().removeHandler(alarm)
    assert not alarm.heard, "\n".join(alarm.heard)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alarm: Alarm) -> Iterator[Town]:
    """Where servers, windows and other people are."""
    del alarm  # it watches
    # Neither the person nor a server of this computer is part of a test.
    monkeypatch.setattr("chat_client.window.screens.login_name", lambda: "")
    monkeypatch.setattr("chat_client.local_server.data_folder", lambda _: tmp_path / "none")
    # Nor is what else there is on its network.
    monkeypatch.setattr("chat_client.window.screens.Network", QuietNetwork)
    # Nor is their desktop: what a window shows and plays there, each keeps for itself.
    monkeypatch.setattr("chat_client.window.screens.Notifications", _with_a_desktop)
    monkeypatch.setattr("chat_server.window.host.Notifications", host_with_a_desktop)
    # A Tk object that is collected on another thread ends the process. So nothing is
    # collected by chance while there are windows, and what is left goes here and now.
    gc.collect()
    gc.disable()
    town = Town(tmp_path)
    try:
        yield town
    finally:
        town.close()
        gc.collect()
        gc.enable()


def _with_a_desktop(root: tk.Tk, icon: str, store: SettingsStore) -> Notifications:
    return Notifications(root, icon, store, silent_backends())


def host_with_a_desktop(
    root: tk.Tk,
    icon: str,
    store: HostSettings,
    on_open: Callable[[Topic], object],
) -> HostNotifications:
    """What the host's window tells a desktop of the test's own."""
    return HostNotifications(root, icon, store, on_open, silent_backends())


@pytest.fixture
def host(town: Town) -> Host:
    """A running server."""
    return town.host()


@pytest.fixture
def bare_root() -> Iterator[tk.Tk]:
    """A root without a program in it."""
    gc.collect()
    gc.disable()
    fonts.register()
    root = tk.Tk()

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        logging.getLogger("tk").error("a callback failed", exc_info=(kind, error, trace))

    root.report_callback_exception = report
    yield root
    root.destroy()
    del root
    gc.collect()
    gc.enable()
