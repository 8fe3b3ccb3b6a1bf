"""A ring is there while the keyboard is used, and is not left by a click."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from common.ui.lists.row_list import ListRow, RowList, Section
from common.ui.lists.table import Column, Table
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.buttons import RINGED, Button
from common.ui.widgets.notices import Banner
from common.ui.widgets.switch import Switch
from tests.gui.kit.conftest import Pump

Part = tuple[tk.Misc, Callable[[], bool]]
"""What gets the keyboard, and whether it shows so."""


def _button(root: tk.Tk, theme: Theme) -> Part:
    button = Button(root, theme, "Join")
    button.pack()
    return button, lambda: button.instate([RINGED])


def _switch(root: tk.Tk, theme: Theme) -> Part:
    switch = Switch(root, theme)
    switch.pack()
    return switch, lambda: switch._ringed


def _list(root: tk.Tk, theme: Theme) -> Part:
    rows = RowList(root, theme)
    rows.pack(fill="both", expand=True)
    rows.set_sections([Section("", (ListRow("a", "Ada"), ListRow("b", "Bruno")))])
    return rows.canvas, lambda: rows._ringed


def _head(root: tk.Tk, theme: Theme) -> Part:
    table = Table(root, theme, (Column("a", "Name"), Column("b", "Number")))
    table.pack(fill="both", expand=True)
    return table._head, lambda: table._head._ringed


def _banner(root: tk.Tk, theme: Theme) -> Part:
    banner = Banner(root, theme)
    banner.show("Gone", "slow", ("Try now", lambda: None))
    label = banner._action
    return label, lambda: str(label.cget("highlightcolor")) != str(label.cget("background"))


def _text(root: tk.Tk, theme: Theme) -> Part:
    panel = Panel(root, theme)
    panel.pack(fill="both", expand=True)
    text = tk.Text(panel, width=20, height=3)
    text.pack()
    panel.ring_for(text)
    return (
        text,
        lambda: (
            str(panel.cget("highlightbackground")) == theme.palette.focus
            and str(panel.cget("highlightthickness")) != "0"
        ),
    )


@pytest.mark.parametrize("make", [_button, _switch, _list, _head, _banner, _text])
def test_a_ring_for_the_keyboard_only(
    root: tk.Tk, theme: Theme, wait_until: Pump, make: Callable[[tk.Tk, Theme], Part]
) -> None:
    """Tab shows it; a click hides it, a key shows it again, the end of the focus hides it."""
    other = tk.Entry(root)
    other.pack()
    part, ringed = make(root, theme)
    wait_until(part.winfo_viewable)
    other.focus_force()
    wait_until(lambda: root.focus_get() is other)
    assert not ringed()
    other.event_generate("<Tab>")
    wait_until(lambda: root.focus_get() is part)
    wait_until(ringed)
    part.event_generate("<ButtonPress-1>", x=5, y=5)
    part.event_generate("<ButtonRelease-1>", x=5, y=5)
    wait_until.settle()
    assert not ringed()
    part.focus_force()
    wait_until(lambda: root.focus_get() is part)
    part.event_generate("<Control-c>")
    part.event_generate("<Shift_L>")
    wait_until.settle()
    assert not ringed()
    part.event_generate("<Down>")
    wait_until(ringed)
    other.focus_set()
    wait_until(lambda: root.focus_get() is other)
    wait_until.settle()
    assert not ringed()


def test_the_mouse_brings_the_keyboard_without_a_ring(
    root: tk.Tk, theme: Theme, wait_until: Pump
) -> None:
    """Also where a program moves the keyboard after a click, even one that ended with "break"."""
    button = Button(root, theme, "Join")
    button.pack()
    text = tk.Text(root, height=2)
    text.pack()
    rows, ringed = _list(root, theme)
    wait_until(button.winfo_viewable)
    text.focus_force()
    text.event_generate("<a>")
    rows.event_generate("<ButtonPress-1>", x=5, y=5)
    wait_until(lambda: root.focus_get() is rows)
    wait_until.settle()
    assert not ringed()
    button.focus_set()
    wait_until(lambda: root.focus_get() is button)
    assert not button.instate([RINGED])


def test_a_widget_that_ends_with_its_ring(root: tk.Tk, theme: Theme, wait_until: Pump) -> None:
    """Nothing is told to what is gone."""
    gone, left = Button(root, theme, "Gone"), Button(root, theme, "Left")
    for button in (gone, left):
        button.pack()
    wait_until(left.winfo_viewable)
    gone.focus_force()
    gone.event_generate("<<TraverseIn>>")
    wait_until(lambda: gone.instate([RINGED]))
    gone.destroy()
    left.focus_force()
    wait_until(lambda: root.focus_get() is left)
    left.event_generate("<Down>")
    wait_until(lambda: left.instate([RINGED]))
    assert str(gone) not in theme.focus._shows
