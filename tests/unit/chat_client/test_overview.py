"""The sidebar's and the members' lists, from news alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.cache.pages import RoomSummary
from chat_client.state import news
from chat_client.window.overview import MOST_READ, PRESENCES, MemberItem, Overview, RoomItem
from common.domain.mentions import Mentionable
from common.protocol.events import Event
from common.protocol.messages import Person
from tests.events import joined, said

ME = "ada"
DIRECT = "dm:ada:bruno"


def events(*senders: str, room: str = "general", first: int = 1) -> tuple[Event, ...]:
    """A message of each sender; "+name" is somebody who joins."""
    return tuple(
        joined(seq, sender[1:], room=room) if sender[0] == "+" else said(seq, sender, room=room)
        for seq, sender in enumerate(senders, first)
    )


def person(username: str, name: str = "") -> news.PersonSeen:
    """Somebody is told of, by default called as their username."""
    return news.PersonSeen(
        Person(username=username, display_name=name or username.title(), role="member", change=1)
    )


def gone(username: str) -> news.PersonSeen:
    """Somebody's account was deleted."""
    return news.PersonSeen(
        Person(
            username=username, display_name="Former member", role="member", change=2, former=True
        )
    )


def online(*usernames: str) -> news.OnlineListed:
    """These are online, and nobody else."""
    return news.OnlineListed(frozenset(usernames))


@pytest.fixture
def overview() -> Overview:
    """Ada, Bruno and Chen, who is offline, in the general room."""
    overview = Overview(ME)
    overview.add_room("general")
    for each in (person("chen"), person("bruno"), person("ada"), online("ada", "bruno")):
        overview.hear_of_people(each)
    return overview


def test_others_messages_count_and_nothing_else(overview: Overview) -> None:
    """One's own and people who join are no reason to look."""
    overview.add_events("general", events("bruno", "ada", "+chen", "chen"), seen=False)
    assert overview.all_unread == 2
    overview.mark_read("general")
    assert overview.all_unread == 0


def test_what_is_seen_as_it_comes_does_not_count(overview: Overview) -> None:
    """And takes with it what was unread before."""
    overview.add_events("general", events("bruno"), seen=False)
    overview.add_events("general", events("bruno", first=2), seen=True)
    assert overview.all_unread == 0


def test_news_of_what_the_cache_had_count_once(overview: Overview) -> None:
    """The core stores before it tells: a cache that is read in between has both counted."""
    overview.load([RoomSummary("general", position=3, read=1, unread=2)], {})
    overview.add_events("general", events("bruno", "bruno", first=2), seen=False)
    assert overview.all_unread == 2
    overview.add_events("general", events("bruno", first=4), seen=False)
    assert overview.all_unread == 3


def test_starting_over_counts_from_the_beginning(overview: Overview) -> None:
    """Another history has its own places."""
    overview.add_events("general", events("bruno", first=9), seen=False)
    overview.load([], {})
    overview.add_events("general", events("bruno"), seen=False)
    assert overview.all_unread == 1


def test_what_is_fetched_again_is_not_unread_again(overview: Overview) -> None:
    """Up to where it had been read; after that it counts."""
    overview.load([], {})
    overview.add_events("general", events("bruno", "bruno"), seen=False, read=2)
    assert overview.all_unread == 0
    overview.add_events("general", events("bruno", "bruno", "bruno", first=3), seen=False, read=4)
    assert overview.all_unread == 1
    overview.add_events("general", events("bruno", first=6), seen=False)
    assert overview.all_unread == 2


def test_a_room_that_is_fetched_again_changes_nothing_else(overview: Overview) -> None:
    """People and other rooms' counts stay; its own places begin anew."""
    overview.add_events("general", events("bruno", first=7), seen=False)
    overview.add_events(DIRECT, events("bruno", room=DIRECT), seen=False)
    before = overview.members("general")
    overview.forget(["general"])
    assert (overview.unread, overview.members("general")) == ({"general": 0, DIRECT: 1}, before)
    overview.add_events("general", events("bruno"), seen=False)
    assert overview.unread["general"] == 1


