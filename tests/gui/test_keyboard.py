"""Where the keyboard is can be seen, wherever the Tab key takes it, and is not after a click."""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageGrab

from chat_client.options import Options
from chat_client.window.join.ways import Way
from tests.gui.harness import DEADLINE, Host, HostWindow, Town, click, settle, wait
from tests.gui.layout import mapped, tab_stops


@pytest.fixture
def host_window(town: Town, tmp_path: Path) -> Iterator[HostWindow]:
    """The host's window, with a server."""
    del town
    window = HostWindow(tmp_path / "host")
    yield window
    window.close()


def picture(root: tk.Tk, part: tk.Misc) -> Image.Image:
    """A part of the window as it is on the screen, with a little of what is around it."""
    x, y = part.winfo_rootx() - 3, part.winfo_rooty() - 3
    box = x, y, x + part.winfo_width() + 6, y + part.winfo_height() + 6
    display = os.environ["DISPLAY"]
    root.update_idletasks()
    return ImageGrab.grab(box, xdisplay=display).convert("RGB")


def differs(root: tk.Tk, part: tk.Misc, before: Image.Image) -> bool:
    """Whether it looks otherwise now."""
    return ImageChops.difference(before, picture(root, part)).getbbox() is not None


def visit(root: tk.Tk) -> list[str]:
    """Go through everything with the Tab key; the names of what was there."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        pytest.skip("pictures are taken from an X server")
    for part in mapped(root):
        if isinstance(part, (tk.Entry, tk.Text)):
            part.configure(insertofftime=0)  # no blinking: what differs is there to stay
    first = tab_stops(root)[-1]
    first.focus_force()
    wait(root, lambda: root.focus_displayof() is first, "the keyboard", DEADLINE)
    names: list[str] = []
    at = first
    while at is not first or not names:
        settle(root)
        # Asked anew each time: something may have come up meanwhile.
        then = at.tk_focusNext()
        assert then is not None
        before = picture(root, then)
        at.event_generate("<Tab>")
        wait(root, partial(has_keyboard, root, then), f"the keyboard at {then}", DEADLINE)
        wait(
            root, partial(differs, root, then, before), f"something to be seen at {then}", DEADLINE
        )
        names.append(type(then).__name__)
        at = then
    return names


def has_keyboard(root: tk.Tk, part: tk.Misc) -> bool:
    """Whether keys go there."""
    return root.focus_displayof() is part


def test_in_the_join_screen(town: Town, host: Host) -> None:
    """Fields, buttons, and the list of chats."""
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    first.close()
    window = town.window(data_dir=folder, options=Options(theme="light")).online()
    window.screens.show_join()
    window.turn(Way.LINK)
    assert visit(window.root).count("Entry") == 3


def test_in_the_main_screen(town: Town, host: Host) -> None:
    """Lists, buttons, the field to find something in, messages and the composer."""
    town.peer(host, "Bruno Okafor").say("hello")
    window = town.member(host, "Ada Lindqvist", theme="dark")
    window.main.find.show()
    window.settle()
    names = visit(window.root)
    assert names.count("Canvas") == 2
    assert names.count("Text") == 2
    assert names.count("Button") >= 8


def test_in_the_hosts_window(town: Town, host_window: HostWindow) -> None:
    """With nobody there, and with the table."""
    host_window.wait(host_window.app.frame.invite.winfo_viewable, "the invite")
    settle(host_window.root)
    visit(host_window.root)
    town.peer_of(host_window.invite, "Bruno Okafor")
    host_window.wait(lambda: host_window.names, "Bruno")
    host_window.wait(host_window.app.frame.connections.winfo_viewable, "the page with people")
    settle(host_window.root)
    names = visit(host_window.root)
    assert {"Switch", "TableHeader", "Canvas", "Entry", "Text", "Button"} <= set(names)


def test_a_click_leaves_no_ring(town: Town, host: Host) -> None:
    """Each button looks as before when the pointer is gone."""
    window = town.member(host, "Ada Lindqvist")
    main = window.main
    for button in (
        main.header.toggle_members,
        main.header.toggle_members,
        main.header.open_find,
        main.header.open_find,
    ):
        window.settle()
        before = picture(window.root, button)
        click(button)
        button.event_generate("<Leave>")
        window.wait(lambda b=button, p=before: not differs(window.root, b, p), f"{button}")  # type: ignore[misc]
