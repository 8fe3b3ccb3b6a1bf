"""Shortcuts: the keys that people know, on whichever keyboard layout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common.ui.look.theme import Theme
from common.ui.widgets.keys import FIND, SETTINGS, Layout, is_latin, us_letter
from tests.gui.kit.conftest import Pump

x11 = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="X11 only")
POSITIONS = {"a": 38, "c": 54, "v": 55, "x": 53, "y": 29, "z": 52, "f": 41}
SHORTCUTS = {
    "a": "<<SelectAll>>",
    "c": "<<Copy>>",
    "x": "<<Cut>>",
    "v": "<<Paste>>",
    "z": "<<Undo>>",
    "y": "<<Redo>>",
    "f": FIND,
}
# Keysyms on the key that is C on a US keyboard.
SCRIPTS = {
    "Russian": 0x6D3,
    "Greek": 0x7F8,
    "Hebrew": 0xCE1,
    "Arabic": 0x5C4,
    "Thai": 0xDE1,
    "Georgian": 0x10010EA,
    "Armenian": 0x1000579,
    "Hindi": 0x100091A,
    "unnamed": 0,
}


def press(widget: tk.Misc, keycode: int, keysym: int, state: int = 4) -> Any:
    """What Tk tells of a key."""
    return SimpleNamespace(widget=widget, keycode=keycode, keysym_num=keysym, state=state)


@pytest.fixture
def text(root: tk.Tk, theme: Theme, wait_until: Pump) -> tk.Text:
    """A text on the screen, with the keys that a theme gives it."""
    del theme
    text = tk.Text(root)
    text.pack()
    wait_until(text.winfo_viewable)
    return text


@x11
@pytest.mark.parametrize("keysym", SCRIPTS.values(), ids=SCRIPTS)
def test_every_shortcut_works_by_position(root: tk.Tk, text: tk.Text, keysym: int) -> None:
    """All there are, each once, with Caps Lock as well; and with Shift what Shift makes of it."""
    layout = Layout(root, "x11")
    done: list[str] = []
    for name in SHORTCUTS.values():
        text.bind(name, lambda _, name=name: done.append(name))  # type: ignore[misc]
    for letter, name in SHORTCUTS.items():
        done.clear()
        layout.pressed(press(text, POSITIONS[letter], keysym))
        layout.pressed(press(text, POSITIONS[letter], keysym, state=4 | 2))
        assert done == [name, name], letter
    done.clear()
    layout.pressed(press(text, POSITIONS["z"], keysym, state=4 | 1))
    assert done == ["<<Redo>>"]


@x11
@pytest.mark.parametrize("keysym", SCRIPTS.values(), ids=SCRIPTS)
def test_the_settings_are_reached_on_every_layout(root: tk.Tk, text: tk.Text, keysym: int) -> None:
    """Where the key of the comma is a letter; once where it is a comma, as Tk does that."""
    layout = Layout(root, "x11")
    done: list[str] = []
    text.bind(SETTINGS, lambda _: done.append(SETTINGS))
    layout.pressed(press(text, 59, keysym))
    assert done == [SETTINGS]
    layout.pressed(press(text, 59, ord(",")))
    layout.pressed(press(text, 59, ord("w")))  # Dvorak
    assert done == [SETTINGS]


@x11
def test_a_new_shortcut_works_by_position(root: tk.Tk, text: tk.Text) -> None:
    """Whatever virtual event it is, without a word about layouts."""
    done: list[str] = []
    root.event_add("<<New>>", "<Control-Key-n>")
    root.bind("<<New>>", lambda _: done.append("new"))
    Layout(root, "x11").pressed(press(text, 57, SCRIPTS["Russian"]))
    assert done == ["new"]


@x11
def test_keys_stay_while_menus_come_and_go(root: tk.Tk, text: tk.Text) -> None:
    """A menu sets tk_strictMotif back, for which Tk would give texts the keys of Emacs."""
    keys = {name: root.event_info(name) for name in root.event_info()}
    assert "<Control-Key-Insert>" in keys["<<Copy>>"]
    assert "<Control-Key-w>" not in keys["<<Cut>>"]
    for value in (0, 1, 0, 1):
        text.tk.call("set", "tk_strictMotif", value)
        assert {name: root.event_info(name) for name in root.event_info()} == keys


@x11
def test_latin_layouts_go_by_their_letters(root: tk.Tk, text: tk.Text) -> None:
    """Dvorak has J where C is, AZERTY a comma where M is: Tk knows these by itself."""
    layout = Layout(root, "x11")
    done: list[str] = []
    for name in SHORTCUTS.values():
        text.bind(name, lambda _: done.append("done"))
    for keysym in (ord("j"), ord("c"), 0xE4, 0x1B1, 0x1001EBD, ord(","), ord("'"), 0xFFE3):
        layout.pressed(press(text, POSITIONS["c"], keysym))
    assert not done
    # AltGr is no shortcut, and a key without a letter is none either.
    layout.pressed(press(text, POSITIONS["c"], SCRIPTS["Greek"], state=4 | 8))
    layout.pressed(press(text, 10, SCRIPTS["Greek"]))
    assert not done


@x11
def test_signs_on_letter_keys_follow_the_letters(root: tk.Tk, text: tk.Text) -> None:
    """In Arabic, Shift and the key of Z give a tilde: the letters before told the layout."""
    layout = Layout(root, "x11")
    done: list[str] = []
    text.bind("<<Redo>>", lambda _: done.append("redo"))
    layout.pressed(press(text, POSITIONS["z"], ord("~"), state=5))
    assert not done
    layout._typed(press(text, POSITIONS["a"], SCRIPTS["Arabic"], state=0))
    layout.pressed(press(text, POSITIONS["z"], ord("~"), state=5))
    assert done == ["redo"]


@pytest.mark.parametrize(
    ("system", "keycode", "letter"),
    [
        *(("x11", code, letter) for letter, code in POSITIONS.items()),
        ("x11", 24, "q"),
        ("x11", 58, "m"),
        ("x11", 59, ""),
        ("x11", 9, ""),
        ("win32", 0x43, "c"),
        ("win32", 0x5A, "z"),
        ("win32", 0x30, ""),
        ("aqua", 8 << 24 | 0x441, "c"),
        ("aqua", 46 << 24, "m"),
        ("aqua", 0 << 24, "a"),
        ("aqua", 16 << 24, "y"),
        ("aqua", 36 << 24, ""),
    ],
)
def test_where_letters_are(system: str, keycode: int, letter: str) -> None:
    """By X keycodes, Windows' virtual keys and those of macOS."""
    assert us_letter(system, keycode) == letter


