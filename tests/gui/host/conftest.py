"""A real host's window with a real server behind it, and real clients that connect to it."""

from __future__ import annotations

import gc
import logging
import time
import tkinter as tk
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from chat_server.net.io_thread import IoThread
from chat_server.options import parse_options
from chat_server.window import host as host_module
from chat_server.window import questions
from chat_server.window.app import make
from chat_server.window.host import HostContents as Contents
from chat_server.window.model import ServerState
from common.domain.invite import parse_invite
from common.protocol.events import Event
from common.ui.widgets.dialog import Dialog
from tests.gui.conftest import host_with_a_desktop
from tests.gui.desktop import Desktop
from tests.gui.harness import What
from tests.gui.tk_scripts import watch_scripts
from tests.process.wire import Session

DEADLINE = 15.0


class Client(Session):
    """A client in `general` that has heard of its own joining."""

    def __init__(
        self, link: str, username: str, name: str, device: str, installation: str = ""
    ) -> None:
        token = username.encode().hex().ljust(64, "0")[:64]
        super().__init__(
            parse_invite(link), username, token,
            new=True, display_name=name, device=device, installation=installation or token[:32],
        )  # fmt: skip
        self.follow()
        # The last thing that comes by itself: whoever closes a socket with something unread in it
        # breaks off, rather than leaves.
        self.expect(Event)


@pytest.fixture
def short_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits only a moment for clients that don't close after its last words."""
    monkeypatch.setattr("chat_server.net.connection.GOODBYE_DEADLINE", 0.2)


