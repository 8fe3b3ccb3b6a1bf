"""A client and the server's real rules: limits of one room hold up no other, and lose nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from chat_client.state import news
from chat_client.state.outbox_message import OutboxState
from chat_server.hub.queue import Received
from chat_server.rules.message_limits import MessageLimits
from chat_server.store.store import StoreBusyError, StoreFullError
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.messages import ToServer
from tests.contract.engines import MemoryEngine
from tests.events import said
from tests.unit.chat_client.desk import Desk
from tests.unit.chat_server.hub_bench import HubBench

ROOMS = (GENERAL, "dm:ada:bob", "dm:ada:cem")
RATE = 0.5
"""Messages a second; ten go at once."""


class Town:
    """Ada's client, and a hub whose batches a test runs by hand. Both have the same clock."""

    def __init__(self, *, at_once: int = 1, rate: float = RATE) -> None:
        self.bench = HubBench(MemoryEngine())
        self.bench.world.message_limits = MessageLimits(rate)
        self.bob = self.bench.join("bob")
        self.bench.join("cem")
        self.host = self.bench.host()
        self.desk = Desk(joined=False, at_once=at_once)
        self.written: dict[str, list[str]] = {room: [] for room in ROOMS}
        self.under_way: deque[messages.Send] = deque()
        self.connection = 0
        self.bench.now = self.desk.now

    def come_in(self) -> None:
        """Connect, sign in, and list what there is."""
        self.under_way.clear()
        self.connection = self.bench.connect()
        self._carry_out(self.desk.connect())

    def lose(self) -> None:
        """The connection breaks, with what is under way and its answers."""
        self.desk.lose()
        self.under_way.clear()

    def say(self, room: str) -> None:
        """Ada writes something."""
        text = f"{room} {len(self.written[room])}"
        self.written[room].append(text)
        self._carry_out(self.desk.say(text, room))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.bench.now += seconds
        self._carry_out(self.desk.wait(seconds))
        if self.desk.controller.wants_connection:
            self.come_in()

    def batch(self, count: int, *, answered: bool = True) -> None:
        """The hub takes the oldest messages that are under way; the answers may be lost."""
        sends = [self.under_way.popleft() for _ in range(min(count, len(self.under_way)))]
        if not sends:
            return
        released = self.bench.run(Received(self.connection, tuple(sends)))
        if not answered:
            self.lose()
            return
        for send in sends:
            reply = released.answer(self.connection, send)
            assert isinstance(reply, messages.ToClient)
            self._carry_out(self.desk.hear(reply))

    def order(self, command: messages.ToServer) -> None:
        """The host does something; ada's client is told."""
        released = self.bench.run(Received(self.host, (command,)))
        pushes = [each for each in released.told() if isinstance(each, messages.ToClient)]
        if self.desk.controller.status.link.name == "ONLINE":
            self._carry_out(self.desk.hear(*pushes))

    def slow(self, room: str, seconds: int) -> None:
        """The host puts a room into slow mode."""
        self.order(messages.SetSlowMode(id=self.bench.number(), room=room, seconds=seconds))

    def promote(self, *, moderator: bool = True) -> None:
        """The host makes ada a moderator, or a member again."""
        number, role = self.bench.number(), "moderator" if moderator else "member"
        fields = {"type": "set_role", "id": number, "username": "ada", "role": role}
        self.order(messages.SetRole.model_validate(fields))

    @contextmanager
    def failing(self, error: Exception) -> Iterator[None]:
        """The store can't be written."""
        self.bench.store.fail("end of transaction", error)
        yield
        self.bench.store.heal()

    def _carry_out(self, commands: list[ToServer]) -> None:
        """Messages wait for `batch`; all else is answered at once."""
        for command in commands:
            if isinstance(command, messages.Send):
                assert command.cid not in {each.cid for each in self.under_way}
                self.under_way.append(command)
                continue
            released = self.bench.run(Received(self.connection, (command,)))
            reply = released.answer(self.connection, command)
            assert isinstance(reply, messages.ToClient)
            self._carry_out(self.desk.hear(reply))
        for before, send in zip(self.under_way, list(self.under_way)[1:], strict=False):
            if before.room == send.room:
                assert send.after in {before.cid, None}

    # What must hold

    def stored(self, room: str) -> list[str]:
        """What ada said there, in the order of the log."""
        if room not in self.bench.world.directory.rooms:
            return []
        events = self.bench.stored(room)
        return [each.body["text"] for each in events if each.is_message and each.sender == "ada"]

    def held(self, room: str) -> float:
        """The seconds for which the client holds a room, which is what the server asked for."""
        outbox = self.desk.controller._outbox
        lane = outbox._lanes.get(room)
        hold = max(0.0 if lane is None else lane.hold_until, outbox._hold_until)
        return max(0.0, hold - self.desk.now)

    def waiting(self) -> set[str]:
        """The rooms in which something waits."""
        found = self.desk.cache._connection.execute(
            "SELECT DISTINCT room FROM outbox WHERE state = ?", (OutboxState.WAITING,)
        )
        return {room for (room,) in found}

    def check(self) -> None:
        """Nothing out of order, nothing twice; and what waits has a reason of its own."""
        for room in ROOMS:
            stored = self.stored(room)
            assert stored == self.written[room][: len(stored)]
        if self.desk.controller.status.link.name != "ONLINE" or self.under_way:
            return
        for room in self.waiting():
            assert self.held(room) > 0, room
            assert self.desk.controller.deadline() <= self.desk.now + self.held(room)

    def finish(self) -> None:
        """Go on until nothing waits."""
        for _ in range(2000):
            if not self.waiting() and not self.under_way:
                break
            self.batch(64)
            self.check()
            pause = self.desk.controller.deadline() - self.desk.now
            self.wait(0.0 if self.under_way else max(0.001, pause))
        for room in ROOMS:
            assert self.stored(room) == self.written[room]

    def close(self) -> None:
        """Let go of the store."""
        self.bench.close()


