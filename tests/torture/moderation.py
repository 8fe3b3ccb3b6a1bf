"""The checker's part for what is done to people: bans, mutes, roles, the invite, the audit log.

Only what is sure is judged. What was asked for and not answered may hold or may not; the audit log
tells in the end what was done, and has to have all that was acknowledged, once and in order.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from common.domain.names import GENERAL
from tests.torture.actions import Action, Deeds, Timeline, Window
from tests.torture.clock import ServerClock
from tests.torture.copies import Copy
from tests.torture.epochs import Epoch
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import (
    HOST,
    Acked,
    Admitted,
    Began,
    Connected,
    Heard,
    KeptOut,
    Learned,
    LetIn,
    Listed,
    Paged,
    Parted,
    Record,
    Refused,
    Transmitted,
    Tried,
    TurnedAway,
    Welcomed,
)
from tests.torture.rights import Entry, differences, followed

KINDS: Final = frozenset(
    {
        Kind.AUDIT_MISSING,
        Kind.AUDIT_EXTRA,
        Kind.RIGHTS_DIFFER,
        Kind.SHOWN_TO_BANNED,
        Kind.BANNED_LET_IN,
        Kind.HEARD_THOUGH_BANNED,
        Kind.HEARD_THOUGH_MUTED,
        Kind.UNJUST,
        Kind.NOT_ALLOWED,
        Kind.OLD_LINK,
        Kind.JOIN_LOST,
    }
)
"""What is found here."""
_MAY_NOT: Final = "not_allowed"


def check_moderation(history: History) -> Iterator[Violation]:
    """Everything that is wrong with it."""
    timeline = Timeline(history)
    stored = _Stored(history)
    for deeds in timeline.all():
        yield from check_audit(deeds, timeline.clock)
        yield from check_roles(deeds)
        yield from check_silence(deeds.epoch, timeline, stored)
    yield from check_host(history.host, timeline)
    for client in history.clients:
        watch = _Watch(client, timeline, stored)
        for record in client.records:
            yield from watch.take(record)


# When things were stored


class _Stored:
    """Of each history and room: when an event was surely not stored yet, and when it surely was."""

    def __init__(self, history: History) -> None:
        self.sent: dict[str, int] = {}
        """By cid, when it was transmitted for the first time."""
        seen: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for client in history.clients:
            copy = Copy()
            for record in client.records:
                copy.take(record)
                match record:
                    case Transmitted():
                        first = self.sent.get(record.cid, record.at)
                        self.sent[record.cid] = min(first, record.at)
                    case Acked() if copy.server is not None:
                        places = seen[copy.server, record.room]
                        places[record.seq] = min(record.at, places.get(record.seq, record.at))
                    case Heard(event=event) if copy.server is not None:
                        places = seen[copy.server, event.room]
                        places[event.seq] = min(record.at, places.get(event.seq, record.at))
                    case _:
                        pass
        self._after: dict[tuple[str, str], dict[int, float]] = {}
        self._before: dict[tuple[str, str], dict[int, float]] = {}
        for epoch in history.epochs:
            self._place(epoch, seen)

    def _place(self, epoch: Epoch, seen: Mapping[tuple[str, str], Mapping[int, int]]) -> None:
        """An event is stored after all before it were sent, and before any after it was seen."""
        rooms: dict[str, list[int]] = defaultdict(list)
        for event in epoch.tail():
            rooms[event.room].append(event.seq)
        for room, places in rooms.items():
            after = self._after[epoch.name, room] = {}
            latest: float = -math.inf
            for seq in places:
                stored = epoch.at(room, seq)
                sent = self.sent.get(stored.cid) if stored is not None else None
                latest = max(latest, -math.inf if sent is None else sent)
                after[seq] = latest
            before = self._before[epoch.name, room] = {}
            earliest: float = epoch.moderated.ended
            found = seen.get((epoch.name, room), {})
            for seq in reversed(places):
                earliest = min(earliest, found.get(seq, math.inf))
                before[seq] = earliest

    def after(self, epoch: str, room: str, seq: int) -> float:
        """When it was surely not stored yet."""
        return self._after.get((epoch, room), {}).get(seq, -math.inf)

    def before(self, epoch: str, room: str, seq: int) -> float:
        """When it surely was."""
        return self._before.get((epoch, room), {}).get(seq, math.inf)


# The audit log


def check_audit(deeds: Deeds, clock: ServerClock) -> Iterator[Violation]:
    """All that was acknowledged, once, in order; nothing else; and the tables are as it says."""
    audit = deeds.epoch.moderated.audit
    by: dict[str, list[Entry]] = defaultdict(list)
    for number, entry in enumerate(audit, deeds.epoch.moderated.before.last_entry + 1):
        if entry.number != number:
            yield Violation(Kind.AUDIT_MISSING, entry.by, detail=f"no entry {number}")
            break
    for entry in audit:
        by[entry.by].append(entry)
    actions: dict[str, list[Action]] = defaultdict(list)
    for action in deeds.actions:
        actions[action.by].append(action)
    for actor in by.keys() | actions.keys():
        yield from _match(actor, actions[actor], by[actor])
    yield from _in_time(deeds)
    wanted = followed(deeds.epoch.moderated.before, audit)
    moderated = deeds.epoch.moderated
    told = clock.told(moderated.began, min(moderated.ended, time.monotonic_ns()))
    for difference in differences(wanted, moderated.after, math.inf if told is None else told[1]):
        yield Violation(Kind.RIGHTS_DIFFER, "server", detail=difference)


def _match(actor: str, actions: Sequence[Action], entries: Sequence[Entry]) -> Iterator[Violation]:
    """What one of them asked for, one after the other, and what is written down of it."""
    taken = {0}
    for action in actions:
        followed_by = {
            place + 1 for place in taken if place < len(entries) and _is_of(entries[place], action)
        }
        match action.code:
            case "":
                if not followed_by:
                    yield Violation(Kind.AUDIT_MISSING, actor, detail=_told(action))
                    return
                taken = followed_by
            case None:
                taken |= followed_by
            case _:
                pass
    if len(entries) not in taken:
        entry = entries[max(taken)]
        yield Violation(Kind.AUDIT_EXTRA, actor, detail=f"{entry.number}: {entry.action}")


def _is_of(entry: Entry, action: Action) -> bool:
    """With all that was asked for; what a number in it means is told beside it."""
    asked, told = action.fields, entry.fields
    explained = told.keys() - asked.keys()
    return (
        entry.action == action.action
        and all(name in told and told[name] == value for name, value in asked.items())
        and explained <= {"username", "device"}
        and told.get("username", action.about) == action.about
    )


def _in_time(deeds: Deeds) -> Iterator[Violation]:
    """What was asked for after something was done comes after it, whoever asked."""
    known: dict[tuple[str, str], Action] = {
        (action.action, action.fields["reason"]): action
        for action in deeds.actions
        if action.possible and action.fields.get("reason")
    }
    latest = -math.inf
    for entry in deeds.epoch.moderated.audit:
        action = known.get((entry.action, entry.fields.get("reason", "")))
        if action is None:
            continue
        if action.done and action.answered < latest:
            yield Violation(Kind.AUDIT_MISSING, action.by, detail=f"too late: {_told(action)}")
        latest = max(latest, action.asked)


def _told(action: Action) -> str:
    return f"{action.action} {dict(action.fields)}"


# Roles


def check_roles(deeds: Deeds) -> Iterator[Violation]:
    """Moderators alone do something, and to members alone; and those may."""
    for action in deeds.actions:
        if action.by == HOST or action.code is None:
            continue
        own = deeds.roles(action.by, action.asked, action.answered)
        others = deeds.roles(action.about, action.asked, action.answered)
        if action.done and (own == {"member"} or others == {"moderator"}):
            yield Violation(Kind.NOT_ALLOWED, action.by, detail=_told(action))
        if action.code == _MAY_NOT and (own, others) == ({"moderator"}, {"member"}):
            yield Violation(Kind.UNJUST, action.by, detail=_told(action))


# Silence


def check_silence(epoch: Epoch, timeline: Timeline, stored: _Stored) -> Iterator[Violation]:
    """Nothing that was sent after a mute or a ban is stored before it is lifted."""
    kinds = {"ban": Kind.HEARD_THOUGH_BANNED, "mute": Kind.HEARD_THOUGH_MUTED}
    windows: dict[str, list[Window]] = defaultdict(list)
    for window in timeline.windows[epoch.name]:
        if not window.of_device:
            windows[window.about].append(window)
    for event in epoch.tail():
        sent = stored.sent.get(event.cid) if event.is_message else None
        if sent is None:
            continue
        known = stored.before(epoch.name, event.room, event.seq)
        for window in windows[event.sender]:
            stored_by = known
            if window.until is None and window.ends == epoch.moderated.ended:
                stored_by = sent  # Never lifted: whenever it was stored is within.
            if math.isfinite(stored_by) and window.held(sent, stored_by, timeline.clock):
                yield Violation(
                    kinds[window.kind], event.sender, event.room, event.seq, window.mark
                )


# What a client was let and told


class _Watch:
    """One device: let in, shown, refused and sent away."""

    def __init__(self, client: Client, timeline: Timeline, stored: _Stored) -> None:
        self._person = client.person
        self._device = client.device
        self._timeline = timeline
        self._stored = stored
        self._connected = 0
        self._epoch = ""
        self._ended_by = math.inf
        """When a ban was acknowledged that must have ended the present connection."""
        self._sent: dict[str, int] = {}

    def take(self, record: Record) -> Iterator[Violation]:
        """What is wrong with the next one."""
        match record:
            case Began() | Connected():
                self._connected = record.at
                self._ended_by = math.inf
                self._sent.clear()
            case Welcomed():
                self._epoch = record.epoch
            case Admitted():
                yield from self._admitted(record.at)
            case Transmitted():
                self._sent[record.cid] = record.at
            case Heard() | Paged() | Acked():
                yield from self._arrived(record)
            case Refused() | TurnedAway() | Parted():
                if not self._may_be(record):
                    what = record.reason if isinstance(record, Refused) else record.code
                    yield Violation(Kind.UNJUST, self._device, detail=what)
            case _:
                pass

    def _arrived(self, record: Heard | Paged | Acked) -> Iterator[Violation]:
        """Nothing that was said after a ban arrives on a connection that the ban has ended."""
        if isinstance(record, Heard):
            room, seq = record.event.room, record.event.seq
        elif isinstance(record, Paged):
            room, seq = record.room, record.events[-1].seq if record.events else 0
        else:
            room, seq = record.room, record.seq
        after = self._stored.after(self._epoch, room, seq)
        if isinstance(record, Acked):
            after = self._sent.get(record.cid, -math.inf)
        if after > self._ended_by:
            acked = isinstance(record, Acked)
            kind = Kind.HEARD_THOUGH_BANNED if acked else Kind.SHOWN_TO_BANNED
            yield Violation(kind, self._device, room, seq)

    def _may_be(self, record: Refused | TurnedAway | Parted) -> bool:
        """Whether what somebody was told may hold, as far as it is of those things."""
        match record:
            case Refused(reason="muted"):
                begin = self._sent.get(record.cid, self._connected)
                return self._may_hold("mute", begin, record.at)
            case TurnedAway(code="banned") | Parted(code="banned"):
                return self._may_hold("ban", self._connected, record.at)
            case Parted(code="terminated"):
                return self._may_be_terminated(record.at)
            case _:
                return True

    def _admitted(self, at: int) -> Iterator[Violation]:
        for window in self._timeline.windows.get(self._epoch, ()):
            if window.kind != "ban" or not _covers(window, self._person, self._device):
                continue
            if window.held(self._connected, at, self._timeline.clock):
                yield Violation(Kind.BANNED_LET_IN, self._device, detail=window.mark)
            lasted = window.until is None and window.ends > at
            if at < window.begins < math.inf and (at < window.may_begin or lasted):
                self._ended_by = min(self._ended_by, window.begins)

    def _may_hold(self, kind: str, begin: int, end: int) -> bool:
        return any(
            window.may_have_held(begin, end, self._timeline.clock)
            for window in self._timeline.about(kind, self._person)
            if _covers(window, self._person, self._device)
        )

    def _may_be_terminated(self, at: int) -> bool:
        return any(
            action.action == "terminate" and action.possible and action.about == self._person
            for deeds in self._timeline.all()
            for action in deeds.actions
            if action.asked <= at and action.latest >= self._connected
        )


def _covers(window: Window, person: str, device: str) -> bool:
    """A ban of a person covers all devices; one of a device the first one of the person."""
    return window.about == person and (not window.of_device or device == person)


# What the host and guests were told


def check_host(records: Iterable[Record], timeline: Timeline) -> Iterator[Violation]:
    """What was listed, and who was let in by which link."""
    learned: list[Learned] = []
    tried: dict[str, Tried] = {}
    for record in records:
        match record:
            case Listed():
                yield from _check_list(record, timeline)
            case Learned():
                learned.append(record)
            case Tried():
                tried[record.guest] = record
            case LetIn():
                yield from _check_let_in(tried[record.guest], record, learned, timeline)
            case KeptOut():
                yield from _check_kept_out(tried[record.guest], record, learned, timeline)
            case _:
                pass


def _check_list(listed: Listed, timeline: Timeline) -> Iterator[Violation]:
    deeds = timeline.at(listed.since)
    begin, end = listed.since, listed.at
    marks = set(listed.sanctions)
    for window in timeline.windows[deeds.epoch.name]:
        if window.mark not in marks and window.held(begin, end, timeline.clock):
            yield Violation(Kind.RIGHTS_DIFFER, "host", detail=f"not listed: {window.mark}")
        if window.mark in marks and not window.may_have_held(begin, end, timeline.clock):
            yield Violation(Kind.RIGHTS_DIFFER, "host", detail=f"listed: {window.mark}")
    for name in {action.about for action in deeds.actions if action.action == "set_role"}:
        told = "moderator" if name in listed.moderators else "member"
        if told not in deeds.roles(name, begin, end):
            yield Violation(Kind.RIGHTS_DIFFER, "host", detail=f"{name} is listed as {told}")


def _check_let_in(
    tried: Tried, let_in: LetIn, learned: Collection[Learned], timeline: Timeline
) -> Iterator[Violation]:
    deeds = timeline.at(tried.at)
    if tried.guest not in deeds.epoch.members.get(GENERAL, ()):
        yield Violation(Kind.JOIN_LOST, tried.guest)
    for window in timeline.windows[deeds.epoch.name]:
        banned = window.kind == "ban" and _covers(window, tried.device, tried.device)
        if banned and window.held(tried.at, let_in.at, timeline.clock):
            yield Violation(Kind.BANNED_LET_IN, tried.guest, detail=window.mark)
    known = [each.at for each in learned if each.secret == tried.secret]
    known = [at for at in known if timeline.at(at) is deeds]
    if known:
        for action in deeds.renewals():
            if action.done and min(known) < action.asked and action.answered < tried.at:
                yield Violation(Kind.OLD_LINK, tried.guest, detail=_told(action))
                return


def _check_kept_out(
    tried: Tried, kept_out: KeptOut, learned: Sequence[Learned], timeline: Timeline
) -> Iterator[Violation]:
    deeds = timeline.at(tried.at)
    if kept_out.code == "banned":
        windows = timeline.about("ban", tried.device)
        if not any(
            window.may_have_held(tried.at, kept_out.at, timeline.clock)
            for window in windows
            if _covers(window, tried.device, tried.device)
        ):
            yield Violation(Kind.UNJUST, tried.guest, detail="banned")
    if kept_out.code == "bad_secret":
        last = [each for each in learned if each.secret == tried.secret]
        last = [each for each in last if timeline.at(each.since) is deeds]
        if last and not any(
            action.asked <= kept_out.at and action.latest >= last[-1].since
            for action in deeds.renewals()
            if not _made(action, last[-1])
        ):
            yield Violation(Kind.UNJUST, tried.guest, detail="the link is the newest")


def _made(action: Action, learned: Learned) -> bool:
    """Whether the link was made by this very action."""
    return action.action == "new_invite" and action.answered <= learned.at <= action.answered + 1e9


def done(history: History) -> Mapping[str, int]:
    """How often each thing was done and acknowledged, by the command's name."""
    found: dict[str, int] = defaultdict(int)
    for deeds in Timeline(history).all():
        for action in deeds.actions:
            found[action.action] += action.done
    return found
