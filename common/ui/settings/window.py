"""The settings window: navigation on the left, pages on the right; changes apply at once."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from common.system.settings_store import SettingsProblem, SettingsStore
from common.ui.look.icons import IconName
from common.ui.look.theme import Theme
from common.ui.program.window_state import parse_geometry
from common.ui.settings.text_size import TEXT_SIZE_KEYS, change_text_size
from common.ui.widgets.basics import Hairline, Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.safe_text import safe
from common.ui.widgets.scrolling import ScrollPane

_SIZE: Final = 660, 600
"""Initial width and height, px at 96 dpi; less on a small screen."""
_SHARE: Final = 0.9
"""Maximum width and height as a fraction of the screen's."""
_LEAST: Final = 420, 280
"""Minimum width and height, px at 96 dpi."""
_NAVIGATION: Final = 150
"""Minimum width of the navigation, px at 96 dpi; it is as wide as its titles."""
_MARGIN: Final = 24


class SettingsPage(Panel):
    """A page; `refresh` shows the current settings, whoever has changed them."""

    def refresh(self) -> None:
        """Show the current settings."""
        raise NotImplementedError

    def leave(self) -> None:
        """Store what is typed and not confirmed: the page is about to be destroyed."""


class PageMaker(NamedTuple):
    """A page's title and icon in the navigation, and the function that creates it in a parent."""

    title: str
    icon: IconName
    make: Callable[[tk.Misc], SettingsPage]


