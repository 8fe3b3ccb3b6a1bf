"""What one can do while editing a text or a field, alike in both: undo, clipboard, and the menu.

An `Editing` does what keys and the menu ask for, on any `Box`: a text with pictures for emoji
(`common.ui.widgets.textbox`) or a field (`common.ui.widgets.fields`). It talks in characters, the
box in whatever its widget has for them.
"""

from __future__ import annotations

import re
import sys
import time
import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol
from unicodedata import combining

from common.ui.look.theme import Theme
from common.ui.widgets import selection
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.undo_history import Step, UndoHistory

_LINE_ENDS: Final = ("\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029")
"""What ends a line in Unicode besides a newline (UAX #14, BK, CR and NL), the longest first."""
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
"""Control characters that no line end or tab is, and halves of characters."""
_CONTROL: Final = 0x4
"""Bits of an event's state; Mod1 is Alt on X11 and Command on macOS, Mod4 is Super."""
_MOD1: Final = 0x8
_MOD4: Final = 0x40
_MENU_KEYS: Final = {"x11": ("<Shift-F10>", "<Menu>"), "win32": ("<Shift-F10>", "<App>")}


class Box(Protocol):
    """A widget that is edited. All places count characters."""

    @property
    def widget(self) -> tk.Text | tk.Entry:
        """What shows it."""

    @property
    def writable(self) -> bool:
        """Whether a person may change the text."""

    @property
    def secret(self) -> bool:
        """Whether the text must not be copied."""

    def characters(self) -> str:
        """The whole text."""

    def selected(self) -> str:
        """What is selected."""

    def selection(self) -> tuple[int, int]:
        """From where to where is selected; the cursor twice if nothing is."""

    def cursor(self) -> int:
        """Where the cursor is."""

    def replace(self, start: int, end: int, text: str) -> None:
        """Put a text in place of a stretch, and the cursor behind it."""

    def select(self, start: int, end: int) -> None:
        """Select a stretch, with the cursor at its end, in view."""

    def move(self, x: int, y: int) -> None:
        """Put the cursor where a pointer is, in pixels of the widget, and select nothing."""

    def holds(self, x: int, y: int) -> bool:
        """Whether the selection is where the pointer is."""

    def clean(self, text: str) -> str:
        """What may be put in of a text from elsewhere."""

    def refused(self, text: str, added: str) -> bool:
        """Whether `text` is too long, because of `added`; if so, the person is told."""