def test_windows_names_no_foreign_letters() -> None:
    """It gives a letter of a code page for them, as Ntilde; or nothing."""
    assert not is_latin("win32", 0xD1)
    assert not is_latin("win32", 0)
    assert is_latin("win32", ord("c"))
    assert is_latin("x11", 0xD1)


def test_shortcuts_are_virtual_events() -> None:
    """A letter that is bound by itself would not work on other layouts."""
    bound = re.compile(r"""["']<(?:[A-Z]\w+-)*(?:Control|Command)-(?:\w+-)*[a-zA-Z]>["']""")
    packages = Path(__file__).resolve().parents[3]
    for package in ("common", "chat_client", "chat_server"):
        for file in (packages / package).rglob("*.py"):
            found = [text for text in bound.findall(file.read_text("utf-8")) if "-Key-" not in text]
            assert not found, file


@pytest.fixture
def layouts() -> Iterator[None]:
    """The X server's layout may be changed, and is put back."""
    for tool in ("setxkbmap", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    asked = subprocess.run(["setxkbmap", "-query"], capture_output=True, text=True, check=True)
    before = dict(line.split(":", 1) for line in asked.stdout.splitlines() if ":" in line)
    yield
    options = [f"-{name}" for name in ("layout", "variant") if name in before]
    values = [before[option[1:]].strip() for option in options]
    arguments = [part for pair in zip(options, values, strict=True) for part in pair]
    subprocess.run(["setxkbmap", *arguments], check=True)


@x11
@pytest.mark.usefixtures("layouts")
@pytest.mark.parametrize("layout", ["ru", "gr", "il", "ara", "us", "fr"])
def test_real_keys_of_a_real_layout(
    root: tk.Tk, text: tk.Text, wait_until: Pump, layout: str
) -> None:
    """Pressed on the X server: select all, copy, and Shift+Ctrl+Z by position."""
    subprocess.run(["setxkbmap", layout], check=True)
    done: list[str] = []
    for name in SHORTCUTS.values():
        text.bind(name, lambda _, name=name: done.append(name))  # type: ignore[misc]
    text.focus_force()
    wait_until(lambda: root.focus_displayof() is text)
    codes = dict(POSITIONS)
    if layout == "fr":  # by letter: A and Q, Z and W have changed places
        codes |= {"a": 24, "z": 25}
    for letter, name in SHORTCUTS.items():
        done.clear()
        code = str(codes[letter])
        subprocess.run(["xdotool", "keydown", "ctrl", "key", code, "keyup", "ctrl"], check=True)
        wait_until(lambda: done, f"{name} in {layout}")
        assert done == [name]
