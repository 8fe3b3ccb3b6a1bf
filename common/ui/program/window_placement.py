"""Position and size of the window: restored at the start, saved at the end."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.ui.look.dpi import scale_of
from common.ui.look.palette import Mode
from common.ui.program.window_state import WindowState, parse_geometry, save_window_state

if TYPE_CHECKING:
    from common.ui.look.theme import Theme

SIZE: Final = 1180, 760
"""Initial width and height, px at 96 dpi."""
_SHARE: Final = 0.95, 0.92
"""Maximum initial width and height as a fraction of the screen's.

The rest is for a panel and a title bar.
"""
_LEAST_SHARE: Final = 0.85, 0.85
"""The same for the minimum size, which must leave room to move the window."""


class WindowPlacement:
    """Size and position of the window, and the mode that was chosen for it.

    `least` is the minimum width and height of its contents, px at 96 dpi and at the default text
    size; on a screen that is small for its scale the minimum is less. `first` is the size until
    `grow` is called, if the first contents need less than later ones; it is not saved, as the
    person did not choose it.
    """

    def __init__(
        self,
        root: tk.Tk,
        data_dir: Path,
        remembered: WindowState,
        least: tuple[int, int],
        first: tuple[int, int] | None = None,
    ) -> None:
        self._root = root
        self._data_dir = data_dir
        self._remembered = remembered
        self._usual: tuple[int, int, int, int] | None = None
        self._scale = scale_of(root)
        self._screen = root.winfo_screenwidth(), root.winfo_screenheight()
        self._wanted: tuple[tuple[int, int], tuple[int, int] | None] = (
            least,
            None if remembered.geometry else first,
        )
        self._first: tuple[int, int] | None = None
        self._measure(remembered.text_size)
        root.minsize(*self._least)
        root.bind("<Configure>", self._moved, add="+")

    def follow(self, theme: Theme) -> None:
        """Record the mode of `theme`, which is saved too, whenever it changes."""

        def chosen(_: object) -> None:
            self._remembered = self._remembered._replace(theme=theme.mode)

        self._root.bind("<<ThemeSwitched>>", chosen, add="+")

    @property
    def remembered_mode(self) -> Mode | None:
        """The stored mode; None if none was chosen."""
        return self._remembered.theme

    def remember_look(self, mode: Mode | None, text_size: int) -> None:
        """Record mode and text size (per cent) for `save`; None is the desktop's mode."""
        self._remembered = self._remembered._replace(theme=mode, text_size=text_size)

    def zoom(self, text_size: int) -> None:
        """Adapt to a text size, in per cent of the default: a window below the minimum size grows.

        A window that still has its first size gets the first size for this text size.
        """
        former = self._first
        self._measure(text_size)
        self._root.minsize(*self._least)
        now = parse_geometry(self._root.geometry())
        if now is None or self._maximized():
            return
        if former is None or now[:2] != former:
            # The person has resized it, or it has grown.
            self._first, self._wanted = None, (self._wanted[0], None)
        width, height = self._first or now[:2]
        width, height = max(width, self._least[0]), max(height, self._least[1])
        if (width, height) != now[:2]:
            x = max(0, min(now[2], self._screen[0] - width))
            y = max(0, min(now[3], self._screen[1] - height))
            self._root.geometry(f"{width}x{height}+{x}+{y}")

    def _measure(self, text_size: int) -> None:
        """Compute the sizes, in screen pixels, for a text size."""
        least, first = self._wanted
        self._least = self._on_screen(least, _LEAST_SHARE, text_size)
        self._size = self._on_screen(SIZE, _SHARE, text_size)
        self._first = self._on_screen(first, _SHARE, text_size) if first else None

    def show(self) -> None:
        """Show the window at its saved position if that is on the screen, else in the middle.

        On another screen than last time, or at another scale, it is moved to be wholly visible.
        """
        root = self._root
        screen = self._screen
        former = self._former()
        width, height, x, y = former or (*(self._first or self._size), -1, -1)
        width = max(self._least[0], min(width, screen[0]))
        height = max(self._least[1], min(height, screen[1]))
        if former and self._elsewhere():
            # Otherwise the input field would be below the screen's lower edge.
            most = [round(size * part) for size, part in zip(screen, _SHARE, strict=True)]
            width, height = min(width, most[0]), min(height, most[1])
            x = max(0, min(x, screen[0] - width))
            y = max(0, min(y, most[1] - height))
        # A quarter of it must be visible, and its title bar within reach.
        if not (-width * 3 // 4 < x < screen[0] - width // 4 and 0 <= y < screen[1] - height // 4):
            x, y = (screen[0] - width) // 2, (screen[1] - height) // 3
        root.geometry(f"{width}x{height}+{x}+{max(0, y)}")
        if self._remembered.maximized:
            self._maximize()
        root.deiconify()
        root.update_idletasks()

    def grow(self) -> None:
        """Resize the window to its default size, around its centre, unless it was resized."""
        first, self._first = self._first, None
        self._wanted = self._wanted[0], None
        now = parse_geometry(self._root.geometry())
        if first is None or now is None or now[:2] != first or self._maximized():
            return
        sizes = zip(self._size, first, now[2:], self._screen, strict=True)
        x, y = (
            max(0, min(at - (size - before) // 2, screen - size))
            for size, before, at, screen in sizes
        )
        self._root.geometry(f"{self._size[0]}x{self._size[1]}+{x}+{y}")

    def save(self) -> None:
        """Save the state for the next start; see `save_window_state`."""
        kept = self._remembered._replace(maximized=self._maximized())
        if self._usual and self._usual[:2] != self._first:
            kept = kept._replace(geometry=self._usual, scale=self._scale, screen=self._screen)
        save_window_state(self._data_dir, kept)

    def _on_screen(
        self, size: tuple[int, int], share: tuple[float, float], text_size: int
    ) -> tuple[int, int]:
        """`size`, px at 96 dpi, in screen pixels; at most `share` of the screen."""
        scale = self._scale * text_size / 100
        width, height = (
            min(round(wanted * scale), round(there * part))
            for wanted, there, part in zip(size, self._screen, share, strict=True)
        )
        return width, height

    def _former(self) -> tuple[int, int, int, int] | None:
        """The saved geometry, converted to the current scale."""
        kept = self._remembered
        if kept.geometry is None:
            return None
        width, height, x, y = kept.geometry
        grown = self._scale / (kept.scale or self._scale)
        return round(width * grown), round(height * grown), x, y

    def _elsewhere(self) -> bool:
        """Whether the screen or the scale differs from the saved one."""
        kept = self._remembered
        screen, scale = kept.screen or self._screen, kept.scale or self._scale
        return screen != self._screen or scale != self._scale

    def _moved(self, event: tk.Event[tk.Misc]) -> None:
        # Events of children arrive here, too. A maximized window's size is not one to restore.
        if event.widget is self._root and not self._maximized():
            self._usual = parse_geometry(self._root.geometry()) or self._usual

    def _maximize(self) -> None:
        if self._on_x11():
            self._root.attributes("-zoomed", True)
        else:
            self._root.state("zoomed")

    def _maximized(self) -> bool:
        if self._on_x11():
            return bool(int(self._root.attributes("-zoomed")))
        return self._root.state() == "zoomed"

    def _on_x11(self) -> bool:
        return str(self._root.tk.call("tk", "windowingsystem")) == "x11"
