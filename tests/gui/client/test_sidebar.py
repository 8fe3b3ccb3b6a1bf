"""The lists of rooms and members with thousands of people: only what changed is worked out anew."""

from __future__ import annotations

import tkinter as tk
from itertools import pairwise

import pytest

from chat_client.state import news
from chat_client.state.account import Account
from chat_client.window.overview import MemberItem, Overview, RoomItem
from chat_client.window.sidebar import Members, Sidebar
from common.protocol.messages import Person
from common.ui.lists.row_list import ListRow, RowList
from common.ui.look.theme import Theme
from tests.gui.harness import Alarm, settle, wait
from tests.unit.chat_client.desk import INVITE

PEOPLE = 5000
ROW = 40


def username(number: int) -> str:
    """Of people who stand in the order of their numbers."""
    return f"p{number:05}"


def person(number: int, name: str = "") -> news.PersonSeen:
    """Somebody, by default called as their username."""
    return news.PersonSeen(
        Person(
            username=username(number),
            display_name=name or username(number),
            role="member",
            change=1,
        )
    )


class Lists:
    """Both lists, and how often something was worked out or drawn for them."""

    def __init__(self, root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        theme = Theme(root, "light", scale=1.0)
        self.overview = Overview(username(0))
        self.overview.add_room("general")
        for number in range(PEOPLE):
            self.overview.hear_of_people(person(number))
        half = frozenset(username(number) for number in range(0, PEOPLE, 2))
        self.overview.hear_of_people(news.OnlineListed(half))
        self.touched: list[str] = []
        self.drawn: list[str] = []
        member, room, draw = Overview.member, Overview.room, RowList.draw

        def noted_member(overview: Overview, key: str) -> MemberItem:
            self.touched.append(key)
            return member(overview, key)

        def noted_room(overview: Overview, key: str) -> RoomItem:
            self.touched.append(key)
            return room(overview, key)

        def noted_draw(rows: RowList, item: ListRow, top: int, tag: str) -> None:
            self.drawn.append(rows.key_of(item) or item.title)  # type: ignore[attr-defined]  # a heading
            draw(rows, item, top, tag)

        monkeypatch.setattr(Overview, "member", noted_member)
        monkeypatch.setattr(Overview, "room", noted_room)
        monkeypatch.setattr(RowList, "draw", noted_draw)
        self.sidebar = Sidebar(
            root,
            theme,
            lambda _: None,
            lambda: None,
            lambda: None,
            on_room_menu=lambda *_: None,
            on_quiet_menu=lambda *_: None,
            on_settings=lambda: None,
            on_own_menu=lambda *_: None,
        )
        self.sidebar.pack(side="left", fill="y")
        self.members = Members(root, theme, lambda _: None, lambda *_: None)
        self.members.pack(side="left", fill="y")
        self.people = self.members.people
        self.show()
        wait(root, lambda: self.people._drawn and self.sidebar.rooms._drawn, "the lists", 15)
        settle(root)
        self.forget()

    def show(self, room: str = "general") -> None:
        """Show what there is now."""
        self.members.show(self.overview, room)
        self.sidebar.show(self.overview, room, Account(INVITE, username(0), "Ada", "1" * 64))

    def forget(self) -> None:
        """Count from here."""
        self.touched.clear()
        self.drawn.clear()

    def hear(self, *told: news.PresenceSeen | news.PersonSeen) -> None:
        """A batch of news, and what it makes of the lists."""
        for item in told:
            self.overview.hear_of_people(item)
        self.show()
        settle(self.root)

    def go_to(self, number: int) -> None:
        """Scroll so that somebody is in view."""
        self.people.see(username(number))
        settle(self.root)
        self.forget()

    @property
    def in_view(self) -> int:
        """Rows that there is room for."""
        return self.people.canvas.winfo_height() // ROW + 2

    def shown(self) -> list[str]:
        """The rows in view, by where they stand on the screen: read from the canvas."""
        canvas = self.people.canvas
        top = canvas.canvasy(0)
        call, path = canvas.tk.call, str(canvas)
        texts = [item for item in canvas.find_all() if call(path, "type", item) == "text"]
        names = [
            (canvas.coords(item)[1] - top, str(call(path, "itemcget", item, "-text")))
            for item in texts
        ]
        names.sort()
        assert all(below[0] - above[0] >= ROW / 2 for above, below in pairwise(names)), names
        return [text for y, text in names if 0 <= y < canvas.winfo_height()]


@pytest.fixture
def lists(bare_root: tk.Tk, alarm: Alarm, monkeypatch: pytest.MonkeyPatch) -> Lists:  # noqa: ARG001  # fails on errors
    """On the screen, with half of the people online."""
    bare_root.geometry("600x700+0+0")
    return Lists(bare_root, monkeypatch)


def coming(number: int) -> news.PresenceSeen:
    """Somebody comes."""
    return news.PresenceSeen(username(number), online=True)


def going(number: int) -> news.PresenceSeen:
    """Somebody goes."""
    return news.PresenceSeen(username(number), online=False)


def test_news_of_people_out_of_view_draw_the_heading_alone(lists: Lists) -> None:
    """However many there are; of nobody out of view anything is worked out."""
    lists.hear(*(coming(number) for number in range(2001, 2101, 2)))
    assert lists.drawn == ["Online — 2550"]
    assert set(lists.touched) <= {"general", *map(username, range(0, 2 * lists.in_view, 2))}
    lists.forget()
    lists.show()
    assert (lists.touched, lists.drawn) == ([], [])


def test_only_the_row_that_comes_into_view_is_drawn(lists: Lists) -> None:
    """Those below it are moved."""
    before = lists.shown()
    lists.hear(coming(3))
    assert lists.drawn == ["Online — 2501", username(3)]
    assert lists.shown() == [
        "ONLINE — 2501",
        *before[1:3],
        username(3),
        *before[3 : len(lists.shown()) - 1],
    ]


def test_a_new_name_moves_one_row(lists: Lists) -> None:
    """To where it belongs."""
    lists.hear(person(4, "a name"))
    assert lists.people.order()[:3] == [username(4), username(0), username(2)]
    assert lists.drawn == [username(4)]
    assert lists.shown()[:2] == ["ONLINE — 2500", "a name"]


def test_what_is_in_view_stays_there_whoever_comes_and_goes_above(lists: Lists) -> None:
    """Nothing of it is drawn again."""
    lists.go_to(4000)
    before = lists.shown()
    lists.hear(*(coming(number) for number in range(1, 101, 2)))
    assert (lists.shown(), lists.drawn) == (before, [])
    lists.hear(*(going(number) for number in range(0, 201, 2)))
    assert (lists.shown(), lists.drawn) == (before, [])


def test_the_view_does_not_follow_the_first_in_it(lists: Lists) -> None:
    """Who goes offline while they stand there leaves; the others stay."""
    lists.go_to(4000)
    before = lists.shown()
    first = int(before[1][1:])
    lists.hear(going(first - 2), going(first))
    left = [name for name in before if name not in {username(first - 2), username(first)}]
    assert [name for name in lists.shown() if name in left] == left[: len(lists.shown())]
    place = lists.people.order().index(username(first))
    assert place > PEOPLE // 2 - 10


def test_the_chosen_row_is_found_where_it_is_now(lists: Lists) -> None:
    """It stays chosen, and where it was on the screen if it was in view."""
    lists.people.select(username(4000))
    settle(lists.root)
    before = lists.people.bounds(username(4000))
    lists.hear(*(coming(number) for number in range(1, 101, 2)))
    assert lists.people.selected == username(4000)
    assert lists.people.bounds(username(4000)) == before
    lists.hear(person(4000, "zz"))
    assert lists.people.selected == username(4000)
    order = lists.people.order()
    assert order.index(username(4000)) == len(lists.overview.online) - 1


def test_a_list_that_got_shorter_ends_at_its_end(lists: Lists) -> None:
    """Rather than showing nothing; and begins at its beginning when one goes back there."""
    lists.go_to(PEOPLE - 1)
    lists.overview.add_room("dm:p00000:p00001")
    lists.show("dm:p00000:p00001")
    settle(lists.root)
    assert lists.shown() == ["ONLINE — 1", "p00000 (you)", "OFFLINE — 1", username(1)]
    lists.show("general")
    settle(lists.root)
    assert len(lists.people.order()) == PEOPLE
    assert len(lists.people._drawn) <= lists.in_view + 1


def test_rooms_are_drawn_when_they_change(lists: Lists) -> None:
    """What is unread, and the presence of the other side of a conversation."""
    for number in range(1, 301):
        lists.overview.add_room(f"dm:p00000:{username(number)}")
    lists.show()
    settle(lists.root)
    lists.forget()
    lists.overview.skip("dm:p00000:p00003", 0, 1)
    lists.show()
    assert lists.drawn == ["dm:p00000:p00003"]
    lists.forget()
    lists.hear(going(4), going(250))
    assert lists.drawn.count("dm:p00000:p00004") == 1
    assert "dm:p00000:p00250" not in lists.drawn
    assert len(lists.touched) <= 4 * lists.in_view
