"""A multi-line text, editable or read-only, with pictures for its emoji."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from common.ui.widgets.editing import clean_lines
from common.ui.widgets.richtext import RichText


def _never(text: str, added: str) -> bool:
    del text, added
    return False


class TextBox:
    """What `common.ui.widgets.editing.Editing` edits, in a Text. `refused(text, added)` as there.

    A text that is not `writable` can be selected and copied.
    """

    secret = False
    clean = staticmethod(clean_lines)

    def __init__(
        self,
        widget: tk.Text,
        rich: RichText,
        refused: Callable[[str, str], bool] = _never,
        *,
        writable: bool = True,
    ) -> None:
        self.widget = widget
        self.writable = writable
        self.refused = refused
        self._rich = rich

    def characters(self) -> str:
        """The whole text."""
        return self._rich.get("1.0", "end-1c")

    def selected(self) -> str:
        """The selected text."""
        return self._rich.selected()

    def selection(self) -> tuple[int, int]:
        """Start and end of the selection; the cursor twice if nothing is selected."""
        chosen = self.selected()
        if not chosen:
            cursor = self.cursor()
            return cursor, cursor
        start = len(self._rich.get("1.0", "sel.first"))
        return start, start + len(chosen)

    def cursor(self) -> int:
        """The offset of the cursor."""
        return len(self._rich.get("1.0", "insert"))

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a range by a text, and put the cursor behind it.

        The range may end inside of an emoji sequence: the rest of its characters stays.
        """
        first, before = self._rich.locate(start)
        last, within = self._rich.locate(end)
        if within:
            last = self.widget.index(f"{last} + 1 indices")
        left = self._rich.get(first, last)
        after = before + end - start
        self.widget.delete(first, last)
        self.widget.mark_set("insert", first)
        self._rich.insert("insert", left[:before] + text + left[after:])
        if left[after:]:
            self.widget.mark_set("insert", self._rich.locate(start + len(text))[0])
        self.widget.see("insert")

    def select(self, start: int, end: int) -> None:
        """Select a range, with the cursor at its end, and scroll there."""
        widget = self.widget
        widget.tag_remove("sel", "1.0", "end")
        widget.mark_set("insert", self._rich.locate(end)[0])
        if start < end:
            widget.tag_add("sel", self._rich.locate(start)[0], "insert")
        widget.see("insert")

    def move(self, x: int, y: int) -> None:
        """Put the cursor at a position in pixels of the widget, and clear the selection."""
        widget = self.widget
        widget.tag_remove("sel", "1.0", "end")
        widget.mark_set("insert", widget.tk.call("tk::TextClosestGap", str(widget), x, y))

    def holds(self, x: int, y: int) -> bool:
        """Whether a position in pixels of the widget is in the selection."""
        return "sel" in self.widget.tag_names(f"@{x},{y}")
