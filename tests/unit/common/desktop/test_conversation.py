"""What is said to a notification server, whatever it answers; no connection, and a clock."""

from __future__ import annotations

from typing import Any

import pytest

from common.desktop.conversation import DEADLINE, PAUSES, TOO_OLD, Call, Conversation, escape
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    NotifierState,
    Replied,
)

APP = App("Chat", "lan.chat.ChatClient")
GONE = "org.freedesktop.DBus.Error.NoReply"
ABSENT = "org.freedesktop.DBus.Error.ServiceUnknown"


class Bench:
    """A conversation with a server that a test plays."""

    def __init__(self, capabilities: tuple[str, ...] = ("actions", "body-markup")) -> None:
        self.told: list[Event] = []
        self.talk = Conversation(APP, self.told.append)
        self.capabilities = list(capabilities)
        self.now = 100.0
        self.sender = ":1.7"

    def calls(self) -> list[Call]:
        """What is to be called now."""
        return list(self.talk.calls())

    def call(self, member: str) -> Call:
        """The only one that there is now."""
        (call,) = self.calls()
        assert call.member == member
        return call

    def answer(self, call: Call, *body: object) -> None:
        """The server answers."""
        self.talk.answered(call, body, self.sender, self.now)

    def fail(self, call: Call, error: str) -> None:
        """The server, or the bus, answers with an error."""
        self.talk.failed(call, error, self.now)

    def greet(self) -> None:
        """Answer what a server is asked about itself."""
        self.answer(self.call("GetServerInformation"), "Server", "its maker", "1", "1.2")
        self.answer(self.call("GetCapabilities"), self.capabilities)

    def show(self, key: str, title: str = "Ada", body: str = "Hello", **more: bool) -> None:
        """The program wants it shown."""
        self.talk.show(Notification(key, title, body, **more), self.now)

    def shown(self, key: str, number: int, title: str = "Ada") -> Call:
        """Show it, to a server that answers."""
        self.show(key, title)
        call = self.call("Notify")
        self.answer(call, number)
        return call

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        self.talk.tick(self.now)

    @property
    def states(self) -> list[Code]:
        """What was told of the server."""
        return [event.state.code for event in self.told if isinstance(event, Found)]

    @property
    def done(self) -> list[Event]:
        """What was told of the person."""
        return [event for event in self.told if not isinstance(event, Found)]


@pytest.fixture
def bench() -> Bench:
    """With a server that was asked what it is."""
    bench = Bench()
    bench.talk.connected(bench.now)
    bench.greet()
    return bench


def named(body: tuple[Any, ...]) -> dict[str, Any]:
    """The arguments of Notify by their names."""
    names = ("app", "replaces", "icon", "title", "body", "actions", "hints", "timeout")
    return dict(zip(names, body, strict=True))


def test_what_is_found_is_told() -> None:
    """Its name and version as they may be shown, and what it can do."""
    bench = Bench(("actions", "inline-reply"))
    bench.talk.connected(bench.now)
    bench.answer(bench.call("GetServerInformation"), "Name\u202e", "x", "1\n0", "1.2")
    bench.answer(bench.call("GetCapabilities"), bench.capabilities)
    assert bench.told == [
        Found(NotifierState(Code.AVAILABLE, "Name", "1 0", actions=True, replies=True))
    ]


def test_a_notification_says_whose_it_is(bench: Bench) -> None:
    """And offers to be opened; sounds are the program's own."""
    bench.show("general", "Ada in #general", "2 < 3 & <b>4</b>", urgent=True, can_reply=True)
    body = named(bench.call("Notify").body)
    assert body == {
        "app": "Chat",
        "replaces": 0,
        "icon": "",
        "title": "Ada in #general",
        "body": "2 &lt; 3 &amp; &lt;b&gt;4&lt;/b&gt;",
        "actions": ["default", "Open"],
        "hints": {
            "desktop-entry": ("s", "lan.chat.ChatClient"),
            "urgency": ("y", 2),
            "suppress-sound": ("b", True),
            "category": ("s", "im.received"),
        },
        "timeout": -1,
    }


def test_texts_are_not_escaped_for_a_server_without_markup() -> None:
    """It would show the escapes. And what it can't do isn't offered."""
    bench = Bench(("body",))
    bench.talk.connected(bench.now)
    bench.greet()
    bench.show("k", "", "a & <b>", can_reply=True)
    body = named(bench.call("Notify").body)
    assert (body["title"], body["body"], body["actions"]) == ("Chat", "a & <b>", [])


