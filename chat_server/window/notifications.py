"""Tells the host of trouble while they do something else: by the desktop, sounds and the window.

What is told, and when, is decided by `chat_server/notify/policy.py`; this carries it out, on the Tk
thread.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterable
from math import ceil
from typing import Final, assert_never

from chat_server.notify import policy
from chat_server.notify.policy import Policy, Refusal, Topic
from chat_server.rules import view
from chat_server.settings import SettingsStore
from chat_server.window.feed import REFUSED
from chat_server.window.formats import size_text
from common.desktop.descriptions import describe_player, describe_state
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    Notifier,
    NotifierState,
    Replied,
    make_notifier,
)
from common.desktop.sound import Sound, SoundPlayer
from common.domain.sentences import sentence
from common.ui.program.attention import Attention
from common.ui.program.mailbox import Mailbox

APP: Final = App("ChatServer", "lan.chat.ChatServer", "network")
_SOUNDS: Final[dict[policy.Sound, Sound]] = {"knock": Sound.KNOCK, "failed": Sound.FAILED}


class Notifications:
    """One for the window. `on_open(topic)` is called when the notification about it was clicked."""

    def __init__(
        self,
        root: tk.Tk,
        icon: str,
        store: SettingsStore,
        on_open: Callable[[Topic], object],
        *,
        make: Callable[[App, Callable[[Event], object]], Notifier] = make_notifier,
        player: SoundPlayer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._store, self._clock = root, store, clock
        self._on_open = on_open
        self.attention = Attention(root, icon)
        self._mailbox: Mailbox[Event] = Mailbox(root, self._told)
        self._notifier = make(APP, self._mailbox.post)
        self._player = player or SoundPlayer()
        self.state = NotifierState()
        self.on_state: Callable[[], object] = lambda: None
        self._policy = Policy(store.settings.notifications)
        self._timer: str | None = None
        self._stopped = False
        self._unsubscribe = store.subscribe(self._chosen)
        # Of every widget, in dialogs too: each FocusIn may be the one that comes from elsewhere.
        root.bind_all("<FocusIn>", lambda _: self._looked(), add="+")

    def stop(self) -> None:
        """The window closes: nothing of it stays on the screen."""
        self._stopped = True
        self._unsubscribe()
        self._mailbox.close()
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None
        self._notifier.stop()
        self._player.stop()

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

    def status(self) -> str:
        """How notifications and sounds are shown here, in sentences."""
        if self.state.code is Code.UNKNOWN:
            self._notifier.look()
        return f"{describe_state(self.state)} {describe_player(self._player.found())}"

    def test(self) -> None:
        """Show a notification and play a sound, as a person wants to see what they are like."""
        self._notifier.show(
            Notification("test", "This is a notification", "A click on one opens this window.")
        )
        self._play("knock")

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
        if self._stopped:
            return
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None
        for step in self._policy.due(self._clock()):
            self._do(step)
        deadline = self._policy.deadline()
        if deadline is not None:
            wait = max(1, ceil(1000 * (deadline - self._clock())))
            self._timer = self._root.after(wait, self._run_later)

    def _run_later(self) -> None:
        self._timer = None
        self._looked()

    def _do(self, step: policy.Step) -> None:
        match step:
            case policy.Show():
                self._notifier.show(
                    Notification(step.topic.value, step.title, step.body, urgent=step.urgent)
                )
            case policy.Close():
                self._notifier.close(step.topic.value)
            case policy.Play():
                self._play(step.sound)
            case policy.Demand():
                self.attention.demand()
            case _:
                assert_never(step)

    def _play(self, sound: policy.Sound) -> None:
        self._player.play(_SOUNDS[sound], self._store.settings.volume / 100)

    def _told(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Found():
                    self.state = event.state
                    self.on_state()
                case Dismissed():
                    topic = _topic(event.key)
                    if topic is not None:
                        self._policy.dismissed(topic)
                case Activated():
                    self._activated(event)
                case Replied():
                    pass  # none of them asks for an answer
                case _:
                    assert_never(event)

    def _activated(self, event: Activated) -> None:
        self.attention.raise_window(event.token or None)
        topic = _topic(event.key)
        if topic is not None:
            self._policy.dismissed(topic)
            self._on_open(topic)


def _topic(key: str) -> Topic | None:
    return Topic(key) if key in {topic.value for topic in Topic} else None
