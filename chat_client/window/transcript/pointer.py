"""Pointer events in the message list: opening links, showing times, the context menu."""

import tkinter as tk
from collections.abc import Callable
from typing import Final, Protocol

from chat_client.window.transcript.places import Places
from chat_client.window.transcript.selection import Said
from common.domain.times import local_time
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label
from common.ui.widgets.keys import GO_TO_DATE_TITLE
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.scrolling import bind_wheel
from common.ui.widgets.selection import copy

_SLIP: Final = 4
"""px at 96 dpi that a pressed pointer must move before it selects text."""


class Messages(Protocol):
    """The part of the message list that pointer events need."""

    def said(self, mark: str) -> Said:
        """The message that is drawn at a mark."""

    def link(self, mark: str, index: str) -> str | None:
        """The URL of the link at a position of a message; None if there is none."""

    def selected(self) -> str:
        """The selected text as it was sent; "" for none."""

    def clicked(self, mark: str, index: str, tags: tuple[str, ...]) -> None:
        """Handle a click on a button or another active part of a message."""

    def go_to_date(self) -> None:
        """Let the person choose a date to jump to."""


class Pointer:
    """Handles pointer events of a transcript's Text."""

    def __init__(self, text: tk.Text, theme: Theme, places: Places, messages: Messages) -> None:
        self._text, self._theme = text, theme
        self._places, self._messages = places, messages
        self._time = Label(text, theme, font="label", tone="muted")
        self._timed: str | None = None
        """The mark of the message whose time is shown."""
        self._pressed: tuple[str, str] | None = None
        """Mark and index below the pointer when the first button was pressed, until its release."""
        self._origin: tuple[int, int] | None = None
        """Coordinates of the press, until the pointer has moved more than `_SLIP` from there."""
        text.bind("<Button-1>", self._press, add="+")
        text.bind("<B1-Motion>", self._drag, add="+")
        text.bind("<ButtonRelease-1>", self._release, add="+")
        # On release: a press may begin a selection.
        text.tag_bind("action", "<ButtonRelease-1>", self._clicked)
        text.tag_bind("action", "<Enter>", lambda _: text.configure(cursor="hand2"))
        text.tag_bind("action", "<Leave>", lambda _: text.configure(cursor="arrow"))
        text.bind("<Motion>", self._moved, add="+")
        text.bind("<Leave>", self._left, add="+")
        self._time.bind("<Leave>", self._left)
        bind_wheel(self._time, lambda units: text.yview_scroll(units, "units"))
        text.bind("<<ContextMenu>>", lambda event: self._menu(event.x, event.y))
        for keys in ("<Menu>", "<Shift-F10>"):
            text.bind(keys, lambda _: self._menu(theme.px(60), theme.px(20)))

    def hide_time(self) -> None:
        """Hide the time: the messages moved, so it is beside another one now."""
        if self._timed is not None:
            self._timed = None
            self._time.place_forget()

    def _at(self, x: int, y: int) -> tuple[str, str] | None:
        """Mark and index of the message below a point; None if there is no message."""
        index = self._text.index(f"@{x},{y}")
        line = self._text.dlineinfo(index)
        mark = self._places.mark_at(index)
        if mark is None or line is None or not line[1] <= y < line[1] + line[3]:
            return None
        return mark, index

    def _moved(self, event: "tk.Event[tk.Text]") -> None:
        found = self._at(event.x, event.y)
        if found is None or found[0] != self._timed:
            self.hide_time()
            if found is not None:
                self._show_time(found[0])

    def _show_time(self, mark: str) -> None:
        """Show a message's time beside it, unless the head above it shows the time."""
        said = self._messages.said(mark)
        body = self._places.body(mark, said.stop)
        if body is None or self._text.compare(body, "!=", mark):
            return
        line = self._text.dlineinfo(body)
        if line is None:
            return
        self._timed = mark
        self._time.set(f"{local_time(said.sent_at):%H:%M}")
        # Aligned with the baseline of the text, in the column of the avatars.
        top = line[1] + line[4] - int(str(self._theme.fonts["label"].metrics("ascent")))
        # "ignore": `padx` is part of the coordinates already.
        self._time.place(x=int(str(self._text.cget("padx"))), y=top, bordermode="ignore")

    def _left(self, _: object) -> None:
        over = self._text.winfo_containing(*self._text.winfo_pointerxy())
        if over not in {self._text, self._time}:
            self.hide_time()

    def _press(self, event: "tk.Event[tk.Text]") -> None:
        self._pressed = self._at(event.x, event.y)
        self._origin = event.x, event.y

    def _drag(self, event: "tk.Event[tk.Text]") -> str | None:
        """Ignore a small movement during a click: selecting would take PRIMARY from others."""
        if self._origin is not None:
            moved = max(abs(event.x - self._origin[0]), abs(event.y - self._origin[1]))
            if moved < self._theme.px(_SLIP):
                return "break"
            self._origin = None
        return None

    def _release(self, _: object) -> None:
        self._pressed = None  # after `_clicked`: bindings of tags run before the widget's

    def _clicked(self, event: "tk.Event[tk.Text]") -> None:
        # The release after a press elsewhere, such as one that closed a menu, opens nothing.
        found = self._at(event.x, event.y)
        if found is None or self._pressed is None or self._pressed[0] != found[0]:
            return
        if not self._text.tag_ranges("sel"):
            self._messages.clicked(*found, self._text.tag_names(found[1]))

    def _menu(self, x: int, y: int) -> str:
        """Open the context menu of the message below a point."""
        text, messages = self._text, self._messages
        items: list[MenuItem] = []
        found = self._at(x, y)
        if text.tag_ranges("sel"):
            items.append(MenuItem("Copy", lambda: copy(text, messages.selected())))
        elif found is not None and messages.said(found[0]).text:
            whole = messages.said(found[0]).text
            items.append(MenuItem("Copy message", lambda: copy(text, whole)))
        else:
            items.append(MenuItem("Copy", enabled=False))
        url = messages.link(*found) if found is not None else None
        if url is not None:
            items.append(MenuItem("Copy link", self._copying(url)))
        items += [MenuItem(), MenuItem("Select all", lambda: text.event_generate("<<SelectAll>>"))]
        items += [MenuItem(), MenuItem(f"Go to a date… ({GO_TO_DATE_TITLE})", messages.go_to_date)]
        popup(text, self._theme, items, text.winfo_rootx() + x, text.winfo_rooty() + y)
        return "break"

    def _copying(self, what: str) -> Callable[[], object]:
        return lambda: copy(self._text, what)
