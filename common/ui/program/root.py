"""Creating the root window: what has to precede the first widget, and nothing else."""

from __future__ import annotations

import os
import tkinter as tk
from pathlib import Path
from typing import Final

from common.system.process import is_frozen
from common.ui.look import dpi
from common.ui.look.palette import PALETTES, Mode

ASSETS: Final = Path(__file__).parents[1] / "assets" / "icons"
"""Folder of the programs' icons."""
ICON_SIZES: Final = (128, 48, 32, 16)
"""Sizes of the icons in pixels, the largest first."""


def make_root(name: str, icon: str, mode: Mode) -> tk.Tk:
    """A hidden root window with the background colour of `mode`. Raises TclError.

    `name` is its title and its WM_CLASS, by which desktops find the entry that started it;
    `icon` is the name of its images in assets/icons.
    """
    dpi.make_aware()
    root = tk.Tk(className=name)
    if is_frozen():
        # Tcl has read them. Child processes must not inherit them, as one may have another
        # Tcl (common/system/process.py).
        for variable in ("TCL_LIBRARY", "TK_LIBRARY"):
            os.environ.pop(variable, None)
    root.withdraw()
    root.title(name)
    root.configure(background=PALETTES[mode].window)
    _show_icon(root, icon)
    return root


def end_root(root: tk.Tk) -> None:
    """Destroy a root window and everything in it.

    ttk notifies widgets of a new theme in an idle callback, which may run after the last widget was
    destroyed: on a busy computer, Tk then prints an error on standard error.
    """
    root.tk.eval("namespace eval ::ttk {proc ThemeChanged {} {}}")
    root.destroy()


def icon_file(name: str, size: int) -> str:
    """The path of a program's icon of `size` pixels, one of `ICON_SIZES`."""
    return str(ASSETS / f"{name}-{size}.png")


def _show_icon(root: tk.Tk, name: str) -> None:
    """Set the icon of the title bar, the task bar and the window switcher, in all sizes."""
    files = (icon_file(name, size) for size in ICON_SIZES)
    # Tk copies them into the window's property, and does not keep the images.
    root.iconphoto(True, *(tk.PhotoImage(master=root, file=file) for file in files))
