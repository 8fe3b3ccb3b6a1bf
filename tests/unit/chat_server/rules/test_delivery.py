"""Whatever the order of things, every session gets a room's events once each and without a hole.

A model of the server: the rules of delivery themselves, a log that grows and whose last events
are at hand for a while, readers that answer when they like, and an I/O thread that carries
effects out one after the other some time later.
"""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chat_server.rules.delivery import ROOMS_AT_ONCE, Delivery
from chat_server.rules.effects import Effect, GoLive, ReadPage, WriteEvents, WritePage
from chat_server.rules.inputs import Drained, FellBehind, PageRead
from chat_server.rules.sessions import Session
from common.protocol.events import Event
from tests.events import said

ROOMS = ("general", "dm:ada:bob")
SESSIONS = (1, 2)
PAGE = 3
"""Events of a page: few, so that catching up takes several."""
OUTBOX = 4
"""Events an outbox may hold before live ones are cut off."""

Published = tuple[str, int, int]
"""A fan-out: room, first, last."""


def _events(room: str, first: int, last: int) -> tuple[Event, ...]:
    return tuple(said(seq, room=room) for seq in range(first, last + 1))


class Deliveries(RuleBasedStateMachine):
    """The hub's side is real; the I/O thread, the readers and the clients are played."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = dict.fromkeys(ROOMS, 0)
        self.delivery = Delivery(lambda room: self.heads[room])
        self.sessions = {number: Session(number, "", 0) for number in SESSIONS}
        self.started: dict[tuple[int, str], int] = {}
        self.jobs: list[ReadPage] = []
        self.left: list[list[tuple[str, int]]] = []
        """The pages that readers left with the I/O thread, by number."""
        self.to_io: deque[Effect | Published] = deque()
        self.to_hub: deque[PageRead | FellBehind | Drained] = deque()
        self.live: dict[str, set[int]] = {room: set() for room in ROOMS}
        self.outbox: dict[int, deque[tuple[str, int]]] = {number: deque() for number in SESSIONS}
        self.reports_drained: set[int] = set()
        self.full: set[int] = set()
        """Sessions of which the hub knows that their outboxes are full."""
        self.brought: dict[int, int] = dict.fromkeys(SESSIONS, 0)
        self.page_left: dict[int, int] = dict.fromkeys(SESSIONS, 0)
        """How much of an outbox is in front of the end of its last page."""
        self.got: dict[tuple[int, str], list[int]] = {}

    # The hub

    def _release(self, effects: list[Effect]) -> None:
        for effect in effects:
            # What was being read when it fell behind still comes: a WritePage.
            if isinstance(effect, ReadPage | WriteEvents):
                assert effect.connection not in self.full, "it is brought what it can't take"
            if isinstance(effect, ReadPage):
                self.jobs.append(effect)
            else:
                self.to_io.append(effect)

    @rule(number=st.sampled_from(SESSIONS), room=st.sampled_from(ROOMS), back=st.integers(0, 5))
    def sync(self, number: int, room: str, back: int) -> None:
        """A client asks for a room from a little before its head, or asks again."""
        self._sync(number, room, max(0, self.heads[room] - back))

    def _sync(self, number: int, room: str, after: int) -> None:
        if (number, room) not in self.started:
            self.started[number, room] = after
            self.got[number, room] = []
        self._release(self.delivery.start(self.sessions[number], room, after))

    @rule(room=st.sampled_from(ROOMS), count=st.integers(1, 4))
    def publish(self, room: str, count: int) -> None:
        """A batch adds events to a room: one fan-out after the commit."""
        first = self.heads[room] + 1
        self.heads[room] += count
        self._committed(room, first)

    @rule(
        room=st.sampled_from(ROOMS),
        count=st.integers(1, 4),
        heard=st.integers(0, 3),
        number=st.sampled_from(SESSIONS) | st.none(),
        back=st.integers(0, 3),
        fails=st.booleans(),
    )
    def batch(
        self, room: str, count: int, heard: int, number: int | None, back: int, *, fails: bool
    ) -> None:
        """Things happen in the batch whose events are not committed yet, and may never be."""
        before = self.heads[room]
        self.heads[room] += count
        if number is not None:
            self._sync(number, room, max(0, before - back))
        for _ in range(min(heard, len(self.to_hub))):
            self.hear()
        if fails:
            self.heads[room] = before
        else:
            self._committed(room, before + 1)

    def _committed(self, room: str, first: int) -> None:
        self.delivery.tails.add(room, _events(room, first, self.heads[room]))
        self.to_io.append((room, first, self.heads[room]))

    @rule(room=st.sampled_from(ROOMS))
    def forget(self, room: str) -> None:
        """A room's tail makes room for others': what comes next is all that is at hand."""
        self.delivery.tails._tails.pop(room, None)

    @precondition(lambda self: self.to_hub)
    @rule()
    def hear(self) -> None:
        """The hub takes the next thing from its queue."""
        item = self.to_hub.popleft()
        session = self.sessions[item.connection]
        match item:
            case PageRead():
                self._release(self.delivery.page(session, item))
            case FellBehind():
                self.full.add(item.connection)
                self._release(self.delivery.fell_behind(session, item.room, item.after))
            case Drained():
                released = self.delivery.drained(session, item.brought)
                if released is not None:
                    self.full.discard(item.connection)
                    self._release(released)

    # A reader

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Some reader answers some job with what the log has by now."""
        job = self.jobs.pop(data.draw(st.integers(0, len(self.jobs) - 1)))
        self._answer(job, data.draw(st.integers(1, len(job.rooms))))

    def _answer(self, job: ReadPage, count: int) -> None:
        """Of the first so many rooms: the others did not fit into the page."""
        lasts: list[tuple[str, int]] = []
        page: list[tuple[str, int]] = []
        for room, after in job.rooms[:count]:
            last = min(self.heads[room], after + PAGE)
            page += [(room, seq) for seq in range(after + 1, last + 1)]
            lasts.append((room, last))
        number = len(self.left) if page else None
        self.left += [page] if page else []
        self.to_hub.append(PageRead(job.connection, number, tuple(lasts)))

    # The I/O thread

    @precondition(lambda self: self.to_io)
    @rule()
    def carry_out(self) -> None:
        """The I/O thread takes the next effect."""
        effect = self.to_io.popleft()
        match effect:
            case GoLive():
                self.live[effect.room].add(effect.connection)
            case WritePage():
                self._bring(effect.connection, self.left[effect.page])
            case WriteEvents():
                self._bring(effect.connection, [(e.room, e.seq) for e in effect.events])
            case (str(room), int(first), int(last)):
                for number in sorted(self.live[room]):
                    if len(self.outbox[number]) + last + 1 - first > OUTBOX:
                        self.live[room].discard(number)
                        self.reports_drained.add(number)
                        self.to_hub.append(FellBehind(number, room, first - 1))
                    else:
                        self.outbox[number].extend((room, s) for s in range(first, last + 1))

    def _bring(self, number: int, page: list[tuple[str, int]]) -> None:
        assert not self.page_left[number], "one page waits already"
        self.brought[number] += 1
        self.reports_drained.add(number)
        self.outbox[number].extend(page)
        self.page_left[number] = len(self.outbox[number])

    @rule(room=st.sampled_from(ROOMS), other=st.sampled_from(ROOMS), back=st.integers(0, 5))
    def flood(self, room: str, other: str, back: int) -> None:
        """More is said than an outbox holds; then somebody asks for something else."""
        for _ in range(2):
            self.publish(room, OUTBOX - 1)
        while self.to_io:
            self.carry_out()
        while self.to_hub:
            self.hear()
        for number in SESSIONS:
            self._sync(number, other, max(0, self.heads[other] - back))

    @rule(number=st.sampled_from(SESSIONS), count=st.integers(1, 6))
    def flush(self, number: int, count: int) -> None:
        """The network takes some of an outbox; the hub hears when there is room for a page."""
        for _ in range(min(count, len(self.outbox[number]))):
            room, seq = self.outbox[number].popleft()
            self.got[number, room].append(seq)
            self.page_left[number] = max(0, self.page_left[number] - 1)
        if number in self.reports_drained and not self.outbox[number]:
            self.reports_drained.discard(number)
            self.to_hub.append(Drained(number, self.brought[number]))

    # What must hold

    @invariant()
    def contiguous(self) -> None:
        """What a client got is a run that starts where it asked, without hole or repetition."""
        for (number, room), got in self.got.items():
            start = self.started[number, room]
            assert got == list(range(start + 1, start + 1 + len(got)))

    @invariant()
    def one_page_at_a_time(self) -> None:
        """A session has at most one page being read, however many rooms it asked for."""
        for number in SESSIONS:
            assert sum(job.connection == number for job in self.jobs) <= 1

    @invariant()
    def one_state(self) -> None:
        """A room is being caught up or live, never both, and no room gets lost."""
        for number, session in self.sessions.items():
            assert not session.live & session.cursors.keys()
            asked = {room for who, room in self.started if who == number}
            assert session.live | session.cursors.keys() == asked

    def teardown(self) -> None:
        """Once everything has run its course, everyone has everything and is live."""
        busy, rounds = True, 0
        while busy:
            busy, rounds = False, rounds + 1
            assert rounds < 1000, "this never comes to rest"
            while self.jobs:
                self._answer(self.jobs.pop(0), 1)
                busy = True
            while self.to_hub:
                self.hear()
                busy = True
            while self.to_io:
                self.carry_out()
                busy = True
            for number in SESSIONS:
                busy |= bool(self.outbox[number]) or number in self.reports_drained
                self.flush(number, 1000)
        self.contiguous()
        for (number, room), got in self.got.items():
            assert [self.started[number, room], *got][-1] == self.heads[room]
            assert number in self.live[room]
            assert room in self.sessions[number].live


