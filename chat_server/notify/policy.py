"""Of which of a server's troubles its host is told, when, and in which words.

Pure: no clock, window or bus. The window says what happened and whether the host looks at it; `due`
gives what to do by now, `deadline` when to ask again. Each kind of trouble has one notification,
which a newer one replaces. It goes when the trouble ends, or when the host looks at the window,
which shows all of it; and while the host looks, none comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

FIRST_PAUSE: Final = 30.0
"""Seconds between the first notification of refusals and the next."""
LONGEST_PAUSE: Final = 3600.0
"""Seconds between two of them at most: the pauses double, as a program may try all day."""
CALM: Final = 600.0
"""Seconds without a refusal, at least, after which the next one is told at once again."""
_MOST_ADDRESSES: Final = 100
"""Addresses that are told apart, to be counted."""


class Topic(Enum):
    """A kind of trouble; a notification's key is its value."""

    REFUSED = "refused"
    """Somebody was not let in."""
    STORE = "store"
    """The disk is nearly full, or messages can't be stored."""
    SERVER = "server"
    """The server stopped, though nobody asked it to, or can't be reached by anybody new."""


Sound = Literal["knock", "failed"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the host chose."""

    enabled: bool = True
    refused: bool = True
    store: bool = True
    server: bool = True
    sounds: bool = True

    def wants(self, topic: Topic) -> bool:
        """Whether there are notifications about it."""
        each = {Topic.REFUSED: self.refused, Topic.STORE: self.store, Topic.SERVER: self.server}
        return self.enabled and each[topic]


@dataclass(frozen=True, slots=True)
class Show:
    """Show the notification of a topic, in place of its former one."""

    topic: Topic
    title: str
    body: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """Take the notification of a topic away."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound."""

    sound: Sound


@dataclass(frozen=True, slots=True)
class Demand:
    """Have the window ask for attention."""


Step = Show | Close | Play | Demand


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody at an address, "" for several, was not let in; `why` is for the host.

    `username` is whom they say they are, or "". `count` is how often that happened.
    """

    address: str
    username: str
    why: str
    count: int = 1


@dataclass(slots=True)
class _Refusals:
    """What a notification about refusals tells of."""

    count: int = 0
    latest: Refusal | None = None
    addresses: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)


class Policy:
    """Decides for one window. Times are in seconds of a clock that never goes back."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self._preferences = preferences or Preferences()
        self._looking = False
        self._steps: list[Step] = []
        self._on_screen: set[Topic] = set()
        self._sounds: dict[Topic, Sound] = {}
        """What is to be heard, by what it is about."""
        self._heard: dict[Topic, float] = {}
        """When something about a topic was heard last."""
        self._full_at: float | None = None
        """When it was told last that there is no room for more connections."""
        self._refusals = _Refusals()
        self._pause = FIRST_PAUSE
        self._told_at: float | None = None
        """When refusals were told last, unless it has been calm since."""
        self._latest_at = 0.0
        self._disk_low = False
        self._store_failure = ""

    # What happens

    def refused(self, refusal: Refusal, now: float) -> None:
        """Somebody was not let in."""
        if self._told_at is not None and now - self._latest_at > max(CALM, self._pause):
            self._told_at, self._pause = None, FIRST_PAUSE
        self._latest_at = now
        if self._looking or not self._preferences.wants(Topic.REFUSED):
            return
        told = self._refusals
        told.count += refusal.count
        told.latest = refusal
        told.reasons.add(refusal.why)
        if len(told.addresses) < _MOST_ADDRESSES:
            told.addresses.add(refusal.address)

    def disk_low(self, free: str) -> None:
        """The disk is nearly full; `free` is how much is left, for people."""
        self._disk_low = True
        if not self._store_failure:
            body = f"{free} are left. Make room: once it is full, messages can’t be stored."
            self._tell(Show(Topic.STORE, "The disk is nearly full", body), "failed")

    def disk_roomy(self) -> None:
        """The disk has room again."""
        self._disk_low = False
        if not self._store_failure:
            self._close(Topic.STORE)

    def store_failed(self, why: str) -> None:
        """Messages can't be stored; it is told again with another reason, but heard once."""
        again = bool(self._store_failure)
        self._store_failure = why
        show = Show(Topic.STORE, "Messages can’t be stored", _whole(why), urgent=True)
        self._tell(show, None if again else "failed")

    def store_recovered(self) -> None:
        """Messages are stored again."""
        self._store_failure = ""
        self._close(Topic.STORE)

    def nobody_else(self, why: str, now: float) -> None:
        """There is room for no more connections, until some end; it is told once an hour."""
        if self._full_at is not None and now - self._full_at < LONGEST_PAUSE:
            return
        self._full_at = now
        self._tell(Show(Topic.SERVER, "Nobody else can connect", _whole(why)), "knock")

    def stopped(self, why: str) -> None:
        """The server stopped by itself."""
        show = Show(Topic.SERVER, "The server has stopped", _whole(why), urgent=True)
        self._tell(show, "failed")

    def not_started(self, why: str) -> None:
        """The server could not start."""
        show = Show(Topic.SERVER, "The server can’t start", _whole(why), urgent=True)
        self._tell(show, "failed")

    def started(self) -> None:
        """A server runs. What was wrong with the disk before, it finds out anew."""
        self._disk_low, self._store_failure = False, ""
        for topic in (Topic.SERVER, Topic.STORE):
            self._close(topic)

    # What the host does

    def look(self, *, looking: bool) -> None:
        """The host looks at the window now, or no longer."""
        self._looking = looking
        if looking:
            self._forget()

    def dismissed(self, topic: Topic) -> None:
        """The host put a notification away; the next one counts anew."""
        self._on_screen.discard(topic)
        if topic is Topic.REFUSED:
            self._refusals = _Refusals()

    def prefer(self, preferences: Preferences) -> None:
        """Take over what the host chose. What is on the screen and is not wanted now goes."""
        self._preferences = preferences
        for topic in Topic:
            if not preferences.wants(topic):
                self._drop(topic)

    def _forget(self) -> None:
        for topic in Topic:
            self._drop(topic)
        self._sounds.clear()

    def _drop(self, topic: Topic) -> None:
        if topic is Topic.REFUSED:
            self._refusals = _Refusals()
        self._close(topic)

    # What to do

    def deadline(self) -> float | None:
        """When `due` has something to do; None when nothing waits, 0 for at once."""
        if self._steps or self._sounds:
            return 0
        if not self._waiting:
            return None
        return 0 if self._told_at is None else self._told_at + self._pause

    def due(self, now: float) -> list[Step]:
        """What to do by `now`."""
        if self._waiting and (self._told_at is None or now >= self._told_at + self._pause):
            self._tell_refusals(now)
        steps, self._steps = self._steps, []
        if any(isinstance(step, Show) for step in steps):
            steps.append(Demand())
        sounds = [sound for topic, sound in self._sounds.items() if self._is_heard(topic, now)]
        self._sounds.clear()
        if sounds and self._preferences.sounds:
            steps.append(Play("failed" if "failed" in sounds else "knock"))
        return steps

    def _is_heard(self, topic: Topic, now: float) -> bool:
        """Whether a sound about it is not too many: a loose cable may fail every second."""
        last = self._heard.get(topic)
        if last is not None and now - last < FIRST_PAUSE:
            return False
        self._heard[topic] = now
        return True

    @property
    def _waiting(self) -> bool:
        """Whether somebody was refused that the host was not told of."""
        return self._refusals.latest is not None

    def _tell_refusals(self, now: float) -> None:
        if self._told_at is not None:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._told_at = now
        title, body = _words(self._refusals)
        self._refusals.latest = None
        self._tell(Show(Topic.REFUSED, title, body), "knock")

    def _tell(self, show: Show, sound: Sound | None) -> None:
        if self._looking or not self._preferences.wants(show.topic):
            return
        self._steps = [step for step in self._steps if getattr(step, "topic", None) != show.topic]
        self._steps.append(show)
        self._on_screen.add(show.topic)
        if sound is not None:
            self._sounds[show.topic] = sound

    def _close(self, topic: Topic) -> None:
        self._steps = [step for step in self._steps if getattr(step, "topic", None) != topic]
        self._sounds.pop(topic, None)
        if topic in self._on_screen:
            self._on_screen.discard(topic)
            self._steps.append(Close(topic))


def _words(told: _Refusals) -> tuple[str, str]:
    latest = told.latest
    if latest is None:
        raise ValueError("nobody was refused")
    where = f"at {latest.address}" if latest.address else "at one of several addresses"
    claimed = f", as @{latest.username}" if latest.username else ""
    if told.count == 1:
        return "Somebody was refused", _whole(f"{where}{claimed}: {latest.why}")
    title = f"Somebody was refused {told.count} times"
    one_place = len(told.addresses) == 1 and latest.address
    if one_place and len(told.reasons) == 1:
        return title, _whole(f"{where}: {latest.why}")
    addresses = len(told.addresses)
    many = f"at {addresses}{'+' if addresses >= _MOST_ADDRESSES or '' in told.addresses else ''}"
    first = where if one_place else f"{many} addresses"
    return title, _whole(f"{first}; the last one {where}{claimed}: {latest.why}")


def _whole(text: str) -> str:
    """As a sentence."""
    text = text.rstrip()
    end = "" if text.endswith((".", "!", "?", "…")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"