class Host:
    """A window under test: it pumps the loop, clicks and types as a person would."""

    def __init__(self, arguments: list[str], data_dir: Path) -> None:
        options = parse_options(["--host", "127.0.0.1", "--theme", "light", *arguments])
        self.program = make(options, data_dir)
        self.root = self.program.root
        self.ended = False
        self.clients: list[Client] = []
        self._failures: list[str] = []
        self.root.report_callback_exception = self._failed
        watch_scripts(self.root, self._failures.append)
        self.program.on_end = self._note_end
        self.wait(lambda: self.program.contents is not None, "the window's contents")

    @property
    def app(self) -> Contents:
        """What is in the window."""
        return self.program.filled

    @property
    def phase(self) -> ServerState:
        """What the server does."""
        return self.app.presenter.phase

    def wait(self, condition: Callable[[], object], what: What) -> None:
        """Pump the loop until `condition()` holds; fail after `DEADLINE` seconds."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert not self._failures, self._failures[0]
            if time.monotonic() > end:
                what = what if isinstance(what, str) else what()
                pytest.fail(f"waited {DEADLINE} s for {what}; shown: {self.texts()}")
            if self.ended:
                time.sleep(0.005)  # no loop is left to pump, only threads that end
                continue
            timer = self.root.after(5, lambda: None)  # at least this happens
            self.root.tk.dooneevent(0)
            if not self.ended:
                self.root.after_cancel(timer)

    def up(self) -> Host:
        """Wait until the server runs."""
        self.wait(lambda: self.phase is ServerState.RUNNING, "the server")
        return self

    def link(self) -> str:
        """The invite."""
        return self.app.frame.invite.copy.content

    def connect(self, username: str, name: str = "", device: str = "Laptop, Linux") -> Client:
        """Connect a client, and wait until the window shows it."""
        before = len(self.table.order())
        client = Client(self.link(), username, name or username.title(), device)
        self.clients.append(client)
        self.wait(lambda: len(self.table.order()) > before, f"{username} in the list")
        return client

    @property
    def desktop(self) -> Desktop:
        """What shows its notifications."""
        desktop = self.app.notifications.desktop.notifier
        assert isinstance(desktop, Desktop)
        return desktop

    @property
    def table(self) -> Any:
        """The table of connections as it is now."""
        return self.app.frame.connections.people.table

    def names(self) -> list[str]:
        """The usernames in the table, from the top."""
        rows = self.app.frame.connections.people._rows
        return [rows[key].username for key in self.table.order()]

    def sees(self, text: str) -> None:
        """Wait until a label that is to be seen contains `text`."""
        self.wait(lambda: any(text in shown for shown in self.texts()), text)

    def key_of(self, username: str) -> str:
        """The key of a person's row."""
        order: list[str] = self.table.order()
        return order[self.names().index(username)]

    def click_row(self, username: str) -> None:
        """Click into a row."""
        self.wait(self.table.canvas.winfo_viewable, "the table")
        self.settle()
        top, bottom = self.table.bounds(self.key_of(username))
        self.click(self.table.canvas, 60, (top + bottom) // 2)

    def click(self, widget: tk.Misc, x: int | None = None, y: int | None = None) -> None:
        """Press and release the first button over a widget, in its middle or at a place."""
        self.settle()
        x = widget.winfo_width() // 2 if x is None else x
        y = widget.winfo_height() // 2 if y is None else y
        for event in ("<Enter>", "<ButtonPress-1>", "<ButtonRelease-1>"):
            widget.event_generate(event, x=x, y=y)

    def key(self, widget: tk.Misc, key: str) -> None:
        """Press a key with the keyboard on a widget."""
        widget.focus_force()
        self.settle()
        widget.event_generate(key)

    def write(self, widget: tk.Misc, text: str) -> None:
        """Type letters and digits into a widget."""
        widget.focus_force()
        self.settle()
        for letter in text:
            widget.event_generate("<KeyPress>", keysym={" ": "space"}.get(letter, letter))

    def answer(self, act: Callable[[Dialog], object], dialogs: int = 1) -> None:
        """Call `act` with the next dialogs, one after the other, as soon as each is to be seen.

        Say so before what opens the dialog: its loop runs inside that call.
        """
        seen: list[Dialog] = []

        def look() -> None:
            dialog = self.app.controller.dialog
            if dialog is None or dialog in seen or not dialog.window.winfo_viewable():
                self.root.after(10, look)
                return
            seen.append(dialog)
            if len(seen) < dialogs:
                self.root.after(10, look)
            try:
                act(dialog)
            except BaseException:
                # Or nobody would ever answer it.
                if dialog.window.winfo_exists():
                    dialog.choose(questions.CANCEL)
                raise

        self.root.after(1, look)

    def settle(self) -> None:
        """Handle everything that is due now."""
        self.root.update()

    def press_close(self) -> None:
        """Press the window's close button."""
        self.root.tk.call(*self.root.tk.splitlist(self.root.protocol("WM_DELETE_WINDOW")))

    def close(self) -> None:
        """Close the window by its button and wait for the end."""
        self.press_close()
        self.wait_end()

    def wait_end(self) -> None:
        """Wait until the window is gone and the server's threads have ended."""
        self.wait(lambda: self.ended, "the end")

    def finish(self) -> None:
        """End whatever a test left; what a callback raised fails it now."""
        for client in self.clients:
            client.close()
        if not self.ended:
            self.program.close()
            self.wait_end()
        assert not self._failures, self._failures[0]

    def texts(self) -> list[str]:
        """The texts of all labels to be seen, for a message about a failure."""
        return [] if self.ended else [*_texts(self.root)]

    def texts_of(self, widget: tk.Misc) -> list[str]:
        """The texts of the labels in a part of the window or a dialog."""
        return [*_texts(widget)]

    def _failed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self._failures.append("".join(traceback.format_exception(kind, error, trace)))

    def _note_end(self) -> None:
        self.ended = True


def _texts(widget: tk.Misc) -> Iterator[str]:
    for child in widget.winfo_children():
        if child.winfo_viewable():
            if isinstance(child, tk.Label) and child.cget("text"):
                yield str(child.cget("text"))
            yield from _texts(child)


Open = Callable[..., Host]


@pytest.fixture
def open_host(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Makes windows: `open_host("--port", "0")`; a logged ERROR fails the test."""
    # Nothing is shown or heard on the desktop of whoever runs the tests.
    monkeypatch.setattr(host_module, "Notifications", host_with_a_desktop)
    hosts: list[Host] = []
    # A Tk interpreter that is collected on another thread ends the process, and here a window
    # may be garbage while the next one's server runs: so nothing is collected by chance.
    gc.collect()
    gc.disable()

    def make(*arguments: str, data_dir: Path | None = None) -> Host:
        wanted = arguments if "--port" in arguments else ("--port", "0", *arguments)
        host = Host([*wanted], data_dir or tmp_path / "data")
        hosts.append(host)
        return host

    yield make
    try:
        for host in hosts:
            host.finish()
    finally:
        hosts.clear()
        gc.collect()
        gc.enable()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]


@pytest.fixture
def host(open_host: Open) -> Host:
    """A window whose server runs."""
    return open_host("--name", "Harbour Team").up()


def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program says on stderr from now on."""
    said: list[str] = []
    monkeypatch.setattr(host_module, "_complain", said.append)
    return said


def restart_after_failure(host: Host, before_yes: Callable[[Dialog], object]) -> list[str]:
    """Have an I/O thread of the server fail, and start the server again when the window asks.

    `before_yes(dialog)` is called with the question before it is answered. The result is what the
    program said on stderr.
    """
    asked: list[Dialog] = []
    patch = pytest.MonkeyPatch()
    said = complaints(patch)

    def answer(dialog: Dialog) -> None:
        patch.undo()
        before_yes(dialog)
        asked.append(dialog)
        host.click(dialog.buttons[questions.YES])

    def broken(_: IoThread) -> None:
        raise ZeroDivisionError

    host.answer(answer)
    patch.setattr(IoThread, "_turn", broken)
    host.wait(lambda: asked, "the question")
    host.wait(lambda: host.phase is ServerState.RUNNING, "the next server")
    return said