def test_a_reply_is_offered_where_there_are_replies() -> None:
    """For notifications that can be answered."""
    bench = Bench(("actions", "inline-reply"))
    bench.talk.connected(bench.now)
    bench.greet()
    bench.show("k", can_reply=True)
    call = bench.call("Notify")
    assert named(call.body)["actions"] == ["default", "Open", "inline-reply", "Reply"]
    bench.answer(call, 5)
    bench.talk.signalled("NotificationReplied", (5, "well\n<b>"), bench.sender)
    assert bench.done == [Replied("k", "well\n<b>")]


def test_the_newer_one_replaces_the_former(bench: Bench) -> None:
    """One for each key; and what waits is replaced before it is ever shown."""
    bench.shown("a", 7, "one")
    bench.show("a", "two")
    second = bench.call("Notify")
    assert named(second.body)["replaces"] == 7
    bench.show("a", "three")
    bench.show("a", "four")
    assert bench.calls() == []
    bench.answer(second, 7)
    third = named(bench.call("Notify").body)
    assert (third["title"], third["replaces"]) == ("four", 7)


def test_a_click_leads_to_the_program(bench: Bench) -> None:
    """With the token that came before, and the notification goes."""
    bench.shown("a", 7)
    bench.shown("b", 8)
    bench.talk.signalled("ActivationToken", (7, "token_TIME1"), bench.sender)
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    bench.talk.signalled("ActionInvoked", (8, "default"), bench.sender)
    assert bench.done == [Activated("a", "token_TIME1"), Activated("b", "")]
    assert [call.body for call in bench.calls()] == [(7,), (8,)]


def test_a_click_counts_once(bench: Bench) -> None:
    """Also where the server closes first and tells the click afterwards."""
    bench.shown("a", 7)
    bench.talk.signalled("NotificationClosed", (7, 2), bench.sender)
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    bench.talk.signalled("NotificationClosed", (7, 2), bench.sender)
    assert bench.done == [Dismissed("a"), Activated("a")]


@pytest.mark.parametrize(
    ("member", "body", "sender"),
    [
        ("ActionInvoked", (99, "default"), ":1.7"),
        ("ActionInvoked", (7, "default"), ":1.66"),
        ("ActionInvoked", (7, "other"), ":1.7"),
        ("ActionInvoked", (7,), ":1.7"),
        ("ActionInvoked", (), ":1.7"),
        ("ActionInvoked", ("7", "default"), ":1.7"),
        ("NotificationReplied", (7, 1), ":1.7"),
        ("NotificationClosed", (7,), ":1.7"),
        ("NotificationClosed", (7, 1), ":1.7"),
        ("NotificationClosed", (7, 3), ":1.7"),
        ("Whatever", (7, "default"), ":1.7"),
    ],
)
def test_what_is_not_a_persons_act_here_is_nothing(
    bench: Bench, member: str, body: tuple[object, ...], sender: str
) -> None:
    """Notifications of other programs, other senders, other actions, and nonsense."""
    bench.shown("a", 7)
    bench.talk.signalled(member, body, sender)
    assert bench.done == []


@pytest.mark.parametrize("token", ["x" * 2000, "a\nb", 5])
def test_a_token_that_cannot_be_one_is_none(bench: Bench, token: object) -> None:
    """It would go into a property of a window."""
    bench.shown("a", 7)
    bench.talk.signalled("ActivationToken", (7, token), bench.sender)
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    assert bench.done == [Activated("a", "")]


def test_what_expired_is_shown_anew(bench: Bench) -> None:
    """Not as a replacement of what is not there."""
    bench.shown("a", 7)
    bench.talk.signalled("NotificationClosed", (7, 1), bench.sender)
    bench.show("a")
    assert named(bench.call("Notify").body)["replaces"] == 0


@pytest.mark.parametrize("meanwhile", ["waiting", "asked", "shown"])
def test_one_that_was_replaced_is_not_dismissed(bench: Bench, meanwhile: str) -> None:
    """Somebody put the former one away: the newer one is on the screen, and is taken away later."""
    bench.shown("a", 7)
    bench.show("b" if meanwhile == "waiting" else "a", "two")
    second = bench.call("Notify")
    if meanwhile == "waiting":
        bench.show("a", "two")
    elif meanwhile == "shown":
        bench.answer(second, 8)
        bench.calls()
    bench.talk.signalled("NotificationClosed", (7, 2), bench.sender)
    assert bench.done == []
    if meanwhile != "shown":
        bench.answer(second, 8)
    if meanwhile == "waiting":
        bench.answer(bench.call("Notify"), 9)
    bench.talk.signalled(
        "NotificationClosed", (9 if meanwhile == "waiting" else 8, 2), bench.sender
    )
    assert bench.done == [Dismissed("a")]