def test_the_general_room_comes_first(overview: Overview) -> None:
    """Then the others by name; direct conversations are apart, by the other one's name."""
    for room in ("zoo", "art", DIRECT, "dm:ada:chen", "dm:abe:ada"):
        overview.add_room(room)
    overview.hear_of_people(person("abe", "Zeno"))
    assert [item.room for item in overview.rooms()] == ["general", "art", "zoo"]
    assert [(item.label, item.partner, item.presence) for item in overview.direct()] == [
        ("Bruno", "bruno", "online"),
        ("Chen", "chen", "offline"),
        ("Zeno", "abe", "offline"),
    ]


def test_a_room_is_called_by_its_name_or_the_other_ones(overview: Overview) -> None:
    """A direct conversation with somebody unknown has at least their username."""
    assert overview.title("general") == "general"
    assert overview.title(DIRECT) == "Bruno"
    assert overview.title("dm:ada:zoe") == "zoe"


def test_members_stand_by_presence_and_name(overview: Overview) -> None:
    """Those online first; oneself is marked."""
    assert [(item.label, item.presence) for item in overview.members("general")] == [
        ("Ada (you)", "online"),
        ("Bruno", "online"),
        ("Chen", "offline"),
    ]
    assert [item.username for item in overview.members(DIRECT)] == ["ada", "bruno"]


def test_namesakes_are_told_apart(overview: Overview) -> None:
    """Whatever the case of their letters, both have their username beside the name, everywhere."""
    overview.add_room("dm:ada:bruno2")
    overview.take_renamed()
    overview.hear_of_people(person("bruno2", "BRUN0"))
    overview.hear_of_people(news.PresenceSeen("bruno2", online=True))
    assert overview.take_renamed() == {"bruno", "bruno2"}
    assert overview.take_renamed() == set()
    members = overview.members("general")
    assert [(item.label, item.handle) for item in members] == [
        ("Ada (you)", ""),
        ("BRUN0", "@bruno2"),
        ("Bruno", "@bruno"),
        ("Chen", ""),
    ]
    assert [item.handle for item in overview.direct()] == ["@bruno2"]
    assert overview.title("dm:ada:bruno2") == "BRUN0 @bruno2"
    assert overview.full_name("chen") == "Chen"
    overview.hear_of_people(person("bruno2", "Berta"))
    assert overview.take_renamed() == {"bruno", "bruno2"}
    assert not any(item.handle for item in overview.members("general"))


def test_whoever_is_called_like_the_chat_is_told_apart_from_it(overview: Overview) -> None:
    """The host may give it another name, and may have a guest's."""
    assert overview.handle("bruno") == ""
    overview.call_chat("Bruno!")
    assert overview.handle("bruno") == "@bruno"
    overview.load([], {"bruno": "Bruno"})
    assert overview.handle("bruno") == "@bruno"
    overview.call_chat("Home")
    assert overview.handle("bruno") == ""


def test_offline_nobodys_presence_is_known(overview: Overview) -> None:
    """That somebody is away can only the server tell, each time anew; members stand by name."""
    overview.add_room(DIRECT)
    overview.offline()
    members = overview.members("general")
    assert [(item.username, item.presence) for item in members] == [
        ("ada", "unknown"),
        ("bruno", "unknown"),
        ("chen", "unknown"),
    ]
    assert [item.presence for item in overview.direct()] == ["unknown"]
    # Of one alone it does not follow how it stands with the others.
    overview.hear_of_people(news.PresenceSeen("bruno", online=True))
    assert {item.presence for item in overview.members("general")} == {"unknown"}
    overview.hear_of_people(online("bruno"))
    assert [(item.username, item.presence) for item in overview.members("general")] == [
        ("bruno", "online"),
        ("ada", "offline"),
        ("chen", "offline"),
    ]