class Editing:
    """Undo, cut, copy, paste and the menu of one box. The box's owner calls `changed`."""

    def __init__(self, box: Box, theme: Theme) -> None:
        self._box, self._theme = box, theme
        self._widget = box.widget
        self._history = UndoHistory(box.characters() if box.writable else "")
        self._working = False
        """Whether this changes the text itself: `changed` waits until it is done."""
        self.copy_instead: Callable[[], object] = lambda: None
        """Called when something is to be copied and nothing is selected."""
        self._later: str | None = None
        selection.own_selection(box.widget, lambda: "" if box.secret else box.selected())
        self._listen()

    def changed(self) -> None:
        """Take note of what a person, or an input method, has done to the text."""
        if not self._working and self._box.writable:
            self._record(whole=False)

    def changed_soon(self) -> None:
        """The same when all of it is done: Tk takes a selection out before it puts a letter in."""
        if self._later is None and not self._working:
            self._later = self._widget.after_idle(self._changed_now)

    def _changed_now(self) -> None:
        self._later = None
        if self._widget.winfo_exists():
            self.changed()

    def reset(self) -> None:
        """The program has set the text: there is nothing to undo any more."""
        self._history.reset(self._box.characters())

    def focus(self) -> None:
        """Give it the keyboard."""
        self._widget.focus_set()

    def resume(self) -> None:
        """Go on writing in it, where the cursor is; nothing that is selected gets replaced."""
        self._widget.focus_set()
        cursor = self._box.cursor()
        self._box.select(cursor, cursor)

    def insert(self, text: str) -> None:
        """Type a text where the cursor is, in place of what is selected."""
        self._put(text, whole=False)

    def paste(self) -> None:
        """Put what is on the clipboard in place of what is selected, as one step."""
        self._put(self._box.clean(selection.copied(self._widget)), whole=True)

    def undo(self) -> None:
        """Take the last step back."""
        if self._box.writable:
            self.changed()
            self._apply(self._history.undo())

    def redo(self) -> None:
        """Do again what was undone last."""
        if self._box.writable:
            self.changed()
            self._apply(self._history.redo())

    def copy(self) -> None:
        """Put what is selected on the clipboard; if nothing is, call `copy_instead`."""
        if self._box.secret:
            return
        text = self._box.selected()
        if text:
            selection.copy(self._widget, text)
        else:
            self.copy_instead()

    def cut(self) -> None:
        """Copy what is selected, and take it out."""
        start, end = self._box.selection()
        if start < end and self._box.writable and not self._box.secret:
            self.copy()
            self.replace(start, end, "", whole=True)

    def delete_word(self, *, before: bool) -> None:
        """Take out what is selected, or the space and the word before or behind the cursor."""
        if not self._box.writable:
            return
        start, end = self._box.selection()
        if start == end:
            text = self._box.characters()
            if before:
                start -= _word(text[:start][::-1])
            else:
                end += _word(text[end:])
        if start < end:
            self.replace(start, end, "", whole=True)

    def select_all(self) -> None:
        """Select the whole text, and no newline after it."""
        self._box.select(0, len(self._box.characters()))

    # How it is done

    def _put(self, text: str, *, whole: bool) -> None:
        # While the owner of a selection was asked, the window may have been closed.
        if text and self._widget.winfo_exists() and self._box.writable:
            self.replace(*self._box.selection(), text, whole=whole)

    def replace(self, start: int, end: int, text: str, *, whole: bool = False) -> None:
        """Put a text in place of a stretch, unless it is too long; `whole` as a step of its own."""
        self.changed()
        before = self._history.text
        if text and self._box.refused(before[:start] + text + before[end:], text):
            return
        self._history.note(start, end)
        self._work(lambda: self._box.replace(start, end, text))
        self._record(whole=whole)

    def _apply(self, step: Step | None) -> None:
        if step is not None:
            self._work(lambda: self._box.replace(step.start, step.end, step.text))
            self._box.select(*step.selection)

    def _work(self, change: Callable[[], object]) -> None:
        self._working = True
        try:
            change()
        finally:
            self._working = False

    def _record(self, *, whole: bool) -> None:
        box = self._box
        self._history.record(box.characters(), box.cursor(), time.monotonic(), whole=whole)

    # What asks for it

    def _listen(self) -> None:
        widget = self._widget
        for event, action in (
            ("<<Undo>>", self.undo),
            ("<<Redo>>", self.redo),
            ("<<Cut>>", self.cut),
            ("<<Copy>>", self.copy),
            ("<<Paste>>", self.paste),
            ("<<SelectAll>>", self.select_all),
        ):
            widget.bind(event, lambda _, action=action: _done(action))  # type: ignore[misc]
        widget.bind("<<PasteSelection>>", self._paste_selection)
        widget.bind("<<ContextMenu>>", self.right_clicked)
        for key in _MENU_KEYS.get(str(widget.tk.call("tk", "windowingsystem")), ()):
            widget.bind(key, lambda _: _done(self._menu_by_key))
        modifier = "Option" if sys.platform == "darwin" else "Control"
        for key, before in (("BackSpace", True), ("Delete", False)):
            widget.bind(f"<{modifier}-{key}>", partial(self._delete_word, before))
        widget.bind("<Key>", self._key, add="+")
        widget.bind("<<Clear>>", self._noted, add="+")

    def _delete_word(self, before: bool, _: object) -> str:
        self.delete_word(before=before)
        return "break"

    def _key(self, event: tk.Event[tk.Misc]) -> str | None:
        """Before Tk inserts what was typed."""
        self._noted()
        if not self._box.writable or not is_typed(event):
            return None
        start, end = self._box.selection()
        text = self._history.text
        return _stop(self._box.refused(text[:start] + event.char + text[end:], event.char))

    def _noted(self, _: object = None) -> None:
        if not self._box.writable:
            return
        self.changed()
        self._history.note(*self._box.selection())

    def listen_around(self, *parts: tk.Misc) -> None:
        """Take the clicks on what is drawn around the box, or over it as a hint, for its own."""
        for part in parts:
            part.bind("<Button-1>", lambda _: self.focus(), add="+")
            part.bind("<<PasteSelection>>", lambda event: self.paste_selection(*self._at(event)))
            part.bind("<<ContextMenu>>", self.right_clicked)

    def _at(self, event: tk.Event[tk.Misc]) -> tuple[int, int]:
        """Where in the box the pointer is, in pixels."""
        widget = self._widget
        return event.x_root - widget.winfo_rootx(), event.y_root - widget.winfo_rooty()

    def _paste_selection(self, event: tk.Event[tk.Misc]) -> str:
        """A middle click: what is selected anywhere comes to where it was."""
        # Dragging with that button scrolls.
        tk_call = self._widget.tk.call
        known = tk_call("info", "exists", "::tk::Priv(mouseMoved)")
        if known and self._widget.getboolean(tk_call("set", "::tk::Priv(mouseMoved)")):
            return "break"
        return self.paste_selection(event.x, event.y)

    def paste_selection(self, x: int, y: int) -> str:
        """Put what is selected in any program where a pointer is, in pixels of the widget."""
        if self._box.writable:
            # Before the cursor is moved: that may end the selection which is asked for.
            text = self._box.clean(selection.selected(self._widget))
            if self._widget.winfo_exists():
                self._widget.focus_set()
                self._box.move(x, y)
                self._put(text, whole=True)
        return "break"

    def right_clicked(self, event: tk.Event[tk.Misc]) -> str:
        """Show the menu, of what is selected if the click was there."""
        self._widget.focus_set()
        x, y = self._at(event)
        if not self._box.holds(x, y):
            self._box.move(x, y)
        self._show_menu(event.x_root, event.y_root)
        return "break"

    def _menu_by_key(self) -> None:
        """Below the cursor."""
        widget = self._widget
        box = widget.tk.splitlist(widget.tk.call(str(widget), "bbox", "insert"))
        x, top, _, height = map(int, box or (0, 0, 0, widget.winfo_height()))
        y = top + height
        self._show_menu(widget.winfo_rootx() + x, widget.winfo_rooty() + y)

    def _show_menu(self, x: int, y: int) -> None:
        items = self.menu()
        if self._widget.winfo_exists():
            popup(self._widget, self._theme, items, x, y)

    def menu(self) -> list[MenuItem]:
        """What can be done, as a menu; what makes no sense now is disabled."""
        self.changed()
        box = self._box
        start, end = box.selection()
        chosen = bool(box.selected()) and not box.secret
        writable, text = box.writable, box.characters()
        items = []
        if writable:
            items += [
                self._item("Undo", "<<Undo>>", enabled=self._history.can_undo),
                self._item("Redo", "<<Redo>>", enabled=self._history.can_redo),
                MenuItem(),
                self._item("Cut", "<<Cut>>", enabled=chosen),
            ]
        items.append(self._item("Copy", "<<Copy>>", enabled=chosen))
        if writable:
            can_paste = selection.has_copied(self._widget)
            items.append(self._item("Paste", "<<Paste>>", enabled=can_paste))
        everything = bool(text) and (start, end) != (0, len(text))
        return [*items, MenuItem(), self._item("Select all", "<<SelectAll>>", enabled=everything)]

    def _item(self, label: str, event: str, *, enabled: bool) -> MenuItem:
        # By its event: who has it bound for a box of its own is asked.
        return MenuItem(label, lambda: self._widget.event_generate(event), enabled=enabled)


