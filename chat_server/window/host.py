"""The contents of the host's window: connects the server, the presenter and the widgets.

The Tk thread only draws: `ServerThread` starts and stops the server, and its news arrive through a
mailbox.
"""

from __future__ import annotations

import sys
import time
import tkinter as tk
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from chat_server.firewall_watch import FirewallWatch
from chat_server.notify.policy import Topic
from chat_server.options import Options
from chat_server.rules.view import Audited
from chat_server.settings import SettingsStore
from chat_server.window import server_thread
from chat_server.window.controller import HostController
from chat_server.window.frame import Frame
from chat_server.window.model import Page, ServerState
from chat_server.window.notifications import Notifications
from chat_server.window.presenter import Presenter
from chat_server.window.settings import settings_pages
from common.domain.invite import is_loopback, is_unspecified
from common.domain.sentences import sentence
from common.system.open_windows import WindowEntry, announce
from common.system.second_start import Request, take_startup_token
from common.ui.program.mailbox import Mailbox
from common.ui.program.program import Program
from common.ui.program.second_starts import SecondStarts
from common.ui.settings.applied_looks import AppliedLooks
from common.ui.settings.window import SettingsWindow
from common.ui.widgets.focus import focus_at, focused_in
from common.ui.widgets.keys import FIND, SETTINGS

if TYPE_CHECKING:
    from chat_server.reachability import Finding

SOON: Final = 15
"""Milliseconds for which events are coalesced into one redraw."""
COUNT_PAUSE: Final = 200
"""Minimum milliseconds between two redraws for counters, which change all the time."""
LONGEST_WAIT: Final = 60_000
"""Maximum milliseconds between two redraws: the system's clock may have been set."""
COULD_NOT_START: Final = 2
FIREWALL_PAUSE: Final = 5.0
"""Minimum seconds between two looks at the firewall when the host comes back to the window."""
QUESTIONS_LOOK: Final = 3000
"""Milliseconds between two looks at when others asked for chats."""
_NEEDED: Final = 640, 400
"""Width and height, px at 96 dpi, on which no page is cut: so large the text may become."""


