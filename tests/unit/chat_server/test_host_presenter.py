"""What the host's window shows, without a window: numbers, rows, the feed, the formats."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.ready_file import Running
from chat_server.rules import view
from chat_server.window.feed import LINES, REFUSALS, Feed, Kind
from chat_server.window.formats import clock_text, size_text, uptime_text
from chat_server.window.message_rate import HISTORY, MessageRate
from chat_server.window.model import Page, ServerState
from chat_server.window.presenter import Presenter
from chat_server.window.questions import next_port, read_port
from chat_server.window.server_thread import Counts
from common.domain.reasons import Reason
from common.ui.program.window_state import WindowState, load_window_state, save_window_state

NOW = int(datetime(2026, 5, 4, 12, 14, 30).astimezone().timestamp() * 1000)
MINUTE = 60_000
RUNNING = Running("Harbour", ("192.0.2.10", "127.0.0.1"), 7777, "", "chat://link", "e" * 32)


def came(
    connection: int, username: str, *, at: int = NOW, address: str = "192.0.2.1", new: bool = True
) -> view.ClientSignedIn:
    """Somebody signed in from a laptop."""
    return view.ClientSignedIn(
        connection, username, username.title(), address, "Laptop, Linux", at, new
    )


@pytest.fixture
def presenter() -> Presenter:
    """A presenter whose server runs since NOW."""
    made = Presenter("")
    made.started(RUNNING, NOW)
    return made


def test_the_numbers_of_the_strip(presenter: Presenter) -> None:
    """People are counted once, connections each; bytes stay counted when somebody has left."""
    presenter.apply([came(1, "ada"), came(2, "ada", new=False), came(3, "bob")], NOW)
    presenter.apply([view.TrafficChanged({1: (10, 20), 3: (5, 7), 99: (1, 1)})], NOW)
    presenter.apply([view.ClientDisconnected(3, "left", NOW)], NOW)
    shown = presenter.view(NOW + 3 * 60 * MINUTE + 12 * MINUTE)
    assert (shown.people, shown.connections) == (1, 2)
    assert (shown.received, shown.sent) == ("15 B", "27 B")
    assert (shown.since, shown.uptime) == ("12:14", "3 h 12 min")


def test_events_may_come_before_the_news_of_the_start() -> None:
    """A client can be there before the window hears that the server accepts."""
    presenter = Presenter("")
    presenter.apply([came(1, "ada")], NOW)
    presenter.started(RUNNING, NOW)
    assert presenter.view(NOW).connections == 1


def test_a_new_run_starts_empty(presenter: Presenter) -> None:
    """After a stop no row, number or trouble of the former run is left; the feed goes on."""
    presenter.apply([came(1, "ada"), view.MessagesStored(5, NOW)], NOW)
    presenter.apply([view.StoreFailed(Reason("disk_full_here"), NOW)], NOW)
    presenter.stopped(NOW)
    stopped = presenter.view(NOW)
    assert (stopped.phase, stopped.rows, stopped.rate, stopped.trouble) == (
        ServerState.STOPPED, (), 0, "",
    )  # fmt: skip
    presenter.started(RUNNING, NOW)
    presenter.apply([came(1, "bob")], NOW)
    assert [row.username for row in presenter.view(NOW).rows] == ["bob"]
    assert [line.kind for line in presenter.view(NOW).feed][1:3] == [Kind.STARTED, Kind.STOPPED]


def test_rows_are_the_same_objects_until_they_change(presenter: Presenter) -> None:
    """A refresh makes new rows only for connections that something happened to."""
    presenter.apply([came(1, "ada"), came(2, "bob")], NOW)
    before = presenter.view(NOW).rows
    presenter.apply([view.TrafficChanged({2: (4200, 0)})], NOW)
    after = presenter.view(NOW).rows
    assert after[0] is before[0]
    assert (after[1].received_text, after[1].received) == ("4.2 kB", 4200)


@pytest.mark.parametrize("text", ["ADA", "ada", "192.0.2.21", " lapt", "da"])
def test_the_search_looks_everywhere(presenter: Presenter, text: str) -> None:
    """Name, username, device and address are searched, whatever the case."""
    presenter.apply([came(1, "ada", address="192.0.2.21")], NOW)
    presenter.search(text)
    assert [row.username for row in presenter.view(NOW).rows] == ["ada"]
    presenter.search("zebra")
    shown = presenter.view(NOW)
    assert (shown.rows, shown.connections) == ((), 1)


def test_addresses_sort_by_number(presenter: Presenter) -> None:
    """9 before 10, IPv4 before IPv6, an interface in an address is no trouble."""
    wanted = ["192.0.2.9", "192.0.2.10", "2001:db8::2", "fe80::1%eth0"]
    presenter.apply([came(at, "a", address=each) for at, each in enumerate(wanted[::-1])], NOW)
    rows = sorted(presenter.view(NOW).rows, key=lambda row: row.address_order)
    assert [row.address for row in rows] == wanted


def test_the_feed_tells_who_came_and_why_they_went(presenter: Presenter) -> None:
    """Each happening is a line with a name; the stop of the server is one line for all."""
    presenter.apply([came(1, "ada"), came(2, "ada", new=False), came(3, "bob", new=False)], NOW)
    presenter.apply([view.ClientSlow(3, slow=True), view.ClientSlow(3, slow=True)], NOW)
    presenter.apply([view.ClientSlow(3, slow=False)], NOW)
    presenter.apply([view.ClientDisconnected(3, "terminated", NOW)], NOW)
    presenter.apply([view.ClientDisconnected(2, "server_closing", NOW)], NOW)
    assert [(line.kind, line.name) for line in presenter.view(NOW).feed] == [
        (Kind.TERMINATED, "Bob"),
        (Kind.CAUGHT_UP, "Bob"),
        (Kind.SLOW, "Bob"),
        (Kind.CAME, "Bob"),
        (Kind.CAME, "Ada"),
        (Kind.CAME, "Ada"),
        (Kind.STARTED, ""),
    ]
    texts = [line.text for line in presenter.view(NOW).feed]
    assert texts[3:6] == ["is back", "connected from one more device", "joined"]


def test_the_feed_tells_people_of_one_name_apart(presenter: Presenter) -> None:
    """Each line has the username, unless the name is that: also of who is not here any more."""
    names = {1: ("victor", "Victor"), 2: ("eve", "Victor"), 3: ("mallory", "V\u0456ctor")}
    for connection, (username, name) in names.items():
        presenter.apply([replace(came(connection, username), display_name=name)], NOW)
    presenter.apply([view.ClientSlow(2, slow=True), view.ClientSlow(2, slow=False)], NOW)
    presenter.apply([view.ClientDisconnected(2, "left", NOW)], NOW)
    lines = [(line.name, line.handle) for line in presenter.view(NOW).feed if line.name]
    assert lines == [
        ("Victor", "@eve"),
        ("Victor", "@eve"),
        ("Victor", "@eve"),
        ("V\u0456ctor", "@mallory"),
        ("Victor", "@eve"),
        ("Victor", ""),
    ]


def test_the_feed_is_bounded_and_keeps_its_tuple() -> None:
    """The oldest lines go; nothing is made anew while nothing happens on the same day."""
    feed = Feed()
    for number in range(LINES + 5):
        feed.add(Kind.CAME, NOW, f"n{number}", "came")
    lines = feed.lines(NOW)
    assert (len(lines), lines[0].name) == (LINES, f"n{LINES + 4}")
    assert feed.lines(NOW + 1) is lines
    assert feed.lines(NOW + 24 * 60 * MINUTE)[0].time == "4 May"


def test_store_trouble_shows_until_something_is_stored(presenter: Presenter) -> None:
    """The same trouble again is one line with a new time, not a flood."""
    for second in range(50):
        presenter.apply([view.StoreFailed(Reason("disk_full_here"), NOW + second)], NOW)
    shown = presenter.view(NOW)
    assert shown.trouble == "this computer's disk is full"
    assert [line.kind for line in shown.feed] == [Kind.FAILED, Kind.STARTED]
    presenter.apply(
        [view.StoreFailed(Reason("busy_here", {"cause": "disk I/O error\u202e"}), NOW)], NOW
    )
    assert [line.text for line in presenter.view(NOW).feed][:-1] == [
        "Messages can’t be stored: this computer can't store messages now: disk I/O error⟦U+202E⟧"
    ]
    presenter.apply([view.MessagesStored(1, NOW), view.MessagesStored(1, NOW)], NOW)
    restored = presenter.view(NOW)
    assert not restored.trouble
    # The last word is not that of a trouble that is over.
    assert [line.text for line in restored.feed][:-2] == ["Messages are stored again"]


def test_received_text_is_made_harmless(presenter: Presenter) -> None:
    """Bidi overrides and controls are made visible in every text from outside."""
    evil = view.ClientSignedIn(1, "ada", "A\u202eda", "::1", "x\x1b[2J", NOW, True)
    presenter.apply([evil], NOW)
    row = presenter.view(NOW).rows[0]
    assert (row.name, row.device) == ("A⟦U+202E⟧da", "x⟦U+001B⟧[2J")
    assert presenter.view(NOW).feed[0].name == "A⟦U+202E⟧da"


def test_the_reach_tells_when_only_this_computer_can_connect(presenter: Presenter) -> None:
    """Loopback addresses are left out of the line unless there is nothing else."""
    reach = presenter.view(NOW).reach
    assert reach is not None
    assert (reach.text, reach.local) == ("192.0.2.10, port 7777", False)
    presenter.started(Running("H", ("127.0.0.1",), 1, "", "l", "e"), NOW)
    reach = presenter.view(NOW).reach
    assert reach is not None
    assert (reach.text, reach.local) == ("127.0.0.1, port 1", True)


def test_that_nobody_else_can_connect_is_said(presenter: Presenter) -> None:
    """With the reason, in the feed: the server goes on for those who are there."""
    presenter.apply(
        [view.NoMoreConnections(Reason("out_of_means", {"cause": "no\x1b files"}), NOW)], NOW
    )
    shown = presenter.view(NOW)
    assert shown.feed[0].text == (
        "Nobody else can connect: this computer can't open more connections: no⟦U+001B⟧ files"
    )
    assert shown.phase is ServerState.RUNNING


@pytest.mark.parametrize(
    ("hosts", "everywhere", "shown", "note"),
    [
        (("192.0.2.1", "fd00::1", "fe80::1"), True, "192.0.2.1", "on 192.0.2.1, fd00::1, port"),
        (("169.254.1.1", "fe80::1"), True, "169.254.1.1", "only computers on the same cable"),
        (("fe80::1",), True, "fe80::1", "only computers on the same cable"),
        ((), True, "127.0.0.1", "This computer is on no network"),
        ((), False, "127.0.0.1", "Only programs on this computer"),
    ],
)
def test_the_note_says_who_can_connect(
    hosts: tuple[str, ...], everywhere: bool, shown: str, note: str
) -> None:
    """Where nobody else can, what would help; link-local addresses only where nothing else is."""
    presenter = Presenter("", everywhere=everywhere)
    presenter.started(replace(RUNNING, addresses=(*hosts, "127.0.0.1")), NOW)
    reach = presenter.view(NOW).reach
    assert reach is not None
    assert (reach.text, reach.local) == (f"{shown}, port 7777", not hosts)
    assert note in reach.note
    assert reach.note.count("fe80") == ("fe80::1" in hosts and not hosts[0].startswith("192"))


def test_changed_facts_are_shown_and_said(presenter: Presenter) -> None:
    """New addresses, a new name, no network: a line for each, and the run goes on."""
    presenter.apply([came(1, "ada")], NOW)
    before = presenter.view(NOW)
    presenter.changed(RUNNING, NOW + MINUTE)
    assert presenter.view(NOW) == before
    moved = Running("Harbour", ("198.51.100.7", "127.0.0.1"), 7777, "", "chat://new", "e" * 32)
    presenter.changed(moved, NOW + MINUTE)
    shown = presenter.view(NOW + MINUTE)
    assert shown.reach is not None
    assert (shown.reach.text, shown.reach.invite) == ("198.51.100.7, port 7777", "chat://new")
    assert (shown.since, shown.people, shown.name) == (before.since, 1, "Harbour")
    assert "198.51.100.7" in shown.feed[0].text
    presenter.changed(Running("Pier\u202e", ("127.0.0.1",), 7777, "", "l", "e" * 32), NOW)
    shown = presenter.view(NOW)
    assert shown.reach is not None
    assert (shown.name, shown.reach.local) == ("Pier⟦U+202E⟧", True)
    assert [line.kind for line in shown.feed[:3]] == [Kind.CHANGED] * 3
    assert len(shown.feed) == len(before.feed) + 3
    presenter.stopped(NOW)
    presenter.changed(moved, NOW)
    assert presenter.view(NOW).reach is None


def test_a_change_of_the_name_is_answered(presenter: Presenter) -> None:
    """What came of it is counted: the view may be the same as before it was asked for."""
    before = presenter.view(NOW)
    presenter.renaming("A name must have something that can be seen.")
    refused = presenter.view(NOW)
    assert (refused.name_answers, refused.name) == (before.name_answers + 1, "Harbour")
    assert refused.name_problem.startswith("A name must")
    presenter.renaming()
    assert presenter.view(NOW).name_problem == ""
    assert presenter.view(NOW).name_answers == refused.name_answers
    presenter.not_renamed("the host's disk is full")
    failed = presenter.view(NOW)
    assert failed.name_problem == "Not changed: the host's disk is full."
    assert failed.name_answers == refused.name_answers + 1
    presenter.renaming()
    presenter.apply([view.Renamed("Pier\u202e", NOW)], NOW)
    renamed = presenter.view(NOW)
    assert (renamed.name, renamed.given_name) == ("Pier⟦U+202E⟧", "Pier\u202e")
    assert (renamed.name_problem, renamed.name_answers) == ("", failed.name_answers + 1)
    # The facts that have it come a moment later, and say nothing new.
    presenter.changed(replace(RUNNING, name="Pier\u202e", invite="chat://new"), NOW)
    assert presenter.view(NOW).feed == renamed.feed
    assert len(renamed.feed) == len(before.feed) + 1


def test_the_next_change_is_when_something_changes(presenter: Presenter) -> None:
    """Idle it is the next minute of uptime; after a message also its leaving the rate."""
    assert presenter.next_change(NOW + 10_000) == NOW + MINUTE
    presenter.apply([view.MessagesStored(2, NOW + 15_000)], NOW + 15_000)
    change = presenter.next_change(NOW + MINUTE)
    assert change == NOW + 15_000 + MINUTE
    assert presenter.view(change - 1).rate == 2
    assert presenter.view(change).rate == 0
    presenter.stopped(NOW)
    assert presenter.next_change(NOW) is None


def test_the_history_has_whole_minutes_and_now() -> None:
    """Twenty minutes back, the present rate last; what is older is forgotten."""
    rate = MessageRate()
    at = NOW - NOW % MINUTE
    rate.add(3, at)
    assert rate.history(at + MINUTE)[-2:] == (3, 0)
    assert rate.history(at + HISTORY * MINUTE)[0] == 3
    assert set(rate.history(at + (HISTORY + 1) * MINUTE)) == {0}
    assert rate.next_change(at + (HISTORY + 2) * MINUTE) is None


def test_a_clock_set_back_leaves_no_ghosts() -> None:
    """Messages that lie in the future after a jump don't stay in the rate for ever."""
    rate = MessageRate()
    rate.add(9, NOW + 3600_000)
    rate.add(1, NOW)
    assert rate.per_minute(NOW) == 1
    assert rate.per_minute(NOW + MINUTE) == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 200_000)), max_size=60))
