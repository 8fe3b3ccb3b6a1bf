"""Text with emoji in a Tk Text: inserted as pictures, read and copied as characters."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from collections.abc import Iterator
from typing import Final

from common.domain.search_normalization import comparable_places
from common.ui.look import emoji
from common.ui.look.emoji_pictures import EmojiPictures
from common.ui.look.theme import Theme
from common.ui.widgets import selection
from common.ui.widgets.safe_text import StandIns

_ADVANCE: Final = 1
"""Space beside an emoji, px at 96 dpi."""


class RichText:
    """Inserts text with emoji into a Text widget, and reads it back unchanged.

    The selection is exported to other programs as characters; call `selection.own_selection`
    afterwards to export something else.
    """

    def __init__(self, widget: tk.Text, theme: Theme, *, most_pictures: int = 0) -> None:
        """`most_pictures` is the maximum number of drawn emoji (0: no limit); others are boxes.

        In an edited text, Tk's time for each keystroke grows with their number in a line: 0.2 s
        with 4,000.
        """
        self._widget = widget
        self._most = most_pictures
        self._stand_ins = StandIns()
        self._theme = theme
        self._wide = int(widget.tk.call("string", "length", "\U0001f600"))
        """Number of Tk's columns of a character beyond the BMP: two in Tk 8.6."""
        self._pictures = EmojiPictures(widget, theme)
        selection.own_selection(widget, self.selected)

    def insert(self, index: str, text: str, tags: tuple[str, ...] = ()) -> None:
        """Insert `text` at `index`, which may be a mark with right gravity."""
        if text.isascii():
            self._widget.insert(index, text, tags)
            return
        room = self._room()
        rest = 0
        for piece, cell in emoji.split(text):
            if cell is None:
                self._widget.insert(index, piece, tags)
            elif room > 0:
                self._insert_emoji(index, piece, cell, tags)
                room -= 1
            else:
                self._widget.insert(index, self._stand_ins.hide(text[rest:]), tags)
                return
            rest += len(piece)

    def replace_typed(self, start: str, end: str) -> None:
        """Turn raw emoji between two indexes into pictures, as after typing or pasting."""
        widget = self._widget
        if widget.get(start, end).isascii():
            return
        room = self._room()
        # From the end, so that the indexes before stay valid.
        for kind, text, index in reversed(list(self._dump(start, end))):
            if kind != "text":
                continue
            line, column = index.split(".")
            place = int(column) + self._columns(text)
            for piece, cell in reversed(list(emoji.split(text))):
                after, place = place, place - self._columns(piece)
                if cell is None:
                    continue
                box = self._stand_ins.hide(piece)
                if room <= 0 and box == piece:
                    continue  # Tk shows emoji by itself here
                widget.delete(f"{line}.{place}", f"{line}.{after}")
                if room > 0:
                    self._insert_emoji(f"{line}.{place}", piece, cell, ())
                    room -= 1
                else:
                    widget.insert(f"{line}.{place}", box)

    def get(self, start: str, end: str) -> str:
        """The characters between two indexes, emoji included; other pictures are left out."""
        pieces: list[str] = []
        for kind, value, _ in self._dump(start, end):
            pieces.append(self._reveal(value) if kind == "text" else self._pictures.spelling(value))
        return "".join(pieces)

    def selected(self) -> str:
        """The characters that are selected, or "".

        Without the newline that Tk adds to every text, which is selected with all of it.
        """
        ranges = self._widget.tag_ranges("sel")
        if not ranges:
            return ""
        first, last = str(ranges[0]), str(ranges[-1])
        if self._widget.compare(last, ">", "end-1c"):
            last = "end-1c"
        return self.get(first, last)

    def locate(self, offset: int) -> tuple[str, int]:
        """The index of the character at `offset` in the text, counted from 0.

        And how many characters before that one are shown by the same picture.
        """
        at = 0
        for kind, value, index in self._dump("1.0", "end-1c"):
            spelled = self._reveal(value) if kind == "text" else self._pictures.spelling(value)
            if offset >= at + len(spelled):
                at += len(spelled)
                continue
            if kind == "image":
                return index, offset - at
            line, column = index.split(".")
            place = int(column)
            if value.isascii():
                return f"{line}.{place + offset - at}", 0
            for shown in value:
                length = len(self._reveal(shown))
                if offset < at + length:
                    return f"{line}.{place}", offset - at
                at += length
                place += self._columns(shown)
        return "end-1c", 0

    def find(self, pattern: re.Pattern[str], start: str, end: str) -> list[tuple[str, str]]:
        """Start and end of each match of a pattern in the lines of a range, emoji as characters.

        The pattern is applied to each line in its `comparable` form; it must not match "".

        Tk's own search is not used: in 8.6.13, `-nocase` corrupts memory where there are
        characters beyond the BMP, and `-all` takes seconds for a long line.
        """
        lines: dict[str, _Line] = {}
        for kind, value, index in self._dump(start, end):
            number, column = index.split(".")
            line = lines.setdefault(number, _Line())
            if kind == "text":
                line.add_text(value, int(column), self._wide)
            else:
                line.add_picture(self._pictures.spelling(value) or "\0", int(column))
        found: list[tuple[str, str]] = []
        for number, line in lines.items():
            text, begins, ends = comparable_places(line.characters)
            for match in pattern.finditer(text):
                first, last = begins[match.start()], ends[match.end() - 1] - 1
                found.append((f"{number}.{line.starts[first]}", f"{number}.{line.ends[last]}"))
        return found

    def repaint(self) -> None:
        """Redraw the emoji if the widget's background has changed."""
        self._pictures.repaint()

    def copy_selection(self) -> None:
        """Copy the selection to the clipboard as characters; without one, do nothing."""
        selection.copy(self._widget, self.selected())

    def _dump(self, start: str, end: str) -> Iterator[tuple[str, str, str]]:
        """Kind ("text" or "image"), value and index of all pieces between two indexes.

        Not by the method of tkinter's Text, which calls Python from Tcl for each piece.
        """
        widget = self._widget
        dumped = widget.tk.call(str(widget), "dump", "-text", "-image", start, end)
        values = [str(value) for value in widget.tk.splitlist(dumped)]
        return zip(values[::3], values[1::3], values[2::3], strict=True)

    def _room(self) -> int:
        """How many more pictures may be drawn."""
        return self._most - len(self._widget.image_names()) if self._most else sys.maxsize

    def _reveal(self, text: str) -> str:
        return text if text.isascii() else self._stand_ins.reveal(text)

    def _columns(self, text: str) -> int:
        """Number of Tk's columns of a text."""
        return len(text) + (self._wide - 1) * sum(character > "\uffff" for character in text)

    def _insert_emoji(self, index: str, text: str, cell: int, tags: tuple[str, ...]) -> None:
        widget = self._widget
        image = self._pictures.picture(text, cell)
        start = widget.index(index)
        padding = self._theme.px(_ADVANCE)
        widget.image_create(start, image=image, align="center", padx=padding)
        for tag in tags:
            widget.tag_add(tag, start)


class _Line:
    """The characters of a line, and the columns where each starts and ends."""

    def __init__(self) -> None:
        self.characters = ""
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add_text(self, text: str, column: int, wide: int) -> None:
        """Characters from a column on; those beyond the BMP are `wide` columns each."""
        self.characters += text
        if max(text) <= "\uffff":
            self.starts += range(column, column + len(text))
            self.ends += range(column + 1, column + len(text) + 1)
            return
        for character in text:
            self.starts.append(column)
            column += wide if character > "\uffff" else 1
            self.ends.append(column)

    def add_picture(self, emoji: str, column: int) -> None:
        """A picture, of one column, for all characters of an emoji."""
        self.characters += emoji
        self.starts += [column] * len(emoji)
        self.ends += [column + 1] * len(emoji)
