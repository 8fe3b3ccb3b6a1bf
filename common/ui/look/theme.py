"""The theme of one Tk interpreter: colours, fonts, images, and switching modes at run time.

A widget of the kit subscribes with a function that paints it, which is called immediately
and again at each switch. ttk widgets need no subscription: `ttk_styles` defines them in a
ttk theme for each mode.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from common.system.looks import TEXT_SIZES
from common.ui.look import dpi, fonts
from common.ui.look.avatars import BADGE, Colours, Presence, avatar, badge, initials
from common.ui.look.desktop_mode import desktop_mode
from common.ui.look.fonts import Fonts
from common.ui.look.icons import IconName, icon
from common.ui.look.palette import PALETTES, Mode, Palette, Surface
from common.ui.look.shapes import Images
from common.ui.widgets.focus import FocusRings
from common.ui.widgets.keys import scroll_by_wheel, use_desktop_keys

Paint = Callable[[], None]
_NOTCH: Final = 50
"""How far one notch of the wheel scrolls a text, px at 96 dpi."""


class Theme:
    """The theme of everything below `root`; create one for each root, right after `tk.Tk()`.

    `scale` is screen pixels for one pixel at 96 dpi; left out, it is the screen's own. On top of
    that comes the size of text that a person chose, in per cent.
    """

    def __init__(
        self,
        root: tk.Tk,
        mode: Mode | None = None,
        scale: float | None = None,
        text_size: int = 100,
    ) -> None:
        self.root = root
        self.mode: Mode = mode or desktop_mode()
        self.palette: Palette = PALETTES[self.mode]
        self._screen_scale: Final = scale or dpi.scale_of(root)
        self.text_size = text_size
        """Per cent of the usual size; everything grows with the text."""
        self.needed = 0, 0
        """Width and height that the contents need at the usual size, px at 96 dpi; 0 for any."""
        self.scale = self._screen_scale * text_size / 100
        dpi.set_font_scaling(root, self._screen_scale)
        use_desktop_keys(root, self.px(_NOTCH))
        fonts.register()
        self.fonts: Final = Fonts(root, self.scale)
        self.images: Final = Images(root)
        self.colours: Final = Colours()
        self.focus: Final = FocusRings(root)
        self._subscribers: dict[str, tuple[tk.Misc, list[Paint]]] = {}
        self._ttk: Final = ttk.Style(root)
        self._styles: set[tuple[str, str]] = set()
        self._apply()

    def px(self, pixels: float) -> int:
        """`pixels` at 96 dpi as whole screen pixels."""
        return round(pixels * self.scale)

    def switch(self, mode: Mode) -> None:
        """Change to `mode` and repaint every widget."""
        if mode == self.mode:
            return
        self.mode, self.palette = mode, PALETTES[mode]
        self._repaint()
        self.root.event_generate("<<ThemeSwitched>>")

    def zoom(self, text_size: int) -> None:
        """Change the size of text, in per cent of the usual one, and of all that is made for it.

        Make all widgets anew right after it: those that are there keep the lengths that they were
        made with, and are not painted again.
        """
        if text_size == self.text_size:
            return
        self.text_size = text_size
        self.scale = self._screen_scale * text_size / 100
        self.fonts.rescale(self.scale)
        scroll_by_wheel(self.root, self.px(_NOTCH))
        self._apply()

    def fitting(self, text_size: int) -> int:
        """That size of text, in per cent, or the largest at which the screen has what is needed.

        It is never less than the smallest that is offered: nobody could read what is not cut.
        """
        screen = self.root.winfo_screenwidth(), self.root.winfo_screenheight()
        largest = min(
            (
                int(100 * there / (length * self._screen_scale))
                for there, length in zip(screen, self.needed, strict=True)
                if length
            ),
            default=text_size,
        )
        return min(text_size, max(TEXT_SIZES[0], largest))

    def toggle(self) -> None:
        """Switch from light to dark or back."""
        self.switch("light" if self.mode == "dark" else "dark")

    def subscribe(self, widget: tk.Misc, paint: Paint) -> None:
        """Call `paint` now, and at each switch while `widget` exists, after its former ones."""
        name = str(widget)
        known = self._subscribers.get(name)
        if known is not None and known[0] is widget:
            known[1].append(paint)
        else:
            widget.bind("<Destroy>", lambda event: self._forget(event, widget), add="+")
            self._subscribers[name] = widget, [paint]
        paint()

    def style(self, name: str, define: Callable[[ttk.Style], None]) -> str:
        """The ttk style `name`; `define` creates it when the current mode lacks it."""
        if (self._look, name) not in self._styles:
            self._styles.add((self._look, name))
            define(self._ttk)
        return name

    def icon(
        self, name: IconName, colour: str, size: float = 16, *, gap: float = 0
    ) -> tk.PhotoImage:
        """A line icon, `size` px at 96 dpi, in a colour `#rrggbb` (see `Palette.tone`)."""
        return icon(self.images, name, colour, self.px(size), self.px(gap))

    def avatar(
        self,
        name: str,
        username: str,
        size: float = 26,
        presence: Presence | None = None,
        *,
        behind: str | None = None,
    ) -> tk.PhotoImage:
        """The avatar of a person, `size` px at 96 dpi; see `avatars.avatar` for `behind`."""
        text, ground = initials(name, username), self.colours.of(username or name)
        return avatar(
            self.images, self.palette, text, ground, self.px(size), presence, behind=behind
        )

    def badge(
        self,
        name: str,
        size: float = 32,
        ground: str = BADGE,
        presence: Presence | None = None,
    ) -> tk.PhotoImage:
        """The rounded square badge of a server, `size` px at 96 dpi, white on `ground`."""
        return badge(self.images, self.palette, name, self.px(size), ground, presence)

    def _repaint(self) -> None:
        self._apply()
        for _, paints in list(self._subscribers.values()):
            for paint in paints:
                paint()

    def _forget(self, event: tk.Event[tk.Misc], widget: tk.Misc) -> None:
        # A toplevel also gets the <Destroy> events of its children.
        known = self._subscribers.get(str(widget))
        if event.widget is widget and known and known[0] is widget:
            del self._subscribers[str(widget)]

    @property
    def _look(self) -> str:
        """The name of the ttk theme for this look: its elements can't be made twice."""
        return f"chat-{self.mode}-{self.text_size}"

    def _apply(self) -> None:
        name, palette = self._look, self.palette
        if name not in self._ttk.theme_names():
            self._ttk.theme_create(name, parent="clam")
        self._ttk.theme_use(name)
        self._ttk.configure(
            ".",
            background=palette.window,
            foreground=palette.text,
            bordercolor=palette.border,
            focuscolor=palette.focus,
            font=self.fonts["body"],
        )
        self.root.configure(background=palette.window)
        # The option database gives plain Tk widgets (menus, text) made later their colours.
        for pattern, value in (
            ("*background", palette.window),
            ("*foreground", palette.text),
            ("*selectBackground", palette.marked),
            ("*selectForeground", palette.on_marked),
            ("*insertBackground", palette.text),
            ("*highlightThickness", "0"),
            ("*Text.borderWidth", "0"),
            ("*Text.insertWidth", str(max(1, self.px(1.4)))),
            ("*Menu.background", palette.raised),
            ("*Menu.activeBackground", palette.selection),
            ("*Menu.activeForeground", palette.on_selection),
            ("*Menu.disabledForeground", palette.disabled),
            ("*Menu.borderWidth", "1"),
            ("*Menu.activeBorderWidth", "0"),
            ("*Menu.relief", "flat"),
        ):
            self.root.option_add(pattern, value, "widgetDefault")
        self.root.option_add("*font", str(self.fonts["body"]), "widgetDefault")


def surface_of(widget: tk.Misc) -> Surface:
    """What children of `widget` stand on: the nearest kit container's surface, or the window."""
    at: tk.Misc | None = widget
    while at is not None:
        surface: Surface | None = getattr(at, "surface", None)
        if surface is not None:
            return surface
        at = at.master
    return "window"
