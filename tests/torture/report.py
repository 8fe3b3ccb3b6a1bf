"""What a run came to: counts, the longest recovery, and what was wrong."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.names import GENERAL
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import Acked, Applied, Began, Kept

_LOST = {Kind.ACK_LOST, Kind.LOST, Kind.NOT_DELIVERED}
_TWICE = {Kind.DUPLICATE, Kind.REPEATED_ON_WIRE, Kind.ECHOED}
_REORDERED = {Kind.DEVICE_ORDER, Kind.EFFECT_BEFORE_CAUSE, Kind.ACK_MOVED}


@dataclass(slots=True)
class Report:
    """One run. Recovery is counted from the moment a killed server is started again."""

    seed: int
    seconds: float
    sent: int
    acknowledged: int
    delivered: int
    first_ack: float
    """The longest time to the first acknowledgement, in milliseconds."""
    caught_up: float
    """The longest time until everyone had what anyone had seen before, in milliseconds."""
    faults: Counter[str] = field(default_factory=Counter)
    violations: Sequence[Violation] = ()
    kept: Path | None = None
    """Where everything is to be looked at, if something was wrong."""

    def lines(self) -> list[str]:
        """For a person on a terminal."""
        counts = [("lost", _LOST), ("duplicated", _TWICE), ("reordered", _REORDERED)]
        kills = sum(count for fault, count in self.faults.items() if fault.startswith("kill"))
        return [
            f"seed {self.seed}, {self.seconds:.0f} s",
            f"messages sent          {self.sent}",
            f"messages acknowledged  {self.acknowledged}",
            f"events delivered       {self.delivered}",
            *(f"{name:<22} {self._messages(kinds)}" for name, kinds in counts),
            f"{'kills':<22} {kills}",
            *(f"  {fault:<20} {count}" for fault, count in sorted(self.faults.items())),
            f"longest recovery       {self.first_ack:.0f} ms to the first acknowledgement",
            f"                       {self.caught_up:.0f} ms until all had caught up",
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
    restarts: Sequence[int],
    faults: Counter[str],
    *,
    seed: int,
    seconds: float,
) -> Report:
    """The report of a run. `restarts` are the times at which the server was started again."""
    records = [record for client in history.clients for record in client.records]
    acks = sorted(record.at for record in records if isinstance(record, Acked))
    progress = [_progress(client) for client in history.clients]
    ends = [*restarts[1:], max((record.at for record in records), default=0) + 1]
    recoveries = [
        (_first_ack(acks, begin, end), _caught_up(progress, begin, end))
        for begin, end in zip(restarts, ends[: len(restarts)], strict=True)
    ]
    return Report(
        seed,
        seconds,
        sent=sum(isinstance(record, Kept) for record in records),
        acknowledged=len({record.cid for record in records if isinstance(record, Acked)}),
        delivered=sum(isinstance(record, Applied) for record in records),
        first_ack=max((first for first, _ in recoveries), default=0) / 1e6,
        caught_up=max((all_of_it for _, all_of_it in recoveries), default=0) / 1e6,
        faults=faults,
        violations=violations,
    )


@dataclass(slots=True)
class _Progress:
    """How far a client had come in the room everyone is in, and when; both only grow."""

    times: list[int] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)

    def at(self, time: int) -> int:
        """Its position then."""
        count = bisect_left(self.times, time)
        return self.seqs[count - 1] if count else 0

    def reached(self, seq: int) -> int:
        """When it came there; a far future if never."""
        count = bisect_left(self.seqs, seq)
        return self.times[count] if count < len(self.times) else 1 << 62


def _progress(client: Client) -> _Progress:
    progress = _Progress()
    for record in client.records:
        match record:
            case Applied(event=event) if event.room == GENERAL:
                seq = event.seq
            case Began(positions=positions):
                seq = positions.get(GENERAL, 0)
            case _:
                continue
        if not progress.seqs or seq > progress.seqs[-1]:
            progress.times.append(record.at)
            progress.seqs.append(seq)
    return progress


def _first_ack(acks: Sequence[int], begin: int, end: int) -> int:
    """Nanoseconds to the first acknowledgement; 0 if the next restart came before it."""
    place = bisect_left(acks, begin)
    return acks[place] - begin if place < len(acks) and acks[place] < end else 0


def _caught_up(progress: Sequence[_Progress], begin: int, end: int) -> int:
    """Nanoseconds until everyone had what the first of them had; 0 if it was cut short."""
    head = max((each.at(begin) for each in progress), default=0)
    reached = max((each.reached(head) for each in progress), default=begin)
    return max(reached - begin, 0) if reached < end else 0
