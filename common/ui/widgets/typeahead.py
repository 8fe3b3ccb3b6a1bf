"""Type-ahead: keys pressed while a window is still empty go to the first focused field or text."""

from __future__ import annotations

import tkinter as tk


class TypeAhead:
    """Buffers what is typed until a field or a text has the focus, and inserts it there.

    `stop` discards the buffer, as there may be nothing to type into.
    """

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._kept = ""
        self._bound: tuple[tuple[str, str], ...] = (
            ("<Key>", root.bind("<Key>", self._key, add="+")),
            ("<FocusIn>", root.bind("<FocusIn>", self._focused, add="+")),
        )

    def stop(self) -> None:
        """Remove the bindings; idempotent."""
        for sequence, binding in self._bound:
            # Not `unbind`: before Python 3.12 it removes others' bindings, too.
            others = [line for line in self._root.bind(sequence).split("\n") if binding not in line]
            self._root.tk.call("bind", str(self._root), sequence, "\n".join(others))
            self._root.deletecommand(binding)
        self._bound = ()

    def _key(self, event: tk.Event[tk.Misc]) -> str | None:
        # Keys pressed in a widget arrive here, too, and belong to that widget.
        if event.widget is not self._root:
            return None
        if event.keysym == "BackSpace":
            self._kept = self._kept[:-1]
        elif event.char.isprintable():
            self._kept += event.char
        return "break"  # It is buffered, and no other binding may handle it.

    def _focused(self, event: tk.Event[tk.Misc]) -> None:
        if isinstance(event.widget, tk.Text | tk.Entry):
            event.widget.insert("insert", self._kept)
            self.stop()
