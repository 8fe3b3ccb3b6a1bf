"""Keys for editing text, as desktops have them today.

On X11, Tk still has those of Emacs: Ctrl+A goes to the line's start, Ctrl+Y pastes, Ctrl+W cuts
and Ctrl+F goes to the right. People press Ctrl+A to select everything, Ctrl+Y to do a thing again
and Ctrl+F to find something.
"""

from __future__ import annotations

import sys
import tkinter as tk
from typing import Final

FIND: Final = (
    ("<Command-f>", "<Control-f>")
    if sys.platform == "darwin"
    # The second is the same key while Caps Lock is on.
    else ("<Control-f>", "<Control-Lock-F>")
)
"""What Tk calls the keys for finding something."""
FIND_TITLE: Final = "⌘F" if sys.platform == "darwin" else "Ctrl+F"
"""What people call them."""


def use_desktop_keys(root: tk.Tk) -> None:
    """Give every text and field below `root` the keys that people know. X11 only."""
    if root.tk.call("tk", "windowingsystem") != "x11":
        return
    for letter, former, now in (
        ("a", "<<LineStart>>", "<<SelectAll>>"),
        ("y", "<<Paste>>", "<<Redo>>"),
        ("w", "<<Cut>>", None),
        ("f", "<<NextChar>>", None),
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
