"""The host's program with a window: it ties the server, the presenter and the widgets together.

The window is on the screen before the server is loaded. From then on the Tk thread only
shows: the keeper starts and stops the server, and its news come through a mailbox.
"""

from __future__ import annotations

import logging
import sys
import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, assert_never

from chat_server.options import Options
from chat_server.window import keeper
from chat_server.window.desk import Desk
from chat_server.window.frame import Frame
from chat_server.window.model import Phase
from chat_server.window.presenter import Presenter
from window import root
from window.mailbox import Mailbox
from window.memory import recall
from window.signals import Signals
from window.theme import Theme

log = logging.getLogger(__name__)

SOON: Final = 15
"""Milliseconds in which several happenings become one picture."""
COUNT_PAUSE: Final = 200
"""Milliseconds between two looks at numbers that change all the time."""
LONGEST_WAIT: Final = 60_000
"""Milliseconds after which the window looks at the clock in any case: it may have been set."""
COULD_NOT_START: Final = 2
LEAST: Final = 820, 560
"""The smallest window that holds everything, px at 96 dpi."""


def run(options: Options, data_dir: Path) -> int:
    """Show the window until it is closed. The exit status: 0, or 2 when there was no start.

    SIGTERM and Ctrl+C close it as its close button does.
    """
    signals = Signals()
    try:
        app = App(options, data_dir)
    except tk.TclError as error:
        signals.close()
        _complain(f"can't open a window ({error}); without one, use --headless")
        return COULD_NOT_START
    signals.watch(app.root, app.close)
    app.on_end = signals.close
    app.start()
    app.root.mainloop()
    return app.join()


class App:
    """The window and all that belongs to it: `start`, run Tk's loop, then `join`.

    `on_end` is called just before the window is destroyed.
    """

    def __init__(self, options: Options, data_dir: Path) -> None:
        remembered = recall(data_dir)
        self.root = root.make_root("ChatServer", "chat-server")
        self.root.report_callback_exception = _report
        self.theme = Theme(self.root, root.mode(options.theme, remembered))
        self.place = root.Place(self.root, self.theme, data_dir, remembered, LEAST)
        self.presenter = Presenter(options.name or "")
        self.mailbox: Mailbox[keeper.News] = Mailbox(self.root, self._take)
        self.keeper = keeper.Keeper(options, data_dir, self.mailbox.post)
        self.desk = Desk(self.root, self.theme, self.presenter, self.keeper, self.show)
        self.frame = Frame(self.root, self.theme, self.desk.actions)
        self.frame.pack(fill="both", expand=True)
        self.on_end: Callable[[], object] = lambda: None
        self._timers: dict[str, str] = {}
        self._started_once = False
        self.status = 0
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        for keys in ("<Control-f>", "<Command-f>")[: 2 if sys.platform == "darwin" else 1]:
            self.root.bind(keys, lambda _: self.frame.connections.people.search.focus_set())

    def start(self) -> None:
        """Put the window on the screen, then start the server."""
        self.show()
        self.place.show()
        # Once around the loop, so that the window is painted before imports take the CPU.
        self._after("begin", 1, self.keeper.begin)

    def close(self) -> None:
        """Stop the server and then end the window; harmless when called again."""
        if self.presenter.phase is Phase.CLOSING:
            return
        self.presenter.closing()
        self.desk.dismiss()
        self.show()
        self.keeper.quit()

    def join(self) -> int:
        """After the loop: wait for the server's threads; the exit status."""
        self.keeper.join()
        return self.status

    def show(self) -> None:
        """Bring the window up to now, and come back when the clock alone changes it."""
        now = _now()
        self._cancel("soon", "clock")
        shown = self.presenter.view(now)
        self.root.title(f"{shown.name} — ChatServer" if shown.name else "ChatServer")
        self.frame.show(shown)
        change = self.presenter.next_change(now)
        if change is not None:
            wait = max(SOON, min(change - now, LONGEST_WAIT))
            self._after("clock", wait, self.show)

    def _take(self, items: list[keeper.News]) -> None:
        for item in items:
            self._take_one(item)

    def _take_one(self, item: keeper.News) -> None:
        now = _now()
        match item:
            case keeper.Happened():
                self.presenter.apply(item.events, now)
                self._show_soon()
            case keeper.Counted():
                self._after("count", COUNT_PAUSE, self._count)
            case keeper.Started():
                self._started_once = True
                if self.presenter.phase is not Phase.CLOSING:
                    self.presenter.started(item.running, now)
                    self.desk.started(item.running.port)
                    self.show()
            case keeper.StartFailed():
                self._failed(item, now)
            case keeper.Stopped():
                self._count()
                if self.presenter.phase is not Phase.CLOSING:
                    self.presenter.stopped(now)
                    self.show()
            case keeper.Ended():
                self._end()
            case _:
                assert_never(item)

    def _count(self) -> None:
        self.presenter.apply(self.keeper.counts.take(), _now())
        self._show_soon()

    def _failed(self, failure: keeper.StartFailed, now: int) -> None:
        if not self._started_once:
            _complain(failure.reason)
        if self.presenter.phase is Phase.CLOSING:
            return
        self.presenter.stopped(now)
        self.show()
        # Later: a dialog runs a loop of its own, and the mailbox is not to wait in it.
        self._after("ask", 1, lambda: self._ask_after(failure))

    def _ask_after(self, failure: keeper.StartFailed) -> None:
        first = not self._started_once
        if not self.desk.start_failed(failure, first=first) and first:
            self.status = COULD_NOT_START
            self.close()

    def _show_soon(self) -> None:
        if "soon" not in self._timers:
            self._after("soon", SOON, self.show)

    def _after(self, name: str, wait: int, action: Callable[[], object]) -> None:
        """Do it in `wait` milliseconds; a timer of the same name is set anew."""

        def due() -> None:
            del self._timers[name]
            action()

        self._cancel(name)
        self._timers[name] = self.root.after(wait, due)

    def _cancel(self, *names: str) -> None:
        for name in names:
            timer = self._timers.pop(name, None)
            if timer is not None:
                self.root.after_cancel(timer)

    def _end(self) -> None:
        self._cancel(*self._timers)
        # Before that the folder is not ours: another server may be using it.
        if self._started_once:
            self.place.keep()
        self.on_end()
        self.root.destroy()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A Tk callback raised: the window lives on, and the log tells."""
    log.error("a callback failed", exc_info=(kind, error, trace))


def _complain(reason: str) -> None:
    """Tell a terminal too, in the words of the program without a window."""
    # A program without a console has none (Windows, when frozen).
    if sys.stderr is not None:
        sys.stderr.write(f"ChatServer: {reason}\n")
        sys.stderr.flush()
