"""A client is told that accounts were deleted, and renamed: others' and its own."""

from __future__ import annotations

import math

import pytest

from chat_client.state import news
from chat_client.state.status import Link
from common.domain.names import FORMER_MEMBER
from common.domain.reasons import Reason
from common.protocol import messages
from common.protocol.events import KEPT, REMOVED, Event
from tests.events import deleted, said
from tests.unit.chat_client.desk import Desk, event, only, page, room_of, skipping, synced


def person(
    username: str, change: int, name: str = "", *, former: bool = False, erased: bool = False
) -> messages.Person:
    """Somebody as the server tells it."""
    return messages.Person(
        username=username,
        display_name=FORMER_MEMBER if former else name or username.title(),
        role="member",
        change=change,
        former=former,
        erased=erased,
    )


def push(
    username: str, change: int, *, former: bool = False, erased: bool = False
) -> messages.PersonChanged:
    """The push about somebody."""
    return messages.PersonChanged(person=person(username, change, former=former, erased=erased))


def settle(desk: Desk) -> None:
    """Let the core go on until nothing is left to be done."""
    for _ in range(1000):
        if desk.controller.deadline() > -math.inf:
            return
        desk.wait(0)
    raise AssertionError("it never ends")


def texts(desk: Desk, sender: str = "bob") -> list[str]:
    """What is in the cache of somebody's messages."""
    rows = desk.cache._connection.execute(
        "SELECT text FROM events WHERE sender = ? AND kind = 'message' ORDER BY seq", (sender,)
    )
    return [text for (text,) in rows]


@pytest.fixture
def desk() -> Desk:
    """Online, with some messages of bob's and cem's."""
    desk = Desk()
    sync = only(desk.go_online(general=0), messages.Sync)
    desk.hear(synced(sync))
    desk.hear(*(event(seq, sender=("bob", "cem")[seq % 2]) for seq in range(1, 7)))
    assert len(texts(desk)) == 3
    return desk


@pytest.mark.parametrize("told", ["by the event", "by the list of people", "by both"])
def test_messages_are_removed_once_the_client_knows(desk: Desk, told: str) -> None:
    """The window is told at once, once; the cache follows in the core's next turns."""
    if told != "by the event":
        desk.hear(push("bob", 9, former=True, erased=True))
    if told != "by the list of people":
        desk.hear(deleted(7, "bob"))
    assert desk.told(news.MessagesErased) == [news.MessagesErased("bob")]
    assert desk.controller.deadline() == -math.inf
    settle(desk)
    assert texts(desk) == []
    assert len(texts(desk, "cem")) == 3


def test_messages_that_are_kept_stay(desk: Desk) -> None:
    """Only the person is another one."""
    desk.hear(deleted(7, "bob", messages=KEPT), push("bob", 9, former=True))
    assert desk.told(news.MessagesErased) == []
    assert len(texts(desk)) == 3
    assert desk.cache.people.is_former("bob")


def test_a_client_that_was_away_and_missed_the_event_in_a_gap_is_told(desk: Desk) -> None:
    """By the list of people, when it comes back; what it fetches then comes without texts."""
    desk = Desk(cache=desk.cache, on_demand=True)
    asked = desk.sign_in()
    rooms = desk.list_people(asked, [person("bob", 9, former=True, erased=True)])
    listed = messages.Rooms(re=rooms.id, rooms=(room_of("general", 999),), more=False)
    sync = only(desk.hear(listed), messages.Sync)
    history = only(desk.hear(skipping(sync, general=999)), messages.History)
    settle(desk)
    assert texts(desk) == []
    late = page(history, 900, 999, 999, [said(seq, "bob", "late") for seq in range(900, 1000)])
    desk.hear(late)
    assert texts(desk) == []
    assert desk.cache.position("general") == 999


def test_a_page_that_was_under_way_brings_no_text_back(desk: Desk) -> None:
    """It was read before the account was deleted, and comes after it."""
    desk.step(lambda: desk.controller.load_history(news.Wanted("general", before=4)))
    desk.hear(deleted(7, "bob"))
    settle(desk)
    desk.hear(event(8, sender="bob"), event(9, sender="cem"))
    assert texts(desk) == []
    added = [each for told in desk.told(news.EventsAdded) for each in told.events]
    assert [(each.kind, each.text) for each in added[-2:]] == [
        (REMOVED, ""), ("message", "general 9"),
    ]  # fmt: skip


def test_what_a_listener_hears_later_has_no_text() -> None:
    """It prints before it stores."""
    heard: list[Event] = []

    def hear(event: Event) -> bool:
        heard.append(event)
        return True

    desk = Desk(on_event=hear)
    sync = only(desk.go_online(general=0), messages.Sync)
    desk.hear(synced(sync))
    desk.hear(event(1), deleted(2, "bob"), event(3))
    assert [(each.seq, each.text) for each in heard] == [(1, "general 1"), (2, ""), (3, "")]


@pytest.mark.parametrize("messages_are", [KEPT, REMOVED])
@pytest.mark.parametrize("how", ["goodbye", "refusal"])
def test_the_end_of_ones_own_account_is_final(desk: Desk, how: str, messages_are: str) -> None:
    """Here or on another device; one's own messages go from this copy, too."""
    own = said(7, "ada", "mine")
    desk.hear(own)
    params = {"messages": messages_are}
    if how == "goodbye":
        desk.hear(messages.Goodbye(code="account_deleted", params=dict(params)))
        link = Link.SIGNED_OUT
    else:
        desk.lose()
        desk.wait(60)
        (hello,) = desk.connect()
        welcome = messages.Welcome(
            re=hello.id, protocol=2, program="S", server_name="Home", epoch="e" * 32
        )
        (sign_in,) = desk.hear(welcome)
        error = messages.refusal("account_deleted", re=sign_in.id, params=params)
        desk.hear(error)
        link = Link.REFUSED
    status = desk.controller.status
    assert (status.link, status.reason) == (link, Reason("account_deleted", params))
    assert not desk.controller.wants_connection
    settle(desk)
    assert texts(desk, "ada") == ([] if messages_are == REMOVED else ["mine"])
    assert len(texts(desk)) == 3


def test_another_name_of_ones_own_is_kept(desk: Desk) -> None:
    """Whichever device it was changed from."""
    before = len(desk.told(news.AccountChanged))
    desk.hear(messages.PersonChanged(person=person("ada", 9, "Countess")))
    assert desk.controller.account.display_name == "Countess"
    (told,) = desk.told(news.AccountChanged)[before:]
    assert told.account.display_name == "Countess"
    # An older one that comes late changes nothing, nor does somebody else's.
    desk.hear(messages.PersonChanged(person=person("ada", 8, "Ada")))
    desk.hear(messages.PersonChanged(person=person("bob", 10, "Countess too")))
    assert desk.controller.account.display_name == "Countess"
    assert len(desk.told(news.AccountChanged)) == before + 1


def test_while_nothing_can_be_stored_it_waits(desk: Desk) -> None:
    """The core would be busy else."""
    desk.hear(deleted(7, "bob"))
    assert desk.controller.deadline() == -math.inf
    desk.controller.storage_failed(Reason("storage"), desk.now, 5)
    assert desk.controller.deadline() == desk.now + 5
    desk.step(desk.controller.storage_works)
    assert desk.controller.deadline() == -math.inf
    settle(desk)
    assert texts(desk) == []
