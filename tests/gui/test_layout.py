"""At every scale, nothing in any window is cut or lies over something else, and Tab reads on."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from chat_client.options import Options
from chat_client.state.status import Link
from tests.gui.harness import DEADLINE, Host, HostWindow, Town, Window, settle, wait
from tests.gui.layout import faults, out_of_order, tab_stops
from window.dialog import Choice, Dialog, Entry
from window.theme import Theme

SCREEN: Final = 1280, 800
"""What the windows must fit in, at any scale."""


@pytest.fixture(params=[1.0, 1.25, 1.5, 2.0], ids=["96", "120", "144", "192"])
def scale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """What `Xft.dpi` says; that it is read is tested in tests/window/test_dpi.py."""
    scale: float = request.param
    monkeypatch.setattr("window.dpi.scale_of", lambda _: scale)
    monkeypatch.setattr("window.place.scale_of", lambda _: scale)
    yield scale
    # Tk keeps it with the connection to the X server, which all roots here have in common.
    root = tk.Tk()
    root.tk.call("tk", "scaling", 96 / 72)
    root.destroy()


@pytest.fixture
def host_window(town: Town, tmp_path: Path, scale: float) -> Iterator[HostWindow]:
    """The host's window, with a server."""
    del town, scale
    window = HostWindow(tmp_path / "host")
    yield window
    window.close()


def sizes(window: Window | HostWindow) -> list[tuple[int, int]]:
    """The least size, on a screen of 1280 × 800, and the whole screen."""
    root = window.root
    width, height = window.program._place._least
    small = min(width, SCREEN[0] * 85 // 100), min(height, SCREEN[1] * 85 // 100)
    return [small, (root.winfo_screenwidth(), root.winfo_screenheight())]


def check(window: Window | HostWindow, what: str) -> None:
    """Look at a window at its least and at its greatest size."""
    root = window.root
    for width, height in sizes(window):
        root.minsize(1, 1)
        root.geometry(f"{width}x{height}+0+0")
        wait(root, partial(_has_size, root, width, height), f"{width} × {height}", DEADLINE)
        settle(root)
        found = faults(root) + out_of_order(tab_stops(root))
        assert not found, "\n".join([f"{what} at {width} × {height}:", *found])


def _has_size(root: tk.Tk, width: int, height: int) -> bool:
    return (root.winfo_width(), root.winfo_height()) == (width, height)


def test_the_join_screen(town: Town, host: Host, scale: float) -> None:
    """Empty, with an invite, and with everything that can be wrong with it."""
    del scale
    window = town.window()
    check(window, "empty")
    window.join.link.value = host.link
    window.join.name.value = "Bruno Okafor"
    check(window, "an invite")
    window.join.refuse("Somebody else has this name already. Take another one.", "username")
    check(window, "a name that is taken")
    window.join.joining("The server at 192.0.2.10 can't be reached. Trying again…")
    check(window, "joining")


def test_the_join_screen_of_somebody_who_is_known(town: Town, host: Host, scale: float) -> None:
    """With chats to choose from."""
    del scale
    first = town.member(host, "Ada Lindqvist")
    folder = first.program.data_dir
    first.close()
    window = town.window(data_dir=folder, options=Options(theme="light"))
    window.online()
    window.screens.show_join()
    check(window, "a known chat")


def test_the_main_screen(town: Town, host: Host, scale: float) -> None:
    """A conversation, looking for something, without a connection, and with something wrong."""
    del scale
    bruno = town.peer(host, "Bruno Okafor of the Second Floor Network Group")
    town.peer(host, "Bo")
    window = town.member(host, "Ada Lindqvist")
    bruno.say(
        "Morning! Sitting in the far corner now, and it holds. 😀 " * 5, "https://example.com"
    )
    bruno.say("Lunch?", room=f"dm:ada.lindqvist:{bruno.username}")
    window.wait(lambda: "example.com" in window.said, "what was said")
    check(window, "a conversation")
    window.main.find.show()
    window.main.find.field.value = "corner"
    check(window, "looking for something")
    window.main.open(f"dm:ada.lindqvist:{bruno.username}")
    check(window, "a direct conversation")
    window.main._status = replace(window.main._status, link=Link.PAUSED, why="x" * 90)
    window.main._show_status(window.main._status, 3)
    window.main.composer.set_draft("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine")
    check(window, "without a connection")


def test_the_hosts_window(town: Town, host_window: HostWindow) -> None:
    """With nobody there, with people, and stopped."""
    check(host_window, "the invite")
    town.peer_of(host_window.invite, "Bruno Okafor of the Second Floor Network Group")
    town.peer_of(host_window.invite, "Ada Lindqvist")
    host_window.wait(lambda: len(host_window.names) == 2, "both")
    people = host_window.app.frame.connections.people
    people.table.select(next(iter(people._rows)))
    people._selected()
    check(host_window, "people")
    host_window.app.frame._show_trouble("the disk is full")
    check(host_window, "trouble")


def test_a_stopped_server(host_window: HostWindow) -> None:
    """The page with one button."""
    host_window.app.desk.actions.switch(False)
    frame = host_window.app.frame
    host_window.wait(lambda: frame.down.winfo_viewable() and frame.down.start.winfo_viewable(), "")
    check(host_window, "stopped")


def test_dialogs(bare_root: tk.Tk, scale: float) -> None:
    """With long texts and a field, within a small screen."""
    theme = Theme(bare_root, "light", scale)
    choices = (Choice("quit", "Stop the server"), Choice("try", "Try port 12346", "primary"))
    for entry in (None, Entry("Port", "12346")):
        dialog = Dialog(
            bare_root, theme, "Port 12345 is used by another program on this computer",
            "Another program uses it, so the server can't start. " * 4, choices, entry=entry,
        )  # fmt: skip
        dialog._centre()
        dialog.window.deiconify()
        wait(bare_root, dialog.window.winfo_viewable, "the dialog", DEADLINE)
        settle(bare_root)
        assert not faults(dialog.window)
        assert dialog.window.winfo_width() <= SCREEN[0]
        assert dialog.window.winfo_height() <= SCREEN[1] * 9 // 10
        dialog.window.destroy()
