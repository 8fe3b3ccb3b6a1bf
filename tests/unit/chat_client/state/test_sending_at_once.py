"""Several messages under way at once: their order stays, whatever is refused or lost on the way."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from chat_client.state import news
from chat_client.state.outbox import MAX_REFUSALS
from chat_client.state.outbox_message import OutboxState
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.messages import ToServer
from tests.events import text_of
from tests.unit.chat_client.desk import EPOCH, Desk, ack, cid, only, room_of, synced

TEXTS = [str(number) for number in range(12)]
FINAL, LATER = "no_such_room", ("busy", "disk_full", "rate_limited", "internal")


class Town:
    """A server that takes messages in batches, as its hub does, and may refuse any of them.

    With `minds_order` it keeps the rule of docs/protocol.md for `after`.
    """

    def __init__(self, desk: Desk, *, minds_order: bool = True) -> None:
        self.desk = desk
        self.minds_order = minds_order
        self.stored: dict[str, str] = {}
        """By cid, the texts in the order in which they were stored."""
        self.under_way: deque[messages.Send] = deque()
        self.most = 0

    def come_in(self) -> None:
        """Let the client in, into a general room."""
        asked = self.desk.sign_in()
        self.take(asked)
        rooms = self.desk.list_people(asked)
        answer = messages.Rooms(re=rooms.id, rooms=(room_of("general", 0),), more=False)
        sync = only(self.take(self.desk.hear(answer)), messages.Sync)
        self.take(self.desk.hear(synced(sync, general=0)))

    def take(self, *asked: list[ToServer]) -> list[ToServer]:
        """Note the messages among these commands; the others."""
        commands = [command for some in asked for command in some]
        self.under_way += [each for each in commands if isinstance(each, messages.Send)]
        self.most = max(self.most, len(self.under_way))
        rest = (messages.ListRooms, messages.Sync)
        return [command for command in commands if isinstance(command, rest)]

    def batch(self, count: int, refuse: Callable[[messages.Send], str | None]) -> None:
        """Answer the oldest messages that are under way, or lose the connection."""
        sends = [self.under_way.popleft() for _ in range(min(count, len(self.under_way)))]
        answers = [self._answer(send, refuse(send)) for send in sends]
        for answer in answers:
            self.take(self.desk.hear(answer))

    def _answer(self, send: messages.Send, code: str | None) -> messages.ToClient:
        if send.cid in self.stored:
            pass  # The first answer again.
        elif self.minds_order and send.after is not None and send.after not in self.stored:
            return messages.refusal("too_early", re=send.id)
        elif code is not None:
            # One of the two literals, which hypothesis chose.
            return messages.refusal(code, re=send.id)  # type: ignore[arg-type]  # it is one
        self.stored.setdefault(send.cid, text_of(send))
        return ack(send, 1 + list(self.stored).index(send.cid))

    def lose(self) -> None:
        """The connection breaks, with what is under way; then the client is back."""
        self.under_way.clear()
        self.desk.lose()
        self.desk.wait(60)
        self.come_in()


def evening(data: DataObject, *, minds_order: bool) -> tuple[Town, set[str]]:
    """Twelve messages, and a server that is in a mood; what was refused for good."""
    desk = Desk(at_once=data.draw(st.sampled_from([1, 2, 5, 64])))
    town = Town(desk, minds_order=minds_order)
    for text in TEXTS:
        desk.say(text)
    town.come_in()
    failed: set[str] = set()
    refusals: Counter[str] = Counter()

    def refuse(send: messages.Send) -> str | None:
        code = data.draw(st.sampled_from([None, None, *LATER, FINAL]))
        refusals[text_of(send)] += code == "internal"
        often = refusals[text_of(send)] >= MAX_REFUSALS
        if (code == FINAL or often) and send.cid not in town.stored:
            failed.add(text_of(send))
        return code

    for step in data.draw(st.lists(st.sampled_from(["batch", "wait", "lose"]), max_size=25)):
        if step == "batch":
            town.batch(data.draw(st.integers(1, 8)), refuse)
        elif step == "wait":
            town.take(desk.wait(31))
        else:
            town.lose()
    # Then all goes well.
    for _ in range(3 * len(TEXTS)):
        town.batch(len(TEXTS), lambda _: None)
        town.take(desk.wait(31 if not town.under_way else 0))
        if desk.controller.wants_connection:
            town.come_in()
    return town, failed


@given(st.data())
def test_messages_are_stored_in_the_order_in_which_they_were_written(data: DataObject) -> None:
    """Each once, but those that were refused for good; nothing waits in the end."""
    town, failed = evening(data, minds_order=True)
    desk = town.desk
    gone = {
        out.text
        for number in range(1, len(TEXTS) + 1)
        if (out := desk.cache.outbox.find(cid(number))) is not None
        and out.state is OutboxState.FAILED
    }
    assert list(town.stored.values()) == [text for text in TEXTS if text not in gone]
    assert gone <= failed
    assert desk.cache.outbox.waiting == 0


def test_without_the_servers_rule_a_message_would_overtake_another() -> None:
    """The rule is what keeps the order: so the test above can fail."""
    desk = Desk(at_once=3)
    town = Town(desk, minds_order=False)
    for text in ("one", "two"):
        desk.say(text)
    town.come_in()
    town.batch(1, lambda _: "busy")
    town.batch(1, lambda _: None)
    town.take(desk.wait(31))
    town.batch(1, lambda _: None)
    assert list(town.stored.values()) == ["two", "one"]


@pytest.mark.parametrize("at_once", [1, 7])
def test_so_many_are_under_way_and_no_more(at_once: int) -> None:
    """Each but the first names the one before it; long texts count for more."""
    desk = Desk(at_once=at_once)
    town = Town(desk)
    for text in TEXTS:
        desk.say(text)
    town.come_in()
    assert len(town.under_way) == at_once
    sent = list(town.under_way)
    assert [send.after for send in sent] == [None, *(send.cid for send in sent[:-1])]
    town.batch(2, lambda _: None)
    assert len(town.under_way) == at_once
    assert town.most == at_once


def test_long_texts_are_not_all_sent_at_once() -> None:
    """What is under way has a bound in bytes, too; one message always may go."""
    desk = Desk(at_once=64)
    town = Town(desk)
    for _ in range(40):
        desk.say("x" * 16_000)
    town.come_in()
    assert 2 <= len(town.under_way) <= 17


def test_a_refusal_is_told_with_its_reason_once_for_all_behind_it() -> None:
    """A script can say why it waits."""
    desk = Desk(at_once=64)
    town = Town(desk)
    for text in TEXTS:
        desk.say(text)
    town.come_in()
    desk.news.clear()
    town.batch(len(TEXTS), lambda _: "disk_full")
    (told,) = [item for item in desk.told(news.OutboxChanged) if item.reason]
    assert (told.state, told.reason, told.waiting) == (
        OutboxState.WAITING,
        Reason("disk_full", {}),
        len(TEXTS),
    )
    assert not town.under_way
    pause = desk.controller.deadline() - desk.now
    town.take(desk.wait(pause))
    assert [text_of(send) for send in town.under_way] == TEXTS
    assert desk.cache.meta("epoch") == EPOCH
