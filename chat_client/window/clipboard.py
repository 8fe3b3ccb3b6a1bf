"""Reading the clipboard of another program without blocking the window."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_AT_ONCE: Final = 0.5
"""Seconds in which a program refuses that has no text of a kind; one that hangs takes longer."""


class Clipboard:
    """Requests the text on the clipboard, and reports it if there is any.

    Tk asks the program that owns the clipboard and runs its loop while it waits, five seconds at
    most: so the window goes on, but what runs meanwhile may end `widget`, and then nothing is
    told. One question at a time is under way.
    """

    def __init__(self, widget: tk.Misc, tell: Callable[[str], object]) -> None:
        self._widget, self._tell = widget, tell
        self._timer: str | None = None
        self._asking = False
        self._ended = False
        widget.bind("<Destroy>", self._end, add="+")

    def ask(self, wait: int = 1) -> None:
        """Ask in `wait` milliseconds, unless a question is under way."""
        if self._timer is None and not self._asking and not self._ended:
            self._timer = self._widget.after(wait, self._ask)

    def _ask(self) -> None:
        self._timer = None
        self._asking = True
        try:
            text = _text(self._widget)
        finally:
            self._asking = False
        if text and not self._ended:
            self._tell(text)

    def _end(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._widget:
            self._ended = True
            if self._timer is not None:
                self._widget.after_cancel(self._timer)
                self._timer = None


def _text(widget: tk.Misc) -> str:
    """The text on the clipboard; "" when there is none, or its owner does not answer."""
    tk_call = widget.tk.call
    if tk_call("tk", "windowingsystem") != "x11":
        with suppress(tk.TclError):
            return str(tk_call("clipboard", "get"))
        return ""
    for kind in ("UTF8_STRING", "STRING"):
        begun = time.monotonic()
        try:
            return str(tk_call("selection", "get", "-selection", "CLIPBOARD", "-type", kind))
        except tk.TclError:
            if time.monotonic() - begun > _AT_ONCE:
                break  # asking it for something else would take as long again
    return ""
