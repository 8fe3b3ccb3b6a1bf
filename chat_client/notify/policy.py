"""Which messages the person is notified of, when, and with which text. Pure: no clock or window.

The window reports new events, what is being read and when a room was read; `due` returns the steps
to take by now, `deadline` when to call it next. Each room has one notification, which a later one
replaces: the first message is shown at once, those of the next PAUSE together (rate limit). More
than `MOST_ROOMS` rooms at once are coalesced into one summary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

from chat_client.notify.quiet import Quiet
from chat_client.state.news import Came
from common.domain.names import direct_partner
from common.protocol.events import Event

Level = Literal["everything", "mentions", "nothing"]
"""Which messages of a room the person is notified of."""
LEVELS: Final[tuple[Level, ...]] = ("everything", "mentions", "nothing")
Sound = Literal["message", "mention", "failed", "knock"]
PAUSE: Final = 2.0
"""Seconds between two notifications of a room."""
MOST_ROOMS: Final = 4
"""Maximum notifications of different rooms within PAUSE; more are coalesced into a summary."""
SUMMARY: Final = ""
"""Replaces the room in the notification that summarizes several rooms."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The notification settings; `rooms` has the levels of rooms that differ from the default."""

    enabled: bool = True
    direct: Level = "everything"
    room: Level = "mentions"
    rooms: Mapping[str, Level] = field(default_factory=dict)
    preview: bool = True
    """Whether notifications show names and texts, or only that there are new messages."""
    sounds: bool = True
    quiet: Quiet = field(default_factory=Quiet)


class Show(NamedTuple):
    """Show a room's notification, replacing its former one. A click opens `target` at `seq`."""

    room: str
    target: str
    """The room that a click opens: `room`, except for the summary."""
    seq: int
    title: str
    body: str
    mention: bool


class Close(NamedTuple):
    """Close the notification of a room."""

    room: str


class Play(NamedTuple):
    """Play a sound."""

    sound: Sound


class Demand(NamedTuple):
    """Have the window ask for attention, unless it has the keyboard."""


Step = Show | Close | Play | Demand


@dataclass(slots=True)
class _Told:
    """The content and state of a room's notification."""

    count: int = 0
    latest: Event | None = None
    mention: bool = False
    """Whether one of them mentions the person."""
    shown_at: float | None = None
    waiting: int = 0
    """Number of messages that are not shown yet."""
    on_screen: bool = False
    """Whether the room has a notification of its own now."""
    summarized: bool = False
    """Whether its messages are part of the summary instead."""


