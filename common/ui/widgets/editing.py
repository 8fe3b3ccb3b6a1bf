"""Editing commands for texts and fields alike: undo, clipboard, and the context menu.

An `Editing` carries out what keys and the menu ask for, on any `Box`: a text with pictures for
emoji (`common.ui.widgets.textbox`) or a field (`common.ui.widgets.fields`). Its places are counted
in characters; the box converts them to the indexes of its widget.
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
"""Control characters other than line ends and tabs, and lone surrogates."""
_CONTROL: Final = 0x4
"""Bits of an event's state; Mod1 is Alt on X11 and Command on macOS, Mod4 is Super."""
_MOD1: Final = 0x8
_MOD4: Final = 0x40
_MENU_KEYS: Final = {"x11": ("<Shift-F10>", "<Menu>"), "win32": ("<Shift-F10>", "<App>")}


class Box(Protocol):
    """A widget that is edited. All offsets count characters."""

    @property
    def widget(self) -> tk.Text | tk.Entry:
        """The Tk widget."""

    @property
    def writable(self) -> bool:
        """Whether a person may change the text."""

    @property
    def secret(self) -> bool:
        """Whether the text must not be copied."""

    def characters(self) -> str:
        """The whole text."""

    def selected(self) -> str:
        """The selected text."""

    def selection(self) -> tuple[int, int]:
        """Start and end of the selection; the cursor twice if nothing is selected."""

    def cursor(self) -> int:
        """The offset of the cursor."""

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a range by a text, and put the cursor behind it."""

    def select(self, start: int, end: int) -> None:
        """Select a range, with the cursor at its end, and scroll there."""

    def move(self, x: int, y: int) -> None:
        """Put the cursor at a position in pixels of the widget, and clear the selection."""

    def holds(self, x: int, y: int) -> bool:
        """Whether a position in pixels of the widget is in the selection."""

    def clean(self, text: str) -> str:
        """A text from elsewhere without what can't be inserted."""

    def refused(self, text: str, added: str) -> bool:
        """Whether `text` is too long, because of `added`; if so, it tells the person."""


