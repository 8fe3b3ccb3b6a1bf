"""The client's settings: what a file may hold, changes, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat_client.notify.policy import Preferences
from chat_client.notify.quiet import FOR_EVER, Quiet
from chat_client.settings import Settings, SettingsStore, parse, written
from common.system.looks import Looks

NIGHT = Quiet(hours=(22 * 60, 7 * 60 + 30), mentions_pass=True)


def test_what_is_written_is_read() -> None:
    """Every field, each at a value that is not the usual one."""
    settings = Settings(
        Looks("dark", 125),
        15,
        Preferences(
            enabled=False,
            direct="mentions",
            room="everything",
            preview=False,
            sounds=False,
            quiet=NIGHT,
        ),
        {"ada@x": {"general": "nothing"}},
    )
    assert parse(json.loads(json.dumps(written(settings)))) == (settings, [])


@pytest.mark.parametrize("until", [0, FOR_EVER, 1_800_000_000_000])
def test_do_not_disturb_until(until: int, tmp_path: Path) -> None:
    """Nothing, for ever or a time."""
    SettingsStore(tmp_path).set_quiet(Quiet(until))
    assert SettingsStore(tmp_path).settings.notifications.quiet.until == until


def test_an_empty_file_is_the_usual_settings() -> None:
    """And so is what is missing in any other."""
    assert parse({}) == (Settings(), [])


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"looks": []}, ["looks"]),
        ({"looks": {"theme": "pink"}}, ["looks.theme"]),
        ({"looks": {"theme": []}}, ["looks.theme"]),
        ({"looks": {"text_size": 79}}, ["looks.text_size"]),
        ({"looks": {"text_size": 201}}, ["looks.text_size"]),
        ({"looks": {"text_size": True}}, ["looks.text_size"]),
        ({"looks": {"text_size": 1e99}}, ["looks.text_size"]),
        ({"notifications": {"enabled": 1}}, ["notifications.enabled"]),
        ({"notifications": {"volume": -1}}, ["notifications.volume"]),
        (
            {"notifications": {"do_not_disturb": {"until": "soon", "hours": ["25:00", "1:00"]}}},
            ["notifications.do_not_disturb.until", "notifications.do_not_disturb.hours"],
        ),
        (
            {"notifications": {"do_not_disturb": {"until": 5, "hours": [1, None]}}},
            ["notifications.do_not_disturb.until", "notifications.do_not_disturb.hours"],
        ),
        ({"accounts": {"a": {"rooms": {"b": "x"}}}}, ["accounts.a.rooms.b"]),
        ({"accounts": {"a": 1}}, ["accounts.a"]),
    ],
)
def test_wrong_values_are_named_and_left_out(content: dict[str, Any], wrong: list[str]) -> None:
    """What is right beside them is taken over."""
    more = {**content, "more": 1}
    more.setdefault("notifications", {})["preview"] = False
    settings, found = parse(more)
    assert found == wrong
    assert not settings.notifications.preview
    assert settings.looks == Looks()


def test_a_change_holds_at_once_and_the_next_time(tmp_path: Path) -> None:
    """And in another window, once it looks."""
    one, other = SettingsStore(tmp_path), SettingsStore(tmp_path)
    heard: list[str] = []
    one.subscribe(lambda: heard.append("one"))
    stop = other.subscribe(lambda: heard.append("other"))
    other.refresh()
    assert heard == []
    one.set("looks", "theme", value="dark")
    one.set_level("ada@x", "general", "everything")
    assert heard == ["one", "one"]
    other.refresh()
    other.refresh()
    assert heard[2:] == ["other"]
    stop()
    stop()
    other.set("looks", "text_size", value=90)
    one.refresh()
    assert heard[2:] == ["other", "one"]
    for store in (one, other, SettingsStore(tmp_path)):
        assert store.settings.looks.theme == "dark"
        assert store.settings.preferences("ada@x").rooms == {"general": "everything"}
        assert store.settings.preferences("bob@x").rooms == {}
    other.set_level("ada@x", "general", None)
    one.refresh()
    assert one.settings.preferences("ada@x").rooms == {}


def test_wrong_values_are_kept_in_a_copy(tmp_path: Path) -> None:
    """Before the next change writes over them."""
    raw = b'{"format": 1, "looks": {"theme": "pink", "text_size": 90}}'
    (tmp_path / "settings.json").write_bytes(raw)
    store = SettingsStore(tmp_path)
    assert store.settings.looks == Looks("system", 90)
    problem = store.problem
    assert problem is not None
    assert (problem.what, problem.fields) == ("wrong", ("looks.theme",))
    assert problem.aside is not None
    assert problem.aside.read_bytes() == raw
    store.set("looks", "theme", value="light")
    told = [store.problem]
    store.told()
    told.append(store.problem)
    assert told == [problem, None]
    assert SettingsStore(tmp_path).settings.looks == Looks("light", 90)


def test_a_damaged_file_is_told_of(tmp_path: Path) -> None:
    """And the program goes on with the usual settings."""
    (tmp_path / "settings.json").write_bytes(b"{")
    store = SettingsStore(tmp_path)
    assert store.settings == Settings()
    assert store.problem is not None
    assert store.problem.what == "damaged"
    assert store.problem.aside is not None


def test_what_can_not_be_kept_holds_until_the_program_ends(tmp_path: Path) -> None:
    """Such as beside a newer program's file; it is said why."""
    raw = b'{"format": 99}'
    (tmp_path / "settings.json").write_bytes(raw)
    store = SettingsStore(tmp_path)
    store.set("looks", "text_size", value=150)
    store.set("looks", "theme", value="dark")
    assert store.settings.looks == Looks("dark", 150)
    assert store.problem is not None
    assert store.problem.what == "not_kept"
    assert (tmp_path / "settings.json").read_bytes() == raw


@pytest.mark.parametrize("raw", [b"{", b'{"format": 1, "looks": {"theme": "pink"}}'])
def test_a_problem_stays_until_it_was_told(raw: bytes, tmp_path: Path) -> None:
    """Also when the window gets the keyboard, or another one writes the file."""
    (tmp_path / "settings.json").write_bytes(raw)
    store = SettingsStore(tmp_path)
    problem = store.problem
    assert problem is not None
    store.refresh()
    problems = [store.problem]
    other = SettingsStore(tmp_path)
    other.set("looks", "theme", value="dark")
    store.refresh()
    assert store.settings.looks.theme == "dark"
    problems.append(store.problem)
    store.told()
    problems.append(store.problem)
    assert problems == [problem, problem, None]
