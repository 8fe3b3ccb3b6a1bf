"""A rounded text field with a placeholder, an icon before and a note after the text."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk
from typing import Final

from common.ui.look.cards import rounded_style
from common.ui.look.fonts import Role
from common.ui.look.icons import IconName
from common.ui.look.palette import Surface, Tone
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.basics import bare_label
from common.ui.widgets.editing import Editing, clean_line
from common.ui.widgets.safe_text import StandIns

_LONGEST: Final = 4096
"""Maximum number of characters in any field: Tk measures all of them at each keystroke."""
_LONGEST_EMOJI: Final = 16
"""Upper bound for the characters of one emoji, with some to spare."""


class Field(ttk.Frame):
    """An input field of one line.

    `width` and `height` are px at 96 dpi (`width` 0: as the geometry manager decides).
    `on_change(text)` is called for every edit, also those by the program; `on_submit(text)`
    for Return, `on_cancel()` for Escape. `limit` is the maximum length in characters, at most and
    by default 4,096. Longer text is cut at its end.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        placeholder: str = "",
        value: str = "",
        icon: IconName | None = None,
        note: str = "",
        width: int = 0,
        height: int = 34,
        font: Role = "body",
        secret: bool = False,
        limit: int = 0,
        fill: Surface | None = None,
        on_change: Callable[[str], object] | None = None,
        on_submit: Callable[[str], object] | None = None,
        on_cancel: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent, padding=(theme.px(10), 0))
        self._theme, self._icon, self._limit = theme, icon, limit or _LONGEST
        self._behind = surface_of(parent)
        self.surface: Surface = fill or ("raised" if self._behind == "sidebar" else "field")
        self._note_tone: Tone = "muted"
        self.on_change, self.on_submit, self.on_cancel = on_change, on_submit, on_cancel
        self.configure(height=theme.px(height), width=theme.px(width or 120))
        self.pack_propagate(False)
        self._stand_ins = StandIns()
        self._variable = tk.StringVar(self, self._stand_ins.hide(value))
        self._icon_label = bare_label(self)
        if icon:
            self._icon_label.pack(side="left")
        self._note = bare_label(self)
        self._note.configure(text=note, font=theme.fonts["label"])
        if note:
            self._note.pack(side="right")
        self.entry = tk.Entry(
            self,
            textvariable=self._variable,
            font=theme.fonts[font],
            show="•" if secret else "",
            borderwidth=0,
            highlightthickness=0,
        )
        self.entry.pack(side="left", fill="x", expand=True)
        self._font: Role = font
        self._hides_selection = False
        self._placeholder = placeholder
        self._hint = bare_label(self.entry)
        self._hint.configure(font=theme.fonts[font], cursor="xterm", anchor="w")
        self.entry.bind("<Configure>", lambda event: self._fit_hint(event.width), add="+")
        self._box = _Box(self.entry, self._stand_ins, self._limit, secret=secret)
        self.editing = Editing(self._box, theme)
        self._listen()
        trace = self._variable.trace_add("write", lambda *_: self._changed())
        # The trace would keep the field alive, and all that it refers to.
        self.bind("<Destroy>", lambda _: self._variable.trace_remove("write", trace), add="+")
        self._show_hint()
        theme.subscribe(self, self._paint)

    @property
    def value(self) -> str:
        """The current text."""
        return self._stand_ins.reveal(self._variable.get())

    @value.setter
    def value(self, text: str) -> None:
        self._variable.set(self._fit(text))
        self.entry.icursor("end")
        self.editing.reset()

    def take_over(self, former: Field) -> None:
        """Show what another field shows, with its cursor, its selection and its steps to undo."""
        self.value = former.value
        self.editing.take_over(former.editing)

    @property
    def enabled(self) -> bool:
        """Whether it can be typed into."""
        return str(self.entry.cget("state")) == "normal"

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self.entry.configure(state="normal" if on else "disabled")

    def focus_set(self) -> None:
        """Put the cursor into the field."""
        self.entry.focus_set()

    focus = focus_set

    def take_keyboard(self) -> None:
        """Take the focus immediately, with all text selected, after being put on the screen.

        Tk focuses only what is mapped: until its loop has handled that, a keystroke would still
        go to the widget that had the focus before.
        """
        self.update_idletasks()
        self.focus_set()
        self.select_all()

    def select_all(self) -> None:
        """Select the whole text, as Tab into a field does."""
        self.entry.selection_range(0, "end")

    def copy_as(self, text: str) -> None:
        """Export `text` whatever is selected, as the field shows it shortened."""
        self._box.whole = text

    def set_error(self, on: bool) -> None:
        """Mark the text as invalid, or no longer."""
        self.state(["invalid" if on else "!invalid"])

    def set_note(self, text: str, tone: Tone = "muted") -> None:
        """Show a short text at the right end; an empty one removes it."""
        self._note_tone = tone
        self._note.configure(text=text)
        if text:
            self._note.pack(side="right", before=self.entry)
        else:
            self._note.pack_forget()
        self._paint()

    def _listen(self) -> None:
        self.entry.bind("<FocusIn>", lambda _: self._focused(on=True), add="+")
        self.entry.bind("<FocusOut>", lambda _: self._focused(on=False), add="+")
        self.entry.bind("<Return>", lambda _: self._submit())
        self.entry.bind("<KP_Enter>", lambda _: self._submit())
        self.entry.bind("<Escape>", lambda _: self.on_cancel and self.on_cancel())
        for key, step in (("<BackSpace>", -1), ("<Delete>", 1)):
            self.entry.bind(key, partial(self._delete, step))
        for event, step, select in (
            ("<<PrevChar>>", -1, False),
            ("<<NextChar>>", 1, False),
            ("<<SelectPrevChar>>", -1, True),
            ("<<SelectNextChar>>", 1, True),
        ):
            self.entry.bind(event, partial(self._move, step, select))
        self.editing.listen_around(self._hint, self._icon_label, self._note, self)

    def _focused(self, *, on: bool) -> None:
        self.state(["focus" if on else "!focus"])
        # Not when a menu or another window has the keyboard for now: then it comes back here.
        self._hides_selection = not on and self.focus_lastfor() is not self.entry
        self._paint_selection()

    def _submit(self) -> None:
        if self.on_submit:
            self.on_submit(self.value)

    def _delete(self, step: int, _: object) -> str:
        """Delete a whole character: Tk 8.6 counts those beyond the BMP as two."""
        if self.enabled:
            start, end = self._box.selection()
            if start == end:
                start, end = sorted((end, self._box.beside(end, step)))
            self.editing.replace(start, end, "")
        return "break"

    def _move(self, step: int, select: bool, _: object) -> str | None:
        """Move by a whole character, for the same reason."""
        if self.entry.selection_present() and not select:
            return None
        entry, box = self.entry, self._box
        move = "tk::EntryKeySelect" if select else "tk::EntrySetCursor"
        entry.tk.call(move, str(entry), box.index(box.beside(box.cursor(), step)))
        entry.tk.call("tk::EntrySeeInsert", str(entry))
        return "break"

    def _changed(self) -> None:
        typed = self._variable.get()
        shown = self._fit(typed)
        if shown != typed:
            behind = int(self.entry.index("end")) - int(self.entry.index("insert"))
            # As Tk counts: what is beyond the BMP is two characters of Tk 8.6.
            length = int(self.tk.call("string", "length", self._stand_ins.hide(typed)))
            # No trace is called while one is.
            self._variable.set(shown)
            self.entry.icursor(length - behind)
        self.editing.changed_soon()
        self._show_hint()
        if self.on_change:
            self.on_change(self.value)

    def _fit(self, text: str) -> str:
        """The text as the field holds it: at most `limit` characters."""
        return self._stand_ins.fit(self._stand_ins.hide(text), self._limit)

    def _fit_hint(self, width: int) -> None:
        room = max(0, width - 2 * self._theme.px(2))
        self._hint.configure(text=self._theme.fonts.fit(self._font, self._placeholder, room))

    def _show_hint(self) -> None:
        if self.value:
            self._hint.place_forget()
        else:
            # One pixel in, so that the cursor before the hint stays visible.
            inset = self._theme.px(2)
            self._hint.place(x=inset, rely=0.5, anchor="w", relwidth=1, width=-inset)

    def _paint(self) -> None:
        theme, palette = self._theme, self._theme.palette
        fill = palette.surface(self.surface)
        self.configure(style=rounded_style(theme, self._behind, self.surface, 8, field=True))
        self.entry.configure(
            background=fill,
            foreground=palette.text,
            insertbackground=palette.text,
            insertwidth=max(1, theme.px(1.4)),
            disabledbackground=fill,
            disabledforeground=palette.disabled,
        )
        self._paint_selection()
        self._hint.configure(background=fill, foreground=palette.muted)
        self._note.configure(background=fill, foreground=palette.tone(self._note_tone))
        self._icon_label.configure(background=fill)
        if self._icon:
            self._icon_label.configure(image=theme.icon(self._icon, palette.muted, gap=7))

    def _paint_selection(self) -> None:
        """Show what is selected as long as the keyboard is here: there is one such place."""
        palette = self._theme.palette
        ground, ink = palette.marked, palette.on_marked
        if self._hides_selection:
            ground, ink = palette.surface(self.surface), palette.text
        self.entry.configure(selectbackground=ground, selectforeground=ink)


