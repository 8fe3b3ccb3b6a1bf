"""Keyboard shortcuts for editing text, as on current desktops, on every keyboard layout.

On X11, Tk still has those of Emacs: Ctrl+A goes to the line's start, Ctrl+Y pastes, Ctrl+W cuts
and Ctrl+F goes to the right. People press Ctrl+A to select everything, Ctrl+Y to redo and Ctrl+F to
find something.

A shortcut is a virtual event here, such as `<<Copy>>` or `FIND`; code never binds a sequence with a
letter. Only so it also works on a layout without Latin letters: there, the key that is C on a US
keyboard produces another letter (Cyrillic es in Russian), for which Tk has no shortcut, and the
shortcut is determined by the key's position.
"""

from __future__ import annotations

import sys
import tkinter as tk
from typing import Final

FIND: Final = "<<Find>>"
"""The virtual event for the search bar."""
FIND_TITLE: Final = "⌘F" if sys.platform == "darwin" else "Ctrl+F"
"""What people call its keys."""
GO_TO_DATE: Final = "<<GoToDate>>"
"""The virtual event for going to a date."""
GO_TO_DATE_TITLE: Final = "⌘J" if sys.platform == "darwin" else "Ctrl+J"
"""What people call its keys."""
SETTINGS: Final = "<<Settings>>"
"""The virtual event for the settings window."""
SETTINGS_TITLE: Final = "⌘," if sys.platform == "darwin" else "Ctrl+,"
"""What people call its keys."""
LARGER: Final = "<<LargerText>>"
SMALLER: Final = "<<SmallerText>>"
USUAL_SIZE: Final = "<<UsualText>>"
TEXT_SIZE_TITLE: Final = f"{'⌘' if sys.platform == 'darwin' else 'Ctrl'} with +, - or 0"
"""What people call the keys of these three."""

_SHIFT: Final = 0x1
_ALT: Final = {"x11": 0x8, "win32": 0x20000, "aqua": 0x10}
"""Bits of an event's state for Alt: Ctrl and Alt together are AltGr, which types characters."""
_ROWS: Final = {
    "x11": ((24, "qwertyuiop"), (38, "asdfghjkl"), (52, "zxcvbnm")),  # evdev and xfree86 alike
    "win32": ((0x41, "abcdefghijklmnopqrstuvwxyz"),),  # VK_A: told by the layout, of each one
    "aqua": (  # kVK_ANSI_A and so on
        *((0, "asdfhgzxcv"), (11, "bqweryt"), (31, "ou"), (34, "ip"), (37, "lj"), (40, "k")),
        (45, "nm"),
    ),
}
"""Keycode of the first key of each row of letters, and the letters of that row on a US keyboard."""
_COMMA: Final = {"x11": 59, "win32": 0xBC, "aqua": 43}
"""Keycode of the comma on a US keyboard, which is a letter on many others."""
_LATIN: Final = ((0x41, 0x370), (0x1D00, 0x1F00), (0x2C60, 0x2C80), (0xA720, 0xA800))
"""Blocks of Unicode with Latin letters."""
_SCRIPTS: Final = {0x4, 0x5, 0x6, 0x7, 0xC, 0xD, 0xE, 0x14, 0x15, 0x16}
"""Upper bytes of X's older keysyms that are not Latin: kana, Arabic, Cyrillic, Greek, …"""


def use_desktop_keys(root: tk.Tk, notch: int = 50) -> None:
    """Bind the usual shortcuts in everything below `root`, on every keyboard layout.

    `notch` is how many screen pixels one notch of the wheel scrolls a text on X11.
    """
    system = str(root.tk.call("tk", "windowingsystem"))
    modifier = "Command" if system == "aqua" else "Control"
    for event, symbols in (
        (SETTINGS, ("comma",)),
        (LARGER, ("plus", "equal", "KP_Add")),
        (SMALLER, ("minus", "underscore", "KP_Subtract")),
        (USUAL_SIZE, ("0", "KP_0")),
    ):
        root.event_add(event, *(f"<{modifier}-Key-{symbol}>" for symbol in symbols))
    if system == "aqua":
        root.event_add(FIND, "<Command-Key-f>", "<Command-Lock-Key-F>")
        root.event_add(GO_TO_DATE, "<Command-Key-j>", "<Command-Lock-Key-J>")
    else:
        _use_control_keys(root, system, notch)
    Layout(root, system)


