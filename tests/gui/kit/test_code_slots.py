"""The field with a slot for each character of a code."""

from __future__ import annotations

import tkinter as tk
from itertools import pairwise

import pytest

from common.ui.look.theme import Theme
from common.ui.widgets.code_slots import CodeSlots, SlotText
from tests.gui.kit.conftest import Pump


def accept(text: str) -> str:
    """Capitals and digits, with O for 0."""
    return "".join(c for c in text.upper().replace("O", "0") if c.isascii() and c.isalnum())


def typed(*texts: str) -> SlotText:
    """What is in the slots after these were typed or pasted."""
    slots = SlotText(8, accept)
    for text in texts:
        slots.insert(text)
    return slots


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("k", "7", "q", "2", "9", "f", "x", "m"), "K7Q29FXM"),
        (("k7q2-9fxm",), "K7Q29FXM"),
        ((" K7Q2 9FXM\n",), "K7Q29FXM"),
        (("k7q", "29fxmABC"), "29FXMABC"),  # a whole code replaces what is there
        (("k7q2", "9f"), "K7Q29F"),
        (("o",), "0"),
        (("ä", "-", " "), ""),
        (("k7q29fxm", "a"), "K7Q29FXM"),
        (("k7q29fxm12345",), "K7Q29FXM"),
    ],
)
def test_what_stands_in_the_slots(texts: tuple[str, ...], expected: str) -> None:
    """Typed or pasted, with whatever separates it."""
    slots = typed(*texts)
    assert slots.text == expected
    assert slots.cursor == len(expected)
    assert slots.full == (len(expected) == 8)


def test_a_wrong_character_in_the_middle_is_typed_over() -> None:
    """The cursor goes there; what is behind it stays."""
    slots = typed("K7Q29FXM")
    slots.move(3)
    assert slots.insert("3")
    assert (slots.text, slots.cursor) == ("K7Q39FXM", 4)
    assert slots.delete(before=True)
    assert (slots.text, slots.cursor) == ("K7Q9FXM", 3)
    assert slots.insert("2")
    assert (slots.text, slots.cursor) == ("K7Q29FXM", 4)
    assert slots.delete(before=False)
    assert slots.text == "K7Q2FXM"
    slots.move(99)
    assert slots.cursor == 7
    assert not slots.delete(before=False)
    slots.move(-1)
    assert not slots.delete(before=True)


def test_what_is_selected_is_replaced() -> None:
    """All of it, by the next character or by nothing."""
    slots = typed("K7Q29FXM")
    slots.select()
    assert slots.insert("a")
    assert (slots.text, slots.cursor, slots.chosen) == ("A", 1, False)
    slots.select()
    assert slots.delete(before=True)
    assert slots.text == ""
    slots.select()
    assert not slots.chosen


@pytest.fixture
def slots(root: tk.Tk, theme: Theme, wait_until: Pump) -> CodeSlots:
    """Eight slots on the screen, with the keyboard."""
    made = CodeSlots(root, theme, accept)
    made.pack(fill="x")
    wait_until(lambda: made.winfo_viewable() and made.winfo_width() > 1)
    made.focus_force()
    wait_until(lambda: root.focus_get() is made)
    return made


def press(slots: CodeSlots, wait_until: Pump, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        slots.event_generate(key if key.startswith("<") else f"<Key-{key}>")
    wait_until.settle()


def shown(slots: CodeSlots) -> str:
    """The letters that are drawn."""
    call, path = slots.tk.call, str(slots)
    texts = [item for item in slots.find_all() if str(call(path, "type", item)) == "text"]
    return "".join(str(call(path, "itemcget", item, "-text")) for item in texts)


def test_a_code_is_typed_pasted_and_copied(root: tk.Tk, slots: CodeSlots, wait_until: Pump) -> None:
    """With the keys of a field."""
    press(slots, wait_until, "k", "7", "minus", "q", "o")
    assert (slots.value, shown(slots)) == ("K7Q0", "K7Q0")
    press(slots, wait_until, "<Left>", "<Left>", "<BackSpace>", "<Home>", "<Delete>", "<End>")
    assert slots.value == "Q0"
    root.clipboard_clear()
    root.clipboard_append(" abcd-1234 ")
    press(slots, wait_until, "<Control-v>")
    assert slots.value == shown(slots) == "ABCD1234"
    press(slots, wait_until, "<Control-a>", "<Control-c>")
    assert root.clipboard_get() == "ABCD1234"
    press(slots, wait_until, "x")
    assert slots.value == "X"


def test_what_is_no_character_of_a_code_is_told(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """So that nobody wonders why nothing happens."""
    refused: list[str] = []
    entered: list[str] = []
    made = CodeSlots(
        root, theme, accept, on_refuse=refused.append, on_submit=lambda: entered.append(made.value)
    )
    made.pack(fill="x")
    wait_until(made.winfo_viewable)
    made.focus_force()
    wait_until(lambda: root.focus_get() is made)
    press(made, wait_until, "a", "exclam", "<Return>")
    assert refused == ["!"]
    assert entered == ["A"]


def test_a_click_puts_the_cursor_there(slots: CodeSlots, wait_until: Pump) -> None:
    """At most behind what is there."""
    slots.value = "ABCD1234"
    left, right = slots.slot(2)
    slots.event_generate("<Button-1>", x=(left + right) // 2, y=20)
    wait_until.settle()
    press(slots, wait_until, "x")
    assert slots.value == "ABXD1234"
    slots.value = "AB"
    left, right = slots.slot(7)
    slots.event_generate("<Button-1>", x=(left + right) // 2, y=20)
    press(slots, wait_until, "x")
    assert slots.value == "ABX"


def test_all_slots_are_in_a_narrow_widget(root: tk.Tk, slots: CodeSlots, wait_until: Pump) -> None:
    """They share what there is."""
    root.geometry("200x300")
    wait_until(lambda: slots.winfo_width() == 200)
    places = [slots.slot(n) for n in range(8)]
    assert places[-1][1] <= 200
    assert all(left < right for left, right in places)
    assert all(one[1] < other[0] for one, other in pairwise(places))


def test_an_error_goes_with_the_next_character(slots: CodeSlots, wait_until: Pump) -> None:
    """And another one shows what this one shows."""
    slots.value = "ABCD1234"
    slots.set_error(True)
    other = CodeSlots(slots.master, slots._theme, accept)
    other.take_over(slots)
    assert other.invalid
    assert other.value == "ABCD1234"
    press(slots, wait_until, "<BackSpace>")
    assert not slots.invalid