Deliveries.TestCase.settings = settings(
    settings.get_profile("chat"), max_examples=60, stateful_step_count=60
)
TestDelivery = Deliveries.TestCase


def test_what_is_at_hand_is_not_read() -> None:
    """A session that missed little is live at once; one that missed more reads first."""
    delivery = Delivery(lambda _room: 9)
    delivery.tails.add("general", _events("general", 7, 9))
    near, far = Session(1, "", 0), Session(2, "", 0)
    tail = _events("general", 8, 9)
    assert delivery.start(near, "general", 7) == [WriteEvents(1, tail), GoLive(1, "general")]
    assert delivery.start(far, "general", 5) == [ReadPage(2, (("general", 5),))]
    assert delivery.page(far, PageRead(2, 5, (("general", 7),))) == [WritePage(2, 5)]
    assert delivery.drained(far, 1) == [WriteEvents(2, tail), GoLive(2, "general")]


def test_what_is_at_hand_waits_for_its_turn_too() -> None:
    """Rooms whose missing events are in memory are written one after the other."""
    delivery = Delivery(lambda _room: 2)
    session = Session(1, "", 0)
    for room in ROOMS:
        delivery.tails.add(room, _events(room, 1, 2))
    begun = delivery.start(session, ROOMS[0], 0)
    assert [type(effect) for effect in begun] == [WriteEvents, GoLive]
    assert delivery.start(session, ROOMS[1], 0) == []
    written = WriteEvents(1, _events(ROOMS[1], 1, 2))
    assert delivery.drained(session, 1) == [written, GoLive(1, ROOMS[1])]


