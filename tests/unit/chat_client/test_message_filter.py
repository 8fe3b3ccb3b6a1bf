"""Which events a listener wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.message_filter import MessageFilter
from common.protocol import messages
from common.protocol.events import MESSAGE, Event, UnknownBody
from tests.events import TIME, cid_of, joined, said
from tests.unit.chat_client.desk import INVITE

ADA = new_account(INVITE, "ada", "Countess L.")


@pytest.fixture
def cache() -> Iterator[Cache]:
    """A cache in memory that knows nobody."""
    made = Cache(None)
    yield made
    made.close()


def called(display_name: str, username: str = "ada", change: int = 1) -> messages.Person:
    """Somebody as the server lists them."""
    return messages.Person(
        username=username, display_name=display_name, role="member", change=change
    )


def test_without_a_choice_all_events_after_a_place_are_wanted(cache: Cache) -> None:
    """One's own, joins and what is not understood, too."""
    unknown = Event("general", 3, "poll", "bob", TIME, cid_of(3), UnknownBody({}))
    events = [said(1), said(2, "ada"), unknown, joined(4)]
    everything = MessageFilter(ADA, cache)
    assert all(map(everything.wants, events))
    assert [MessageFilter(ADA, cache, after=2).wants(event) for event in events] == [
        *(False, False),
        *(True, True),
    ]


def test_of_others_are_their_messages(cache: Cache) -> None:
    """A program that answers what it is told would answer itself."""
    others = MessageFilter(ADA, cache, of_others=True)
    assert others.wants(said(1, "bob"))
    assert not others.wants(said(2, "ada"))
    assert not others.wants(joined(3, "bob"))
    assert not others.wants(Event("general", 4, MESSAGE, "bob", TIME, cid_of(4), UnknownBody({})))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("@ada: look", True),
        ("look, @ADA", True),
        ("ask @Countess L. about it", True),
        ("\uff20ada", True),
        ("ada, look", False),
        ("@adam knows", False),
        ("mail ada@example.org, or me@ada", False),
        ("", False),
    ],
)
def test_a_mention_has_the_sign_and_the_whole_name(cache: Cache, text: str, wanted: bool) -> None:
    """In a direct conversation as in a room."""
    mentions = MessageFilter(ADA, cache, mentions=True)
    for room in ("general", "dm:ada:bob"):
        assert mentions.wants(said(1, "bob", text, room=room)) == wanted
        assert not mentions.wants(said(2, "ada", text, room=room)), "nobody is told of own words"


def test_a_name_counts_from_when_it_is_known(cache: Cache) -> None:
    """It is looked up in the transaction that stores the message, and the former one is over."""
    mentions = MessageFilter(ADA, cache, mentions=True)
    cache.people.add(called("Robot One"))
    assert mentions.wants(said(1, "bob", "@Robot One, look"))
    assert not mentions.wants(said(2, "bob", "@Countess L."))
    cache.people.add(called("Robot Two", change=2))
    cache.people.add(called("Robot One", "bob", 3))
    assert mentions.wants(said(3, "bob", "@robot two, look"))
    assert not mentions.wants(said(4, "bob", "@Robot One, look"))
    assert mentions.wants(said(5, "bob", "@ada"))


def test_the_longer_name_of_somebody_else_is_meant(cache: Cache) -> None:
    """And not the display name that it begins with; a username counts in any case."""
    mentions = MessageFilter(ADA, cache, mentions=True)
    cache.people.add(called("Robot"))
    cache.people.add(called("Robot Two", "bob", 2))
    cache.people.add(called("ada two", "mallory", 3))
    assert mentions.wants(said(1, "bob", "@Robot, look"))
    assert not mentions.wants(said(2, "bob", "@Robot Two, look"))
    assert mentions.wants(said(3, "bob", "@Robot Two and @robot"))
    assert mentions.wants(said(4, "bob", "@ada two, look"))
