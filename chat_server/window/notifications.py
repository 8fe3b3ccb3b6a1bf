"""Notifies the host of problems on the desktop, by sounds, and by the window's attention state.

`chat_server/notify/policy.py` decides which problems, and when; this module carries out its steps,
on the Tk thread.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from typing import Final, assert_never

from chat_server.notify import policy
from chat_server.notify.policy import Policy, Refusal, Request, Topic
from chat_server.rules import view
from chat_server.settings import SettingsStore
from chat_server.window.feed import REFUSED
from chat_server.window.formats import size_text
from common.desktop.notification import Notification
from common.desktop.notifier import Activated, App, Dismissed, Replied
from common.domain.sentences import alike_sentence, sentence
from common.ui.program.desktop_alerts import (
    THIS_COMPUTER,
    Answer,
    Backends,
    DesktopAlerts,
    PolicyTimer,
)
from common.ui.widgets.safe_text import safe

APP: Final = App("ChatServer", "lan.chat.ChatServer", "network")


class Notifications:
    """Notifications of one window; `on_open(topic)` is called when one was clicked."""

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
        # On all widgets, dialogs included: any FocusIn may mean a change from another program.
        root.bind_all("<FocusIn>", lambda _: self._looked(), add="+")

    def stop(self) -> None:
        """Close all notifications, as the window closes; later events are ignored."""
        self._stopped = True
        self._unsubscribe()
        self._timer.stop()
        self.desktop.stop()

    # Events

    def happened(self, events: Iterable[view.ViewEvent]) -> None:
        """Handle the server's events, of which only problems lead to notifications."""
        self._look()
        for event in events:
            match event:
                case view.KnockArrived():
                    name, username = safe(event.display_name), safe(event.username)
                    alike = alike_sentence(event.members_alike, also_asks=False)
                    self._policy.requested(
                        Request(event.request, name, username, event.digits, alike, event.also_asks)
                    )
                case view.KnockEnded():
                    self._policy.request_ended(event.request)
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
                    self._policy.connections_full(sentence(event.reason), self._clock())
        self._run()

    def started(self) -> None:
        """Handle the start of the server."""
        self._policy.started()
        self._run()

    def stopped(self, why: str) -> None:
        """Handle an unexpected stop of the server; `why` is the reason as text."""
        self._look()
        self._policy.stopped(why)
        self._run()

    def not_started(self, why: str) -> None:
        """Handle a failed start of the server; `why` is the reason as text."""
        self._look()
        self._policy.not_started(why)
        self._run()

    # Settings

    def test(self) -> None:
        """Show a test notification, and play a sound."""
        self.desktop.test("A click on one opens this window.", "knock")

    # Carrying out steps

    def _look(self) -> None:
        """Report to the policy whether the host is looking at the window."""
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
        """Handle the host's response to a notification."""
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
                pass  # none of them offers an inline reply
            case _:
                assert_never(answer)


def _topic(key: str) -> Topic | None:
    return Topic(key) if key in {topic.value for topic in Topic} else None
