"""Notifications, sounds and attention of a program's window, as a policy decides about them.

Of what a person is told, and when, each program has rules of its own (a `Policy`). Here is what
carries them out in both: `DesktopAlerts` shows, closes and plays, and `PolicyTimer` has the steps
of a policy done when they are due. Both are for the Tk thread, and nothing blocks it.
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
"""What a person does with a notification."""
SoundName = Literal["message", "knock", "mention", "failed"]
"""The value of a `Sound`, whose module is not loaded before one is played."""
_TEST: Final = "test"
"""Key of the notification that is shown to try them out; it stands for nothing."""

Step = TypeVar("Step")
Step_co = TypeVar("Step_co", covariant=True)


class Policy(Protocol[Step_co]):
    """Decides what to do. Times are in seconds of a clock that never goes back."""

    def due(self, now: float) -> Iterable[Step_co]:
        """What to do by `now`; each step is given once."""

    def deadline(self) -> float | None:
        """When `due` has something to do; None when nothing waits, 0 for at once."""


class Backends(NamedTuple):
    """What shows and plays, and the clock of the policy; tests have others."""

    make_notifier: Callable[[App, Callable[[Event], object]], Notifier] = make_notifier
    player: SoundPlayer | None = None
    """None for the players of this computer, looked for when they are needed."""
    clock: Callable[[], float] = time.monotonic


THIS_COMPUTER: Final = Backends()


class DesktopAlerts:
    """What a program shows on the desktop and has heard. One for the window `root`.

    `icon` is the name of the window's icon. `volume()` is in per cent. `on_answer(answer)` is
    called when somebody does something with a notification; after a click the window is raised
    already. `on_state()` is called when another way to show notifications was found.
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
        """Show it, in place of the one with the same key."""
        self.notifier.show(notification)

    def close(self, key: str) -> None:
        """Take a notification away, if it is there."""
        self.notifier.close(key)

    def play(self, sound: SoundName) -> None:
        """Have a sound heard, unless a more important one was just heard."""
        from common.desktop.sound import Sound

        self.player.play(Sound(sound), self._volume() / 100)

    @property
    def player(self) -> SoundPlayer:
        """What plays sounds, loaded for the first one."""
        if self._player is None:
            from common.desktop.sound import SoundPlayer

            self._player = SoundPlayer()
        return self._player

    def status(self) -> str:
        """How notifications and sounds are shown here, in sentences."""
        if self.state.code is Code.UNKNOWN:
            self.notifier.look()
        return f"{describe_state(self.state)} {describe_player(self.player.found())}"

    def test(self, body: str, sound: SoundName) -> None:
        """Show a notification and play a sound, as a person wants to see what they are like."""
        self.show(Notification(_TEST, "This is a notification", body))
        self.play(sound)

    def stop(self) -> None:
        """The window closes: nothing of it stays on the screen, and nothing is heard."""
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
    """Has the steps of a policy done by `do(step)`, and calls `wake()` when there may be more.

    `wake` is to call `run`, after which it is called once, at the policy's deadline.
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
        """Do what is due now; wait for what is due later."""
        self.stop()
        for step in policy.due(self._clock()):
            self._do(step)
        deadline = policy.deadline()
        if deadline is not None:
            self.wake_after(max(1, ceil(1000 * (deadline - self._clock()))))

    def wake_after(self, milliseconds: int) -> None:
        """Call `wake` after so long, and not before."""
        self.stop()
        self._timer = self._root.after(milliseconds, self._fire)

    def stop(self) -> None:
        """Wait for nothing; idempotent."""
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._wake()