def test_the_rate_is_the_sum_of_the_last_minute(said: list[tuple[int, int]]) -> None:
    """Whatever was said when, the rate counts the last 60 seconds, to the second."""
    rate = MessageRate()
    said.sort(key=lambda each: each[1])
    for count, after in said:
        rate.add(count, NOW + after)
    end = NOW + max((after for _, after in said), default=0)
    recent = [count for count, after in said if (NOW + after) // 1000 > end // 1000 - 60]
    assert rate.per_minute(end) == sum(recent)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_200_000, "4.2 MB"), (99_949, "99.9 kB"),
     (99_950, "100 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (118 * 10**9, "118 GB"),
     (5 * 10**15, "5000 TB")],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    """Two or three digits and a unit, and never 1000 of one."""
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(-5, "< 1 min"), (0, "< 1 min"), (1, "1 min"), (59, "59 min"), (192, "3 h 12 min"),
     (60, "1 h 0 min"), (2 * 1440 + 250, "2 d 4 h")],
)  # fmt: skip
def test_uptimes(minutes: int, text: str) -> None:
    """The two largest units, down to the minute; a clock set back is no trouble."""
    assert uptime_text(minutes * MINUTE) == text


@pytest.fixture
def _far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system sets no time zone for one process")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_east")
def test_clocks_are_local() -> None:
    """00:30 UTC is 09:30 in Tokyo; the day before is a date."""
    at = 1_777_768_200_000 - 1_777_768_200_000 % 86_400_000 + 30 * MINUTE
    assert clock_text(at, at) == "09:30"
    assert clock_text(at, at + 86_400_000) == f"{datetime.fromtimestamp(at / 1000).day} May"  # noqa: DTZ006  # the local day is meant


