"""What was asked to be done to people and to the chat, and what surely held when.

All times are nanoseconds on the monotonic clock. What was acknowledged held from then on at the
latest; what was asked for may have held from then on at the earliest. A backup that is restored
ends all of it, and begins with what the backup has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.torture.clock import ServerClock
from tests.torture.epochs import Epoch
from tests.torture.history import History
from tests.torture.record import (
    HOST,
    Answered,
    Began,
    Connected,
    Disconnected,
    Learned,
    Ordered,
    Record,
    Welcomed,
)

_LATEST: Final = 15_000_000_000
"""What got no answer within so many nanoseconds was not done later: its connection is gone."""
_MARGIN: Final = 300
"""Milliseconds by which the server may have looked at its clock before it was said what it saw."""


@dataclass(slots=True)
class Action:
    """Something that somebody asked for. `code` is "" if it was done, None if that is not known."""

    by: str
    action: str
    fields: Mapping[str, Any]
    about: str
    mark: str
    asked: int
    answered: float = math.inf
    code: str | None = None

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return self.code == ""

    @property
    def possible(self) -> bool:
        """Whether it may have been done."""
        return self.code in {"", None}

    @property
    def latest(self) -> float:
        """When it was done at the latest, if it was."""
        return self.answered if self.code is not None else self.asked + _LATEST

    @property
    def renews_invite(self) -> bool:
        """Whether the old link lets nobody in after it."""
        return self.action == "new_invite" or (self.action == "ban" and "username" in self.fields)


@dataclass(frozen=True, slots=True)
class Window:
    """A sanction: surely it held between the inner two times, and outside of the outer two not."""

    kind: str
    about: str
    mark: str
    of_device: bool
    may_begin: float
    begins: float
    ends: float
    may_end: float
    until: int | None = None

    def held(self, begin: float, end: float, clock: ServerClock) -> bool:
        """Whether it surely held all the time.

        One that has ended by itself may be gone, even if the clock is set back.
        """
        if not self.begins < begin <= end < self.ends:
            return False
        if self.until is None:
            return True
        told = clock.told(self.begins, end)
        return told is not None and told[1] + _MARGIN < self.until

    def may_have_held(self, begin: float, end: float, clock: ServerClock) -> bool:
        """Whether it may have held at any time in between."""
        if end < self.may_begin or begin > self.may_end:
            return False
        if self.until is None:
            return True
        told = clock.told(begin, end)
        return told is None or told[0] - _MARGIN < self.until


@dataclass(slots=True)
class Deeds:
    """All that was done to people and to the chat in one history of the server."""

    epoch: Epoch
    actions: list[Action] = field(default_factory=list)
    """In the order in which they were asked for."""
    secrets: list[Learned] = field(default_factory=list)

    def windows(self) -> Iterator[Window]:
        """Every sanction that held, or may have."""
        began, ended = self.epoch.moderated.began, self.epoch.moderated.ended
        for each in self.epoch.moderated.before.sanctions.values():
            start = Window(
                each.kind, each.username, each.reason, each.of_device,
                began, began, ended, ended, each.until,
            )  # fmt: skip
            yield self._lifted(start)
        for action in self.actions:
            if action.action in {"ban", "mute"} and action.possible:
                window = Window(
                    action.action,
                    action.about,
                    action.fields.get("reason", ""),
                    "username" not in action.fields,
                    action.asked,
                    action.answered if action.done else math.inf,
                    ended,
                    ended,
                    action.fields.get("until"),
                )
                yield self._lifted(window)

    def _lifted(self, window: Window) -> Window:
        """With its ends: by the first that may have lifted it, and the first that surely did."""
        ends, may_end = window.ends, window.may_end
        for action in self.actions:
            if not action.possible or not _lifts(action, window):
                continue
            if action.latest < window.may_begin or action.fields.get("reason") == window.mark:
                continue
            ends = min(ends, action.asked)
            if action.done and action.asked > window.begins:
                may_end = min(may_end, action.answered)
        return Window(
            window.kind, window.about, window.mark, window.of_device,
            window.may_begin, window.begins, ends, may_end, window.until,
        )  # fmt: skip

    def roles(self, name: str, begin: float, end: float) -> set[str]:
        """What somebody may have been in a stretch of time."""
        was = "moderator" if name in self.epoch.moderated.before.moderators else "member"
        roles = {was}
        for action in self.actions:
            if action.action != "set_role" or action.about != name or not action.possible:
                continue
            role = action.fields["role"]
            if action.answered < begin and action.done:
                roles = {role}
            elif action.asked <= end:
                roles.add(role)
        return roles

    def renewals(self) -> list[Action]:
        """What made, or may have made, a new invite."""
        return [each for each in self.actions if each.possible and each.renews_invite]


def _lifts(action: Action, window: Window) -> bool:
    if action.about != window.about:
        return False
    if window.kind == "mute":
        return action.action in {"mute", "unmute"}
    if action.action != "unban":
        return False
    if "number" in action.fields:
        return action.mark == window.mark
    return not window.of_device


class Timeline:
    """All histories, and everything that was done in each."""

    def __init__(self, history: History) -> None:
        self.clock = history.clock
        self._deeds = {epoch.name: Deeds(epoch) for epoch in history.epochs}
        self._by_time = list(self._deeds.values())
        for client in history.clients:
            for name, action in _actions_of(client.records, client.person):
                if name in self._deeds:
                    self._deeds[name].actions.append(action)
        self._take_host(history.host)
        for deeds in self._by_time:
            deeds.actions.sort(key=lambda action: action.asked)
        self.windows = {name: list(deeds.windows()) for name, deeds in self._deeds.items()}
        self._about: dict[tuple[str, str], list[Window]] = defaultdict(list)
        for windows in self.windows.values():
            for window in windows:
                self._about[window.kind, window.about].append(window)

    def _take_host(self, records: Iterable[Record]) -> None:
        orders: dict[int, Action] = {}
        for record in records:
            match record:
                case Ordered():
                    # Numbers begin again with each life; who was killed gets no answer any more.
                    action = _action(HOST, record)
                    orders[record.number] = action
                    self.at(record.at).actions.append(action)
                case Answered() if record.number in orders:
                    answered(orders.pop(record.number), record)
                case Learned():
                    self.at(record.since).secrets.append(record)
                case _:
                    pass

    def at(self, time: int) -> Deeds:
        """The history that the server had then: of what reached it, and was answered."""
        return next(
            (deeds for deeds in self._by_time if time < deeds.epoch.moderated.ended),
            self._by_time[-1],
        )

    def all(self) -> Sequence[Deeds]:
        """One for each history, in their order."""
        return self._by_time

    def about(self, kind: str, name: str) -> Sequence[Window]:
        """What held of a kind for somebody, in all histories."""
        return self._about[kind, name]


def _actions_of(records: Iterable[Record], person: str) -> Iterator[tuple[str | None, Action]]:
    """What a moderator asked for, each with the history it was asked of."""
    epoch: str | None = None
    orders: dict[int, Action] = {}
    for record in records:
        match record:
            case Began() | Connected() | Disconnected():
                orders.clear()
            case Welcomed():
                epoch = record.epoch
            case Ordered():
                orders[record.number] = action = _action(person, record)
                yield epoch, action
            case Answered() if record.number in orders:
                answered(orders.pop(record.number), record)
            case _:
                pass


def _action(by: str, order: Ordered) -> Action:
    return Action(by, order.action, order.fields, order.about, order.mark, order.at)


def answered(action: Action, answer: Answered) -> None:
    """Note what came of it."""
    action.answered = answer.at
    action.code = answer.code
