"""Which problems and requests to join the host is notified of, when, and in which words.

Pure: no clock, window or bus. The window reports them and whether it has the focus; `due` returns
the steps to take by now, `deadline` when to call it next. Each topic has one notification, which a
newer one replaces. It is closed when the problem ends or nobody asks any more, or when the host
looks at the window, which shows all of it; while the host looks, none is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from common.domain.sentences import as_sentence

FIRST_PAUSE: Final = 30.0
"""Minimum seconds between the first notification of refusals and the next."""
LONGEST_PAUSE: Final = 3600.0
"""Maximum of that pause, which doubles each time, as a program may try all day."""
CALM: Final = 600.0
"""Minimum seconds without a refusal after which the next one is shown at once again."""
_MOST_ADDRESSES: Final = 100
"""Maximum number of distinct addresses that are counted."""


_MOST_NAMED: Final = 2
"""Maximum number of people that are named in one notification."""


class Topic(Enum):
    """A kind of problem, or requests to join; its value is the notification's key."""

    REQUESTS = "requests"
    """Somebody asks to join."""
    REFUSED = "refused"
    """Clients were refused."""
    STORE = "store"
    """The disk is nearly full, or messages can't be stored."""
    SERVER = "server"
    """The server stopped by itself, can't start, or accepts no more connections."""