class Editing:
    """Undo, cut, copy, paste and the menu of one box. The box's owner calls `changed`."""

    def __init__(self, box: Box, theme: Theme) -> None:
        self._box, self._theme = box, theme
        self._widget = box.widget
        self._history = UndoHistory(box.characters() if box.writable else "")
        self._working = False
        """Whether an edit of this object is under way: `changed` is deferred until it is done."""
        self.copy_instead: Callable[[], object] = lambda: None
        """Called for Copy when nothing is selected."""
        self._later: str | None = None
        selection.own_selection(box.widget, lambda: "" if box.secret else box.selected())
        self._listen()

    def changed(self) -> None:
        """Record what a person, or an input method, has changed."""
        if not self._working and self._box.writable:
            self._record(whole=False)

    def changed_soon(self) -> None:
        """The same in an idle callback: Tk deletes a selection before it inserts a letter."""
        if self._later is None and not self._working:
            self._later = self._widget.after_idle(self._changed_now)

    def _changed_now(self) -> None:
        self._later = None
        self.changed()

    def _destroyed(self, _: object) -> None:
        if self._later is not None:
            # Else Tk would look for a callback that is gone with its widget, and report that.
            self._widget.after_cancel(self._later)
            self._later = None

    def reset(self) -> None:
        """Clear the undo history, after the program has set the text."""
        self._history.reset(self._box.characters())

    def take_over(self, former: Editing) -> None:
        """Go on with the selection and the steps of another box that has the same text."""
        former.changed()
        self._history = former._history
        self._box.select(*former._box.selection())

    def focus(self) -> None:
        """Give it the keyboard focus."""
        self._widget.focus_set()

    def resume(self) -> None:
        """Focus it without a selection, so that typing goes on at the cursor."""
        self._widget.focus_set()
        cursor = self._box.cursor()
        self._box.select(cursor, cursor)

    @property
    def is_on_screen(self) -> bool:
        """Whether it can have the keyboard: Tk gives no focus to what is not drawn yet."""
        return bool(self._widget.winfo_viewable())

    def insert(self, text: str) -> None:
        """Insert a text at the cursor, replacing the selection."""
        self._put(text, whole=False)

    def paste(self) -> None:
        """Replace the selection by the clipboard's text, as one undo step."""
        self._put(self._box.clean(selection.copied(self._widget)), whole=True)

    def undo(self) -> None:
        """Undo the last step."""
        if self._box.writable:
            self.changed()
            self._apply(self._history.undo())

    def redo(self) -> None:
        """Redo the step that was undone last."""
        if self._box.writable:
            self.changed()
            self._apply(self._history.redo())

    def copy(self) -> None:
        """Copy the selection to the clipboard; without one, call `copy_instead`."""
        if self._box.secret:
            return
        text = self._box.selected()
        if text:
            selection.copy(self._widget, text)
        else:
            self.copy_instead()

    def cut(self) -> None:
        """Copy the selection, and delete it."""
        start, end = self._box.selection()
        if start < end and self._box.writable and not self._box.secret:
            self.copy()
            self.replace(start, end, "", whole=True)

    def delete_word(self, *, before: bool) -> None:
        """Delete the selection, or the space and the word before or after the cursor."""
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
        """Select the whole text, without the newline that Tk adds."""
        self._box.select(0, len(self._box.characters()))

    # How it is done

    def _put(self, text: str, *, whole: bool) -> None:
        # The window may have been closed while the owner of the selection was asked for it.
        if text and self._widget.winfo_exists() and self._box.writable:
            self.replace(*self._box.selection(), text, whole=whole)

    def replace(self, start: int, end: int, text: str, *, whole: bool = False) -> None:
        """Replace a range by a text, unless that is too long; `whole` as a separate undo step."""
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
        widget.bind("<Destroy>", self._destroyed, add="+")

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
        """Handle clicks on the widgets around the box, or over it as a hint, like its own."""
        for part in parts:
            part.bind("<Button-1>", lambda _: self.focus(), add="+")
            part.bind("<<PasteSelection>>", lambda event: self.paste_selection(*self._at(event)))
            part.bind("<<ContextMenu>>", self.right_clicked)

    def _at(self, event: tk.Event[tk.Misc]) -> tuple[int, int]:
        """The pointer's position in pixels of the box's widget."""
        widget = self._widget
        return event.x_root - widget.winfo_rootx(), event.y_root - widget.winfo_rooty()

    def _paste_selection(self, event: tk.Event[tk.Misc]) -> str:
        """A middle click: paste the PRIMARY selection where it was."""
        # Dragging with that button scrolls.
        tk_call = self._widget.tk.call
        known = tk_call("info", "exists", "::tk::Priv(mouseMoved)")
        if known and self._widget.getboolean(tk_call("set", "::tk::Priv(mouseMoved)")):
            return "break"
        return self.paste_selection(event.x, event.y)

    def paste_selection(self, x: int, y: int) -> str:
        """Paste the PRIMARY selection of any program at a position in pixels of the widget."""
        if self._box.writable:
            # Read before the cursor is moved: moving it may clear that selection.
            text = self._box.clean(selection.selected(self._widget))
            if self._widget.winfo_exists():
                self._widget.focus_set()
                self._box.move(x, y)
                self._put(text, whole=True)
        return "break"

    def right_clicked(self, event: tk.Event[tk.Misc]) -> str:
        """Show the menu, for the selection if the click was on it."""
        self._widget.focus_set()
        x, y = self._at(event)
        if not self._box.holds(x, y):
            self._box.move(x, y)
        self._show_menu(event.x_root, event.y_root)
        return "break"

    def _menu_by_key(self) -> None:
        """Show the menu below the cursor."""
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
        """The items of the context menu; those that can't be used now are disabled."""
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
        # By its virtual event, which a widget may have bound otherwise.
        return MenuItem(label, lambda: self._widget.event_generate(event), enabled=enabled)


def _word(text: str) -> int:
    """Length in characters of the space and the word at the start of a text.

    A run of signs or emoji counts as a word, too.
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
    """A text from elsewhere with newlines for all line ends, and without control characters.

    Tabs and all spaces stay.
    """
    # Not by a regular expression, which takes 0.1 s for a pasted book.
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return _UNWRITABLE.sub("", text)


def clean_line(text: str) -> str:
    """The same for one line: spaces for line ends within it, and for tabs."""
    return clean_lines(text).strip("\n").replace("\n", " ").replace("\t", " ")


def is_typed(event: tk.Event[tk.Misc]) -> bool:
    """Whether a key event inserts characters, as those of an input method do, too."""
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