STEPS = (
    "say",
    "say",
    "say",
    "batch",
    "batch",
    "unanswered",
    "wait",
    "lose",
    "fail",
    "slow",
    "role",
)


def happen(town: Town, step: str, data: DataObject) -> None:
    """Something of `STEPS`."""
    room, count = data.draw(st.sampled_from(ROOMS)), data.draw(st.integers(1, 70))
    match step:
        case "say":
            for _ in range(count % 6 + 1):
                town.say(room)
        case "batch" | "unanswered":
            town.batch(count, answered=step == "batch")
        case "lose":
            town.lose()
        case "wait":
            town.wait(data.draw(st.sampled_from([0.1, 1.0, 5.0, 31.0])))
        case "fail":
            error = data.draw(st.sampled_from([StoreBusyError("x"), StoreFullError("x")]))
            with town.failing(error):
                town.batch(count)
        case "slow":
            town.slow(GENERAL, data.draw(st.sampled_from([0, 3, 20])))
        case "role":
            town.promote(moderator=data.draw(st.booleans()))


@settings(deadline=None)
@given(st.data())
def test_whatever_holds_a_room_nothing_is_lost_doubled_or_reordered(data: DataObject) -> None:
    """Floods, slow mode, lost connections, lost answers, a store that fails, roles that change."""
    town = Town(at_once=data.draw(st.sampled_from([1, 2, 5, 64])))
    town.come_in()
    for step in data.draw(st.lists(st.sampled_from(STEPS), max_size=40)):
        happen(town, step, data)
        town.check()
    town.finish()
    town.close()


@pytest.mark.parametrize("at_once", [1, 64])
def test_a_flood_in_one_room_leaves_the_others_as_quick_as_ever(at_once: int) -> None:
    """A message elsewhere is the next one that goes, and is stored in the next batch."""
    town = Town(at_once=at_once)
    town.come_in()
    for _ in range(100):
        town.say(GENERAL)
    while town.under_way:
        town.batch(64)
    assert 0 < len(town.stored(GENERAL)) < 20
    assert town.held(GENERAL) > 0
    for room in ROOMS[1:]:
        town.say(room)
        town.batch(64)
        assert town.stored(room) == town.written[room]
    town.finish()
    town.close()


def test_what_is_sent_in_vain_is_little() -> None:
    """Of many lines at once: a limit makes the client careful, and no limit makes it bold again."""
    town = Town(at_once=64, rate=5.0)
    town.come_in()
    for _ in range(300):
        town.say(GENERAL)
    sent = 0
    while town.waiting():
        sent += len(town.under_way)
        town.batch(64)
        pause = town.desk.controller.deadline() - town.desk.now
        town.wait(0.0 if town.under_way else max(0.001, pause))
    assert town.stored(GENERAL) == town.written[GENERAL]
    assert sent < 64 + 2 * 300
    town.bench.world.message_limits = MessageLimits(0)
    for _ in range(300):
        town.say(GENERAL)
    most = 0
    while town.waiting():
        most = max(most, len(town.under_way))
        town.batch(64)
    assert most == 64
    town.close()


