"""Keys for editing text, as desktops have them today.

On X11, Tk still has those of Emacs: Ctrl+A goes to the line's start, Ctrl+Y pastes and Ctrl+W
cuts. People press Ctrl+A to select everything and Ctrl+Y to do a thing again.
"""

from __future__ import annotations

import tkinter as tk


def use_desktop_keys(root: tk.Tk) -> None:
    """Give every text and field below `root` the keys that people know. X11 only."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return
    for letter, former, now in (
        ("a", "<<LineStart>>", "<<SelectAll>>"),
        ("y", "<<Paste>>", "<<Redo>>"),
        ("w", "<<Cut>>", None),
    ):
        # The second is the same key while Caps Lock is on.
        keys = f"<Control-Key-{letter}>", f"<Control-Lock-Key-{letter.upper()}>"
        root.event_delete(former, *keys)
        if now is not None:
            root.event_add(now, *keys)
    # And no Ctrl+D, K, O, T or H that changes the text unasked.
    root.tk.call("set", "tk_strictMotif", "1")
    # That would take the wheel from texts, too, and nobody means that.
    for button, pixels in ((4, -50), (5, 50)):
        root.tk.call("bind", "Text", f"<Button-{button}>", f"%W yview scroll {pixels} pixels")