class SettingsWindow:
    """One window beside the main one, closed by Escape or its close button.

    Changes apply at once, so there is nothing to confirm. `program` is the program's display name;
    `page` the title of the page to show first, by default the first one. `on_close()` is called
    when the window was closed.
    """

    def __init__(
        self,
        parent: tk.Tk,
        theme: Theme,
        store: SettingsStore[Any],
        program: str,
        pages: Sequence[PageMaker],
        on_close: Callable[[], object],
        page: str = "",
    ) -> None:
        self._parent, self._theme, self._store = parent, theme, store
        self._program, self._on_close = program, on_close
        self._pages = {each.title: each for each in pages}
        self._title = page or pages[0].title
        self.window = tk.Toplevel(parent)
        self.window.withdraw()
        self.window.title(f"Settings — {program}")
        self.window.protocol("WM_DELETE_WINDOW", self.close)
        self.window.bind("<Escape>", lambda _: self.close())
        for keys, step in TEXT_SIZE_KEYS:
            self.window.bind(keys, partial(self._zoom, step))
        for keys, count in (("<Prior>", -1), ("<Next>", 1)):
            self.window.bind(keys, partial(self._scroll, count))
        # Another window, or another program, may have changed settings.
        self.window.bind("<FocusIn>", lambda _: store.refresh())
        self.page: SettingsPage
        self._placed = 0, 0, theme.text_size
        """Width and height that were set last, and the text size that they are for."""
        self._resized = False
        """Whether the person has resized the window."""
        self._build()
        self._place()
        if parent.winfo_viewable():
            self.window.transient(parent)
        self.window.deiconify()
        self._unsubscribe = store.subscribe(self.refresh)
        self.buttons[self._title].focus_set()

    def raise_(self) -> None:
        """Bring it to the front."""
        self.window.deiconify()
        self.window.lift()
        self.window.focus_set()

    def close(self) -> None:
        """Close the window. Idempotent."""
        if self.window.winfo_exists():
            self.page.leave()
            self._unsubscribe()
            self._store.told()
            self.window.destroy()
            self._on_close()

    def show(self, page: str) -> None:
        """Show a page, by its title."""
        if self._title != page:
            self.page.leave()
        self._title = page
        for title, button in self.buttons.items():
            button.set(variant="chosen" if title == page else "quiet")
        for child in self._pane.inside.winfo_children():
            child.destroy()
        theme = self._theme
        self._content = Panel(self._pane.inside, theme)
        edges = Panel(self._content, theme)
        edges.pack(fill="x", padx=theme.px(_MARGIN))
        Label(edges, theme, page, font="title").pack(anchor="w", pady=(0, theme.px(20)))
        self.page = self._pages[page].make(edges)
        self.page.pack(fill="x")
        self._pane.adopt()
        self._content.bind("<Configure>", lambda _: self._put())
        self._pane.canvas.yview_moveto(0)
        self._put()

    def refresh(self) -> None:
        """Update the page with the current settings."""
        self._show_problem(self._store.problem)
        self.page.refresh()
        self._pane.adopt()  # widgets that the page has created since

    def rebuild(self) -> None:
        """Rebuild the contents for another text size; the keyboard focus stays where it is."""
        focus = self.window.focus_displayof()
        self.page.leave()
        has_focus = focus is not None and focus.winfo_toplevel() is self.window
        way = _way_to(self.window.focus_lastfor() or self.window, self.window)
        scrolled = self._pane.canvas.yview()[0]
        for child in self.window.winfo_children():
            child.destroy()
        self._build()
        self._place()
        self.window.update_idletasks()
        self._pane.canvas.yview_moveto(scrolled)
        if has_focus:
            (_follow(way, self.window) or self.buttons[self._title]).focus_set()

    def _step(self, title: str, step: int, _: object) -> str:
        """Go to the page before or after one, by an arrow key in the navigation."""
        titles = list(self._pages)
        at = titles.index(title) + step
        if 0 <= at < len(titles):
            self.buttons[titles[at]].focus_set()
            self.show(titles[at])
        return "break"

    def _scroll(self, count: int, _: object) -> str:
        self._pane.canvas.yview_scroll(count, "pages")
        return "break"

    def _zoom(self, step: int, _: object) -> str:
        change_text_size(self._store, self._theme, step)
        return "break"

    def _build(self) -> None:
        theme = self._theme
        body = Panel(self.window, theme, "window")
        body.pack(fill="both", expand=True)
        # On a screen that is small for its text, the navigation is above the page, without icons.
        narrow = self._size()[0] < theme.px(_LEAST[0])
        navigation = Panel(body, theme, "sidebar")
        navigation.pack(side="top" if narrow else "left", fill="both")
        Hairline(body, theme, vertical=not narrow).pack(
            side="top" if narrow else "left", fill="both"
        )
        if not narrow:
            least = Panel(navigation, theme, "sidebar")
            least.configure(width=theme.px(_NAVIGATION))
            least.pack()
        self.buttons: dict[str, Button] = {}
        for title, page in self._pages.items():
            button = Button(
                navigation, theme, title, partial(self.show, title),
                variant="quiet", icon=None if narrow else page.icon, align="left",
            )  # fmt: skip
            above = 14 if narrow or not self.buttons else 0
            button.pack(
                side="left" if narrow else "top", fill="x",
                padx=(theme.px(10), theme.px(0 if narrow else 10)),
                pady=(theme.px(above), theme.px(14 if narrow else 4)),
            )  # fmt: skip
            for keys, step in (("<Up>", -1), ("<Left>", -1), ("<Down>", 1), ("<Right>", 1)):
                button.bind(keys, partial(self._step, title, step))
            self.buttons[title] = button
        right = Panel(body, theme, "window")
        right.pack(side="bottom" if narrow else "left", fill="both", expand=True)
        self.problem = Label(right, theme, tone="danger", icon="warning")
        self._pane = ScrollPane(right, theme, lambda _width, _height: self._put())
        self._pane.pack(fill="both", expand=True)
        right.bind("<Configure>", lambda event: self._wrap_problem(event.width))
        self.show(self._title)
        self._show_problem(self._store.problem)

    def _wrap_problem(self, width: int) -> None:
        self.problem.configure(wraplength=max(1, width - self._theme.px(2 * _MARGIN + 24)))

    def _put(self) -> None:
        self._pane.put(self._content, 0, self._theme.px(_MARGIN))

    def _show_problem(self, problem: SettingsProblem | None) -> None:
        px = self._theme.px
        if problem is None:
            self.problem.pack_forget()
            return
        self.problem.set(safe(describe_problem(problem, self._program)))
        self.problem.set_icon("warning")  # after the text, so that there is a gap between them
        self.problem.pack(fill="x", padx=px(_MARGIN), pady=(px(16), 0), before=self._pane)

    def _place(self) -> None:
        """Centre the window over the main one, completely on the screen.

        An open one keeps its position, and is resized with its text.
        """
        window, over = self.window, self._parent
        screen = window.winfo_screenwidth(), window.winfo_screenheight()
        width, height = self._size()
        now = parse_geometry(window.geometry()) if window.winfo_viewable() else None
        if now is not None:
            x, y = now[2:]
            self._resized = self._resized or now[:2] != self._placed[:2]
            if self._resized:
                grown = self._theme.text_size / self._placed[2]
                width, height = (
                    min(round(length * grown), round(there * _SHARE))
                    for length, there in zip(now[:2], screen, strict=True)
                )
        else:
            x = over.winfo_rootx() + (over.winfo_width() - width) // 2
            y = over.winfo_rooty() + (over.winfo_height() - height) // 3
        self._placed = width, height, self._theme.text_size
        x, y = max(0, min(x, screen[0] - width)), max(0, min(y, screen[1] - height))
        window.geometry(f"{width}x{height}+{x}+{y}")
        window.minsize(
            min(width, self._theme.px(_LEAST[0])), min(height, self._theme.px(_LEAST[1]))
        )

    def _size(self) -> tuple[int, int]:
        """Its initial width and height, in screen pixels."""
        window, (width, height) = self.window, map(self._theme.px, _SIZE)
        return (
            min(width, round(window.winfo_screenwidth() * _SHARE)),
            min(height, round(window.winfo_screenheight() * _SHARE)),
        )


def _way_to(widget: tk.Misc, top: tk.Misc) -> list[int]:
    """The path from `top` to a widget, as indices of children."""
    way: list[int] = []
    while widget is not top and widget.master is not None:
        siblings: list[tk.Misc] = [*widget.master.winfo_children()]
        way.insert(0, siblings.index(widget))
        widget = widget.master
    return way


def _follow(way: list[int], top: tk.Misc) -> tk.Misc | None:
    """The widget at a path from `top`, if there is one."""
    for number in way:
        children = top.winfo_children()
        if number >= len(children):
            return None
        top = children[number]
    return top if way else None


def describe_problem(problem: SettingsProblem, program: str) -> str:
    """A sentence about a problem with the settings file, with its path."""
    aside = f" It is kept as {problem.aside.name}." if problem.aside is not None else ""
    match problem.what:
        case "damaged":
            return f"The file of settings was damaged, so these are the usual ones.{aside}"
        case "wrong":
            fields = ", ".join(problem.fields[:5])
            return f"Wrong values in the file of settings were left out: {fields}.{aside}"
        case "newer":
            return (
                f"The file of settings was made by a newer {program}. It is left as it is: "
                "what you change here holds until you close the window."
            )
        case "unreadable":
            return (
                "The file of settings can't be read. "
                "What you change here holds until you close the window."
            )
        case "not_kept":
            return f"This can't be kept: {problem.why}. It holds until you close the window."
