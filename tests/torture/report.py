"""What a run came to: counts, the longest recovery, and what was wrong."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.domain.names import GENERAL
from tests.torture.copies import Copy
from tests.torture.faults import SET_BACK, Over
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.moderation import done
from tests.torture.record import (
    Acked,
    Applied,
    Began,
    Filled,
    Kept,
    LetIn,
    Paged,
    Record,
    Refused,
    TurnedAway,
)

_LOST: Final = {Kind.ACK_LOST, Kind.LOST, Kind.NOT_DELIVERED}
_TWICE: Final = {Kind.DUPLICATE, Kind.REPEATED_ON_WIRE, Kind.ECHOED}
_REORDERED: Final = {Kind.DEVICE_ORDER, Kind.EFFECT_BEFORE_CAUSE, Kind.ACK_MOVED}


@dataclass(slots=True)
class Recovery:
    """Of one kind of fault: how often it happened, and the longest recoveries, in milliseconds.

    Recovery is counted from the moment the fault was over: a killed program is started again,
    a link is whole. What other faults do meanwhile counts too; but if the server goes away
    before all is well, the recovery is counted for what took the server.
    """

    times: int = 0
    first_ack: float = 0.0
    """To the first acknowledgement to anyone."""
    caught_up: float = 0.0
    """Until every device has what any of them had when the fault was over."""


@dataclass(slots=True)
class Report:
    """One run."""

    seed: int
    seconds: float
    sent: int = 0
    acknowledged: int = 0
    delivered: int = 0
    set_back: int = 0
    """Acknowledged messages that the log lacks since an older backup was restored."""
    pages: int = 0
    """Of history."""
    done: Mapping[str, int] = field(default_factory=dict)
    """What was done to people and to the chat, and acknowledged, by the command's name."""
    joins: int = 0
    """Of guests."""
    turned_away: int = 0
    """How often somebody banned knocked in vain."""
    unheard: int = 0
    """Messages that somebody muted tried to send."""
    recoveries: Mapping[str, Recovery] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    kept: Path | None = None
    """Where everything is to be looked at, if something was wrong."""

    @property
    def kills(self) -> int:
        """How often a program was killed."""
        killing = ("kill", *SET_BACK)
        return sum(r.times for kind, r in self.recoveries.items() if kind.startswith(killing))

    def lines(self) -> list[str]:
        """For a person on a terminal."""
        counts = [("lost", _LOST), ("duplicated", _TWICE), ("reordered", _REORDERED)]
        longest_ack = max((r.first_ack for r in self.recoveries.values()), default=0)
        longest = max((r.caught_up for r in self.recoveries.values()), default=0)
        return [
            f"seed {self.seed}, {self.seconds:.0f} s",
            f"messages sent          {self.sent}",
            f"messages acknowledged  {self.acknowledged}",
            f"  set back by backups  {self.set_back}",
            f"events delivered       {self.delivered}",
            f"pages of history       {self.pages}",
            f"guests who joined      {self.joins}",
            f"banned and turned away {self.turned_away}",
            f"muted and not heard    {self.unheard}",
            "acknowledged           "
            + ", ".join(f"{name} {times}" for name, times in sorted(self.done.items())),
            *(f"{name:<22} {self._messages(kinds)}" for name, kinds in counts),
            f"{'kills':<22} {self.kills}",
            f"longest recovery       {longest_ack:.0f} ms to the first acknowledgement",
            f"                       {longest:.0f} ms until all had caught up",
            f"{'faults':<28} {'times':>6} {'first ack':>10} {'caught up':>10}",
            *(
                f"  {kind:<26} {r.times:>6} {r.first_ack:>7.0f} ms {r.caught_up:>7.0f} ms"
                for kind, r in sorted(self.recoveries.items())
            ),
            f"violations             {len(self.violations)}",
            *(f"  {violation}" for violation in self.violations[:50]),
            *([] if self.kept is None else [f"everything is in {self.kept}"]),
        ]

    def _messages(self, kinds: Collection[Kind]) -> int:
        """How many messages that was wrong with: one may be, in more than one way."""
        return len(
            {
                (violation.who, violation.detail or (violation.room, violation.seq))
                for violation in self.violations
                if violation.kind in kinds
            }
        )