def test_counts_are_added_up_between_two_looks() -> None:
    """Only the first of many wakes the window; the look takes all and begins again."""
    counts = Counts()
    assert counts.add(view.MessagesStored(2, NOW))
    assert not counts.add(view.MessagesStored(3, NOW + 1))
    assert not counts.add(view.TrafficChanged({1: (1, 1)}))
    assert not counts.add(view.TrafficChanged({1: (2, 2), 2: (9, 9)}))
    assert counts.take() == [
        view.TrafficChanged({1: (2, 2), 2: (9, 9)}), view.MessagesStored(5, NOW + 1),
    ]  # fmt: skip
    assert counts.take() == []
    assert counts.add(view.TrafficChanged({}))


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"geometry": 5, "theme": []}',
        b'{"scale": 0.0}',
        b'{"scale": "2"}',
        b'{"scale": 1e400}',
        b'{"screen": [1, 2], "maximized": 1}',
    ],
)
def test_a_damaged_memory_is_an_empty_one(tmp_path: Path, damage: bytes) -> None:
    """Nothing that lies in the file keeps the window from coming up."""
    (tmp_path / "window.json").write_bytes(damage)
    assert load_window_state(tmp_path) == WindowState()


def test_memory_comes_back(tmp_path: Path) -> None:
    """What was kept is recalled; a folder that is gone is only logged."""
    kept = WindowState((900, 600, -5, 20), "dark", 1.25, (1920, 1080), maximized=True)
    save_window_state(tmp_path, kept)
    assert load_window_state(tmp_path) == kept
    save_window_state(tmp_path / "gone", kept)


