"""Settings files: whole, readable, shared by windows; what can't be read is never overwritten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.system.settings import SettingsError, SettingsFile


def test_what_is_changed_is_read_again(tmp_path: Path) -> None:
    """By this window and another one; what nobody changed stays, known or not."""
    one, other = (SettingsFile(tmp_path / "settings.json", 1) for _ in range(2))
    assert one.load().content == {}
    one.change(lambda content: content.update(a=1, unknown=["x"]))
    assert other.changed_since()
    other.change(lambda content: content.update(b="ü"))
    assert one.changed_since()
    assert one.load().content == {"format": 1, "a": 1, "unknown": ["x"], "b": "ü"}
    assert not one.changed_since()
    text = (tmp_path / "settings.json").read_text("utf-8")
    assert text.splitlines()[:2] == ["{", '  "format": 1,']
    assert '"ü"' in text


def test_an_edit_that_takes_something_out(tmp_path: Path) -> None:
    """It is gone from the file."""
    file = SettingsFile(tmp_path / "settings.json", 1)
    file.change(lambda content: content.update(a=1))
    file.change(lambda content: content.pop("a"))
    assert file.load().content == {"format": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b"{}",
        b'{"format": "1"}',
        b'{"format": true}',
        b'{"format": 0}',
        b"[" * 100_000,
        b'{"format": 1, "a": "' + b"x" * (1 << 20) + b'"}',
    ],
    ids=["empty", "cut", "bytes", "list", "no format", "text", "flag", "zero", "deep", "large"],
)
@pytest.mark.parametrize("by", ["load", "change"])
def test_a_damaged_file_is_set_aside(tmp_path: Path, raw: bytes, by: str) -> None:
    """Its bytes are there for whoever wants to mend it."""
    path = tmp_path / "settings.json"
    path.write_bytes(raw)
    file = SettingsFile(path, 1)
    if by == "load":
        loaded = file.load()
        assert (loaded.content, loaded.trouble) == ({}, "damaged")
        assert not path.exists()
    else:
        file.change(lambda content: content.update(a=1))
        assert json.loads(path.read_bytes()) == {"format": 1, "a": 1}
    (aside,) = tmp_path.glob("settings.damaged-*.json")
    assert aside.read_bytes() == raw


def test_two_damaged_files_of_one_second_are_both_kept(tmp_path: Path) -> None:
    """The second does not replace the first."""
    for raw in (b"one", b"two"):
        (tmp_path / "settings.json").write_bytes(raw)
        SettingsFile(tmp_path / "settings.json", 1).load()
    kept = {path.read_bytes() for path in tmp_path.glob("settings.damaged-*.json")}
    assert kept == {b"one", b"two"}


def test_a_newer_file_is_not_touched(tmp_path: Path) -> None:
    """An older program would lose what it does not know."""
    path = tmp_path / "settings.json"
    path.write_bytes(b'{"format": 2, "a": 1}')
    file = SettingsFile(path, 1)
    assert file.load().trouble == "newer"
    with pytest.raises(SettingsError, match="newer version"):
        file.change(lambda content: content.update(a=2))
    assert path.read_bytes() == b'{"format": 2, "a": 1}'


def test_a_file_that_can_not_be_read_is_not_replaced(tmp_path: Path) -> None:
    """Such as a folder, or a link, in its place."""
    (tmp_path / "settings.json").mkdir()
    file = SettingsFile(tmp_path / "settings.json", 1)
    assert file.load().trouble == "unreadable"
    with pytest.raises(SettingsError, match="can't be read"):
        file.change(lambda content: content.update(a=2))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_no_link_is_followed(tmp_path: Path) -> None:
    """Where it leads, nothing is read or written."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b'{"format": 1}')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.json").symlink_to(elsewhere)
    file = SettingsFile(tmp_path / "data" / "settings.json", 1)
    assert file.load().trouble == "unreadable"
    with pytest.raises(SettingsError):
        file.change(lambda content: content.update(a=1))
    assert elsewhere.read_bytes() == b'{"format": 1}'


_CHANGER = """
import sys
from pathlib import Path
from common.system.settings import SettingsFile
file = SettingsFile(Path(sys.argv[1]), 1)
for number in range(20):
    file.change(lambda content: content.update({f"{sys.argv[2]}{number}": number}))
"""


def test_two_programs_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each changes what the other has written by then."""
    path = tmp_path / "settings.json"
    programs = [
        subprocess.Popen([sys.executable, "-c", _CHANGER, str(path), name]) for name in "ab"
    ]
    assert [program.wait(60) for program in programs] == [0, 0]
    content = SettingsFile(path, 1).load().content
    assert len(content) == 1 + 2 * 20


def test_whatever_json_allows_can_be_changed(tmp_path: Path) -> None:
    """Half a surrogate pair is a text in JSON, and none in UTF-8: its escape stays."""
    path = tmp_path / "settings.json"
    path.write_text('{"format": 1, "\\ud800": {"a": "\\udfff ü"}}', "utf-8")
    file = SettingsFile(path, 1)
    assert file.change(lambda content: content.update(b=1))["\ud800"] == {"a": "\udfff ü"}
    assert file.load().content == {"format": 1, "\ud800": {"a": "\udfff ü"}, "b": 1}


def test_what_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    """Read or not, it is no error of the program's; nothing is written then."""
    path = tmp_path / "settings.json"
    for depth in (300, 600, 900, 960, 980, 990, 995, 5000):
        path.write_text(f'{{"format": 1, "a": {"[" * depth}{"]" * depth}}}', "utf-8")
        before = path.read_bytes()
        file = SettingsFile(path, 1)
        if file.load().trouble is None:
            try:
                file.change(lambda content: content.update(b=1))
            except SettingsError:
                assert path.read_bytes() == before