def summarise(
    history: History,
    violations: Sequence[Violation],
    over: Sequence[Over],
    *,
    seed: int,
    seconds: float,
) -> Report:
    """The report of a run. `over` are its faults, in the order of their ends."""
    report = Report(seed, seconds, violations=violations)
    acks = array("q")
    tracks = [_follow(client, history, report, acks) for client in history.clients]
    report.joins = sum(isinstance(record, LetIn) for record in history.host)
    report.done = done(history)
    report.recoveries = _recoveries(history, tracks, sorted(acks), over)
    return report


@dataclass(slots=True)
class _Track:
    """How far a device had come in the room everyone is in, and when; both only grow."""

    times: array[int] = field(default_factory=lambda: array("q"))
    seqs: array[int] = field(default_factory=lambda: array("q"))

    def came_to(self, seq: int, time: int) -> None:
        """At that time it had everything up to `seq`."""
        if not self.seqs or seq > self.seqs[-1]:
            self.times.append(time)
            self.seqs.append(seq)

    def at(self, time: int) -> int:
        """Its position then."""
        count = bisect_left(self.times, time)
        return self.seqs[count - 1] if count else 0

    def reached(self, seq: int) -> int:
        """When it came there; a far future if never."""
        count = bisect_left(self.seqs, seq)
        return self.times[count] if count < len(self.times) else 1 << 62


def _count(record: Record, report: Report) -> None:
    match record:
        case Paged():
            report.pages += 1
        case TurnedAway():
            report.turned_away += 1
        case Refused(reason="muted"):
            report.unheard += 1
        case _:
            pass


_Tracks = dict[str | None, _Track]
"""One for each history: by the epoch's name."""


def _follow(client: Client, history: History, report: Report, acks: array[int]) -> _Tracks:
    """Count what the device did, and note how far it was when."""
    tracks: _Tracks = {epoch.name: _Track() for epoch in history.epochs}
    copy = Copy()
    acked: set[str] = set()
    for record in client.records:
        copy.take(record)
        track = tracks.get(copy.of)
        match record:
            case Kept():
                report.sent += 1
            case Acked():
                acks.append(record.at)
                acked.add(record.cid)
            case Applied(event=event):
                report.delivered += 1
                if event.room == GENERAL and track is not None:
                    track.came_to(event.seq, record.at)
            case Filled() if record.room == GENERAL and track is not None:
                track.came_to(record.last, record.at)
            case Began() if track is not None:
                track.came_to(record.positions.get(GENERAL, 0), record.at)
            case _:
                _count(record, report)
    report.acknowledged += len(acked)
    report.set_back += sum(history.last.place((client.person, cid)) is None for cid in acked)
    return tracks


def _recoveries(
    history: History, tracks: Sequence[_Tracks], acks: Sequence[int], over: Sequence[Over]
) -> dict[str, Recovery]:
    found: dict[str, Recovery] = {}
    epochs = iter(history.epochs)
    epoch = next(epochs)
    next_starts = [each.at for each in over if each.server]
    for each in over:
        if each.kind in SET_BACK:
            epoch = next(epochs, epoch)
        start = bisect_left(next_starts, each.at + 1)
        end = next_starts[start] if start < len(next_starts) else 1 << 61
        recovery = found.setdefault(each.kind, Recovery())
        recovery.times += 1
        first = _first_ack(acks, each.at, end)
        head = epoch.base.get(GENERAL, 0)
        caught_up = _caught_up([track[epoch.name] for track in tracks], head, each.at, end)
        recovery.first_ack = max(recovery.first_ack, first / 1e6)
        recovery.caught_up = max(recovery.caught_up, caught_up / 1e6)
    return found


def _first_ack(acks: Sequence[int], begin: int, end: int) -> int:
    """Nanoseconds to the first acknowledgement; 0 if the server went away before it."""
    place = bisect_left(acks, begin)
    return acks[place] - begin if place < len(acks) and acks[place] < end else 0


def _caught_up(tracks: Sequence[_Track], head: int, begin: int, end: int) -> int:
    """Nanoseconds until everyone had what the first of them had, and `head` at least.

    0 if the server went away before that.
    """
    head = max(head, *(track.at(begin) for track in tracks))
    reached = max((track.reached(head) for track in tracks), default=begin)
    return max(reached - begin, 0) if reached < end else 0
