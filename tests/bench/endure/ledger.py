"""What was said and what came, each against the other: the judge of every single delivery."""

from __future__ import annotations

from array import array
from typing import Final

from common.protocol.events import MESSAGE, Event
from common.protocol.ids import new_cid
from common.protocol.messages import Ack

FAULTS_KEPT: Final = 20
_DUE: Final = slice(24, 44)
"""Where a text has the time that it was due at, in nanoseconds on the monotonic clock."""


class Ledger:
    """The room's log as the members see it, and how long deliveries took.

    Members go through the log place by place, so a place is seen first by somebody who has all
    before it: the ledger grows in order, and whoever comes there later must see the same.
    """

    def __init__(self) -> None:
        self.deliveries = 0
        """Messages that came as events; not those that were acknowledged, and no joins."""
        self.times = array("d")
        """Seconds that each timed delivery took, from when its message was due."""
        self.acks = array("d")
        """Seconds that each acknowledgement took, from when its message was due."""
        self.fault_count = 0
        self.faults: list[str] = []
        self._places: list[int] = []
        self._outstanding: dict[str, tuple[str, str]] = {}
        self._counters: dict[str, int] = {}

    @property
    def head(self) -> int:
        """The last place that anybody has seen."""
        return len(self._places)

    @property
    def outstanding(self) -> int:
        """Messages that were said and that nobody has seen stored yet."""
        return len(self._outstanding)

    def message(self, sender: str, count: int, due: int, size: int) -> tuple[str, str]:
        """The next message of a sender, its `count`th, and its new cid: to be sent at once."""
        cid = new_cid()
        text = f"{sender:12} {count:010} {due:020} ".ljust(size, ".")
        self._outstanding[cid] = (sender, text)
        return cid, text

    def delivered(self, who: str, event: Event, now: int | None) -> None:
        """A member got an event in its turn; `now` is given if its time counts."""
        self._note(who, event)
        if event.is_message:
            self.deliveries += 1
            if now is not None:
                self.times.append((now - int(event.text[_DUE])) / 1e9)

    def acknowledged(self, who: str, ack: Ack, text: str, now: int, *, in_turn: bool) -> None:
        """A member's message is stored; `in_turn`: it stands in the place of the event."""
        self.acks.append((now - int(text[_DUE])) / 1e9)
        if in_turn:
            body = {"text": text}
            self._note(who, Event(ack.room, ack.seq, MESSAGE, who, ack.sent_at, ack.cid, body))

    def agrees(self, event: Event) -> bool:
        """Whether an event is what the members saw in its place."""
        content = hash((event.sender, event.text, event.cid))
        return event.seq <= self.head and self._places[event.seq - 1] == content

    def fault(self, what: str) -> None:
        """A promise was broken. The first ones are kept in words."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(what)

    def forget_times(self) -> None:
        """Begin to time anew."""
        self.times = array("d")
        self.acks = array("d")

    def _note(self, who: str, event: Event) -> None:
        """That a member has seen what stands in a place."""
        seq, sender, text = event.seq, event.sender, event.text
        content = hash((sender, text, event.cid))
        if seq <= len(self._places):
            if self._places[seq - 1] != content:
                self.fault(f"{who} got another event {seq} than others")
            return
        if seq != len(self._places) + 1:
            self.fault(f"{who} got event {seq}, and nobody event {len(self._places) + 1}")
            self._places.extend([0] * (seq - 1 - len(self._places)))
        self._places.append(content)
        if not event.is_message:
            return
        if self._outstanding.pop(event.cid, None) != (sender, text):
            self.fault(f"event {seq} was never said so, or is there twice: {text[:45]}")
        count = int(text[13:23])
        if count <= self._counters.get(sender, -1):
            self.fault(f"event {seq} of {sender} is not in the order in which it was said")
        self._counters[sender] = count