@pytest.mark.parametrize(
    ("text", "port"),
    [("12346", 12346), (" 1 ", 1), ("65535", 65535), ("0", None), ("65536", None), ("", None),
     ("-1", None), ("1e3", None), ("³", None), ("\u0663", 3), ("\uff11\uff12", 12)],
)  # fmt: skip
def test_ports(text: str, port: int | None) -> None:
    """A port is a plain number from 1 to 65535, in the digits of any script."""
    assert read_port(text) == port


def test_the_suggested_port_is_one() -> None:
    """The next one, and for the last one the one before."""
    assert (next_port(12345), next_port(65535)) == (12346, 65534)


def refused(
    address: str = "192.0.2.7", username: str = "eve", code: str = "bad_secret", at: int = NOW
) -> view.ClientRefused:
    """Somebody was not let in."""
    return view.ClientRefused(address, username, code, at)


def test_the_feed_tells_who_was_refused_and_why(presenter: Presenter) -> None:
    """Nobody has proven a name: so the line begins with none."""
    presenter.apply(
        [
            refused(),
            refused("192.0.2.8", "", "version"),
            refused("192.0.2.9", "dora", "banned"),
            refused("", "", "not_recognized"),
            refused("::1", "a\u202eb", "something_new"),
        ],
        NOW,
    )
    lines = presenter.view(NOW).feed[:5]
    assert {(line.kind, line.name, line.handle) for line in lines} == {
        (Kind.REFUSED, "Somebody", "")
    }
    assert [line.text for line in lines[::-1]] == [
        "at 192.0.2.7 was refused as @eve: invalid invite link",
        "at 192.0.2.8 was refused: their ChatClient is too old",
        "at 192.0.2.9 was refused as @dora: banned",
        "at several addresses was refused: unknown device",
        "at ::1 was refused as @a⟦U+202E⟧b: something_new",
    ]


