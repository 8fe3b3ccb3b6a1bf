"""Redirects typing to one text, wherever in a window the focus is.

Who clicks on a list or on a message and goes on typing means the composer, as in every chat. Keys
that the focused widget handles itself stay there: all keys in fields, Space on a button that was
reached by Tab, Return and the arrow keys in a list.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final

from common.ui.widgets.editing import Editing, is_typed

_RETURN: Final = frozenset({"Return", "KP_Enter"})
_SHIFT: Final = 1
"""In the state of an event."""


def redirect_typing(
    window: tk.Tk,
    target: Callable[[], Editing | None],
    submit: Callable[[], object] = lambda: None,
) -> None:
    """Insert what is typed or pasted elsewhere in `window` into `target()`, and focus that.

    Undo and redo are redirected, too. So is Return, to `submit`, as long as the target has yet to
    appear on the screen: people type faster than a window is drawn.

    Other windows, such as a dialog, keep their keys; so does this one while `target()` is None.
    Call it once for a window.
    """
    call = window.tk.call

    def editing(event: tk.Event[tk.Misc]) -> Editing | None:
        # By name: a window that Tk made itself, as of a menu, is no widget of tkinter's.
        name = str(event.widget)
        # The key may have ended the widget that it was for, such as one that is made anew.
        gone = not window.getboolean(call("winfo", "exists", name))
        if gone or str(call("winfo", "toplevel", name)) != str(window):
            return None
        tags = window.tk.splitlist(call("bindtags", name))
        return None if "Text" in tags or "Entry" in tags else target()

    def typed(event: tk.Event[tk.Misc]) -> None:
        text = editing(event)
        if text is None or _has_use(window, event):
            return
        if is_typed(event):
            text.resume()
            text.insert(event.char)
        elif _is_return(event) and not text.is_on_screen:
            submit()

    def asked(do: Callable[[Editing], object], event: tk.Event[tk.Misc]) -> None:
        text = editing(event)
        if text is not None:
            text.resume()
            do(text)

    # On the last bindtag: a binding that ends an event before has handled it.
    window.bind_all("<Key>", typed, add="+")
    window.bind_all("<<Paste>>", partial(asked, Editing.paste), add="+")
    window.bind_all("<<Undo>>", partial(asked, Editing.undo), add="+")
    window.bind_all("<<Redo>>", partial(asked, Editing.redo), add="+")


def _is_return(event: tk.Event[tk.Misc]) -> bool:
    return event.keysym in _RETURN and not int(event.state) & _SHIFT


def _has_use(window: tk.Tk, event: tk.Event[tk.Misc]) -> bool:
    """Whether the focused widget handles the key itself, as a button does Space."""
    call = window.tk.call
    tags = window.tk.splitlist(call("bindtags", str(event.widget)))
    try:
        return any(call("bind", tag, f"<Key-{event.keysym}>") for tag in tags if tag != "all")
    except tk.TclError:  # a key that Tk has no name for
        return False
