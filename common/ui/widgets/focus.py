"""Focus rings: shown while a person uses the keyboard, not after a click.

Browsers call it `:focus-visible`, GTK `focus-visible`. The focus is the same either way; after a
click it is only not marked.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

_TAG: Final = "FocusRing"
_MODIFIERS: Final = ("Shift", "Control", "Alt", "Meta", "Super", "Hyper", "Caps", "Num", "ISO")
_CONTROL: Final = 0x4
"""Bit of an event's state: Ctrl+C in a clicked widget is no keyboard navigation."""


class FocusRings:
    """Tells widgets when to show a focus ring; one for each Tk interpreter, made by the theme."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._shows: dict[str, Callable[[bool], object]] = {}
        self._shown = ""
        """Path name of the widget that shows a ring; "" for none."""
        self._by_keyboard = True
        # On a bindtag of its own, before those whose bindings may end an event with "break".
        for sequence, action in (
            ("<FocusIn>", self._came),
            ("<FocusOut>", self._went),
            ("<<TraverseIn>>", self._traversed),
            ("<Key>", self._key),
            ("<Button>", self._button),
            ("<Destroy>", self._ended),
        ):
            root.bind_class(_TAG, sequence, action)
        root.bind_all("<Key>", self._key, add="+")
        root.bind_all("<Button>", self._button, add="+")

    def watch(self, widget: tk.Misc, show: Callable[[bool], object]) -> None:
        """Call `show(on)` whenever the ring around `widget` is to appear or disappear."""
        self._shows[str(widget)] = show
        widget.bindtags((_TAG, *widget.bindtags()))

    def _came(self, event: tk.Event[tk.Misc]) -> None:
        if self._by_keyboard:
            self._show(str(event.widget))

    def _went(self, event: tk.Event[tk.Misc]) -> None:
        if self._shown == str(event.widget):
            self._show("")

    def _traversed(self, event: tk.Event[tk.Misc]) -> None:
        self._by_keyboard = True
        self._show(str(event.widget))

    def _key(self, event: tk.Event[tk.Misc]) -> None:
        if event.keysym.startswith(_MODIFIERS) or (int(event.state) & _CONTROL):
            return
        self._by_keyboard = True
        # Not the event's widget: the key may have moved the focus already.
        focused = str(self._root.tk.call("focus"))
        if focused != self._shown and focused in self._shows:
            self._show(focused)

    def _button(self, event: tk.Event[tk.Misc]) -> None:
        del event
        self._by_keyboard = False
        self._show("")

    def _ended(self, event: tk.Event[tk.Misc]) -> None:
        name = str(event.widget)
        self._shows.pop(name, None)
        if self._shown == name:
            self._shown = ""

    def _show(self, name: str) -> None:
        if name == self._shown:
            return
        before, self._shown = self._shown, name
        for path, on in ((before, False), (name, True)):
            show = self._shows.get(path)
            if show is not None:
                show(on)


def focused_in(top: tk.Misc) -> str | None:
    """Where in `top` the keyboard is, as a path for `focus_at`; None if it is elsewhere."""
    # Not `focus_displayof`: it fails while a menu has it, which Tk has made itself.
    focus, prefix = str(top.tk.call("focus", "-displayof", str(top))), f"{top}."
    return focus.removeprefix(prefix) if focus.startswith(prefix) else None


def focus_at(top: tk.Misc, path: str) -> bool:
    """Give the keyboard to that part of a widget made anew; False if it has none, or hides it."""
    top.update_idletasks()  # Tk focuses only what is on the screen
    try:
        part = top.nametowidget(f"{top}.{path}")
    except KeyError:
        return False
    if not part.winfo_viewable():
        return False
    part.focus_set()
    return True
