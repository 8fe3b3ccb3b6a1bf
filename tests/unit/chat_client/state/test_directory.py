"""Who there is and who is online: listed after each sign-in by what changed, and told from then on.

Lists that break the rules are in test_hostile_server.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from chat_client.cache.cache import Cache
from chat_client.state import news
from chat_client.state.status import Link
from common.protocol import messages
from common.protocol.messages import Person, ToServer
from tests.unit.chat_client.desk import Desk, only


@pytest.fixture
def cache() -> Iterator[Cache]:
    """What a client keeps through all its connections."""
    cache = Cache(None)
    yield cache
    cache.close()


@pytest.fixture
def desk(cache: Cache) -> Desk:
    """A client that has joined before."""
    return Desk(cache=cache)


def person(username: str, change: int, name: str = "") -> Person:
    """Somebody, by default called as their username."""
    return Person(
        username=username, display_name=name or username.title(), role="member", change=change
    )


def people(
    asked: messages.ListPeople, *people: Person, since: int | None = None, more: bool = False
) -> messages.People:
    """A page that begins where it was asked to, if not told otherwise."""
    begin = asked.since if since is None else since
    return messages.People(re=asked.id, since=begin, people=people, more=more)


def listing(commands: Sequence[ToServer]) -> messages.ListPeople:
    """What is asked about people."""
    return only(commands, messages.ListPeople)


def known(cache: Cache) -> dict[str, str]:
    """Everyone in the cache, with their names."""
    return dict(cache._connection.execute("SELECT username, display_name FROM people"))


ADA, BOB, CHEN = person("ada", 3), person("bob", 5), person("chen", 9)


def test_only_who_changed_is_asked_for_the_next_time(desk: Desk, cache: Cache) -> None:
    """Also by the next run of the program: the number is kept with the people."""
    desk.list_people(desk.sign_in(), [ADA, BOB, CHEN])
    assert cache.people.change() == 9
    desk.lose()
    again = listing(desk.sign_in())
    assert again.since == 9
    desk.hear(people(again, person("bob", 12, "Bob B.")))
    assert known(cache) == {"ada": "Ada", "bob": "Bob B.", "chen": "Chen"}
    assert listing(Desk(cache=cache).sign_in()).since == 12


def test_who_has_nobody_new_keeps_the_number(desk: Desk, cache: Cache) -> None:
    """An empty page says that there is nothing since."""
    desk.list_people(desk.sign_in(), [ADA])
    desk.lose()
    desk.list_people(desk.sign_in())
    assert cache.people.change() == 3
    assert not desk.told(news.PeopleForgotten)
    assert known(cache) == {"ada": "Ada"}


def test_a_list_that_is_cut_short_begins_where_it_began(desk: Desk, cache: Cache) -> None:
    """Its pages are of one moment each: what changes in between may stand in neither."""
    first = listing(desk.sign_in())
    second = listing(desk.hear(people(first, ADA, BOB, more=True)))
    assert second.since == 5
    assert known(cache) == {"ada": "Ada", "bob": "Bob"}
    desk.lose()
    assert listing(desk.sign_in()).since == 0
    assert cache.people.change() == 0


def test_a_change_is_told_and_kept(desk: Desk, cache: Cache) -> None:
    """After the list its number counts, too: it is not brought a second time."""
    desk.list_people(desk.sign_in(), [ADA, BOB])
    renamed = person("bob", 11, "Bob B.")
    desk.hear(messages.PersonChanged(person=renamed), messages.PersonChanged(person=CHEN))
    assert desk.told(news.PersonSeen)[-2:] == [news.PersonSeen(renamed), news.PersonSeen(CHEN)]
    assert known(cache) == {"ada": "Ada", "bob": "Bob B.", "chen": "Chen"}
    desk.lose()
    assert listing(desk.sign_in()).since == renamed.change


def name_of_bob(desk: Desk, cache: Cache) -> str:
    """As it is kept; what was told last must be the same."""
    told = [item.person for item in desk.told(news.PersonSeen) if item.person.username == "bob"]
    assert told[-1].display_name == known(cache)["bob"]
    return known(cache)["bob"]


@pytest.mark.parametrize("more", [False, True])
def test_a_page_does_not_undo_a_change_that_overtook_it(
    desk: Desk, cache: Cache, *, more: bool
) -> None:
    """The page is of before the change; the number stays where the list ends."""
    asked = listing(desk.sign_in())
    newer = person("bob", 40, "Bob B.")
    desk.hear(messages.PersonChanged(person=newer))
    following = desk.hear(people(asked, ADA, BOB, more=more))
    if more:
        desk.hear(people(listing(following), CHEN))
    assert name_of_bob(desk, cache) == "Bob B."
    assert cache.people.change() == (CHEN if more else BOB).change
    desk.hear(messages.PersonChanged(person=person("bob", 41, "Bobby")))
    assert name_of_bob(desk, cache) == "Bobby"
    assert cache.people.change() == 41


def test_a_change_that_comes_late_does_not_undo_a_newer_one(desk: Desk, cache: Cache) -> None:
    """Whether a page or another push told of that; nor does the number go back."""
    first = listing(desk.sign_in())
    second = listing(desk.hear(people(first, ADA, person("bob", 7, "Bob B."), more=True)))
    desk.hear(messages.PersonChanged(person=BOB))
    assert name_of_bob(desk, cache) == "Bob B."
    desk.hear(people(second, CHEN))
    desk.hear(messages.PersonChanged(person=BOB))
    assert name_of_bob(desk, cache) == "Bob B."
    for late in (person("bob", 50, "Robert"), person("bob", 49, "Bobby"), person("dana", 48)):
        desk.hear(messages.PersonChanged(person=late))
    assert name_of_bob(desk, cache) == "Robert"
    assert "dana" in known(cache)
    assert cache.people.change() == 50


def test_numbers_of_another_connection_do_not_count(desk: Desk, cache: Cache) -> None:
    """They may be of another history, in which they were greater."""
    desk.list_people(desk.sign_in(), [ADA, person("bob", 90, "Bob B.")])
    desk.lose()
    asked = listing(desk.sign_in())
    desk.hear(people(asked, ADA, BOB, since=0))
    assert name_of_bob(desk, cache) == "Bob"


def test_what_is_told_before_the_list_of_another_history_stays(desk: Desk, cache: Cache) -> None:
    """It is of that history, too: everyone else is forgotten."""
    desk.list_people(desk.sign_in(), [ADA, BOB, CHEN])
    desk.lose()
    asked = listing(desk.sign_in())
    desk.hear(messages.PersonChanged(person=person("bob", 4, "Bob B.")))
    desk.hear(people(asked, ADA, person("bob", 2), since=0))
    assert known(cache) == {"ada": "Ada", "bob": "Bob B."}
    assert name_of_bob(desk, cache) == "Bob B."


def test_a_change_between_two_pages_hides_nobody(desk: Desk, cache: Cache) -> None:
    """Its number is behind those that the next page has: it counts only when all are there."""
    desk.list_people(desk.sign_in(), [ADA])
    desk.lose()
    first = listing(desk.sign_in())
    (second,) = desk.hear(
        people(first, BOB, more=True), messages.PersonChanged(person=person("zoe", 40))
    )
    assert isinstance(second, messages.ListPeople)
    assert second.since == BOB.change
    assert cache.people.change() == ADA.change
    desk.lose()
    again = listing(desk.sign_in())
    assert again.since == ADA.change
    desk.hear(people(again, BOB, CHEN, person("zoe", 40)))
    assert known(cache).keys() == {"ada", "bob", "chen", "zoe"}
    assert cache.people.change() == 40


def test_on_another_history_all_are_told_anew(desk: Desk, cache: Cache) -> None:
    """A server that does not know the number begins with all; nobody of before is left."""
    desk.list_people(desk.sign_in(), [ADA, BOB, CHEN])
    desk.lose()
    desk.news.clear()
    asked = listing(desk.sign_in())
    more = listing(desk.hear(people(asked, ADA, since=0, more=True)))
    assert more.since == ADA.change
    desk.hear(people(more, person("dana", 4)))
    assert known(cache) == {"ada": "Ada", "dana": "Dana"}
    assert cache.people.change() == 4
    told = [item for item in desk.news if isinstance(item, news.PersonSeen | news.PeopleForgotten)]
    assert told == [
        news.PeopleForgotten(),
        news.PersonSeen(ADA),
        news.PersonSeen(person("dana", 4)),
    ]


def test_a_history_that_breaks_off_is_not_mixed_with_the_former(desk: Desk, cache: Cache) -> None:
    """The number of before is forgotten with the people: it may be given out again."""
    desk.list_people(desk.sign_in(), [ADA, BOB, CHEN])
    desk.lose()
    desk.hear(people(listing(desk.sign_in()), ADA, since=0, more=True))
    desk.lose()
    assert listing(desk.sign_in()).since == 0
    assert known(cache) == {"ada": "Ada"}


def test_another_epoch_forgets_people(desk: Desk, cache: Cache) -> None:
    """They are of the former history, as the messages are."""
    desk.list_people(desk.sign_in(), [ADA, BOB])
    desk.lose()
    asked = listing(desk.sign_in(epoch="f" * 32))
    assert asked.since == 0
    assert known(cache) == {}


def test_who_is_online_is_listed_anew_on_each_connection(desk: Desk) -> None:
    """Of the former one nothing counts; those who come and go before the list are in it."""
    desk.list_people(desk.sign_in(), [ADA, BOB], "ada", "bob")
    desk.lose()
    asked = desk.sign_in()
    desk.hear(messages.PresenceChanged(username="chen", online=True))
    desk.list_people(asked, (), "ada", "chen")
    assert [item.usernames for item in desk.told(news.OnlineListed)] == [
        {"ada", "bob"},
        {"ada", "chen"},
    ]


def test_who_comes_and_goes_between_two_pages(desk: Desk) -> None:
    """A push says what is newer than the page before it, and the page after it is newer still."""
    desk.news.clear()
    (online,) = desk.hear(people(listing(desk.sign_in()), ADA))
    assert isinstance(online, messages.ListOnline)
    (more,) = desk.hear(
        messages.Online(re=online.id, online=("ada", "bob", "chen"), more=True),
        messages.PresenceChanged(username="bob", online=False),
        messages.PresenceChanged(username="abe", online=True),
        messages.PresenceChanged(username="dana", online=True),
        messages.PresenceChanged(username="dana", online=False),
        messages.PresenceChanged(username="zoe", online=False),
    )
    assert isinstance(more, messages.ListOnline)
    assert more.after == "chen"
    assert not desk.told(news.OnlineListed)
    (rooms,) = desk.hear(messages.Online(re=more.id, online=("zoe",), more=False))
    assert isinstance(rooms, messages.ListRooms)
    assert desk.told(news.OnlineListed) == [
        news.OnlineListed(frozenset({"ada", "abe", "chen", "zoe"}))
    ]
    # What is told meanwhile is told on: the window may wait for the list.
    assert [(item.username, item.online) for item in desk.told(news.PresenceSeen)] == [
        ("bob", False),
        ("abe", True),
        ("dana", True),
        ("dana", False),
        ("zoe", False),
    ]


def test_after_the_list_who_comes_and_goes_is_told(desk: Desk) -> None:
    """One by one, and the connection stands."""
    desk.list_people(desk.sign_in(), [ADA, BOB], "ada")
    desk.hear(messages.PresenceChanged(username="bob", online=True))
    desk.hear(messages.PresenceChanged(username="bob", online=False))
    assert desk.told(news.PresenceSeen) == [
        news.PresenceSeen("bob", online=True),
        news.PresenceSeen("bob", online=False),
    ]
    assert desk.controller.status.link is Link.ONLINE


@pytest.mark.parametrize("change", ["", "x", "-1", "1.5", "\u0663", "9" * 400, "9" * 5000])
def test_a_number_that_is_none_lists_everyone_or_nobody_known(cache: Cache, change: str) -> None:
    """Whatever stands in the cache, the server can be asked."""
    with cache.transaction():
        cache.set_meta("people", change)
    desk = Desk(cache=cache)
    asked = listing(desk.sign_in())
    desk.hear(people(asked, ADA, since=0))
    assert known(cache) == {"ada": "Ada"}
    assert cache.people.change() == ADA.change


def test_a_copy_of_before_there_were_roles_learns_them() -> None:
    """All people are told once more after a sign-in, and nothing is thrown away; then as ever."""
    desk = Desk()
    desk.go_online(general=0)
    with desk.cache.transaction():
        desk.cache.people.add(
            messages.Person(username="old", display_name="Old", role="member", change=5)
        )
        desk.cache.people.set_change(7)
        # As a program without roles leaves it.
        desk.cache._connection.execute("DELETE FROM meta WHERE key = 'moderators'")
    assert desk.cache.people.change() == 0
    desk.lose()
    desk.wait(30)
    asked = only(desk.sign_in(), messages.ListPeople)
    assert asked.since == 0
    desk.news.clear()
    mia = messages.Person(username="mia", display_name="Mia", role="moderator", change=3)
    desk.hear(messages.People(re=asked.id, since=0, people=(mia,), more=False))
    assert desk.told(news.PeopleForgotten) == []
    assert "old" in desk.cache.people.usernames()
    assert desk.cache.meta("moderators") == "mia"
    assert desk.cache.people.change() == 3