class HostContents:
    """The contents of the window, and the server's work."""

    def __init__(
        self, program: Program[HostContents], options: Options, entry: WindowEntry | None = None
    ) -> None:
        self.root, self.theme = program.root, program.theme
        everywhere = options.host is None or is_unspecified(options.host)
        self.presenter = Presenter(
            options.name or "",
            everywhere=everywhere,
            listed=options.discovery and not options.plaintext,
        )
        self.mailbox: Mailbox[server_thread.ServerNews] = Mailbox(self.root, self._take)
        self.server_thread = server_thread.ServerThread(
            options, program.data_dir, self.mailbox.post
        )
        self.findings: Mailbox[tuple[Finding, ...]] = Mailbox(self.root, self._found)
        self.firewall = FirewallWatch(self.findings.post)
        self._firewall_at = -inf
        self._asked_at: int | None = None
        """When another computer last looked for chats, as far as it is shown."""
        self.settings = SettingsStore(program.data_dir)
        self.settings_window: SettingsWindow | None = None
        self.theme.needed = _NEEDED
        self.looks = AppliedLooks(program, self.settings, self._rebuild, options.theme)
        self.notifications = Notifications(self.root, program.icon, self.settings, self._open)
        self._starts = SecondStarts(
            self.root, entry or announce(program.data_dir), self._started_again
        )
        self.controller = HostController(
            self.root, self.theme, self.presenter, self.server_thread, self.show, self._say,
            self.looks.toggle_mode, self.show_settings,
        )  # fmt: skip
        self.controller.joining.on_rule = self._settings_changed
        self.controller.moderation.on_slow = self._settings_changed
        self.frame = self._make_frame()
        self.status = 0
        self.owns_folder = False
        self._quit = program.close
        self._ended: Callable[[], object] = lambda: None
        self._timers: dict[str, str] = {}
        self.root.bind(FIND, lambda _: self._find())
        self.root.bind(SETTINGS, lambda _: self.show_settings())
        self.root.bind("<FocusIn>", self._focused, add="+")
        self.looks.apply()

    def begin(self) -> None:
        """Start the server."""
        self.show()
        self.server_thread.begin()
        self._starts.start()
        self.notifications.attention.end_startup(take_startup_token())

    def may_close(self) -> bool:
        """Ask for confirmation while people are connected."""
        return self.controller.may_close()

    def close(self, ended: Callable[[], object]) -> None:
        """Stop the server, then call `ended`."""
        self._ended = ended
        self.presenter.closing()
        self._starts.stop()
        self.controller.close()
        self.firewall.stop()
        self.notifications.stop()
        self.looks.stop()
        if self.settings_window is not None:
            self.settings_window.close()
        self.show()
        self.server_thread.quit()
        if not self.server_thread.alive:
            self._end()  # it failed, and will post no `Ended`

    def show(self) -> None:
        """Update the window, and schedule the next update for when only the clock changes it."""
        now = _now()
        self._cancel("soon", "clock")
        shown = self.presenter.view(now)
        asking = len(shown.joining.requests)
        title = f"{shown.name} — ChatServer" if shown.name else "ChatServer"
        # As with unread messages in ChatClient: it is seen while the window is minimised.
        self.root.title(f"({asking}) {title}" if asking else title)
        self.frame.show(shown)
        change = self.presenter.next_change(now)
        if change is not None:
            wait = max(SOON, min(change - now, LONGEST_WAIT))
            self._after("clock", wait, self.show)

    def show_settings(self) -> None:
        """The settings window; the one that is there comes to the front."""
        if self.settings_window is not None:
            self.settings_window.raise_()
            return
        told = self.notifications
        status = told.desktop.status
        joining = self.controller.joining
        pages = settings_pages(
            self.theme, self.settings, self.looks, status, told.test,
            lambda: self.presenter.joining.who_may_join, joining.actions.set_rule,
            lambda: self.presenter.slow, self.controller.moderation.set_slow,
        )  # fmt: skip
        self.settings_window = SettingsWindow(
            self.root, self.theme, self.settings, "ChatServer", pages, self._settings_closed
        )
        told.desktop.on_state = self.settings_window.refresh

    def _settings_closed(self) -> None:
        self.settings_window = None
        self.notifications.desktop.on_state = lambda: None

    def _settings_changed(self) -> None:
        if self.settings_window is not None:
            self.settings_window.refresh()

    def _make_frame(self) -> Frame:
        frame = Frame(self.root, self.theme, self.controller.actions)
        frame.pack(fill="both", expand=True)
        return frame

    def _rebuild(self) -> None:
        """Make all that is shown anew, for another size of text."""
        former = self.frame
        keyboard = focused_in(former)
        # There is no room for two of them: their parts would make way for each other without end.
        former.pack_forget()
        self.frame = self._make_frame()
        self.show()
        self.frame.take_over(former)
        if keyboard is not None and not focus_at(self.frame, keyboard):
            self.frame.sidebar.navigation.canvas.focus_set()
        former.destroy()
        if self.settings_window is not None:
            self.settings_window.rebuild()

    def _open(self, topic: Topic) -> None:
        """Show what a notification told of; the newest is at the top of the feed, on every page."""
        if topic not in {Topic.SERVER, Topic.REQUESTS}:
            self.presenter.go(Page.CONNECTIONS)
        self.show()
        if topic is not Topic.REQUESTS:
            self.frame.activity.show_newest()
        self._raise_dialog()

    def _raise_dialog(self) -> None:
        if self.controller.dialog is not None:
            self.controller.dialog.window.lift()
            self.controller.dialog.window.focus_set()

    def _started_again(self, request: Request) -> bool:
        """Come to the front, as ChatServer was started with the data folder of this window."""
        self.notifications.attention.raise_window(request.token or None)
        self._raise_dialog()
        return True

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        """The window has the keyboard: another program may have changed the settings meanwhile."""
        if event.widget is self.root:
            self.looks.look_again()
            if time.monotonic() - self._firewall_at >= FIREWALL_PAUSE:
                self._look_at_firewall()  # the host may have opened the port in a terminal

    def _look_for_questions(self) -> None:
        """Show that others look for chats, and are heard here."""
        asked_at = self.server_thread.asked_at
        if asked_at is not None and asked_at != self._asked_at:
            self._asked_at = asked_at
            self.presenter.joining.asked(asked_at)
            self._show_soon()
        self._after("asked", QUESTIONS_LOOK, self._look_for_questions)

    def _look_at_firewall(self) -> None:
        """Ask what the firewall says, where others could connect at all."""
        running = self.server_thread.running
        if running is not None and not all(map(is_loopback, running.addresses)):
            self._firewall_at = time.monotonic()
            self.firewall.ask(running.port)

    def _found(self, items: list[tuple[Finding, ...]]) -> None:
        self.presenter.joining.found(items[-1])
        self._show_soon()

    def _say(self, text: str, milliseconds: int) -> None:
        self.frame.toasts.show(text, milliseconds)

    def _find(self) -> None:
        # While hidden it must not take the focus, or keystrokes would go there later.
        if self.frame.connections.winfo_viewable():
            self.frame.connections.people.search.focus_set()

    def _take(self, items: list[server_thread.ServerNews]) -> None:
        for item in items:
            self._take_one(item)

    def _take_one(self, item: server_thread.ServerNews) -> None:
        now = _now()
        match item:
            case server_thread.UrgentEvents():
                self._happened(item, now)
            case server_thread.CountsChanged():
                self._after("count", COUNT_PAUSE, self._count)
            case server_thread.Started():
                self.owns_folder = True
                if self.presenter.phase is not ServerState.CLOSING:
                    self.presenter.started(item.running, now)
                    self.notifications.started()
                    self.controller.started(item.running.port)
                    self.controller.moderation.list_people()
                    self.controller.moderation.list_sanctions()
                    self.controller.moderation.ask_slow()
                    self.controller.joining.started()
                    self._look_at_firewall()
                    self._look_for_questions()
                    self.show()
            case server_thread.Changed():
                self.presenter.changed(item.running, now)
                self._look_at_firewall()
                self._show_soon()
            case server_thread.StartFailed():
                self._failed(item, now)
            case server_thread.Replied():
                item.on_reply(item.reply)
            case server_thread.Stopped() | server_thread.Aborted():
                self._stopped(item, now)
            case server_thread.Ended():
                self._end()
            case _:
                assert_never(item)

    def _happened(self, item: server_thread.UrgentEvents, now: int) -> None:
        self.presenter.apply(item.events, now)
        self.notifications.happened(item.events)
        self.controller.joining.happened(item.events)
        audited = [event.action for event in item.events if isinstance(event, Audited)]
        if audited:
            self.controller.moderation.list_sanctions()
        if "set_slow_mode" in audited:
            self._settings_changed()
        self._show_soon()

    def _count(self) -> None:
        counted = self.server_thread.counts.take()
        self.presenter.apply(counted, _now())
        self.notifications.happened(counted)
        self._show_soon()

    def _failed(self, failure: server_thread.StartFailed, now: int) -> None:
        if not self.owns_folder:
            _complain(failure.reason)
        if self.presenter.phase is ServerState.CLOSING:
            return
        self.presenter.stopped(now)
        self.notifications.not_started(failure.reason)
        self.show()
        # Deferred: a dialog runs a loop of its own, in which the mailbox must not wait.
        self._after("ask", 1, lambda: self._ask_after(failure))

    def _stopped(self, item: server_thread.Stopped | server_thread.Aborted, now: int) -> None:
        self._count()
        if isinstance(item, server_thread.Aborted):
            _complain(sentence(item.reason))
        if self.presenter.phase is ServerState.CLOSING:
            return
        self.presenter.stopped(now)
        self._cancel("asked")
        self._settings_changed()
        self.show()
        if isinstance(item, server_thread.Aborted):
            reason = sentence(item.reason)
            self.notifications.stopped(reason)
            self._after("ask", 1, lambda: self.controller.server_failed(reason))

    def _ask_after(self, failure: server_thread.StartFailed) -> None:
        first = not self.owns_folder
        if not self.controller.start_failed(failure, first=first) and first:
            self.status = COULD_NOT_START
            self._quit()

    def _show_soon(self) -> None:
        if "soon" not in self._timers:
            self._after("soon", SOON, self.show)

    def _after(self, name: str, wait: int, action: Callable[[], object]) -> None:
        """Call `action` in `wait` milliseconds; replaces a timer of the same name."""

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
        self.server_thread.join()
        self._ended()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _complain(reason: str) -> None:
    """Print the reason on the terminal, too, as the program does without a window."""
    # A program without a console has none (Windows, when frozen).
    if sys.stderr is not None:
        sys.stderr.write(f"ChatServer: {reason}\n")
        sys.stderr.flush()