def test_what_was_read_is_taken_away(bench: Bench) -> None:
    """Also if the server has not said yet which number it has; and what waits is never shown."""
    bench.shown("a", 7)
    bench.show("b")
    on_its_way = bench.call("Notify")
    bench.show("c")
    for key in "abc":
        bench.talk.close(key)
    close = bench.call("CloseNotification")
    assert (close.body, close.signature) == ((7,), "u")
    bench.answer(on_its_way, 8)
    assert bench.call("CloseNotification").body == (8,)
    bench.talk.close("a")
    assert bench.calls() == []


def test_at_the_end_everything_is_taken_away(bench: Bench) -> None:
    """It would lead to nobody."""
    bench.shown("a", 7)
    bench.shown("b", 8)
    bench.show("c")
    last = bench.call("Notify")
    bench.talk.close_all()
    assert [call.body for call in bench.calls()] == [(7,), (8,)]
    assert bench.talk.ends_soon
    bench.answer(last, 9)
    assert bench.call("CloseNotification").body == (9,)
    assert not bench.talk.ends_soon


def test_a_server_that_hangs_is_not_sent_the_same_again(bench: Bench) -> None:
    """It is asked now and then whether it answers; when it does, only the newest is shown."""
    bench.shown("a", 7)
    bench.show("a", "lost")
    stuck = bench.call("Notify")
    bench.wait(DEADLINE)
    assert bench.states[-1] is Code.NO_ANSWER
    bench.show("a", "newer")
    assert bench.calls() == []  # in the pause
    bench.wait(PAUSES[0])
    first = bench.call("GetServerInformation")
    bench.wait(DEADLINE)
    bench.wait(PAUSES[1])
    second = bench.call("GetServerInformation")
    bench.answer(stuck, 7)
    bench.answer(first, "Server", "", "1", "")
    assert bench.calls() == []
    bench.answer(second, "Server", "", "1", "")
    bench.answer(bench.call("GetCapabilities"), ["actions"])
    body = named(bench.call("Notify").body)
    assert (body["title"], body["replaces"]) == ("newer", 7)
    assert bench.states == [Code.AVAILABLE, Code.NO_ANSWER, Code.AVAILABLE]


def test_a_late_answer_counts(bench: Bench) -> None:
    """What the server shows after all can be clicked, replaced and taken away."""
    bench.show("a")
    late = bench.call("Notify")
    bench.wait(DEADLINE)
    bench.answer(late, 7)
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    assert bench.done == [Activated("a")]
    assert bench.states[-1] is Code.AVAILABLE


def test_what_was_read_meanwhile_is_taken_away_when_it_comes(bench: Bench) -> None:
    """A server that hung for 30 s shows what it was sent; then it goes."""
    bench.show("a")
    late = bench.call("Notify")
    bench.wait(DEADLINE)
    bench.talk.look(bench.now)
    bench.call("GetServerInformation")
    bench.talk.close("a")
    bench.answer(late, 7)
    assert bench.call("CloseNotification").body == (7,)


def test_what_could_not_be_shown_is_no_news_for_ever(bench: Bench) -> None:
    """And nothing wakes the thread any more."""
    bench.fail(_shown(bench, "a"), ABSENT)
    assert bench.states[-1] is Code.NO_SERVER
    assert bench.talk.wakes_at(bench.now) == bench.now + PAUSES[0]
    bench.wait(TOO_OLD)
    assert bench.calls() == []
    assert bench.talk.wakes_at(bench.now) is None
    assert not bench.talk.wants_connection


def _shown(bench: Bench, key: str) -> Call:
    bench.show(key)
    return bench.call("Notify")


def test_a_server_that_died_is_asked_again_with_pauses(bench: Bench) -> None:
    """What it was sent last is shown by the next one, once."""
    call = _shown(bench, "a")
    bench.talk.owner_changed("", bench.now)
    bench.fail(call, GONE)
    bench.wait(PAUSES[0])
    bench.fail(bench.call("GetServerInformation"), ABSENT)
    bench.wait(PAUSES[0])
    assert bench.calls() == []  # the second pause is longer
    bench.sender = ":1.8"
    bench.talk.owner_changed(":1.8", bench.now)
    bench.greet()
    assert named(bench.call("Notify").body)["title"] == "Ada"
    assert bench.states == [Code.AVAILABLE, Code.NO_SERVER, Code.AVAILABLE]