Sound = Literal["knock", "failed"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The host's notification settings."""

    enabled: bool = True
    requests: bool = True
    refused: bool = True
    store: bool = True
    server: bool = True
    sounds: bool = True

    def wants(self, topic: Topic) -> bool:
        """Whether notifications about a topic are enabled."""
        each = {
            Topic.REQUESTS: self.requests,
            Topic.REFUSED: self.refused,
            Topic.STORE: self.store,
            Topic.SERVER: self.server,
        }
        return self.enabled and each[topic]


@dataclass(frozen=True, slots=True)
class Show:
    """Show the notification of a topic, replacing its former one."""

    topic: Topic
    title: str
    body: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """Close the notification of a topic."""

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
class Request:
    """Somebody asks to join, and sees `digits`; `number` is that of the request.

    `alike` says which members have a name that looks the same, "" if none has; `also_asks` is
    whether somebody else who asked before had one.
    """

    number: int
    display_name: str
    username: str
    digits: str
    alike: str = ""
    also_asks: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A client at an address ("" for several) was refused; `why` is a reason for the host.

    `username` is the one that the client claimed, or "". `count` is the number of such refusals.
    """

    address: str
    username: str
    why: str
    count: int = 1


@dataclass(slots=True)
class _Refusals:
    """The content of the notification about refusals."""

    count: int = 0
    latest: Refusal | None = None
    addresses: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)


class Policy:
    """Decides for one window. Times are in seconds of a monotonic clock."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self._preferences = preferences or Preferences()
        self._looking = False
        self._steps: list[Step] = []
        self._on_screen: set[Topic] = set()
        self._sounds: dict[Topic, Sound] = {}
        """Topic → sound that is to be played."""
        self._heard: dict[Topic, float] = {}
        """Topic → when a sound was last played for it."""
        self._full_at: float | None = None
        """When the limit of connections was last reported."""
        self._requests: dict[int, Request] = {}
        """Those that wait for an answer, the oldest first."""
        self._refusals = _Refusals()
        self._pause = FIRST_PAUSE
        self._told_at: float | None = None
        """When refusals were last shown; None after a pause of `CALM`."""
        self._latest_at = 0.0
        self._disk_low = False
        self._store_failure = ""

    # Events

    def requested(self, request: Request) -> None:
        """Somebody asks to join."""
        self._requests[request.number] = request
        self._tell(Show(Topic.REQUESTS, *_asking(self._requests)), "knock")

    def request_ended(self, number: int) -> None:
        """A request was answered, or waits no longer: the notification is of the others then."""
        if self._requests.pop(number, None) is None or Topic.REQUESTS not in self._on_screen:
            return
        if self._requests:
            self._tell(Show(Topic.REQUESTS, *_asking(self._requests)), None)
        else:
            self._close(Topic.REQUESTS)

    def refused(self, refusal: Refusal, now: float) -> None:
        """Add a refusal."""
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
        """The disk is nearly full; `free` is the space left, as text."""
        self._disk_low = True
        if not self._store_failure:
            body = f"{free} are left. Make room: once it is full, messages can’t be stored."
            self._tell(Show(Topic.STORE, "The disk is nearly full", body), "failed")

    def disk_roomy(self) -> None:
        """The disk has enough space again."""
        self._disk_low = False
        if not self._store_failure:
            self._close(Topic.STORE)

    def store_failed(self, why: str) -> None:
        """Messages can't be stored. Another reason updates the notification without a sound."""
        again = bool(self._store_failure)
        self._store_failure = why
        show = Show(Topic.STORE, "Messages can’t be stored", as_sentence(why), urgent=True)
        self._tell(show, None if again else "failed")

    def store_recovered(self) -> None:
        """Messages are stored again."""
        self._store_failure = ""
        self._close(Topic.STORE)

    def connections_full(self, why: str, now: float) -> None:
        """The limit of connections is reached; shown at most once in `LONGEST_PAUSE`."""
        if self._full_at is not None and now - self._full_at < LONGEST_PAUSE:
            return
        self._full_at = now
        self._tell(Show(Topic.SERVER, "Nobody else can connect", as_sentence(why)), "knock")

    def stopped(self, why: str) -> None:
        """The server stopped by itself."""
        show = Show(Topic.SERVER, "The server has stopped", as_sentence(why), urgent=True)
        self._tell(show, "failed")

    def not_started(self, why: str) -> None:
        """The server could not start."""
        show = Show(Topic.SERVER, "The server can’t start", as_sentence(why), urgent=True)
        self._tell(show, "failed")

    def started(self) -> None:
        """A server runs. Problems of the former one are closed; this one reports its own."""
        self._disk_low, self._store_failure = False, ""
        self._requests.clear()
        for topic in (Topic.SERVER, Topic.STORE, Topic.REQUESTS):
            self._close(topic)

    # The host's actions

    def look(self, *, looking: bool) -> None:
        """Record whether the host is looking at the window, which closes all notifications."""
        self._looking = looking
        if looking:
            self._forget()

    def dismissed(self, topic: Topic) -> None:
        """The host dismissed a notification; the count of refusals starts again."""
        self._on_screen.discard(topic)
        if topic is Topic.REFUSED:
            self._refusals = _Refusals()

    def prefer(self, preferences: Preferences) -> None:
        """Apply changed settings. Notifications that they no longer allow are closed."""
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

    # Steps

    def deadline(self) -> float | None:
        """When to call `due` next; None if nothing is pending, 0 for at once."""
        if self._steps or self._sounds:
            return 0
        if not self._waiting:
            return None
        return 0 if self._told_at is None else self._told_at + self._pause

    def due(self, now: float) -> list[Step]:
        """The steps to take by `now`."""
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
        """Whether a sound may be played (rate limit): a loose cable may fail every second."""
        last = self._heard.get(topic)
        if last is not None and now - last < FIRST_PAUSE:
            return False
        self._heard[topic] = now
        return True

    @property
    def _waiting(self) -> bool:
        """Whether there are refusals that have not been shown."""
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


def _asking(requests: Mapping[int, Request]) -> tuple[str, str]:
    """Title and text about the requests that wait; there is one at least."""
    latest = list(requests.values())
    if len(latest) == 1:
        (one,) = latest
        body = f"As @{one.username}. If they tell you the digits {one.digits}, it is them."
        if one.alike:
            body = f"As @{one.username}, with the digits {one.digits}. {as_sentence(one.alike)}"
        return f"{one.display_name} asks to join", body
    named = [f"{each.display_name} (@{each.username})" for each in latest[:_MOST_NAMED]]
    if len(latest) > _MOST_NAMED:
        named.append(f"{len(latest) - _MOST_NAMED} more")
    body = as_sentence(f"{', '.join(named[:-1])} and {named[-1]}")
    if any(each.alike or each.also_asks for each in latest):
        body += " Look closely: a name is like another one here."
    return f"{len(latest)} people ask to join", body


def _words(told: _Refusals) -> tuple[str, str]:
    latest = told.latest
    if latest is None:
        raise ValueError("nobody was refused")
    where = f"at {latest.address}" if latest.address else "at one of several addresses"
    claimed = f", as @{latest.username}" if latest.username else ""
    if told.count == 1:
        return "Somebody was refused", as_sentence(f"{where}{claimed}: {latest.why}")
    title = f"Somebody was refused {told.count} times"
    one_place = len(told.addresses) == 1 and latest.address
    if one_place and len(told.reasons) == 1:
        return title, as_sentence(f"{where}: {latest.why}")
    addresses = len(told.addresses)
    many = f"at {addresses}{'+' if addresses >= _MOST_ADDRESSES or '' in told.addresses else ''}"
    first = where if one_place else f"{many} addresses"
    return title, as_sentence(f"{first}; the last one {where}{claimed}: {latest.why}")
