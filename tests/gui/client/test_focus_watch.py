"""Whether somebody looks at the window: what is watched, and for how long."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

import pytest

from chat_client.window.focus_watch import FocusWatch


@pytest.fixture
def screen() -> Iterator[tk.Frame]:
    """A screen without anything on it."""
    root = tk.Tk()
    screen = tk.Frame(root, width=100, height=100)
    screen.pack()
    root.update()
    yield screen
    root.destroy()


def test_a_screen_that_goes_is_watched_no_more(screen: tk.Frame) -> None:
    """It loses the focus by going; what was scheduled then would be called after it has gone."""
    seen: list[str] = []
    root = screen.winfo_toplevel()
    assert isinstance(root, tk.Tk)
    watch = FocusWatch(root, screen, lambda: seen.append("in"), lambda: seen.append("out"))
    screen.event_generate("<FocusIn>")
    screen.event_generate("<FocusOut>")
    watch.stop()
    screen.event_generate("<FocusIn>")
    screen.event_generate("<FocusOut>")
    assert not root.tk.call("after", "info")
    root.update()
    assert seen == ["in"]