def test_the_same_refusal_again_is_counted_in_its_line(presenter: Presenter) -> None:
    """It moves to the top; after an hour it is a new line; other names are left out."""
    presenter.apply([refused(), came(1, "ada"), refused(at=NOW + MINUTE)], NOW)
    lines = presenter.view(NOW).feed
    assert lines[0].text == "at 192.0.2.7 was refused as @eve: invalid invite link (2 times)"
    assert [line.kind for line in lines] == [Kind.REFUSED, Kind.CAME, Kind.STARTED]
    later = NOW + 62 * MINUTE
    presenter.apply([refused(at=later), refused(username="root", at=later)], NOW)
    lines = presenter.view(NOW).feed
    assert lines[0].text == "at 192.0.2.7 was refused: invalid invite link (2 times)"
    assert [line.kind for line in lines[1:3]] == [Kind.REFUSED, Kind.CAME]


def test_refusals_leave_room_for_everything_else(presenter: Presenter) -> None:
    """From thousands of addresses, all day: what else happened is still there."""
    presenter.apply([came(1, "ada")], NOW)
    presenter.apply([refused(f"2001:db8::{number:x}") for number in range(3000)], NOW)
    kinds = [line.kind for line in presenter.view(NOW).feed]
    assert kinds == [Kind.REFUSED] * REFUSALS + [Kind.CAME, Kind.STARTED]
    assert "2001:db8::bb7" in presenter.view(NOW).feed[0].text