def _use_control_keys(root: tk.Tk, system: str, notch: int) -> None:
    if system == "x11":
        # Without Ctrl+D, K, O, T and H, which change the text. First, as it removes bindings.
        root.tk.call("set", "tk_strictMotif", "1")
        # A menu resets it while it is open; no binding may depend on it.
        root.tk.call(
            *("trace", "remove", "variable", "::tk_strictMotif", "write"),
            "::tk::EventMotifBindings",
        )
    for letter, former, now in (
        ("a", "<<LineStart>>", "<<SelectAll>>"),
        ("y", "<<Paste>>", "<<Redo>>"),
        ("w", "<<Cut>>", None),
        ("f", "<<NextChar>>", FIND),
    ):
        # The second is the same key while Caps Lock is on.
        keys = f"<Control-Key-{letter}>", f"<Control-Lock-Key-{letter.upper()}>"
        root.event_delete(former, *keys)
        if now is not None:
            root.event_add(now, *keys)
    root.event_add(GO_TO_DATE, "<Control-Key-j>", "<Control-Lock-Key-J>")
    root.event_add("<<Redo>>", "<Control-Key-Z>", "<Control-Lock-Key-z>")
    # The older shortcuts (CUA) for Ctrl+C, X and V.
    root.event_add("<<Copy>>", "<Control-Key-Insert>")
    root.event_add("<<Cut>>", "<Shift-Key-Delete>")
    root.event_add("<<Paste>>", "<Shift-Key-Insert>")
    # It would insert a tab.
    root.tk.call("bind", "Text", "<Control-Key-i>", "# nothing")
    if system != "x11":
        return
    scroll_by_wheel(root, notch)
    # Insert alone would paste the PRIMARY selection.
    root.tk.call("bind", "Text", "<Insert>", "# nothing")
    root.tk.call("bind", "Entry", "<Insert>", "# nothing")


def scroll_by_wheel(root: tk.Tk, notch: int) -> None:
    """Have one notch of the wheel scroll texts by so many screen pixels, on X11."""
    # Not by Tk's own binding, which its strict mode disables.
    if str(root.tk.call("tk", "windowingsystem")) == "x11":
        for button, pixels in ((4, -notch), (5, notch)):
            root.tk.call("bind", "Text", f"<Button-{button}>", f"%W yview scroll {pixels} pixels")


class Layout:
    """Makes shortcuts work by position while the keyboard's layout has no Latin letters."""

    def __init__(self, root: tk.Tk, system: str) -> None:
        self._root, self._system = root, system
        self._modifier = "Mod1" if system == "aqua" else "Control"
        self._foreign = False
        """Whether the last typed letter was not Latin: some letter keys may produce signs then."""
        shortcut = "<Command-Key>" if system == "aqua" else "<Control-Key>"
        root.bind_all(shortcut, self.pressed, add="+")
        root.bind_all("<Key>", self._typed, add="+")

    def pressed(self, event: tk.Event[tk.Misc]) -> None:
        """A key was pressed with Ctrl or Command: if needed, act by its position."""
        letter = us_letter(self._system, int(event.keycode)) or self._comma(event)
        state = int(event.state)
        if not letter or state & _ALT.get(self._system, 0):
            return
        if not self._is_foreign(event):
            return
        for name in self._root.event_info():
            for sequence in self._root.event_info(name):
                if self._means(sequence, letter, shift=bool(state & _SHIFT)):
                    # By name: a window that Tk made itself, as of a menu, is no widget here.
                    self._root.tk.call("event", "generate", str(event.widget), name)
                    return

    def _comma(self, event: tk.Event[tk.Misc]) -> str:
        """The name of the comma's key, where it writes something else; else ""."""
        is_there = _code(self._system, int(event.keycode)) == _COMMA.get(self._system)
        return "comma" if is_there and int(event.keysym_num) != ord(",") else ""

    def _typed(self, event: tk.Event[tk.Misc]) -> None:
        if us_letter(self._system, int(event.keycode)):
            self._is_foreign(event)

    def _is_foreign(self, event: tk.Event[tk.Misc]) -> bool:
        latin = is_latin(self._system, int(event.keysym_num))
        if latin is not None:
            self._foreign = not latin
        return self._foreign

    def _means(self, sequence: str, letter: str, *, shift: bool) -> bool:
        *modifiers, _, key = sequence.strip("<>").split("-")
        wanted = letter
        if shift and "Shift" in modifiers:
            modifiers.remove("Shift")
        elif shift:
            wanted = letter.upper()
        return modifiers == [self._modifier] and key == wanted


def _code(system: str, keycode: int) -> int:
    # Tk 8.6.11 and later keep the virtual key code in the upper byte.
    return keycode >> 24 if system == "aqua" else keycode


def us_letter(system: str, keycode: int) -> str:
    """The letter of a key on a US keyboard, or "". `system` is Tk's windowingsystem."""
    code = _code(system, keycode)
    for first, letters in _ROWS.get(system, ()):
        if first <= code < first + len(letters):
            return letters[code - first]
    return ""


def is_latin(system: str, keysym: int) -> bool | None:
    """Whether a keysym is a Latin letter; None for signs and digits, which all layouts have.

    Windows reports keys that it can't name as 0 or as a letter of some code page, so there only
    unaccented letters count as Latin: all Latin layouts have these.
    """
    if 0x41 <= keysym <= 0x5A or 0x61 <= keysym <= 0x7A:
        return True
    if system == "win32" or keysym == 0:
        return False
    if keysym < 0xC0 or 0xFD00 <= keysym < 0x10000:  # signs of Latin-1; keys that write nothing
        return None
    if keysym >= 0x1000000:  # Unicode
        letter = keysym - 0x1000000
        return any(first <= letter < end for first, end in _LATIN)
    return keysym >> 8 not in _SCRIPTS