class Policy:
    """Decides for the account `me` (its username), which `is_mentioned(text)` looks for.

    `name_of(username)` and `title_of(room)` return the names of people and rooms to show.
    """

    def __init__(
        self,
        me: str,
        is_mentioned: Callable[[str], bool],
        name_of: Callable[[str], str],
        title_of: Callable[[str], str],
        preferences: Preferences | None = None,
    ) -> None:
        self._me, self._is_mentioned = me, is_mentioned
        self._name_of, self._title_of = name_of, title_of
        self.preferences = preferences or Preferences()
        self._rooms: dict[str, _Told] = {}
        self._places: dict[str, int] = {}
        """Room → `seq` of the last event that was decided about."""
        self._recent: deque[float] = deque(maxlen=MOST_ROOMS)
        """Times at which the latest notifications of single rooms were shown."""
        self._summary = _Told()
        self._steps: list[Step] = []
        self._sound: Sound | None = None
        self._demand = False

    # Events

    def heard(
        self,
        room: str,
        events: Sequence[Event],
        came: Came,
        *,
        reading: bool,
        now: datetime,
        read: int = 0,
        missing: int = 0,
    ) -> None:
        """Decide about new events of a room, which the person is `reading` or not. `now` is local.

        The room was read up to `read` before, such as on the device that the person answered from.
        `missing` messages before these were not fetched, as too many arrived in the meantime.
        """
        told = self._places.get(room, 0)
        fresh = [event for event in events if event.seq > told]
        if not fresh:
            return
        self._places[room] = fresh[-1].seq
        if read > told:
            self.read(room)
        if reading or came == "before":
            return
        quiet = self.preferences.quiet
        disturb_only_mentions = quiet.holds(now)
        level = self.level(room)
        if level == "nothing" or (disturb_only_mentions and not quiet.mentions_pass):
            return
        only_mentions = level == "mentions" or disturb_only_mentions
        for event in fresh:
            if event.seq <= read or event.sender == self._me or not event.is_message:
                continue
            mention = self._is_mentioned(event.text)
            if mention or not only_mentions:
                self._add(room, event, mention=mention)
        if missing and room in self._rooms and level == "everything":
            # Some may have been shown before: the count is to be the window's.
            here = sum(e.is_message and e.sender != self._me and e.seq > read for e in events)
            self._rooms[room].count = missing + here

    def read(self, room: str) -> None:
        """Close a room's notification: the room was read up to its end, or removed."""
        told = self._rooms.pop(room, None)
        if told is not None and told.on_screen:
            self._steps.append(Close(room))
        self._end_summary()

    def erased(self, username: str) -> None:
        """Somebody's messages were removed: close the notifications that show one of them."""
        for room, told in list(self._rooms.items()):
            if told.latest is not None and told.latest.sender == username:
                self.read(room)

    def forget(self, rooms: Iterable[str] | None = None) -> None:
        """Forget these rooms, or all: they are fetched again, maybe from another history."""
        for room in list(self._places) if rooms is None else rooms:
            self._places.pop(room, None)
            self.read(room)

    def _end_summary(self) -> None:
        """Close the summary when no room is part of it any more."""
        if self._summary.on_screen and not any(told.summarized for told in self._rooms.values()):
            self._summary = _Told()
            self._steps.append(Close(SUMMARY))

    def failed(self) -> None:
        """Play a sound, if wanted, for a message that could not be sent."""
        if self.preferences.sounds:
            self._raise_sound("failed")

    def dismissed(self, room: str) -> None:
        """Reset a room whose notification was dismissed; what is not shown yet still will be."""
        if room == SUMMARY:
            self._summary = _Told()
            for name in [name for name, told in self._rooms.items() if told.summarized]:
                self._begin_anew(name)
        else:
            self._begin_anew(room)

    def _begin_anew(self, room: str) -> None:
        told = self._rooms.pop(room, None)
        if told is not None and told.waiting:
            self._rooms[room] = _Told(
                told.waiting, told.latest, told.mention, told.shown_at, told.waiting
            )

    def stop(self) -> None:
        """Close all notifications, such as when do not disturb turns on."""
        for room in list(self._rooms):
            self.read(room)
        self._sound, self._demand = None, False

    def prefer(self, preferences: Preferences) -> None:
        """Apply changed settings. Notifications that they no longer allow are closed."""
        former, self.preferences = self.preferences, preferences
        for room, told in list(self._rooms.items()):
            if not preferences.enabled or not self._is_wanted(room, mention=told.mention):
                self.read(room)
            elif former.preview and not preferences.preview and told.on_screen:
                told.waiting, told.shown_at = max(1, told.waiting), None

    def _is_wanted(self, room: str, *, mention: bool) -> bool:
        level = self.level(room)
        return level == "everything" or (level == "mentions" and mention)

    def level(self, room: str) -> Level:
        """The level of a room: its own, or the default of direct conversations or rooms."""
        is_direct = direct_partner(room, self._me) is not None
        chosen = self.preferences
        return chosen.rooms.get(room) or (chosen.direct if is_direct else chosen.room)

    def _add(self, room: str, event: Event, *, mention: bool) -> None:
        told = self._rooms.setdefault(room, _Told())
        told.count += 1
        told.latest = event
        told.mention = told.mention or mention
        told.waiting += 1
        self._demand = True
        if self.preferences.sounds:
            self._raise_sound("mention" if mention else "message")

    def _raise_sound(self, sound: Sound) -> None:
        ranks: tuple[Sound, ...] = ("message", "mention", "failed", "knock")
        if self._sound is None or ranks.index(sound) > ranks.index(self._sound):
            self._sound = sound

    # Steps

    def deadline(self) -> float | None:
        """When to call `due` next, in seconds of the monotonic clock.

        None if nothing is pending; 0 for at once.
        """
        if self._steps or self._sound is not None or self._demand:
            return 0
        if not self.preferences.enabled:
            return None
        ends = [
            0.0 if told.shown_at is None else told.shown_at + PAUSE
            for told in self._rooms.values()
            if told.waiting
        ]
        if not ends:
            return None
        summary = self._summary
        held = summary.shown_at + PAUSE if summary.waiting and summary.shown_at is not None else 0
        return max(min(ends), held)

    def due(self, now: float) -> list[Step]:
        """The steps to take by `now`, in seconds of the monotonic clock."""
        steps, self._steps = self._steps, []
        if self.preferences.enabled:
            steps += self._shown(now)
        else:
            for told in self._rooms.values():
                told.waiting = 0
        if self._sound is not None:
            steps.append(Play(self._sound))
        if self._demand:
            steps.append(Demand())
        self._sound, self._demand = None, False
        return steps

    def _shown(self, now: float) -> list[Step]:
        ripe = [
            room
            for room, told in self._rooms.items()
            if told.waiting and (told.shown_at is None or now >= told.shown_at + PAUSE)
        ]
        if not ripe:
            return []
        free = MOST_ROOMS - sum(now < at + PAUSE for at in self._recent)
        if len(ripe) > free or (self._summary.on_screen and not self._has_own(ripe)):
            return self._summarized(ripe, now)
        return [self._show(room, now) for room in ripe]

    def _has_own(self, rooms: Sequence[str]) -> bool:
        return all(self._rooms[room].on_screen for room in rooms)

    def _show(self, room: str, now: float) -> Show:
        told = self._rooms[room]
        told.waiting, told.shown_at, told.on_screen = 0, now, True
        self._recent.append(now)
        latest = told.latest
        if latest is None:
            raise ValueError("no message in this room")
        title, body = self._words(room, told, latest)
        return Show(room, room, latest.seq, title, body, told.mention)

    def _words(self, room: str, told: _Told, latest: Event) -> tuple[str, str]:
        new = _counted(told.count, "new message")
        if not self.preferences.preview:
            return "Chat", "New message" if told.count == 1 else new
        name = self._name_of(latest.sender)
        if direct_partner(room, self._me) is not None:
            return (name if told.count == 1 else f"{name} · {new}"), latest.text
        title = f"#{self._title_of(room)}"
        if told.count > 1:
            return f"{title} · {new}", f"{name}: {latest.text}"
        if told.mention:
            return f"{name} mentioned you in {title}", latest.text
        return f"{name} in {title}", latest.text

    def _summarized(self, ripe: Sequence[str], now: float) -> list[Step]:
        """Show one notification for all rooms, replacing those of single rooms."""
        summary = self._summary
        if summary.shown_at is not None and now < summary.shown_at + PAUSE:
            summary.waiting = len(ripe)
            return []
        steps: list[Step] = []
        for room in ripe:
            told = self._rooms[room]
            told.waiting, told.shown_at, told.summarized = 0, now, True
            if told.on_screen:
                told.on_screen = False
                steps.append(Close(room))
        summary.waiting, summary.shown_at, summary.on_screen = 0, now, True
        told_of = [told for told in self._rooms.values() if told.summarized]
        count = sum(told.count for told in told_of)
        mentioned = any(told.mention for told in told_of)
        last = max(
            (self._rooms[room] for room in ripe),
            key=lambda told: (told.mention, told.latest.sent_at if told.latest else 0),
        ).latest
        if last is None:
            raise ValueError("no message")
        messages = _counted(count, "new message")
        title = f"{messages} in {_counted(len(told_of), 'conversation')}"
        body = "You were mentioned" if mentioned else ""
        if not self.preferences.preview:
            title, body = "Chat", messages
        steps.append(Show(SUMMARY, last.room, last.seq, title, body, mentioned))
        return steps


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
