"""A desktop for the tests of windows: it keeps what it is to show and to play, and is clicked."""

from __future__ import annotations

import time
from functools import partial

from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Found,
    NotifierState,
    Replied,
    Tell,
)
from common.desktop.sound import Sound, SoundPlayer
from common.ui.program.desktop_alerts import Backends


class LateClock:
    """Monotonic time, later by what it was set forward."""

    def __init__(self) -> None:
        self.late = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return time.monotonic() + self.late


class Desktop:
    """A notification server that shows nothing. `clock` is that of the window."""

    def __init__(self, clock: LateClock, app: App, tell: Tell) -> None:
        self.clock = clock
        self.app = app
        self._tell = tell
        self.shown: dict[str, Notification] = {}
        """What is on the screen, by key; as a real server would draw it."""
        self.history: list[Notification] = []
        """All that was ever shown, the newest last."""
        self.stopped = False

    # What the program asks for

    def look(self) -> None:
        """Find out what there is: this one, which can do everything."""
        self._tell(Found(NotifierState(Code.AVAILABLE, "Test", "1", actions=True, replies=True)))

    def show(self, notification: Notification) -> None:
        """Keep it."""
        assert not self.stopped, "shown after the end"
        notification = notification.cleaned()
        self.shown[notification.key] = notification
        self.history.append(notification)

    def close(self, key: str) -> None:
        """Take it away."""
        self.shown.pop(key, None)

    def stop(self) -> None:
        """As all do at their end: nothing stays."""
        self.stopped = True
        self.shown.clear()

    # What a person does and sees

    @property
    def titles(self) -> list[str]:
        """Of what is on the screen, the oldest first."""
        return [each.title for each in self.shown.values()]

    @property
    def bodies(self) -> list[str]:
        """The texts below the titles."""
        return [each.body for each in self.shown.values()]

    def key(self, title: str) -> str:
        """That of the only one on the screen with this in its title."""
        found = [key for key, each in self.shown.items() if title in each.title]
        assert len(found) == 1, self.titles
        return found[0]

    def click(self, title: str = "", token: str = "") -> str:
        """Click on what is shown; it goes by that. Its key, for a server that tells it late."""
        key = self.key(title)
        del self.shown[key]
        self.click_late(key, token)
        return key

    def click_late(self, key: str, token: str = "") -> None:
        """Tell of a click on what may be there no more."""
        self._tell(Activated(key, token))

    def reply(self, text: str, title: str = "") -> None:
        """Write an answer inside a notification."""
        key = self.key(title)
        del self.shown[key]
        self._tell(Replied(key, text))

    def dismiss(self, title: str = "") -> None:
        """Put one away."""
        key = self.key(title)
        del self.shown[key]
        self._tell(Dismissed(key))


class SilentPlayer(SoundPlayer):
    """Keeps what is to be heard, and plays nothing."""

    def __init__(self) -> None:
        super().__init__([])
        self.played: list[Sound] = []
        self.volumes: list[float] = []

    def play(self, sound: Sound, volume: float = 1.0) -> None:
        """Keep it, also what a burst would swallow."""
        self.played.append(sound)
        self.volumes.append(volume)


def silent_backends() -> Backends:
    """A desktop, a player and a clock for one window, which tests look at."""
    clock = LateClock()
    return Backends(partial(Desktop, clock), SilentPlayer(), clock)
