"""Tells the host of trouble while they do something else: by the desktop, sounds and the window.

What is told, and when, is decided by `chat_server/notify/policy.py`; this carries it out, on the Tk
thread.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from typing import Final, assert_never

from chat_server.notify import policy
from chat_server.notify.policy import Policy, Refusal, Topic
from chat_server.rules import view
from chat_server.settings import SettingsStore
from chat_server.window.feed import REFUSED
from chat_server.window.formats import size_text
from common.desktop.notification import Notification
from common.desktop.notifier import Activated, App, Dismissed, Replied
from common.domain.sentences import sentence
from common.ui.program.desktop_alerts import (
    THIS_COMPUTER,
    Answer,
    Backends,
    DesktopAlerts,
    PolicyTimer,
)

APP: Final = App("ChatServer", "lan.chat.ChatServer", "network")


class Notifications:
    """One for the window. `on_open(topic)` is called when the notification about it was clicked."""

    def __init__(
        self,
        root: tk.Tk,
        icon: str,
        store: SettingsStore,
        on_open: Callable[[Topic], object],
        backends: Backends = THIS_COMPUTER,
    ) -> None:
        self._store, self._on_open = store, on_open
        self.desktop = DesktopAlerts(
            root, icon, APP, lambda: store.settings.volume, self._answered, backends
        )
        self.attention = self.desktop.attention
        self._timer = PolicyTimer(root, self._do, self._looked, backends.clock)
        self._clock = backends.clock
        self._policy = Policy(store.settings.notifications)
        self._stopped = False
        self._unsubscribe = store.subscribe(self._chosen)
        # Of every widget, in dialogs too: each FocusIn may be the one that comes from elsewhere.
        root.bind_all("<FocusIn>", lambda _: self._looked(), add="+")

    def stop(self) -> None:
        """The window closes: nothing of it stays on the screen."""
        self._stopped = True
        self._unsubscribe()
        self._timer.stop()
        self.desktop.stop()

    # What happens

    def happened(self, events: Iterable[view.ViewEvent]) -> None:
        """Something happened in the server, which may be nothing to tell."""
        self._look()
        for event in events:
            match event:
                case view.ClientRefused():
                    why = REFUSED.get(event.code, event.code)
                    refusal = Refusal(event.address, event.username, why, event.count)
                    self._policy.refused(refusal, self._clock())
                case view.DiskLow():
                    self._policy.disk_low(size_text(event.free))
                case view.DiskRoomy():
                    self._policy.disk_roomy()
                case view.StoreFailed():
                    self._policy.store_failed(sentence(event.reason))
                case view.StoreRecovered():
                    self._policy.store_recovered()
                case view.NoMoreConnections():
                    self._policy.nobody_else(sentence(event.reason), self._clock())
        self._run()

    def started(self) -> None:
        """The server accepts clients."""
        self._policy.started()
        self._run()

    def stopped(self, why: str) -> None:
        """The server stopped by itself."""
        self._look()
        self._policy.stopped(why)
        self._run()

    def not_started(self, why: str) -> None:
        """The server could not start."""
        self._look()
        self._policy.not_started(why)
        self._run()

    # For the settings

    def test(self) -> None:
        """Show a notification and play a sound, as a person wants to see what they are like."""
        self.desktop.test("A click on one opens this window.", "knock")

    # Carrying out

    def _look(self) -> None:
        """Tell the policy whether the host looks at the window now."""
        if not self._stopped:
            self._policy.look(looking=self.attention.has_keyboard)

    def _looked(self) -> None:
        self._look()
        self._run()

    def _chosen(self) -> None:
        self._policy.prefer(self._store.settings.notifications)
        self._run()

    def _run(self) -> None:
        if not self._stopped:
            self._timer.run(self._policy)

    def _do(self, step: policy.Step) -> None:
        match step:
            case policy.Show():
                self.desktop.show(
                    Notification(step.topic.value, step.title, step.body, urgent=step.urgent)
                )
            case policy.Close():
                self.desktop.close(step.topic.value)
            case policy.Play():
                self.desktop.play(step.sound)
            case policy.Demand():
                self.attention.demand()
            case _:
                assert_never(step)

    def _answered(self, answer: Answer) -> None:
        """The host did something with a notification."""
        topic = _topic(answer.key)
        if topic is None:
            return
        match answer:
            case Dismissed():
                self._policy.dismissed(topic)
            case Activated():
                self._policy.dismissed(topic)
                self._on_open(topic)
            case Replied():
                pass  # none of them asks for an answer
            case _:
                assert_never(answer)


def _topic(key: str) -> Topic | None:
    return Topic(key) if key in {topic.value for topic in Topic} else None