def test_refusals_are_summed_up_until_they_are_taken() -> None:
    """Equal ones with their count; of a crowd of different ones, most by their reason."""
    counts = Counts()
    assert counts.add(refused())
    assert not counts.add(refused(at=NOW + 1))
    assert counts.take() == [replace(refused(at=NOW + 1), count=2)]
    for number in range(1000):
        counts.add(refused(f"10.0.{number // 250}.{number % 250}"))
    taken = counts.take()
    assert len(taken) == 101
    assert isinstance(taken[-1], view.ClientRefused)
    assert (taken[-1].address, taken[-1].username, taken[-1].count) == ("", "", 900)
    for number in range(1000):
        counts.add(refused(username=f"eve{number}"))
    taken = counts.take()
    assert len(taken) == 51
    assert isinstance(taken[-1], view.ClientRefused)
    assert (taken[-1].address, taken[-1].username, taken[-1].count) == ("192.0.2.7", "", 950)


def test_a_disk_that_gets_full_is_shown_until_it_has_room(presenter: Presenter) -> None:
    """In the feed once each; a server that starts says so only if it is low."""
    presenter.apply([view.DiskRoomy(NOW)], NOW)
    presenter.apply([view.DiskLow(200_000_000, NOW)], NOW)
    shown = presenter.view(NOW)
    assert shown.disk_low
    assert shown.feed[0].text == "The disk is nearly full: 200 MB left"
    presenter.apply([view.DiskRoomy(NOW)], NOW)
    shown = presenter.view(NOW)
    assert not shown.disk_low
    assert [line.text for line in shown.feed] == [
        "The disk has room again", "The disk is nearly full: 200 MB left", "The server started",
    ]  # fmt: skip


