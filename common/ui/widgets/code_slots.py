"""A field for a short code, with a slot for each character."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.theme import Theme, surface_of
from common.ui.widgets import selection
from common.ui.widgets.editing import is_typed
from common.ui.widgets.menus import MenuItem, popup

WIDTH: Final = 40
HEIGHT: Final = 54
_GAP: Final = 6
_DASH: Final = 24
"""Space for the dash between two groups."""
_GROUP: Final = 4
"""Slots between two dashes."""
_RADIUS: Final = 8


class SlotText:
    """The characters in the slots, and the cursor among them; without gaps.

    `accept` makes of a text the characters that may stand in a code: it forgives case and
    separators, and drops what is none. `cursor` is 0 to the number of slots; with `chosen` all
    characters are selected, and the next one replaces them.
    """

    def __init__(self, slots: int, accept: Callable[[str], str]) -> None:
        self._slots, self._accept = slots, accept
        self.text = ""
        self.cursor = 0
        self.chosen = False

    @property
    def full(self) -> bool:
        """Whether every slot has a character."""
        return len(self.text) == self._slots

    def set(self, text: str) -> None:
        """Replace everything; the cursor goes behind it."""
        self.text = self._accept(text)[: self._slots]
        self.cursor, self.chosen = len(self.text), False

    def insert(self, text: str) -> bool:
        """Type or paste at the cursor; False if nothing of it may stand in a code.

        In the middle of a code with all its characters it types over them. A whole code replaces
        what is there: nobody wants the rest of another one behind it.
        """
        new = self._accept(text)[: self._slots]
        if not new:
            return False
        if self.chosen or len(new) == self._slots:
            self.set(new)
            return True
        at = self.cursor
        if self.full:
            if at == self._slots:
                return False
            self.text = self.text[:at] + new + self.text[at + len(new) :]
        else:
            self.text = self.text[:at] + new + self.text[at:]
        self.text = self.text[: self._slots]
        self.cursor = min(at + len(new), self._slots)
        return True

    def delete(self, *, before: bool) -> bool:
        """Delete the character before or after the cursor, or all that is selected."""
        if self.chosen:
            self.set("")
            return True
        at = self.cursor - 1 if before else self.cursor
        if not 0 <= at < len(self.text):
            return False
        self.text = self.text[:at] + self.text[at + 1 :]
        self.cursor = at
        return True

    def move(self, to: int) -> None:
        """Put the cursor before a slot, at most behind the last character."""
        self.cursor, self.chosen = max(0, min(to, len(self.text))), False

    def select(self) -> None:
        """Select everything."""
        self.cursor, self.chosen = len(self.text), bool(self.text)


class CodeSlots(tk.Canvas):
    """`slots` slots in groups of four, with a dash between two groups.

    They are `WIDTH` × `HEIGHT` px at 96 dpi, and narrower where the widget is. `accept` see
    `SlotText`. `on_change(text)` is called for each edit, also those by the program,
    `on_submit()` for Return, `on_refuse(text)` for what may not stand in a code.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        accept: Callable[[str], str],
        *,
        slots: int = 8,
        on_change: Callable[[str], object] = lambda _: None,
        on_submit: Callable[[], object] = lambda: None,
        on_refuse: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, takefocus=True, width=1)
        self._theme = theme
        self._slots = slots
        self._on_change, self._on_submit, self._on_refuse = on_change, on_submit, on_refuse
        self._text = SlotText(slots, accept)
        self._focused = self._invalid = False
        self.configure(height=theme.px(HEIGHT), cursor="xterm")
        self._listen()
        theme.subscribe(self, self._draw)

    @property
    def value(self) -> str:
        """The characters that are there."""
        return self._text.text

    @value.setter
    def value(self, text: str) -> None:
        self._text.set(text)
        self._changed()

    @property
    def full(self) -> bool:
        """Whether every slot has a character."""
        return self._text.full

    def set_error(self, on: bool) -> None:
        """Mark the code as wrong, or no longer."""
        if on != self._invalid:
            self._invalid = on
            self._draw()

    @property
    def invalid(self) -> bool:
        """Whether it is marked as wrong."""
        return self._invalid

    def select_all(self) -> None:
        """Select everything: what is typed next replaces it."""
        self._text.select()
        self._draw()

    def take_over(self, former: CodeSlots) -> None:
        """Show what another one shows, with its cursor and its selection."""
        self.value = former.value
        self._text.cursor, self._text.chosen = former._text.cursor, former._text.chosen
        self.set_error(former.invalid)
        self._draw()

    def slot(self, place: int) -> tuple[int, int]:
        """Left and right edge of a slot in screen pixels."""
        px = self._theme.px
        dashes = (self._slots - 1) // _GROUP
        gaps = self._slots - 1 - dashes
        spare = self.winfo_width() - dashes * px(_DASH) - gaps * px(_GAP)
        wide = max(1, min(px(WIDTH), spare // self._slots))
        before = place // _GROUP
        left = place * wide + before * px(_DASH) + (place - before) * px(_GAP)
        return left, left + wide

    # Input

    def _listen(self) -> None:
        self.bind("<Configure>", lambda _: self._draw())
        self.bind("<FocusIn>", lambda _: self._focus(True))
        self.bind("<FocusOut>", lambda _: self._focus(False))
        self.bind("<Key>", self._key)
        self.bind("<Button-1>", self._clicked)
        self.bind("<Double-Button-1>", lambda _: self.select_all())
        for sequence, action in (
            ("<Return>", self._on_submit),
            ("<KP_Enter>", self._on_submit),
            ("<BackSpace>", lambda: self._edit(self._text.delete(before=True))),
            ("<Delete>", lambda: self._edit(self._text.delete(before=False))),
            ("<<PrevChar>>", lambda: self._move(self._text.cursor - 1)),
            ("<<NextChar>>", lambda: self._move(self._text.cursor + 1)),
            ("<<LineStart>>", lambda: self._move(0)),
            ("<<LineEnd>>", lambda: self._move(self._slots)),
            ("<<SelectAll>>", self.select_all),
            ("<<Copy>>", lambda: selection.copy(self, self.value)),
            ("<<Paste>>", lambda: self._insert(selection.copied(self))),
            ("<<PasteSelection>>", lambda: self._insert(selection.selected(self))),
        ):
            self.bind(sequence, lambda _, act=action: _done(act))  # type: ignore[misc]
        self.bind("<<ContextMenu>>", self._menu)

    def _key(self, event: tk.Event[tk.Misc]) -> str | None:
        if not is_typed(event):
            return None
        self._insert(event.char)
        return "break"

    def _insert(self, text: str) -> None:
        # The window may have been closed while the owner of the selection was asked for it.
        if not text or not self.winfo_exists():
            return
        if self._text.insert(text):
            self._changed()
        elif not self._text.full or self._text.chosen:
            self._on_refuse(text)

    def _edit(self, changed: bool) -> None:
        if changed:
            self._changed()

    def _changed(self) -> None:
        self._invalid = False
        self._draw()
        self._on_change(self.value)

    def _move(self, to: int) -> None:
        self._text.move(to)
        self._draw()

    def _clicked(self, event: tk.Event[tk.Misc]) -> str:
        self.focus_set()
        at = next((n for n in range(self._slots) if event.x < self.slot(n)[1]), self._slots)
        self._move(at)
        return "break"

    def _focus(self, on: bool) -> None:
        self._focused = on
        self._draw()

    def _menu(self, event: tk.Event[tk.Misc]) -> str:
        self.focus_set()
        items = [
            MenuItem("Copy", lambda: self.event_generate("<<Copy>>"), enabled=bool(self.value)),
            MenuItem(
                "Paste",
                lambda: self.event_generate("<<Paste>>"),
                enabled=selection.has_copied(self),
            ),
        ]
        popup(self, self._theme, items, event.x_root, event.y_root)
        return "break"

    # Drawing

    def _draw(self) -> None:
        theme, palette = self._theme, self._theme.palette
        self.configure(background=palette.surface(surface_of(self.master)))
        self.delete("all")
        if self.winfo_width() <= 1:
            return  # not on the screen yet: <Configure> comes and draws
        at = min(self._text.cursor, self._slots - 1)
        for place in range(self._slots):
            marked = self._focused and (place == at or self._text.chosen)
            self._draw_slot(place, marked=marked)
        middle = theme.px(HEIGHT) // 2
        for place in range(_GROUP, self._slots, _GROUP):
            left, right = self.slot(place - 1)[1], self.slot(place)[0]
            half = theme.px(5)
            centre = (left + right) // 2
            self.create_rectangle(
                *(centre - half, middle - theme.px(1), centre + half, middle + theme.px(1)),
                fill=palette.muted,
                width=0,
            )

    def _draw_slot(self, place: int, *, marked: bool) -> None:
        theme, palette = self._theme, self._theme.palette
        left, right = self.slot(place)
        border, line = palette.field_border, theme.px(1)
        if self._invalid:
            border = palette.danger
        if marked:
            border, line = palette.danger if self._invalid else palette.focus, max(2, theme.px(2))
        letter = self._text.text[place : place + 1]
        chosen = marked and self._text.chosen and bool(letter)
        image = theme.images.rounded(
            right - left,
            theme.px(HEIGHT),
            theme.px(_RADIUS),
            palette.selection if chosen else palette.field,
            border,
            max(1, line),
        )
        self.create_image(left, 0, image=image, anchor="nw")
        if letter:
            self.create_text(
                (left + right) // 2,
                theme.px(HEIGHT) // 2,
                text=letter,
                font=theme.fonts["code"],
                fill=palette.on_selection if chosen else palette.text,
            )


def _done(action: Callable[[], object]) -> str:
    action()
    return "break"
