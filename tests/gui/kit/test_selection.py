"""What other programs get of what is selected or copied."""

from __future__ import annotations

import random
import subprocess
import sys
import tkinter as tk
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ui.look.theme import Theme
from common.ui.widgets.richtext import RichText
from common.ui.widgets.selection import (
    CHUNK,
    chunked,
    copied,
    copy,
    has_copied,
    own_selection,
    selected,
)
from tests.gui.kit.conftest import Pump

SMILE: Final = "\U0001f600"
FAMILY: Final = "\U0001f469\U0001f3fd\u200d\U0001f4bb"
# Asks as another program does, through the X server.
_ASK: Final = """
import sys, tkinter
root = tkinter.Tk()
root.withdraw()
text = root.selection_get(selection=sys.argv[1], type=sys.argv[2])
sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
"""
x11 = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the X11 selections")


def ask(pump: Pump, what: str = "PRIMARY", target: str = "UTF8_STRING") -> str:
    """What another program gets."""
    asked = subprocess.Popen(
        [sys.executable, "-c", _ASK, what, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    pump(lambda: asked.poll() is not None, "the other program")
    said, problem = asked.communicate()
    assert asked.returncode == 0, problem.decode()
    return said.decode()


@x11
def test_others_get_emoji_and_not_pictures(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """By PRIMARY, as for a middle click, and by the clipboard."""
    text = tk.Text(root)
    rich = RichText(text, theme)
    rich.insert("end", f"A{SMILE}B é {FAMILY} \U00020bb7\nnext")
    text.tag_add("sel", "1.0", "end")
    assert ask(wait_until) == selected(root) == f"A{SMILE}B é {FAMILY} \U00020bb7\nnext"
    text.tag_remove("sel", "1.3", "end")
    assert ask(wait_until) == f"A{SMILE}B"
    assert ask(wait_until, target="STRING") == "A?B"
    rich.copy_selection()
    assert ask(wait_until, "CLIPBOARD") == copied(root) == f"A{SMILE}B"


@x11
@pytest.mark.parametrize("seed", range(4))
def test_what_is_long_arrives_whole(root: tk.Tk, wait_until: Pump, seed: int) -> None:
    """More than Tk sends at once, with characters of every length where two chunks meet."""
    chosen = random.Random(seed)  # noqa: S311  # no secret, but the same in each run
    letters = [f"aé漢\n{SMILE}\U00020bb7", f"{SMILE}b", f"漢{SMILE}", f"abcdefghij{SMILE}"][seed]
    said = SMILE + "x" * seed + "".join(chosen.choices(letters, k=9000))
    entry = tk.Entry(root)
    own_selection(entry, lambda: said)
    entry.insert(0, "short")
    entry.selection_range(0, "end")
    assert ask(wait_until) == said
    copy(entry, said)
    entry.destroy()
    assert ask(wait_until, "CLIPBOARD") == said
    copy(root, "short again")
    assert ask(wait_until, "CLIPBOARD") == copied(root) == "short again"


@x11
def test_who_does_not_answer_is_asked_once(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for another kind of text: Tk waits five seconds each time."""
    asked: list[str] = []
    clock = iter((0.0, 5.0, 5.0, 5.1))

    def get(_widget: tk.Misc, _selection: str, target: str) -> str:
        asked.append(target)
        return ""

    monkeypatch.setattr("common.ui.widgets.selection._get", get)
    monkeypatch.setattr("common.ui.widgets.selection.time.monotonic", lambda: next(clock))
    assert copied(root) == ""
    assert asked == ["UTF8_STRING"]
    assert copied(root) == ""
    assert asked == ["UTF8_STRING"] * 2 + ["STRING"]


def test_nothing_copied_leaves_the_clipboard(root: tk.Tk, theme: Theme) -> None:
    """Ctrl+C without a selection must not empty it."""
    copy(root, "kept")
    text = tk.Text(root)
    RichText(text, theme).copy_selection()
    copy(root, "")
    assert copied(root) == "kept"
    assert has_copied(root)
    root.clipboard_clear()
    assert copied(root) == ""
    assert not has_copied(root)


def _sent(data: bytes) -> str:
    """`data` as Tk 8.6 sends it: chunk by chunk, keeping an unfinished character for the next.

    It takes three bytes of four for finished.
    """
    said, rest = "", b""
    while data or rest:
        chunk, data = rest + data[: CHUNK - len(rest)], data[CHUNK - len(rest) :]
        rest = b""
        for kept in (1, 2) if data else ():
            if chunk[-kept] >= 0xC0 and len(chr(0x10000).encode()) > kept:
                lead = chunk[-kept]
                if kept < (4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2):
                    chunk, rest = chunk[:-kept], chunk[-kept:]
                break
        said += chunk.decode("utf-8", "surrogatepass")
    return said.encode("utf-16", "surrogatepass").decode("utf-16")


@given(st.integers(0, 5), st.lists(st.sampled_from(["a", "é", "漢", SMILE]), max_size=40))
def test_no_character_has_three_of_four_bytes_in_a_chunk(fill: int, around: list[str]) -> None:
    """Where a chunk ends, whatever is before and after it."""
    text = SMILE + "x" * (CHUNK - 40 - fill) + "".join(around) + SMILE * 2000
    assert _sent(chunked(text)) == text
    assert chunked("".join(around)) == "".join(around).encode()