def _word(text: str) -> int:
    """How many characters the space and the word take with which a text begins.

    What is neither, such as signs and emoji, is a word, too.
    """
    end = 0
    while end < len(text) and text[end].isspace():
        end += 1
    in_word = end < len(text) and _in_word(text[end])
    while end < len(text) and not text[end].isspace() and _in_word(text[end]) == in_word:
        end += 1
    return end


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_" or bool(combining(character))


def clean_lines(text: str) -> str:
    """A text from elsewhere with newlines for all that ends a line, and without controls.

    Tabs stay, and so do all spaces.
    """
    # Not by a regular expression, which takes 0.1 s for a pasted book.
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return _UNWRITABLE.sub("", text)


def clean_line(text: str) -> str:
    """The same for one line: spaces for what ends a line within it, and for tabs."""
    return clean_lines(text).strip("\n").replace("\n", " ").replace("\t", " ")


def is_typed(event: tk.Event[tk.Misc]) -> bool:
    """Whether a key event brings characters, as those of an input method do, too."""
    if not event.char or not event.char.isprintable():
        return False
    state = int(event.state)
    if sys.platform == "win32":  # where AltGr is Ctrl and Alt
        return not state & _CONTROL or bool(state & 0x20000)
    return not state & (_MOD1 if sys.platform == "darwin" else _CONTROL | _MOD1 | _MOD4)


def _done(action: Callable[[], object]) -> str:
    action()
    return "break"


def _stop(stop: bool) -> str | None:
    return "break" if stop else None
