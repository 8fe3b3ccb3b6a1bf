"""The root window: made, put where it was the last time, and remembered."""

from __future__ import annotations

import tkinter as tk
from dataclasses import replace
from pathlib import Path
from typing import Final

from window import dpi, fonts
from window.memory import Memory, keep, parse_geometry
from window.palette import Mode
from window.theme import Theme

SIZE: Final = 1180, 760
"""Width and height at first, px at 96 dpi."""


_ASSETS: Final = Path(__file__).parent / "assets" / "icons"
_ICON_SIZES: Final = (128, 48, 32, 16)


def make_root(program: str, icon: str) -> tk.Tk:
    """A hidden root window with everything done that must come first. Raises TclError.

    `program` is its WM_CLASS, by which desktops find the entry that started it; `icon` names
    the pictures in assets/icons.
    """
    dpi.make_aware()
    fonts.register()
    root = tk.Tk(className=program)
    root.withdraw()
    _show_icon(root, icon)
    return root


def _show_icon(root: tk.Tk, name: str) -> None:
    """The program's icon in its title bar, the task bar and the switcher, each size drawn."""
    files = (_ASSETS / f"{name}-{size}.png" for size in _ICON_SIZES)
    # Tk copies them into the window's property; it does not look at the images again.
    root.iconphoto(True, *(tk.PhotoImage(master=root, file=file) for file in files))


def mode(wanted: str | None, remembered: Memory) -> Mode | None:
    """The look to begin with: asked for, else chosen the last time, else the system's (None)."""
    if wanted is None:
        return remembered.theme
    return "dark" if wanted == "dark" else "light"


class Place:
    """Size and place of the window, and the look that was chosen for it.

    `least` is the smallest width and height that its content bears, px at 96 dpi.
    """

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        data_dir: Path,
        remembered: Memory,
        least: tuple[int, int],
    ) -> None:
        self._root, self._theme = root, theme
        self._data_dir = data_dir
        self._remembered = remembered
        self._usual: tuple[int, int, int, int] | None = None
        self._least = theme.px(least[0]), theme.px(least[1])
        root.minsize(*self._least)
        root.bind("<Configure>", self._moved, add="+")
        root.bind("<<ThemeSwitched>>", lambda _: self._chosen(), add="+")

    def show(self) -> None:
        """Put the window on the screen: where it was if that is still there, else in the middle."""
        root, px = self._root, self._theme.px
        screen = root.winfo_screenwidth(), root.winfo_screenheight()
        width, height, x, y = self._remembered.geometry or (px(SIZE[0]), px(SIZE[1]), -1, -1)
        width = max(self._least[0], min(width, screen[0]))
        height = max(self._least[1], min(height, screen[1]))
        # A quarter of it must be to be seen, and its title bar to be reached.
        if not (-width * 3 // 4 < x < screen[0] - width // 4 and 0 <= y < screen[1] - height // 4):
            x, y = (screen[0] - width) // 2, (screen[1] - height) // 3
        root.geometry(f"{width}x{height}+{x}+{max(0, y)}")
        root.deiconify()
        root.update_idletasks()

    def keep(self) -> None:
        """Remember it for the next time."""
        kept = self._remembered
        keep(self._data_dir, replace(kept, geometry=self._usual or kept.geometry))

    def _moved(self, event: tk.Event[tk.Misc]) -> None:
        # Children's events come here too. A maximized window's size is not one to come back to.
        if event.widget is self._root and not self._maximized():
            self._usual = parse_geometry(self._root.geometry()) or self._usual

    def _maximized(self) -> bool:
        if self._root.tk.call("tk", "windowingsystem") == "x11":
            return bool(int(self._root.attributes("-zoomed")))
        return self._root.state() == "zoomed"

    def _chosen(self) -> None:
        self._remembered = replace(self._remembered, theme=self._theme.mode)
