"""The host's settings: what a file may hold, and what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat_server.notify.policy import Preferences
from chat_server.settings import Settings, SettingsStore, parse, written
from common.system.looks import Looks

OTHER = Settings(
    Looks("dark", 125),
    15,
    Preferences(enabled=False, refused=False, store=False, server=False, sounds=False),
)
"""Every field at a value that is not the usual one."""


def test_what_is_written_is_read() -> None:
    """And an empty file is the usual settings."""
    assert parse(json.loads(json.dumps(written(OTHER)))) == (OTHER, [])
    assert parse({}) == (Settings(), [])


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"looks": {"theme": "pink"}}, ["looks.theme"]),
        ({"notifications": []}, ["notifications"]),
        ({"notifications": {"refused": "no"}}, ["notifications.refused"]),
        ({"notifications": {"volume": 101}}, ["notifications.volume"]),
    ],
)
def test_wrong_values_are_named_and_left_out(content: dict[str, Any], wrong: list[str]) -> None:
    """With the usual ones in their place."""
    assert parse(content) == (Settings(), wrong)


def test_a_change_is_kept(tmp_path: Path) -> None:
    """In the data folder, beside what this version does not know."""
    (tmp_path / "settings.json").write_text('{"format": 1, "later": 7}', "utf-8")
    store = SettingsStore(tmp_path)
    store.set("notifications", "refused", value=False)
    assert not SettingsStore(tmp_path).settings.notifications.refused
    assert json.loads((tmp_path / "settings.json").read_text("utf-8")) == {
        "format": 1,
        "later": 7,
        "notifications": {"refused": False},
    }
