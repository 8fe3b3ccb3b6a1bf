"""What a person is told of: in time, never twice, never at the wrong moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.notify.policy import (
    MOST_ROOMS,
    PAUSE,
    SUMMARY,
    Close,
    Demand,
    Play,
    Policy,
    Preferences,
    Show,
    Step,
)
from chat_client.notify.quiet import FOR_EVER, Quiet
from chat_client.state.news import Came
from common.protocol.events import Event

ME: Final = "me"
DIRECT: Final = "dm:ada:me"
NOON: Final = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Desk:
    """A policy with a clock that the test sets; it counts places by itself."""

    def __init__(self, **preferences: object) -> None:
        self.policy = Policy(
            ME,
            lambda text: "@me" in text,
            str.title,
            lambda room: room,
            replace(Preferences(), **preferences),  # type: ignore[arg-type]
        )
        self.now = 1000.0
        self.seq: dict[str, int] = {}

    def event(self, room: str, text: str, sender: str = "ada", kind: str = "message") -> Event:
        """The next event of a room."""
        self.seq[room] = self.seq.get(room, 0) + 1
        body = {"text": text} if kind == "message" else {}
        return Event(room, self.seq[room], kind, sender, self.seq[room], "c", body)

    def hear(
        self,
        room: str,
        *texts: str,
        sender: str = "ada",
        came: Came = "live",
        reading: bool = False,
        read: int = 0,
    ) -> None:
        """Messages come; the first `read` of the room are read."""
        events = [self.event(room, text, sender) for text in texts]
        self.policy.heard(room, events, came, reading=reading, now=NOON, read=read)

    def due(self, later: float = 0.0) -> list[Step]:
        """What is to be done after a while."""
        self.now += later
        steps = self.policy.due(self.now)
        deadline = self.policy.deadline()
        assert deadline is None or deadline > self.now, "asked again at once for ever"
        return steps

    def shown(self, later: float = 0.0) -> list[tuple[str, str]]:
        """Titles and texts that are shown."""
        return [(s.title, s.body) for s in self.due(later) if isinstance(s, Show)]


def sounds(steps: Sequence[Step]) -> list[str]:
    """What is heard."""
    return [step.sound for step in steps if isinstance(step, Play)]


def test_a_direct_message_is_told_at_once() -> None:
    """With a sound, and the window asks for attention."""
    desk = Desk()
    desk.hear(DIRECT, "Hello")
    assert desk.policy.deadline() == 0
    assert desk.due() == [
        Show(DIRECT, DIRECT, 1, "Ada", "Hello", mention=False),
        Play("message"),
        Demand(),
    ]
    assert desk.policy.deadline() is None


def test_in_a_room_only_mentions_are_told() -> None:
    """As long as nobody chose otherwise."""
    desk = Desk()
    desk.hear("general", "Hello")
    assert desk.due() == []
    desk.hear("general", "Hello @me")
    steps = desk.due()
    assert [s for s in steps if isinstance(s, Show)] == [
        Show("general", "general", 2, "Ada mentioned you in #general", "Hello @me", mention=True)
    ]
    assert sounds(steps) == ["mention"]


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ({"general": "everything"}, [True, True, True]),
        ({DIRECT: "mentions"}, [False, True, False]),
        ({DIRECT: "nothing", "general": "nothing"}, [False, False, False]),
    ],
)
def test_a_level_for_a_room(levels: dict[str, str], told: list[bool]) -> None:
    """It comes before what is chosen for all."""
    for said, expected in zip(
        [("general", "Hello"), ("general", "@me"), (DIRECT, "Hello")], told, strict=True
    ):
        desk = Desk(rooms=levels)
        desk.hear(*said)
        assert bool(desk.shown()) is expected


@pytest.mark.parametrize(
    "preferences",
    [
        {"enabled": False},
        {"direct": "nothing"},
        {"direct": "mentions"},
        {"rooms": {DIRECT: "nothing"}},
    ],
)
def test_what_is_turned_off_goes_from_the_screen(preferences: dict[str, object]) -> None:
    """At once; and what stays wanted stays."""
    desk = Desk()
    desk.hear(DIRECT, "Hello")
    desk.due()
    desk.policy.prefer(replace(desk.policy.preferences, sounds=False))
    assert desk.due() == []
    desk.policy.prefer(replace(desk.policy.preferences, **preferences))  # type: ignore[arg-type]
    assert desk.due() == [Close(DIRECT)]


def test_texts_go_from_the_screen_when_previews_are_turned_off() -> None:
    """Without waiting; nothing is heard of it."""
    desk = Desk()
    desk.hear(DIRECT, "Hello")
    desk.due()
    desk.policy.prefer(replace(desk.policy.preferences, preview=False))
    assert desk.due() == [Show(DIRECT, DIRECT, 1, "Chat", "New message", mention=False)]


@pytest.mark.parametrize(
    ("level", "title"),
    [
        ("everything", "#general · 252 new messages"),
        ("mentions", "Ada mentioned you in #general"),
    ],
)
def test_what_is_missing_is_counted(level: str, title: str) -> None:
    """Where everything is told; of what is not here nobody knows whom it mentions."""
    desk = Desk(rooms={"general": level})
    events = [desk.event("general", "Hello"), desk.event("general", "Hello @me")]
    desk.policy.heard("general", events, "away", reading=False, now=NOON, missing=250)
    (shown,) = desk.shown()
    assert shown[0] == title


def test_no_joins_and_nothing_of_ones_own() -> None:
    """From this device or another."""
    desk = Desk(room="everything")
    desk.hear(DIRECT, "mine", sender=ME)
    event = desk.event("general", "", kind="join")
    desk.policy.heard("general", [event], "live", reading=False, now=NOON)
    assert desk.due() == []


def test_nothing_that_is_being_read() -> None:
    """No sound and no attention either."""
    desk = Desk()
    desk.hear(DIRECT, "Hello @me", reading=True)
    assert desk.due() == []


def test_later_ones_replace_it_with_a_count_every_two_seconds() -> None:
    """A fast talker fills neither the screen nor the bus."""
    desk = Desk()
    desk.hear(DIRECT, "one")
    assert desk.shown() == [("Ada", "one")]
    desk.hear(DIRECT, "two")
    desk.hear(DIRECT, "three")
    assert desk.shown(0.1) == []
    assert desk.policy.deadline() == 1000 + PAUSE
    assert desk.shown(PAUSE) == [("Ada · 3 new messages", "three")]
    desk.hear(DIRECT, "four")
    assert desk.shown(PAUSE) == [("Ada · 4 new messages", "four")]


def test_reading_takes_it_away_and_counts_anew() -> None:
    """Once; what was not shown need not be taken away."""
    desk = Desk()
    desk.hear(DIRECT, "one")
    desk.due()
    desk.hear(DIRECT, "two")
    desk.policy.read(DIRECT)
    assert desk.due(PAUSE) == [Close(DIRECT), Play("message"), Demand()]
    desk.policy.read(DIRECT)
    assert desk.due() == []
    desk.hear(DIRECT, "three")
    assert desk.shown() == [("Ada", "three")]


def test_ones_own_message_from_another_device_takes_it_away() -> None:
    """Whoever answers has read what was there."""
    desk = Desk()
    desk.hear(DIRECT, "one")
    desk.due()
    desk.hear(DIRECT, "answer", sender=ME, read=2)
    assert desk.due() == [Close(DIRECT)]
    question = desk.event(DIRECT, "again?")
    answer = desk.event(DIRECT, "yes", sender=ME)
    thanks = desk.event(DIRECT, "thanks")
    desk.policy.heard(
        DIRECT, [question, answer, thanks], "away", reading=False, now=NOON, read=answer.seq
    )
    assert desk.shown() == [("Ada", "thanks")]


def test_what_waited_in_the_outbox_takes_nothing_away() -> None:
    """It was written before the message that it stands below was seen."""
    desk = Desk()
    desk.hear(DIRECT, "one", came="away")
    desk.hear(DIRECT, "written on the train", sender=ME)
    assert desk.shown() == [("Ada", "one")]


def test_what_came_while_away_is_told_once_for_each_room() -> None:
    """With its number, not by the hundred."""
    desk = Desk()
    desk.hear(DIRECT, *map(str, range(250)), came="away")
    desk.hear("dm:bob:me", "a", sender="bob", came="away")
    steps = desk.due()
    assert [(s.title, s.body) for s in steps if isinstance(s, Show)] == [
        ("Ada · 250 new messages", "249"),
        ("Bob", "a"),
    ]
    assert sounds(steps) == ["message"]


def test_the_history_of_a_new_device_is_no_news() -> None:
    """And stays none when it is fetched again."""
    desk = Desk(room="everything")
    desk.hear("general", "old @me", "older", came="before")
    assert desk.due() == []
    desk.seq.clear()
    desk.hear("general", "old @me", "older")
    assert desk.due() == []


def test_nothing_is_told_twice() -> None:
    """Such as after a server was restored from its backup, and its rooms were fetched again."""
    desk = Desk()
    desk.hear(DIRECT, "one", "two")
    desk.due()
    desk.seq.clear()
    desk.hear(DIRECT, "one", "two", came="away")
    assert desk.due(PAUSE) == []


def test_many_rooms_at_once_are_one() -> None:
    """Which leads to where the person was mentioned, and is replaced by later ones."""
    desk = Desk(room="everything")
    for number in range(MOST_ROOMS + 1):
        desk.hear(f"room{number}", "@me" if number == 2 else "x", came="away")
    assert [s for s in desk.due() if isinstance(s, Show)] == [
        Show(
            SUMMARY, "room2", 1, "5 new messages in 5 conversations", "You were mentioned",
            mention=True,
        )
    ]  # fmt: skip
    desk.hear("room1", "y")
    assert desk.shown(0.1) == []
    assert desk.shown(PAUSE) == [("6 new messages in 5 conversations", "You were mentioned")]
    for number in range(MOST_ROOMS + 1):
        assert desk.due() == []
        desk.policy.read(f"room{number}")
    assert desk.due() == [Close(SUMMARY)]


def test_rooms_that_are_fetched_again_are_told_of_anew() -> None:
    """Their places begin again: what is said now may have a place that was told of before."""
    desk = Desk(room="everything")
    desk.hear(DIRECT, *"abcdef")
    desk.hear("general", *"abcdef")
    desk.due()
    desk.policy.forget([DIRECT])
    assert desk.due() == [Close(DIRECT)]
    desk.seq.clear()
    desk.hear(DIRECT, "a", "b", came="before")
    desk.hear(DIRECT, "new")
    desk.hear("general", "a")
    assert desk.shown(PAUSE) == [("Ada", "new")]
    desk.policy.forget()
    assert set(desk.due()) == {Close(DIRECT), Close("general")}
    desk.hear("general", "new")
    assert desk.shown(PAUSE) == [("Ada in #general", "new")]


def test_the_summary_goes_when_its_rooms_are_read() -> None:
    """Also while another room has a notification of its own."""
    desk = Desk(room="everything")
    desk.hear(DIRECT, "hello")
    desk.due()
    for number in range(MOST_ROOMS + 1):
        desk.hear(f"room{number}", "x")
    (summary,) = desk.due(PAUSE)[:1]
    assert isinstance(summary, Show)
    assert summary.title == "5 new messages in 5 conversations"
    for number in range(MOST_ROOMS):
        desk.policy.read(f"room{number}")
    desk.hear(f"room{MOST_ROOMS}", "y")
    assert desk.shown(PAUSE) == [("2 new messages in 1 conversation", "")]
    desk.policy.read(f"room{MOST_ROOMS}")
    assert desk.due() == [Close(SUMMARY)]


def test_what_came_after_the_one_put_away_is_told() -> None:
    """It waited for its turn: nobody has seen it. So with the summary."""
    desk = Desk(room="everything")
    desk.hear(DIRECT, "one")
    desk.due()
    desk.hear(DIRECT, "two", "three")
    desk.policy.dismissed(DIRECT)
    assert desk.shown() == []
    assert desk.shown(PAUSE) == [("Ada · 2 new messages", "three")]
    for number in range(MOST_ROOMS + 1):
        desk.hear(f"room{number}", "x")
    desk.due(PAUSE)
    desk.hear("room1", "y")
    desk.policy.dismissed(SUMMARY)
    assert desk.shown(PAUSE) == [("Ada in #room1", "y")]


def test_weeks_leave_nothing_but_places() -> None:
    """What was read and put away is not kept."""
    desk = Desk(room="everything")
    for _ in range(50):
        for number in range(20):
            desk.hear(f"room{number}", "x", "y")
            desk.due(0.5)
        for number in range(20):
            desk.policy.read(f"room{number}")
    assert not desk.policy._rooms
    assert len(desk.policy._places) == 20
    assert len(desk.policy._recent) <= MOST_ROOMS


def test_a_stream_of_rooms_becomes_one() -> None:
    """The limit is of time, not of one turn."""
    desk = Desk(room="everything")
    shown = []
    for number in range(40):
        desk.hear(f"room{number}", "x")
        shown += desk.shown(0.1)
    assert MOST_ROOMS + 1 <= len(shown) <= MOST_ROOMS + 3
    assert shown[-1][0].endswith("conversations")


def test_do_not_disturb_lets_nothing_through() -> None:
    """Nor is it told afterwards: it waits in the window."""
    desk = Desk(quiet=Quiet(until=FOR_EVER))
    desk.hear(DIRECT, "Hello @me")
    assert desk.due() == []
    desk.policy.preferences = Preferences()
    assert desk.due() == []
    desk.hear(DIRECT, "Hello?")
    assert desk.shown() == [("Ada", "Hello?")]


def test_mentions_may_pass() -> None:
    """If the person wishes."""
    desk = Desk(quiet=Quiet(until=FOR_EVER, mentions_pass=True))
    desk.hear(DIRECT, "Hello", "Hello @me")
    assert desk.shown() == [("Ada", "Hello @me")]


def test_names_and_texts_may_stay_hidden() -> None:
    """On a screen that others see."""
    desk = Desk(preview=False)
    desk.hear(DIRECT, "secret")
    assert desk.shown() == [("Chat", "New message")]
    desk.hear(DIRECT, "more")
    assert desk.shown(PAUSE) == [("Chat", "2 new messages")]


def test_without_notifications_there_is_still_a_sound() -> None:
    """Each can be turned off alone."""
    desk = Desk(enabled=False)
    desk.hear(DIRECT, "Hello")
    assert desk.due() == [Play("message"), Demand()]
    assert desk.policy.deadline() is None
    desk = Desk(sounds=False)
    desk.hear(DIRECT, "Hello")
    desk.policy.failed()
    assert sounds(desk.due()) == []


def test_a_burst_is_one_sound() -> None:
    """The one that matters most."""
    desk = Desk()
    desk.hear(DIRECT, "a", "@me", "b")
    desk.policy.failed()
    assert sounds(desk.due()) == ["failed"]


def test_what_the_person_put_away_does_not_come_back() -> None:
    """But for what comes anew."""
    desk = Desk()
    desk.hear(DIRECT, "one")
    desk.due()
    desk.policy.dismissed(DIRECT)
    assert desk.due(PAUSE) == []
    desk.hear(DIRECT, "two")
    assert desk.shown() == [("Ada", "two")]
    desk.policy.read(DIRECT)
    assert desk.due() == [Close(DIRECT)]


def test_stop_takes_everything_away() -> None:
    """When do not disturb begins."""
    desk = Desk()
    desk.hear(DIRECT, "one")
    desk.due()
    desk.hear("dm:bob:me", "two", sender="bob")
    desk.policy.stop()
    assert desk.due() == [Close(DIRECT)]
    assert desk.policy.deadline() is None


class Screen:
    """A desk whose screen is watched."""

    def __init__(self) -> None:
        self.desk = Desk(room="everything")
        self.on_screen: set[str] = set()
        self.owed: set[str] = set()
        """Rooms of which something was not told yet."""
        self.shown_at: dict[str, float] = {}

    def hear(self, room: str, text: str, sender: str, came: Came) -> None:
        """Somebody says something, or this account does on another device."""
        read = self.desk.seq.get(room, 0) + 1 if sender == ME else 0
        self.desk.hear(room, text, sender=sender, came=came, read=read)
        if read:
            self.owed.discard(room)
        elif came != "before":
            self.owed.add(room)

    def act(self, what: str, room: str) -> None:
        """The person, or the server, does something about a room."""
        match what:
            case "read":
                self.desk.policy.read(room)
                self.owed.discard(room)
            case "dismissed":
                self.on_screen.discard(room)
                self.desk.policy.dismissed(room)
            case "forget":
                self.desk.policy.forget([room])
                self.desk.seq.pop(room, None)
                self.owed.discard(room)
            case "hide" | "preview":
                self.shown_at.clear()  # what is hidden now is hidden at once
                chosen = replace(self.desk.policy.preferences, preview=what == "preview")
                self.desk.policy.prefer(chosen)
            case _:
                self.desk.now += 1

    def go_on(self, later: float) -> None:
        """Time passes: no room is shown oftener than every PAUSE, and only what is there goes."""
        for step in self.desk.due(later):
            if isinstance(step, Show):
                waited = self.desk.now - self.shown_at.get(step.room, 0)
                assert waited >= PAUSE or step.room not in self.on_screen
                self.on_screen.add(step.room)
                self.shown_at[step.room] = self.desk.now
                self.owed -= {step.room} if step.room != SUMMARY else set(self.owed)
            elif isinstance(step, Close):
                assert step.room in self.on_screen
                self.on_screen.discard(step.room)


ROOMS = ["general", DIRECT, "dm:bob:me", "a", "b", "c", "d", "e"]


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(ROOMS),
                st.sampled_from(["x", "@me"]),
                st.sampled_from(["ada", ME]),
                st.sampled_from(["live", "away", "before"]),
            ),
            st.tuples(st.sampled_from(["read", "forget", "wait"]), st.sampled_from(ROOMS)),
            st.tuples(st.just("dismissed"), st.sampled_from([*ROOMS, SUMMARY])),
            st.tuples(st.sampled_from(["hide", "preview"]), st.just("")),
        ),
        max_size=60,
    )
)
def test_any_play(steps: list[tuple[str, str, str, Came] | tuple[str, str]]) -> None:
    """Whatever happens: everything is told in the end, and goes when it is read."""
    screen = Screen()
    for step in steps:
        if len(step) == 4:
            screen.hear(*step)
        else:
            screen.act(*step)
        screen.go_on(0.25)
    for _ in range(4):
        screen.go_on(PAUSE)
    assert not screen.owed
    assert screen.desk.policy.deadline() is None
    for room in ROOMS:
        screen.desk.policy.read(room)
    screen.go_on(PAUSE)
    assert not screen.on_screen
    assert screen.desk.policy.deadline() is None


def test_a_notification_of_a_message_that_was_removed_is_closed() -> None:
    """On the screen or about to be; those that show somebody else's stay."""
    desk = Desk(room="everything")
    desk.hear(DIRECT, "Hello")
    desk.hear("general", "Hello, all")
    desk.hear("art", "Hello, art", sender="bob")
    assert len(desk.shown()) == 3
    desk.hear(DIRECT, "Once more")
    desk.policy.erased("ada")
    assert desk.due() == [Close(DIRECT), Close("general"), Play("message"), Demand()]
    assert desk.shown(later=2 * PAUSE) == []
    desk.policy.read("art")
    assert desk.due() == [Close("art")]
