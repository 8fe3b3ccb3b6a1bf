"""Radio buttons with explanations: chosen by a click anywhere, by arrows and by Space."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

import pytest

from common.ui.look.theme import Theme
from common.ui.widgets.choice_list import Alternative, ChoiceList
from tests.gui.harness import DEADLINE, settle, wait

THREE = (
    Alternative("a", "The first", "With an explanation that is long enough for two lines " * 2),
    Alternative("b", "The second", "With another one"),
    Alternative("c", "The third"),
)


@pytest.fixture
def chosen() -> list[str]:
    """What the person has chosen."""
    return []


@pytest.fixture
def choices(bare_root: tk.Tk, chosen: list[str]) -> Iterator[ChoiceList]:
    """Three of them, in a narrow window."""
    bare_root.geometry("320x300")
    made = ChoiceList(bare_root, Theme(bare_root, "light"), THREE, chosen.append)
    made.pack(fill="x")
    made.choose("a")
    wait(bare_root, made.winfo_viewable, "the list", DEADLINE)
    settle(bare_root)
    yield made
    made.destroy()


def key(choices: ChoiceList, choice: str, name: str) -> None:
    """Press a key with the keyboard on one of them."""
    choices.buttons[choice].focus_force()
    settle(choices.winfo_toplevel())
    choices.buttons[choice].event_generate(name)


def stops(choices: ChoiceList) -> list[str]:
    """Which of them the Tab key stops at."""
    return [each for each, button in choices.buttons.items() if int(button.cget("takefocus"))]


def test_a_click_on_the_words_chooses(choices: ChoiceList, chosen: list[str]) -> None:
    """On the title, the explanation, or the space beside them; once each."""
    for label in choices._wrapped[2:4]:
        label.event_generate("<Button-1>", x=2, y=2)
    assert (choices.value, chosen) == ("b", ["b"])
    choices.buttons["c"].master.event_generate("<Button-1>", x=2, y=2)
    assert (choices.value, chosen) == ("c", ["b", "c"])


def test_the_arrow_keys_choose(choices: ChoiceList, chosen: list[str]) -> None:
    """Up to the ends; the Tab key stops at the one that is chosen."""
    key(choices, "a", "<Up>")
    assert chosen == []
    key(choices, "a", "<Down>")
    key(choices, "b", "<Right>")
    key(choices, "c", "<Down>")
    assert (chosen, stops(choices)) == (["b", "c"], ["c"])
    key(choices, "c", "<Up>")
    assert (chosen[-1], stops(choices)) == ("b", ["b"])


def test_the_program_chooses_without_a_call(choices: ChoiceList, chosen: list[str]) -> None:
    """What was chosen elsewhere is only shown; none may be."""
    choices.choose("c")
    choices.choose("")
    assert (choices.value, chosen, stops(choices)) == ("", [], ["a"])
    key(choices, "a", "<space>")
    assert chosen == ["a"]


def test_while_it_is_off_nothing_is_chosen(choices: ChoiceList, chosen: list[str]) -> None:
    """Neither by keys nor by clicks, and the Tab key goes past."""
    choices.enabled = False
    key(choices, "a", "<Down>")
    choices._wrapped[2].event_generate("<Button-1>", x=2, y=2)
    assert (choices.value, chosen, stops(choices)) == ("a", [], [])
    choices.enabled = True
    key(choices, "a", "<Down>")
    assert chosen == ["b"]


def test_long_words_are_wrapped(choices: ChoiceList) -> None:
    """Nothing is cut at the right."""
    for label in choices._wrapped:
        assert label.winfo_reqwidth() <= label.winfo_width()