def test_who_comes_and_goes_is_online_and_is_not(overview: Overview) -> None:
    """As it is told, from the list on; who is new is offline until they come."""
    overview.hear_of_people(news.PresenceSeen("chen", online=True))
    overview.hear_of_people(news.PresenceSeen("bruno", online=False))
    overview.hear_of_people(person("dana"))
    assert [(item.username, item.presence) for item in overview.members("general")] == [
        ("ada", "online"),
        ("chen", "online"),
        ("bruno", "offline"),
        ("dana", "offline"),
    ]
    overview.hear_of_people(news.PresenceSeen("dana", online=True))
    assert overview.presence("dana") == "online"
    # A new name says nothing about that.
    overview.hear_of_people(person("chen", "Chen W."))
    assert (overview.name("chen"), overview.presence("chen")) == ("Chen W.", "online")


def test_the_own_role_outlasts_another_history(overview: Overview) -> None:
    """It is told at sign-in, before the people are; others' roles come with them."""
    overview.hear_of_role("moderator")
    overview.moderators.add("chen")
    overview.hear_of_people(news.PeopleForgotten())
    assert overview.is_moderator
    assert overview.moderators == {"ada"}


def test_people_of_another_history_are_forgotten(overview: Overview) -> None:
    """Nobody of before is a member any more, nor anybody's namesake."""
    overview.call_chat("Home")
    overview.hear_of_people(person("bruno0", "Bruno"))
    assert overview.handle("bruno") == "@bruno"
    overview.hear_of_people(news.PeopleForgotten())
    overview.take_renamed()
    overview.hear_of_people(person("bruno2", "Bruno"))
    overview.hear_of_people(person("home"))
    overview.hear_of_people(person("ada"))
    overview.hear_of_people(online("ada", "bruno2"))
    assert [(item.label, item.handle) for item in overview.members("general")] == [
        ("Ada (you)", ""),
        ("Bruno", ""),
        ("Home", "@home"),
    ]
    assert overview.take_renamed() == {"ada", "bruno2", "home"}


def test_what_is_understood_now_is_counted(overview: Overview) -> None:
    """The cache tells how much of it is unread, up to where it is; other rooms stay."""
    overview.add_events("general", events("bruno"), seen=False)
    overview.add_events(DIRECT, events("bruno", room=DIRECT), seen=False)
    overview.count([RoomSummary("general", position=4, read=0, unread=3)])
    assert overview.unread == {"general": 3, DIRECT: 1}
    overview.add_events("general", events("bruno", "bruno", first=4), seen=False)
    assert overview.unread["general"] == 4


def test_what_is_kept_tells_nobodys_presence(overview: Overview) -> None:
    """The cache is shown before there is a connection."""
    overview.load([RoomSummary(DIRECT, position=0, read=0, unread=0)], {"bruno": "Bruno"})
    assert overview.presence("bruno") == "unknown"
    assert [item.presence for item in overview.direct()] == ["unknown"]


def _lists(overview: Overview) -> tuple[list[MemberItem], list[RoomItem], list[RoomItem]]:
    return overview.members("general"), overview.rooms(), overview.direct()


_USERNAMES = ("ada", "abe", "bruno", "chen", "dana")
_STEPS = st.one_of(
    st.builds(person, st.sampled_from(_USERNAMES), st.sampled_from(["", "Zoe", "bruno", "Abe"])),
    st.builds(gone, st.sampled_from(_USERNAMES[1:])),
    st.builds(news.PresenceSeen, st.sampled_from(_USERNAMES), st.booleans()),
    st.sets(st.sampled_from(_USERNAMES)).map(lambda names: online(*names)),
    st.just(news.PeopleForgotten()),
    st.sampled_from(["member", "moderator"]).map(news.RoleChanged),
    st.sampled_from([None, "general", "art", DIRECT, "dm:ada:chen"]),
    st.sampled_from(["", "Zoe", "Abe"]).map(lambda name: f"call:{name}"),
)