def test_a_server_that_restarts_gives_new_numbers(bench: Bench) -> None:
    """The former ones are other programs' now: they are neither replaced, closed nor understood."""
    bench.shown("a", 7)
    bench.talk.owner_changed("", bench.now)
    bench.sender = ":1.8"
    bench.talk.owner_changed(":1.8", bench.now)
    bench.greet()
    bench.talk.close("a")
    bench.talk.signalled("ActionInvoked", (7, "default"), bench.sender)
    assert (bench.calls(), bench.done) == ([], [])
    bench.show("a")
    assert named(bench.call("Notify").body)["replaces"] == 0


def test_a_server_that_the_bus_starts_for_a_call_shows_it_once(bench: Bench) -> None:
    """Its name appears before it answers."""
    bench.talk.owner_changed("", bench.now)
    bench.show("a")
    bench.talk.owner_changed(":1.8", bench.now)
    bench.sender = ":1.8"
    bench.greet()
    bench.answer(bench.call("Notify"), 1)
    bench.talk.owner_changed("", bench.now)
    bench.show("b")
    bench.greet()
    call = bench.call("Notify")
    bench.talk.owner_changed(":1.9", bench.now)
    bench.sender = ":1.9"
    bench.answer(call, 1)
    bench.greet()
    assert bench.calls() == []
    bench.talk.signalled("ActionInvoked", (1, "default"), ":1.9")
    assert bench.done == [Activated("b")]


def test_what_cannot_replace_is_shown_as_new(bench: Bench) -> None:
    """Some servers answer with an error if they don't know what to replace."""
    bench.shown("a", 7)
    bench.show("a", "two")
    bench.fail(bench.call("Notify"), "some.Error")
    body = named(bench.call("Notify").body)
    assert (body["title"], body["replaces"]) == ("two", 0)


def test_a_server_that_refuses_is_asked_seldom(bench: Bench) -> None:
    """What it refused is not sent again; the next one is, later."""
    bench.fail(_shown(bench, "a"), "some.Error")
    assert bench.states == [Code.AVAILABLE, Code.REFUSED]
    asked = 0
    for _ in range(60):
        bench.show("b")
        for call in bench.calls():
            assert call.member == "GetServerInformation"
            bench.fail(call, "some.Error")
            asked += 1
        bench.wait(1.0)
    assert asked == 5  # after 1, 3, 7, 15 and 30 s
    bench.talk.look(bench.now)
    bench.greet()
    assert bench.states[-1] is Code.AVAILABLE


def test_a_server_that_does_not_tell_what_it_can_is_used(bench: Bench) -> None:
    """For what all of them can do."""
    bench.talk.look(bench.now)
    bench.answer(bench.call("GetServerInformation"), 5)
    bench.fail(bench.call("GetCapabilities"), "some.Error")
    bench.show("a")
    assert named(bench.call("Notify").body)["actions"] == []


def test_many_rooms_that_wait_are_bounded() -> None:
    """The oldest goes: nobody reads hundreds when a server comes back."""
    bench = Bench()
    for number in range(200):
        bench.show(f"room {number}")
    bench.talk.connected(bench.now)
    bench.greet()
    shown = []
    for number in range(200):
        calls = bench.calls()
        if not calls:
            break
        shown.append(calls[0].notification.key)  # type: ignore[union-attr]  # a Notify
        bench.answer(calls[0], number + 1)
    assert shown == [f"room {number}" for number in range(168, 200)]


def test_a_bus_that_goes_takes_all_numbers_along(bench: Bench) -> None:
    """What is shown then is new, and told is only what has changed."""
    bench.shown("a", 7)
    bench.talk.no_connection(Code.NO_BUS)
    bench.talk.no_connection(Code.NO_BUS)
    assert bench.states == [Code.AVAILABLE, Code.NO_BUS]
    bench.talk.look(bench.now)
    bench.talk.no_connection(Code.NO_BUS)
    assert bench.states == [Code.AVAILABLE, Code.NO_BUS, Code.NO_BUS]
    bench.show("a")
    assert bench.talk.wants_connection
    bench.talk.connected(bench.now)
    bench.greet()
    assert named(bench.call("Notify").body)["replaces"] == 0


def test_markup_is_escaped_once() -> None:
    """An escape that somebody typed is shown as it was typed."""
    assert escape("<a href='x'>&amp;</a>") == "&lt;a href='x'&gt;&amp;amp;&lt;/a&gt;"