@pytest.mark.parametrize("action", ["ban", "terminate"])
@pytest.mark.parametrize("by_connection", [False, True])
def test_who_was_sent_away_is_told_once(
    presenter: Presenter, action: str, by_connection: bool
) -> None:
    """The line that says who did it is enough, for all devices; the next time counts anew."""
    presenter.apply([came(1, "dora"), came(2, "dora", new=False), came(3, "bob")], NOW)
    fields: dict[str, object] = {"connection": 1} if by_connection else {"username": "dora"}
    why = {"ban": "banned", "terminate": "terminated"}[action]
    before = len(presenter.view(NOW).feed)
    presenter.apply([view.Audited(view.HOST, action, fields, NOW)], NOW)
    presenter.apply([view.ClientDisconnected(each, why, NOW) for each in (1, 2)], NOW)
    lines = presenter.view(NOW).feed
    assert [line.name for line in lines[:-before]] == ["You"]
    # Bob uses the same device: nothing else tells that.
    presenter.apply([view.ClientDisconnected(3, why, NOW)], NOW)
    assert presenter.view(NOW).feed[0].name == "Bob"
    presenter.apply([came(4, "dora", new=False), view.ClientDisconnected(4, why, NOW)], NOW)
    assert presenter.view(NOW).feed[0].name == "Dora"


def test_another_name_of_somebody_is_shown_everywhere(presenter: Presenter) -> None:
    """In the rows of all their devices, and told with the former one."""
    presenter.apply([came(1, "ada"), came(2, "ada", new=False), came(3, "bob")], NOW)
    presenter.apply([view.PersonRenamed("ada", "Countess", "Ada", NOW)], NOW)
    presenter.go(Page.PEOPLE)
    shown = presenter.view(NOW)
    assert [row.name for row in shown.rows] == ["Countess", "Countess", "Bob"]
    assert [row.name for row in shown.accounts] == ["Countess", "Bob"]
    line = shown.feed[0]
    assert (line.name, line.text, line.handle) == (
        "Ada", "has another name now: Countess", "@ada",
    )  # fmt: skip


@pytest.mark.parametrize("by", ["ada", view.HOST])
def test_a_deleted_account_is_told_once_and_is_no_longer_listed(
    presenter: Presenter, by: str
) -> None:
    """By whom, and whether the messages went; its devices end without a line of their own."""
    presenter.apply([came(1, "ada"), came(2, "bob")], NOW)
    before = len(presenter.view(NOW).feed)
    presenter.apply(
        [
            view.AccountDeleted("ada", "Ada", by, erased=True, at=NOW),
            view.ClientDisconnected(1, "account_deleted", NOW),
        ],
        NOW,
    )
    presenter.go(Page.PEOPLE)
    shown = presenter.view(NOW)
    assert [row.username for row in shown.accounts] == ["bob"]
    assert [row.username for row in shown.rows] == ["bob"]
    line, *_ = shown.feed
    assert len(shown.feed) == before + 1
    assert (line.name, line.text) == (
        ("Ada", "deleted the account, with all messages")
        if by == "ada"
        else ("You", "deleted Ada’s account, with all messages")
    )