class _Box:
    """What `common.ui.widgets.editing.Editing` edits, in an Entry with boxes for its emoji."""

    def __init__(self, entry: tk.Entry, stand_ins: StandIns, limit: int, *, secret: bool) -> None:
        self.widget = entry
        self._limit = limit
        self.secret = secret
        self.whole = ""
        """The text that is copied whatever is selected, or "" for the selection."""
        self._stand_ins = stand_ins
        self._wide = int(entry.tk.call("string", "length", "\U0001f600"))
        """Number of Tk's index positions of a character beyond the BMP: two in Tk 8.6."""

    @property
    def writable(self) -> bool:
        """Whether a person may change the text."""
        return str(self.widget.cget("state")) == "normal"

    def characters(self) -> str:
        """The whole text."""
        return self._stand_ins.reveal(self.widget.get())

    def selected(self) -> str:
        """The selected text; of a text that is shown shortened always the whole."""
        start, end = self.selection()
        return self.whole or self.characters()[start:end]

    def selection(self) -> tuple[int, int]:
        """Start and end of the selection; the cursor twice if nothing is selected."""
        entry = self.widget
        if entry.selection_present():
            return self._offset(entry.index("sel.first")), self._offset(entry.index("sel.last"))
        cursor = self.cursor()
        return cursor, cursor

    def cursor(self) -> int:
        """The offset of the cursor."""
        return self._offset(self.widget.index("insert"))

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a range by a text, and put the cursor behind it."""
        entry, reveal = self.widget, self._stand_ins.reveal
        # A box stands for a whole emoji, of which the range may cover a part.
        first, before = self._locate(start)
        last, within = self._locate(end)
        last += bool(within)
        shown = entry.get()
        left = reveal(shown[first:last])
        middle = left[:before] + text + left[before + end - start :]
        shown = shown[:first] + self._stand_ins.hide(middle) + shown[last:]
        # In one assignment, so that the trace never sees half of a change; and cut beforehand: Tk
        # takes half a second to measure a pasted book.
        entry.setvar(entry.cget("textvariable"), self._stand_ins.fit(shown, self._limit))
        entry.selection_clear()
        entry.icursor(self.index(start + len(text)))
        entry.tk.call("tk::EntrySeeInsert", str(entry))

    def select(self, start: int, end: int) -> None:
        """Select a range, with the cursor at its end, and scroll there."""
        entry = self.widget
        first, last = self.index(start), self.index(end)
        entry.icursor(last)
        if start < end:
            entry.selection_range(first, last)
        else:
            entry.selection_clear()
        entry.tk.call("tk::EntrySeeInsert", str(entry))

    def move(self, x: int, y: int) -> None:
        """Put the cursor at a position in pixels of the widget, and clear the selection."""
        del y
        entry = self.widget
        entry.selection_clear()
        entry.icursor(entry.tk.call("tk::EntryClosestGap", str(entry), x))

    def holds(self, x: int, y: int) -> bool:
        """Whether a position in pixels of the widget is in the selection."""
        del y
        entry = self.widget
        if not entry.selection_present():
            return False
        return entry.index("sel.first") <= entry.index(f"@{x}") < entry.index("sel.last")

    def clean(self, text: str) -> str:
        """A text from elsewhere without what can't be inserted, cut to about the limit."""
        return clean_line(text[: self._limit * _LONGEST_EMOJI])

    def refused(self, text: str, added: str) -> bool:
        """False: the field cuts what is too long."""
        del text, added
        return False

    def beside(self, offset: int, step: int) -> int:
        """The offset beyond the character or emoji before (-1) or after (1) an offset."""
        if step < 0:
            return offset - 1 - self._locate(offset - 1)[1] if offset else 0
        letter, _ = self._locate(offset)
        return offset + len(self._stand_ins.reveal(self.widget.get()[letter : letter + 1]))

    def _offset(self, index: int) -> int:
        """The offset of one of Tk's indexes."""
        offset = at = 0
        for letter in self.widget.get():
            if at >= index:
                break
            at += self._wide if letter > "\uffff" else 1
            offset += len(self._stand_ins.reveal(letter))
        return offset

    def index(self, offset: int) -> int:
        """Tk's index of the character at an offset."""
        shown = self.widget.get()[: self._locate(offset)[0]]
        return len(shown) + (self._wide - 1) * sum(letter > "\uffff" for letter in shown)

    def _locate(self, offset: int) -> tuple[int, int]:
        """Position of the glyph that shows the character, and the character's offset in it."""
        at = 0
        shown = self.widget.get()
        for index, letter in enumerate(shown):
            length = len(self._stand_ins.reveal(letter))
            if offset < at + length:
                return index, offset - at
            at += length
        return len(shown), 0