@given(st.lists(_STEPS, max_size=30))
def test_lists_stay_in_order_whatever_changes(steps: list[news.News | str | None]) -> None:
    """As if everyone were sorted each time; and whatever they show differently is counted."""
    overview = Overview(ME)
    for step in steps:
        before, counts = _lists(overview), (overview.people_changes, overview.room_changes)
        match step:
            case None:
                overview.offline()
            case news.RoleChanged():
                overview.hear_of_role(step.role)
            case str() if step.startswith("call:"):
                overview.call_chat(step.removeprefix("call:"))
            case str():
                overview.add_events(step, events("bruno", room=step), seen=False)
                overview._counted.clear()
            case _:
                overview.hear_of_people(step)  # type: ignore[arg-type]  # only those are made
        members, rooms, direct = after = _lists(overview)
        # Rows that were shown before are not those of then.
        assert members == [overview._make_member(item.username) for item in members]
        both = [*rooms, *direct]
        assert both == [overview._make_room(item.room) for item in both]
        assert members == sorted(
            map(overview.member, overview.names),
            key=lambda it: (PRESENCES.index(it.presence), it.name.casefold(), it.username),
        )
        assert len(overview.members("general")) == overview.count_members("general")
        assert direct == sorted(direct, key=lambda it: (it.label.casefold(), it.room))
        assert {item.room: item.unread for item in [*rooms, *direct]} == overview.unread
        if before[0] != after[0]:
            assert overview.people_changes != counts[0]
        if before[1:] != after[1:]:
            assert overview.room_changes != counts[1]


def test_what_changes_nothing_is_not_counted(overview: Overview) -> None:
    """Somebody with whom there is no conversation is nothing to the rooms, nor words to people."""
    overview.add_room(DIRECT)
    counts = overview.people_changes, overview.room_changes
    overview.hear_of_people(news.PresenceSeen("chen", online=True))
    assert (overview.people_changes > counts[0], overview.room_changes) == (True, counts[1])
    counts = overview.people_changes, overview.room_changes
    overview.add_room("general")
    overview.add_events("general", events("ada"), seen=False)
    overview.mark_read(DIRECT)
    overview.call_chat("")
    assert (overview.people_changes, overview.room_changes) == counts
    overview.add_events("general", events("bruno", first=2), seen=False)
    assert overview.people_changes == counts[0]
    assert overview.room_changes > counts[1]
    counts = overview.people_changes, overview.room_changes
    overview.hear_of_people(news.PresenceSeen("bruno", online=False))
    assert overview.room_changes > counts[1]


def test_a_namesake_changes_the_conversation_with_the_other_one(overview: Overview) -> None:
    """Whose username stands beside the name now."""
    overview.add_room(DIRECT)
    before = overview.room_changes
    overview.hear_of_people(person("bruno2", "Bruno"))
    assert [item.handle for item in overview.direct()] == ["@bruno"]
    assert overview.room_changes != before


def test_what_is_skipped_counts_once() -> None:
    """It is told anew on each connection; what is said after it counts besides."""
    overview = Overview("ada")
    overview.load([RoomSummary("general", 10, 8, 2)], {})
    overview.skip("general", 10, 3010)
    overview.skip("general", 10, 3010)
    assert overview.unread["general"] == 2 + 3000
    overview.skip("general", 10, 3013)
    assert overview.unread["general"] == 2 + 3003
    overview.add_events("general", (said(3013, "bob"), said(3014, "bob")), seen=False)
    assert overview.unread["general"] == 2 + 3004


def test_what_was_there_before_one_came_does_not_count() -> None:
    """A new member has missed nothing."""
    overview = Overview("ada")
    overview.load([], {})
    overview.skip("general", 5000, 5000)
    assert overview.all_unread == 0
    overview.add_events("general", (said(5000, "bob"), said(5001, "bob")), seen=False)
    assert overview.all_unread == 1


def test_ones_own_role_is_shown_when_it_is_told(overview: Overview) -> None:
    """It comes with each sign-in, and not with what is said of people."""
    overview.hear_of_people(person(ME))
    assert not overview.member(ME).is_moderator
    changes = overview.people_changes
    overview.hear_of_role("moderator")
    assert overview.member(ME).is_moderator
    assert overview.people_changes > changes


def test_who_is_meant_depends_on_the_names_of_all(overview: Overview) -> None:
    """The longer name of somebody else is theirs; what is marked is what is told."""
    overview.hear_of_people(person("zoe", "Ada Two"))
    assert overview.mentions_me("@Ada, look")
    assert not overview.mentions_me("ask @zoe, or @bruno.")
    overview.hear_of_people(person("ada", "Countess"))
    overview.hear_of_people(person("zoe", "Countess Two"))
    for text, mine in (("@Countess", True), ("@Countess Two", False), ("@ada two", True)):
        assert overview.mentions_me(text) is mine
        assert any("ada" in mention.usernames for mention in overview.mentions_in(text)) is mine
    overview.hear_of_people(news.PeopleForgotten())
    assert overview.mentions_me("@ada")
    assert not overview.mentions_me("@Countess Two")