def test_a_head_that_was_taken_back_makes_nothing_live_under_a_reader() -> None:
    """A page asked for because of an event that was never stored: its room waits for the answer."""
    head = 1
    delivery = Delivery(lambda room: head if room == "general" else 0)
    session = Session(1, "", 0)
    assert delivery.start(session, "general", 0) == [ReadPage(1, (("general", 0),))]
    head = 0
    assert delivery.start(session, "dm:ada:bob", 0) == [GoLive(1, "dm:ada:bob")]
    read = PageRead(1, None, (("general", 0),))
    assert delivery.page(session, read) == [GoLive(1, "general")]


def test_thousands_of_rooms_cost_what_each_costs() -> None:
    """Starting them, reading them and going live: the work grows as their number, not faster."""

    def looks(count: int) -> int:
        looked = 0

        def head(_room: str) -> int:
            nonlocal looked
            looked += 1
            return 1

        delivery = Delivery(head)
        session = Session(1, "", 0)
        effects = [e for n in range(count) for e in delivery.start(session, f"dm:a:b{n}", n % 2)]
        pages = 0
        while jobs := [effect for effect in effects if isinstance(effect, ReadPage)]:
            (job,) = jobs
            pages += 1
            read = PageRead(1, 1, tuple((room, 1) for room, _ in job.rooms))
            effects = [*delivery.page(session, read), *(delivery.drained(session, pages) or ())]
        assert len(session.live) == count
        assert pages <= count // ROOMS_AT_ONCE + 2
        return looked

    assert looks(8000) <= 4.2 * looks(2000)


def test_what_had_to_be_written_before_a_page_is_not_the_page() -> None:
    """It fell behind while it read: that it has room again does not bring two pages at once."""
    heads = {"general": 9, "dm:ada:bob": 0}
    delivery = Delivery(heads.__getitem__)
    session = Session(1, "", 0)
    assert delivery.start(session, "general", 0) == [ReadPage(1, (("general", 0),))]
    assert delivery.start(session, "dm:ada:bob", 0) == [GoLive(1, "dm:ada:bob")]
    heads["dm:ada:bob"] = 1
    assert delivery.fell_behind(session, "dm:ada:bob", 0) == []
    assert delivery.page(session, PageRead(1, 3, (("general", 5),))) == [WritePage(1, 3)]
    assert delivery.drained(session, 0) is None
    rest = (("general", 5), ("dm:ada:bob", 0))
    assert delivery.drained(session, 1) == [ReadPage(1, rest)]
