"""All widgets in one window in both looks; `CHAT_SCREENSHOTS=folder` keeps the pictures."""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

import pytest

from common.ui.look.palette import Mode
from common.ui.look.theme import Theme
from tests.gui.kit import scenes
from tests.gui.kit.conftest import Pump


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("scene", [scenes.host, scenes.parts])
def test_every_widget_in_both_looks(
    root: tk.Tk, wait_until: Pump, scene: Callable[[tk.Tk, Theme], object], scale: float
) -> None:
    """A window full of widgets draws, and a switch leaves no colour of the other look."""
    theme = Theme(root, "light", scale=scale)
    root.geometry(f"{theme.px(1180)}x{theme.px(760)}+0+0")
    scene(root, theme)
    wait_until(root.winfo_viewable)
    modes: tuple[Mode, ...] = ("light", "dark")
    for mode in modes:
        theme.switch(mode)
        wait_until.settle()
        _keep(root, f"{scene.__name__}-{mode}-{scale:g}")
    stray = [w for w in _everything(root) if _ground(w) == "#ffffff"]
    assert not stray


def _everything(widget: tk.Misc) -> list[tk.Misc]:
    return [widget, *(inner for child in widget.winfo_children() for inner in _everything(child))]


def _ground(widget: tk.Misc) -> str:
    try:
        return str(widget.cget("background"))
    except tk.TclError:  # a ttk widget: its style has the colour
        return ""


def _keep(root: tk.Tk, name: str) -> None:
    folder = os.environ.get("CHAT_SCREENSHOTS")
    if not folder:
        return
    from PIL import ImageGrab

    x, y, width, height = (
        root.winfo_rootx(),
        root.winfo_rooty(),
        root.winfo_width(),
        root.winfo_height(),
    )
    width, height = min(width, root.winfo_screenwidth()), min(height, root.winfo_screenheight())
    whole = ImageGrab.grab(xdisplay="")
    whole.crop((x, y, x + width, y + height)).save(Path(folder) / f"{name}.png")