def test_an_answer_from_another_device_reads_what_stands_before(overview: Overview) -> None:
    """What comes after it counts; and what the cache has counted already is left as it is."""
    overview.add_events("general", events("bruno", "bruno"), seen=False)
    overview.set_mentions("general", 1)
    overview.add_events("general", events("bruno", "ada", "bruno", first=3), seen=False, read=4)
    assert (overview.unread["general"], overview.mentions["general"]) == (1, 0)
    overview.load([RoomSummary("general", position=7, read=5, unread=2)], {})
    overview.add_events("general", events("ada", "bruno", "bruno", first=5), seen=False, read=5)
    assert overview.unread["general"] == 2


def test_a_row_shows_mentions_as_they_are(overview: Overview) -> None:
    """Also when the count of what is unread stays the same."""
    overview.add_events("general", events("bruno"), seen=False)
    assert overview.room("general").mentions == 0
    overview.set_mentions("general", 1)
    assert overview.room("general").mentions == 1


def test_what_nearly_mentions_one_does_not_hold_up_the_start(
    overview: Overview, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A room full of it is read up to a bound; what has no name of one's own is not read at all."""
    texts = []
    reads = Mentionable.mentions_person

    def counted(people: Mentionable, text: str, username: str) -> bool:
        texts.append(text)
        return reads(people, text, username)

    monkeypatch.setattr(Mentionable, "mentions_person", counted)
    assert overview.count_mentions(["@ada", "@bruno", "no sign", "@Ada!"]) == 2
    assert texts == ["@ada", "@Ada!"]
    texts.clear()
    assert overview.count_mentions(["@adax @ada.b mail@ada " * 700] * 100) == 0
    assert texts == []
    overview.hear_of_people(person("ada", "Countess"))
    overview.hear_of_people(person("zoe", "Countess Two"))
    near = "@Countess Two " * 1100
    assert overview.count_mentions([near] * 100) == 0
    assert sum(map(len, texts)) < MOST_READ + len(near)
    texts.clear()
    assert overview.count_mentions(["@bruno " * 2300] * 100) == 0
    assert texts == []


def test_a_former_member_is_nowhere_but_where_something_was_said(overview: Overview) -> None:
    """Not among the members, mentioned by nobody, without a handle; the conversation stays."""
    overview.add_room(DIRECT)
    overview.hear_of_people(person("other", "Bruno"))
    assert overview.handle("other") == "@other"
    assert overview.mentions_in("hello @bruno")
    overview.take_renamed()
    overview.hear_of_people(gone("bruno"))
    assert overview.take_renamed() == {"bruno", "other"}
    assert [item.username for item in overview.members("general")] == ["ada", "other", "chen"]
    assert overview.count_members("general") == 3
    (direct,) = overview.direct()
    assert (direct.label, direct.handle, direct.presence) == ("Former member", "", "offline")
    assert overview.title(DIRECT) == "Former member"
    assert (overview.name("bruno"), overview.handle("bruno")) == ("Former member", "")
    assert overview.handle("other") == ""
    (mention,) = overview.mentions_in("hello @bruno")
    assert mention.usernames == {"other"}
    overview.hear_of_role("moderator")
    assert not overview.may_moderate("bruno")
    assert overview.may_moderate("chen")


def test_the_cache_knows_who_left(overview: Overview) -> None:
    """Before the server is reached; and in another history nobody did."""
    overview.load([], {"bruno": "Former member", "chen": "Chen"}, (), {"bruno"})
    assert [item.username for item in overview.members("general")] == ["chen"]
    assert overview.name("bruno") == "Former member"
    overview.hear_of_people(news.PeopleForgotten())
    overview.hear_of_people(person("bruno"))
    assert overview.name("bruno") == "Bruno"