def test_the_end_of_slow_mode_lets_go_at_once_what_waits_for_it() -> None:
    """And not a flood's; a shorter one as soon as it allows."""
    town = Town()
    town.come_in()
    town.slow(GENERAL, 3600)
    for _ in range(3):
        town.say(GENERAL)
    town.batch(1)
    town.batch(1)
    assert (len(town.stored(GENERAL)), town.held(GENERAL)) == (1, 3600)
    town.slow(GENERAL, 60)
    town.batch(1)
    assert (len(town.stored(GENERAL)), town.held(GENERAL)) == (1, 60)
    town.slow(GENERAL, 0)
    town.batch(1)
    town.batch(1)
    assert len(town.stored(GENERAL)) == 3
    town.close()


def test_who_is_made_a_moderator_waits_no_more() -> None:
    """Also while not connected."""
    for online in (True, False):
        town = Town()
        town.come_in()
        town.slow(GENERAL, 3600)
        town.say(GENERAL)
        town.say(GENERAL)
        town.batch(1)
        town.batch(1)
        assert town.held(GENERAL) == 3600
        if not online:
            town.lose()
        town.promote()
        if not online:
            town.wait(31)
            town.batch(1)  # the first one, which this client has no event of
        town.batch(1)
        assert len(town.stored(GENERAL)) == 2
        town.close()


def test_a_held_message_can_be_dropped_and_tells_when_it_goes() -> None:
    """Nobody has to wait for what they regret."""
    town = Town()
    town.come_in()
    town.slow(GENERAL, 30)
    town.say(GENERAL)
    town.say(GENERAL)
    town.batch(1)
    town.wait(10)
    town.batch(1)
    told = town.desk.told(news.OutboxChanged)[-1]
    assert told.reason is not None
    assert (told.state, told.reason.code, told.again) == (OutboxState.WAITING, "slow_mode", 20)
    town.desk.step(lambda: town.desk.controller.drop(told.cid))
    assert town.waiting() == set()
    town.wait(31)
    assert not town.under_way
    town.close()


def test_it_is_told_when_the_next_message_may_be_sent() -> None:
    """By the server's clock: after an acknowledgement, a refusal, or from another device."""
    town = Town()
    town.come_in()
    town.slow(GENERAL, 30)
    assert town.desk.told(news.SlowModeSeen) == [news.SlowModeSeen(GENERAL, 30, 0)]
    town.say(GENERAL)
    # Not when it is sent: it may be refused, or get lost.
    assert len(town.desk.told(news.SlowModeSeen)) == 1
    town.batch(1)
    told = town.desk.told(news.SlowModeSeen)[-1]
    (event,) = [each for each in town.bench.stored(GENERAL) if each.is_message]
    assert told == news.SlowModeSeen(GENERAL, 30, event.sent_at + 30_000)
    town.slow(GENERAL, 60)
    assert town.desk.told(news.SlowModeSeen)[-1].next_at == event.sent_at + 60_000
    town.slow(GENERAL, 0)
    assert town.desk.told(news.SlowModeSeen)[-1] == news.SlowModeSeen(GENERAL, 0, 0)
    town.close()


def test_a_program_that_is_started_again_knows_when_the_next_message_may_be_sent() -> None:
    """By what it has of the room; another one's messages, and those in other rooms, don't count."""
    desk = Desk()
    mine, later = said(1, "ada", room=GENERAL), said(2, "bob", room=GENERAL)
    elsewhere = said(1, "ada", room="dm:ada:bob", sent_at=later.sent_at + 99_000)
    with desk.cache.transaction():
        for event in (mine, later, elsewhere):
            desk.cache.add_event(event)
    rooms = desk.list_people(desk.sign_in())
    slow = messages.Room(room=GENERAL, kind="public", title=None, head=2, slow=3600)
    desk.hear(messages.Rooms(re=rooms.id, rooms=(slow,), more=False))
    told = desk.told(news.SlowModeSeen)[-1]
    assert told == news.SlowModeSeen(GENERAL, 3600, mine.sent_at + 3_600_000)
