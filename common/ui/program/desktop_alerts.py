"""Notifications, sounds and attention of a program's window, as decided by a policy.

Each program decides by a `Policy` of its own which events to notify the person of, and when. This
module carries out the decisions: `DesktopAlerts` shows and closes notifications and plays sounds,
and `PolicyTimer` runs the steps of a policy when they are due. Both belong to the Tk thread, and
never block it.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterable
from math import ceil
from typing import TYPE_CHECKING, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

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
from common.ui.program.attention import Attention
from common.ui.program.mailbox import Mailbox

if TYPE_CHECKING:
    from common.desktop.sound import SoundPlayer

Answer = Activated | Replied | Dismissed
"""The person's response to a notification."""
SoundName = Literal["message", "knock", "mention", "failed"]
"""The value of a `Sound`, whose module is imported when the first one is played."""
_TEST: Final = "test"
"""Key of the test notification, which a policy never uses."""

Step = TypeVar("Step")
Step_co = TypeVar("Step_co", covariant=True)


class Policy(Protocol[Step_co]):
    """Decides which steps to take. Times are in seconds of a monotonic clock."""

    def due(self, now: float) -> Iterable[Step_co]:
        """The steps to take by `now`; each is returned once."""

    def deadline(self) -> float | None:
        """When to call `due` next; None if nothing is pending, 0 for at once."""


class Backends(NamedTuple):
    """The notifier, the sound player and the policy's clock, which tests replace."""

    make_notifier: Callable[[App, Callable[[Event], object]], Notifier] = make_notifier
    player: SoundPlayer | None = None
    """None for this computer's players, which are looked up when the first sound is played."""
    clock: Callable[[], float] = time.monotonic


THIS_COMPUTER: Final = Backends()


class DesktopAlerts:
    """Notifications, sounds and attention of one program, with the window `root`.

    `icon` is the name of the window's icon. `volume()` is in per cent. `on_answer(answer)` is
    called when the person responds to a notification; a click has raised the window by then.
    `on_state()` is called when the state of the desktop's notifications has changed.
    """

    def __init__(
        self,
        root: tk.Tk,
        icon: str,
        app: App,
        volume: Callable[[], int],
        on_answer: Callable[[Answer], object],
        backends: Backends,
    ) -> None:
        self._volume, self._on_answer = volume, on_answer
        self.attention = Attention(root, icon)
        self.state = NotifierState()
        self.on_state: Callable[[], object] = lambda: None
        self._mailbox: Mailbox[Event] = Mailbox(root, self._take)
        self.notifier = backends.make_notifier(app, self._mailbox.post)
        self._player = backends.player

    def show(self, notification: Notification) -> None:
        """Show a notification, replacing the one with the same key."""
        self.notifier.show(notification)

    def close(self, key: str) -> None:
        """Close a notification, if it is shown or queued."""
        self.notifier.close(key)

    def play(self, sound: SoundName) -> None:
        """Play a sound, unless one that is as important was played just before."""
        from common.desktop.sound import Sound

        self.player.play(Sound(sound), self._volume() / 100)

    @property
    def player(self) -> SoundPlayer:
        """The sound player, which is imported at the first use."""
        if self._player is None:
            from common.desktop.sound import SoundPlayer

            self._player = SoundPlayer()
        return self._player

    def status(self) -> str:
        """Sentences about this computer's notification server and sound player."""
        if self.state.code is Code.UNKNOWN:
            self.notifier.look()
        return f"{describe_state(self.state)} {describe_player(self.player.found())}"

    def test(self, body: str, sound: SoundName) -> None:
        """Show a test notification with the text `body`, and play a sound."""
        self.show(Notification(_TEST, "This is a notification", body))
        self.play(sound)

    def stop(self) -> None:
        """Close all notifications and stop the sound, as the window closes."""
        self._mailbox.close()
        self.notifier.stop()
        if self._player is not None:
            self._player.stop()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Found):
                self.state = event.state
                self.on_state()
                continue
            if isinstance(event, Activated):
                self.attention.raise_window(event.token or None)
            self._on_answer(event)


class PolicyTimer(Generic[Step]):
    """Carries out a policy's steps by `do(step)`, and calls `wake()` at its deadline.

    `wake` calls `run` in turn, which schedules the next call.
    """

    def __init__(
        self,
        root: tk.Tk,
        do: Callable[[Step], object],
        wake: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        self._root, self._do, self._wake, self._clock = root, do, wake, clock
        self._timer: str | None = None

    def run(self, policy: Policy[Step]) -> None:
        """Carry out the steps that are due, and schedule `wake` for the policy's deadline."""
        self.stop()
        for step in policy.due(self._clock()):
            self._do(step)
        deadline = policy.deadline()
        if deadline is not None:
            self.wake_after(max(1, ceil(1000 * (deadline - self._clock()))))

    def wake_after(self, milliseconds: int) -> None:
        """Call `wake` after this time, instead of at the deadline."""
        self.stop()
        self._timer = self._root.after(milliseconds, self._fire)

    def stop(self) -> None:
        """Cancel the timer. Idempotent."""
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._wake()
