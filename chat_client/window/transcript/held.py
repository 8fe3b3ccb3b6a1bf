"""Which events of a room the message list holds. Pure."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from chat_client.window.transcript.wording import weight
from common.protocol.events import Event

MOST: Final = 320
"""Maximum number of events held."""
MOST_WEIGHT: Final = 4_000
"""Maximum weight of all held events (`wording.weight`): Tk lays all of it out at a new width."""
STEP_WEIGHT: Final = 120
"""Maximum weight drawn in one turn: about 10 ms, or 40 emoji whose pictures are not loaded."""


class Held:
    """Consecutive events, oldest first, with the weight of each."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._weights: deque[int] = deque()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __getitem__(self, at: int) -> Event:
        return self._events[at]

    def at(self, seq: int) -> int | None:
        """The index of the event with this `seq`; None if it is not held."""
        at = seq - self._events[0].seq if self._events else -1
        if 0 <= at < len(self._events) and self._events[at].seq == seq:
            return at
        # Held events are consecutive; should there be a gap all the same, search.
        return next((at for at, event in enumerate(self._events) if event.seq == seq), None)

    def find(self, seq: int) -> Event:
        """The event with this `seq`. Raises KeyError if it is not held."""
        at = self.at(seq)
        if at is None:
            raise KeyError(seq)
        return self._events[at]

    @property
    def first(self) -> int:
        """The `seq` of the oldest event; 0 for none."""
        return self._events[0].seq if self._events else 0

    @property
    def last(self) -> int:
        """The `seq` of the newest event; 0 for none."""
        return self._events[-1].seq if self._events else 0

    def clear(self) -> None:
        """Remove all events."""
        self._events.clear()
        self._weights.clear()
        self._weight = 0

    def append(self, events: Sequence[Event]) -> None:
        """Add newer events at the end."""
        for event in events:
            self._events.append(event)
            self._weights.append(weight_of(event))
            self._weight += self._weights[-1]

    def prepend(self, events: Sequence[Event]) -> None:
        """Add older events at the beginning."""
        for event in reversed(events):
            self._events.appendleft(event)
            self._weights.appendleft(weight_of(event))
            self._weight += self._weights[0]

    def has_room(self, events: Sequence[Event]) -> bool:
        """Whether these fit as well within `MOST` and `MOST_WEIGHT`."""
        weight = self._weight + sum(map(weight_of, events))
        return len(self) + len(events) <= MOST and weight <= MOST_WEIGHT

    def excess(self, *, newest: bool, spare: int) -> int:
        """Number of events at one end that exceed the limits.

        The `spare` outermost at the other end, in view or near it, are kept whatever they weigh.
        """
        count, weight = len(self._events), self._weight
        weights = reversed(self._weights) if newest else iter(self._weights)
        drop = 0
        while count - drop > spare and (count - drop > MOST or weight > MOST_WEIGHT):
            weight -= next(weights)
            drop += 1
        return drop

    def drop(self, count: int, *, newest: bool) -> list[Event]:
        """Remove `count` events at an end; returns them, the outermost first."""
        dropped = []
        for _ in range(count):
            dropped.append(self._events.pop() if newest else self._events.popleft())
            self._weight -= self._weights.pop() if newest else self._weights.popleft()
        return dropped


def weight_of(event: Event) -> int:
    """Cost of drawing an event; see `wording.weight`."""
    return weight(event.text)


def fitting(events: Sequence[Event], *, newest: bool, most: int = STEP_WEIGHT) -> Sequence[Event]:
    """As many of these, from one end, as fit in the weight `most`; at least one."""
    weights = 0
    count = 0
    for event in reversed(events) if newest else events:
        weights += weight_of(event)
        if count and weights > most:
            break
        count += 1
    return events[len(events) - count :] if newest else events[:count]
