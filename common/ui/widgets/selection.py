"""Clipboard and PRIMARY selection as characters, emoji included.

A Text shows emoji as pictures and a field shows boxes for them (common.ui.look.emoji,
common.ui.widgets.safe_text), and Tk's own handlers of the X selections would export neither as the
character. Such a widget calls `own_selection` once, copies with `copy` and pastes what `copied` and
`selected` return.

Tk 8.6 sends a long selection in chunks of 4,000 bytes (ICCCM §2.7.2, INCR), and breaks characters
beyond the BMP where chunks meet. `chunked` says how that is avoided.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

_AT_ONCE: Final = 0.5
"""Seconds within which a program usually refuses a target. Tk waits five for one that hangs.

Tk's loop runs meanwhile: the widget may be destroyed afterwards.
"""
CHUNK: Final = 4000
"""Bytes that Tk converts and sends at once (TK_SEL_BYTES_AT_ONCE)."""
_BREAKS: Final = 3
"""Number of bytes of a four-byte character at the end of a chunk that make Tk 8.6 break it."""
_long: Final[WeakKeyDictionary[tk.Misc, str]] = WeakKeyDictionary()
"""The clipboard's text by root window, where this module exports it instead of Tk."""


def own_selection(widget: tk.Text | tk.Entry, characters: Callable[[], str]) -> None:
    """Export the selection of `widget` as `characters()`. Call it once for a widget.

    Tk still takes PRIMARY whenever something is selected in it; only what other programs get
    changes, also for a middle click. `characters()` is called for each request and returns "" for
    nothing. On other systems than X11 there is no PRIMARY, and this does nothing.
    """
    if _on_x11(widget):
        _handle(widget, "PRIMARY", characters)


def copy(widget: tk.Misc, text: str) -> None:
    """Put `text` on the clipboard; "" leaves the clipboard as it is."""
    if not text:
        return
    widget.clipboard_clear()
    widget.clipboard_append(text)
    if _on_x11(widget) and len(text.encode("utf-8", "replace")) >= CHUNK and max(text) > "\uffff":
        # Owned by the root window, as the clipboard outlives the widget that was copied from.
        root = widget.nametowidget(".")
        if root not in _long:
            _handle(root, "CLIPBOARD", lambda: _long[root])
        _long[root] = text
        root.selection_own(selection="CLIPBOARD")


def copied(widget: tk.Misc) -> str:
    """The text on the clipboard, or "" if there is none."""
    return _text_of(widget, "CLIPBOARD")


def selected(widget: tk.Misc) -> str:
    """The PRIMARY selection of any program as text, or ""."""
    return _text_of(widget, "PRIMARY") if _on_x11(widget) else ""


def has_copied(widget: tk.Misc) -> bool:
    """Whether there is text on the clipboard; where possible without fetching it."""
    if not _on_x11(widget):
        return bool(copied(widget))
    offered = _get(widget, "CLIPBOARD", "TARGETS").split()
    return "UTF8_STRING" in offered or "STRING" in offered


def chunked(text: str) -> bytes:
    """`text` as Tk 8.6 can send it in chunks: UTF-8, with some characters as surrogate pairs.

    Of a four-byte character that has just three bytes in a chunk, Tk sends each byte as a
    character. So an earlier one in that chunk is written as a surrogate pair of six bytes, from
    which Tk makes the same character; what follows moves by two. Where there is no earlier one,
    nothing can be done.
    """
    data = text.encode("utf-8", "replace")
    if len(data) < CHUNK or max(text) <= "\uffff":
        return data
    out = bytearray()
    start, wide = 0, -1  # start of the chunk; start of the last four-byte character in it
    for character in text:
        code = character.encode("utf-8", "replace")
        if len(code) == 4:
            if len(out) - start == CHUNK - _BREAKS and wide >= start:
                out[wide : wide + 4] = _pair(bytes(out[wide : wide + 4]))
            wide = len(out)
        out += code
        if len(out) - start >= CHUNK:
            # Tk defers an incomplete character to the next chunk.
            start = len(out) - len(code) if len(out) - start > CHUNK else len(out)
    return bytes(out)


def _pair(code: bytes) -> bytes:
    """A character beyond the BMP as two surrogates of three bytes each."""
    units = code.decode().encode("utf-16-be")
    pair = "".join(chr(int.from_bytes(units[at : at + 2])) for at in (0, 2))
    return pair.encode("utf-8", "surrogatepass")


class _Answer:
    """Exports a selection in chunks, to one program after the other."""

    def __init__(self, characters: Callable[[], bytes]) -> None:
        self._characters = characters
        self._data = b""
        self._at = 0

    def __call__(self, offset: str, most: str) -> bytes:
        """The next `most` bytes; from the beginning if `offset` is 0.

        Tk counts UTF-16 code units in `offset`; so it only shows whether this is a new request.
        """
        if int(offset) == 0:
            self._data, self._at = self._characters(), 0
        start, self._at = self._at, self._at + int(most)
        return self._data[start : self._at]


def _handle(widget: tk.Misc, selection: str, characters: Callable[[], str]) -> None:
    if "identity" not in widget.tk.splitlist(widget.tk.call("encoding", "names")):
        return  # Tcl 9, in which characters are whole
    for target, answer in (
        ("UTF8_STRING", _Answer(lambda: chunked(characters().replace("\0", "")))),
        ("STRING", _Answer(lambda: _latin(characters().replace("\0", "")))),
    ):
        name = widget.register(answer)
        # Bytes as they are, which a Python string can't bring to Tcl.
        raw = f"encoding convertfrom identity [{name} $offset $most]"
        script = widget.tk.call("list", "apply", f"{{offset most}} {{{raw}}}")
        arguments = ("-selection", selection, "-type", target, "-format", target)
        widget.tk.call("selection", "handle", *arguments, str(widget), script)


def _latin(text: str) -> bytes:
    """The text for a program that requests Latin-1 (ICCCM's STRING)."""
    return text.encode("latin-1", "replace").decode("latin-1").encode()


def _text_of(widget: tk.Misc, selection: str) -> str:
    if not _on_x11(widget):
        return _get(widget, selection, "STRING")
    began = time.monotonic()
    text = _get(widget, selection, "UTF8_STRING")
    if text or time.monotonic() - began > _AT_ONCE:
        return text  # another request to a program that does not answer would take as long again
    return _get(widget, selection, "STRING")  # in Latin-1, from an old program


def _get(widget: tk.Misc, selection: str, target: str) -> str:
    with suppress(tk.TclError):
        arguments = ("-displayof", str(widget), "-selection", selection, "-type", target)
        return str(widget.tk.call("selection", "get", *arguments))
    return ""


def _on_x11(widget: tk.Misc) -> bool:
    return str(widget.tk.call("tk", "windowingsystem")) == "x11"
