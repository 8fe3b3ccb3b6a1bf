"""Of what the host is told, when, and in which words: without a window, a clock or a desktop."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.notify.policy import (
    CALM,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Close,
    Demand,
    Play,
    Policy,
    Preferences,
    Refusal,
    Request,
    Show,
    Step,
    Topic,
)

WRONG = Refusal("192.0.2.7", "eve", "invalid invite link")


ADA = Request(1, "Ada", "ada", "0729")
BOB = Request(2, "Bob", "bob", "4711")


def shown(steps: list[Step]) -> list[tuple[str, str]]:
    """Titles and texts of what is shown."""
    return [(step.title, step.body) for step in steps if isinstance(step, Show)]


def told(policy: Policy, *refusals: Refusal, at: float = 0) -> list[Step]:
    """What there is to do once these were refused."""
    for each in refusals:
        policy.refused(each, at)
    return policy.due(at)


def test_somebody_refused_is_told_at_once() -> None:
    """With the address and the reason; one hears it, and the window asks to be looked at."""
    assert told(Policy(), WRONG) == [
        Show(
            Topic.REFUSED,
            "Somebody was refused",
            "At 192.0.2.7, as @eve: invalid invite link.",
        ),
        Demand(),
        Play("knock"),
    ]


@pytest.mark.parametrize(
    ("refusals", "title", "body"),
    [
        ([Refusal("192.0.2.7", "", "banned")], "Somebody was refused", "At 192.0.2.7: banned."),
        (
            [replace(WRONG, count=3)],
            "Somebody was refused 3 times",
            "At 192.0.2.7: invalid invite link.",
        ),
        (
            [WRONG, replace(WRONG, why="banned")],
            "Somebody was refused 2 times",
            "At 192.0.2.7; the last one at 192.0.2.7, as @eve: banned.",
        ),
        (
            [WRONG, replace(WRONG, address="192.0.2.8", username="")],
            "Somebody was refused 2 times",
            "At 2 addresses; the last one at 192.0.2.8: invalid invite link.",
        ),
        (
            [replace(WRONG, address=f"10.0.0.{number}") for number in range(200)],
            "Somebody was refused 200 times",
            "At 100+ addresses; the last one at 10.0.0.199, as @eve: invalid invite link.",
        ),
        (
            [WRONG, Refusal("", "", "banned", 900)],
            "Somebody was refused 901 times",
            "At 2+ addresses; the last one at one of several addresses: banned.",
        ),
    ],
)
def test_the_words_say_how_often_and_where(refusals: list[Refusal], title: str, body: str) -> None:
    """One address or several, one reason or several."""
    assert shown(told(Policy(), *refusals)) == [(title, body)]


def test_a_loop_of_wrong_secrets_is_told_less_and_less() -> None:
    """Once a second for a day: at once, then after growing pauses, with the whole count."""
    policy = Policy()
    times: list[float] = []
    counts: list[str] = []
    for second in range(24 * 3600):
        for step in told(policy, WRONG, at=float(second)):
            if isinstance(step, Show):
                times.append(second)
                counts.append(step.title)
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert len(times) < 40
    assert counts[:2] == ["Somebody was refused", "Somebody was refused 31 times"]


def test_what_waits_has_a_time() -> None:
    """Who was refused in a pause is told at its end, though nobody else is."""
    policy = Policy()
    assert policy.deadline() is None
    policy.refused(WRONG, 5)
    assert policy.deadline() == 0
    policy.due(5)
    assert policy.deadline() is None
    policy.refused(WRONG, 6)
    assert policy.deadline() == 5 + FIRST_PAUSE
    assert policy.due(5 + FIRST_PAUSE - 1) == []
    assert shown(policy.due(5 + FIRST_PAUSE))[0][0] == "Somebody was refused 2 times"
    assert policy.deadline() is None


def test_after_a_calm_the_next_one_is_told_at_once() -> None:
    """Otherwise a scanner in the morning would hide somebody in the evening."""
    policy = Policy()
    told(policy, WRONG)
    told(policy, WRONG, at=FIRST_PAUSE)
    later = FIRST_PAUSE + CALM + 1
    policy.dismissed(Topic.REFUSED)
    assert shown(told(policy, WRONG, at=later)) != []


def test_looking_and_putting_away_do_not_shorten_a_pause() -> None:
    """The next notification counts anew, and comes no sooner."""
    for act in (
        lambda policy: policy.dismissed(Topic.REFUSED),
        lambda policy: (policy.look(looking=True), policy.look(looking=False)),
    ):
        policy = Policy()
        told(policy, WRONG, WRONG)
        act(policy)
        policy.due(1)
        assert shown(told(policy, WRONG, at=2)) == []
        assert shown(policy.due(FIRST_PAUSE)) == [
            ("Somebody was refused", "At 192.0.2.7, as @eve: invalid invite link.")
        ]


def test_who_looks_is_told_nothing() -> None:
    """Neither by a sound; and what is on the screen goes as soon as one looks."""
    policy = Policy()
    told(policy, WRONG)
    policy.requested(ADA)
    policy.disk_low("200 MB")
    policy.stopped("a thread failed")
    policy.due(0)
    policy.look(looking=True)
    assert set(policy.due(1)) == {Close(topic) for topic in Topic}
    policy.refused(WRONG, 2)
    policy.disk_roomy()
    policy.disk_low("100 MB")
    policy.store_failed("the disk is full")
    policy.stopped("again")
    assert policy.due(2) == []
    assert policy.deadline() is None
    policy.look(looking=False)
    assert policy.due(1e9) == []


def test_a_disk_that_gets_full_is_told_until_it_is_not() -> None:
    """Nearly full, full, and over: one notification, with another text; urgent when it is full."""
    policy = Policy()
    policy.disk_low("200 MB")
    (show, demand, play) = policy.due(0)
    assert isinstance(show, Show)
    assert (show.title, show.urgent) == ("The disk is nearly full", False)
    assert show.body.startswith("200 MB are left.")
    assert (demand, play) == (Demand(), Play("failed"))
    policy.store_failed("this computer's disk is full")
    (show, _, play) = policy.due(FIRST_PAUSE)
    assert show == Show(
        Topic.STORE, "Messages can’t be stored", "This computer's disk is full.", urgent=True
    )
    assert play == Play("failed")
    policy.disk_low("1 MB")  # told by the worse one already
    policy.disk_roomy()
    assert policy.due(2) == []
    policy.store_recovered()
    assert policy.due(3) == [Close(Topic.STORE)]
    policy.store_recovered()
    assert policy.due(4) == []


def test_the_same_trouble_with_another_reason_is_not_heard_again() -> None:
    """The text changes; the sound was heard."""
    policy = Policy()
    policy.store_failed("one")
    policy.due(0)
    policy.store_failed("another")
    steps = policy.due(1)
    assert shown(steps) == [("Messages can’t be stored", "Another.")]
    assert not [step for step in steps if isinstance(step, Play)]


def test_trouble_that_is_over_before_it_was_told_is_not_told() -> None:
    """Such as a disk that was away for a moment."""
    policy = Policy()
    policy.store_failed("one")
    policy.store_recovered()
    assert shown(policy.due(0)) == []


def test_a_server_that_stops_by_itself_is_urgent() -> None:
    """Until it runs again; with it goes what was said of its disk."""
    policy = Policy()
    policy.disk_low("1 MB")
    policy.due(0)
    policy.stopped("an internal error ended its thread “hub”")
    show = policy.due(1)[0]
    assert show == Show(
        Topic.SERVER,
        "The server has stopped",
        "An internal error ended its thread “hub”.",
        urgent=True,
    )
    policy.started()
    assert set(policy.due(2)) == {Close(Topic.SERVER), Close(Topic.STORE)}
    policy.not_started("the port is used")
    assert shown(policy.due(3)) == [("The server can’t start", "The port is used.")]
    policy.connections_full("too many files", 4)
    policy.connections_full("too many files", 5)
    assert shown(policy.due(5)) == [("Nobody else can connect", "Too many files.")]
    policy.connections_full("too many files", 4 + LONGEST_PAUSE - 1)
    assert policy.deadline() is None
    policy.connections_full("too many files", 4 + LONGEST_PAUSE)
    assert shown(policy.due(4 + LONGEST_PAUSE)) != []


def test_a_disk_that_comes_and_goes_is_heard_now_and_then() -> None:
    """Each second it fails and works again: all of it is shown, little is heard."""
    policy = Policy()
    steps: list[Step] = []
    for second in range(60):
        policy.store_failed("the disk is away")
        steps += policy.due(second)
        policy.store_recovered()
        steps += policy.due(second + 0.5)
    assert len(shown(steps)) == 60
    assert steps.count(Play("failed")) == 2
    policy.stopped("the disk is away")
    assert Play("failed") in policy.due(61)


def test_of_several_at_once_the_gravest_is_heard() -> None:
    """One sound for all."""
    policy = Policy()
    policy.stopped("x")
    policy.refused(WRONG, 0)
    steps = policy.due(0)
    assert [step for step in steps if isinstance(step, Play)] == [Play("failed")]
    assert len(shown(steps)) == 2


@pytest.mark.parametrize(
    ("preferences", "topics"),
    [
        (Preferences(), set(Topic)),
        (Preferences(requests=False), set(Topic) - {Topic.REQUESTS}),
        (Preferences(refused=False), set(Topic) - {Topic.REFUSED}),
        (Preferences(store=False), set(Topic) - {Topic.STORE}),
        (Preferences(server=False), set(Topic) - {Topic.SERVER}),
        (Preferences(enabled=False), set()),
    ],
)
def test_each_topic_can_be_turned_off(preferences: Preferences, topics: set[Topic]) -> None:
    """Before, and while it is on the screen; it is not heard either."""
    for before in (True, False):
        policy = Policy(preferences if before else None)
        policy.requested(ADA)
        policy.refused(WRONG, 0)
        policy.disk_low("1 MB")
        policy.stopped("x")
        steps = policy.due(0)
        if before:
            assert {step.topic for step in steps if isinstance(step, Show)} == topics
            assert any(isinstance(step, Play) for step in steps) == bool(topics)
        else:
            policy.prefer(preferences)
            assert set(policy.due(1)) == {Close(topic) for topic in set(Topic) - topics}


def test_a_request_to_join_is_told_with_its_digits() -> None:
    """The host may be asked for them before they have the window on the screen."""
    policy = Policy()
    policy.requested(ADA)
    assert policy.due(0) == [
        Show(
            Topic.REQUESTS,
            "Ada asks to join",
            "As @ada. If they tell you the digits 0729, it is them.",
        ),
        Demand(),
        Play("knock"),
    ]
    policy.request_ended(1)
    assert policy.due(1) == [Close(Topic.REQUESTS)]


def test_several_requests_are_one_notification() -> None:
    """Of as many as wait; answering one of them makes no sound."""
    policy = Policy()
    policy.requested(ADA)
    policy.requested(BOB)
    assert shown(policy.due(0)) == [("2 people ask to join", "Ada (@ada) and Bob (@bob).")]
    policy.requested(Request(3, "Cyd", "cyd", "1234"))
    policy.requested(Request(4, "Dan", "dan", "1234"))
    steps = policy.due(1)
    assert shown(steps) == [("4 people ask to join", "Ada (@ada), Bob (@bob) and 2 more.")]
    assert Play("knock") not in steps, "one has just heard it"
    policy.request_ended(1)
    policy.request_ended(3)
    policy.request_ended(4)
    steps = policy.due(60)
    assert [title for title, _ in shown(steps)] == ["Bob asks to join"]
    assert not any(isinstance(step, Play) for step in steps)


def test_a_request_with_a_members_name_is_told_as_such() -> None:
    """Alone with whose it is, among others so that the host looks."""
    alike = "a member has this name or one like it: @ada"
    policy = Policy()
    policy.requested(Request(3, "Ada", "ada2", "4729", alike))
    body = "As @ada2, with the digits 4729. A member has this name or one like it: @ada."
    assert shown(policy.due(0)) == [("Ada asks to join", body)]
    policy.requested(BOB)
    ((_, body),) = shown(policy.due(1))
    assert body.endswith("Look closely: a name is like another one here.")
    policy.request_ended(3)
    ((_, body),) = shown(policy.due(60))
    assert "like" not in body


def test_two_requests_with_one_name_are_told_as_such() -> None:
    """As long as both wait."""
    policy = Policy()
    policy.requested(ADA)
    policy.requested(Request(2, "Ada", "ada2", "4711", "", also_asks=True))
    ((_, body),) = shown(policy.due(0))
    assert body.endswith("Look closely: a name is like another one here.")
    policy.request_ended(1)
    ((_, body),) = shown(policy.due(60))
    assert body == "As @ada2. If they tell you the digits 4711, it is them."


def test_requests_are_not_told_while_the_host_looks() -> None:
    """Nor again when they turn away; but the next one tells of all."""
    policy = Policy()
    policy.look(looking=True)
    policy.requested(ADA)
    policy.look(looking=False)
    assert policy.due(0) == []
    policy.request_ended(7)
    assert policy.due(0) == [], "of a request that nobody made"
    policy.requested(BOB)
    assert [title for title, _ in shown(policy.due(1))] == ["2 people ask to join"]


def test_a_new_server_has_no_requests() -> None:
    """Those of the one before are gone with it."""
    policy = Policy()
    policy.requested(ADA)
    policy.due(0)
    policy.started()
    assert policy.due(1) == [Close(Topic.REQUESTS)]
    policy.requested(BOB)
    assert [title for title, _ in shown(policy.due(60))] == ["Bob asks to join"]


def test_without_sounds_all_is_shown() -> None:
    """And nothing heard."""
    assert told(Policy(Preferences(sounds=False)), WRONG)[1:] == [Demand()]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["refused", "look", "away", "dismissed", "due"]), st.integers(0, 90)
        )
    )
)
def test_whatever_happens_pauses_are_kept(acts: list[tuple[str, int]]) -> None:
    """No two notifications of refusals within the first pause; what is due is done by `due`."""
    policy = Policy()
    now = 0.0
    at: list[float] = []
    for act, wait in acts:
        now += wait
        match act:
            case "refused":
                policy.refused(WRONG, now)
            case "look" | "away":
                policy.look(looking=act == "look")
            case "dismissed":
                policy.dismissed(Topic.REFUSED)
            case _:
                at += [now for step in policy.due(now) if isinstance(step, Show)]
                deadline = policy.deadline()
                assert deadline is None or deadline > now
    assert all(after - before >= FIRST_PAUSE for before, after in itertools.pairwise(at))
