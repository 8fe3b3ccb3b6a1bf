"""What is wrong with where things are in a window: cut, outside of their parent, out of order."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from tkinter import ttk
from typing import Final

from common.ui.look.palette import PALETTES, Mode, Surface

_SURFACES: Final[tuple[Surface, ...]] = "window", "sidebar", "card", "raised", "field"
_BARE = tk.Canvas, tk.Text, tk.Entry
"""What scrolls or shortens its content: it asks for no more than it gets."""


def faults(root: tk.Misc) -> list[str]:
    """Whatever is seen of the widgets in a window and is not whole, in words."""
    found = []
    for widget in mapped(root):
        if isinstance(widget, (tk.Menu, tk.Toplevel)):
            continue
        width, height = widget.winfo_width(), widget.winfo_height()
        name = f"{widget} {_text(widget)!r}"
        if not isinstance(widget, _BARE):
            wanted = widget.winfo_reqwidth(), widget.winfo_reqheight()
            # A panel of a fixed size, or a label made wider, asks for something else.
            if isinstance(widget, (tk.Label, ttk.Label, ttk.Button)) and (
                wanted[0] > width or wanted[1] > height
            ):
                found.append(f"{name} is cut: it needs {wanted} of {width, height}")
        parent = widget.master
        if parent is None or widget.winfo_manager() in {"", "canvas"}:
            continue  # a canvas scrolls what is in it
        left, top = widget.winfo_x(), widget.winfo_y()
        if left < 0 or top < 0:
            found.append(f"{name} begins outside, at {left, top}")
        if (
            left + width > parent.winfo_width() or top + height > parent.winfo_height()
        ) and not _over(widget):
            found.append(
                f"{name} ends outside, at {left + width, top + height}"
                f" of {parent.winfo_width(), parent.winfo_height()}"
            )
    return [*found, *_overlaps(root), *_drawn(root)]


def grounds_of(mode: Mode, root: tk.Misc) -> list[str]:
    """Widgets, in words, that have a background which only surfaces of this mode have."""
    other: Mode = "dark" if mode == "light" else "light"
    mine, others = (
        {PALETTES[each].surface(surface) for surface in _SURFACES} for each in (mode, other)
    )
    return [
        f"{widget} {_text(widget)!r}"
        for widget in (root, *mapped(root))
        if "background" in widget.keys()  # noqa: SIM118  # a widget is no mapping
        and str(widget.cget("background")) in mine - others
    ]


def _drawn(root: tk.Misc) -> Iterator[str]:
    """Texts on canvases are within them, and none is written over another."""
    for canvas in mapped(root):
        if not isinstance(canvas, tk.Canvas):
            continue
        # typeshed has what `type` answers wrong, and nothing for `itemcget`.
        call = partial(canvas.tk.call, str(canvas))
        items = [item for item in canvas.find_all() if str(call("type", item)) == "text"]
        texts = [(str(call("itemcget", item, "-text")), canvas.bbox(item)) for item in items]
        for at, (text, box) in enumerate(texts):
            if text and (box[0] < 0 or box[2] > canvas.winfo_width()):
                yield f"{text!r} is drawn outside of {canvas}, at {box}"
            for other, beside in texts[at + 1 :]:
                # A pixel of each side is space within the letters' own box.
                across = min(box[2], beside[2]) - max(box[0], beside[0])
                down = min(box[3], beside[3]) - max(box[1], beside[1])
                if text and other and across > 2 and down > 2:
                    yield f"{text!r} is drawn over {other!r} on {canvas}"


def _overlaps(root: tk.Misc) -> Iterator[str]:
    """What is packed or gridded in a widget never lies over each other."""
    for widget in (root, *mapped(root)):
        # Not its children: one may be packed in another one.
        boxes = [
            (child, _box(child))
            for child in (*widget.pack_slaves(), *widget.grid_slaves())
            if child.winfo_ismapped()
        ]
        for at, (one, (left, top, right, bottom)) in enumerate(boxes):
            for other, box in boxes[at + 1 :]:
                across = min(right, box[2]) - max(left, box[0])
                down = min(bottom, box[3]) - max(top, box[1])
                if across > 0 and down > 0:
                    yield f"{one} {_text(one)!r} and {other} {_text(other)!r} overlap"


def mapped(widget: tk.Misc) -> Iterator[tk.Misc]:
    """Everything in a window that is on the screen."""
    for child in widget.winfo_children():
        if child.winfo_ismapped():
            yield child
            yield from mapped(child)


def tab_stops(root: tk.Misc) -> list[tk.Misc]:
    """What the Tab key goes through, once round."""
    stops: list[tk.Misc] = []
    at = root.tk_focusNext()
    while at is not None and at not in stops:
        stops.append(at)
        at = at.tk_focusNext()
    return stops


def out_of_order(stops: list[tk.Misc]) -> list[str]:
    """Steps of the Tab key that go neither on in a line, nor down, nor to the next column."""
    found = []
    for one, then in pairwise(stops):
        left, top, _, bottom = _box(one)
        above = _box(then)[3] <= top
        beside = not above and _box(then)[1] < bottom
        if (above or beside) and _box(then)[0] <= left:
            found.append(f"{one} {_box(one)} → {then} {_box(then)}")
    return found


def _over(widget: tk.Misc) -> bool:
    # What is placed is laid out by hand, and mostly within something that hides the rest.
    return widget.winfo_manager() == "place" and isinstance(widget.master, tk.Entry)


def _box(widget: tk.Misc) -> tuple[int, int, int, int]:
    left, top = widget.winfo_rootx(), widget.winfo_rooty()
    return left, top, left + widget.winfo_width(), top + widget.winfo_height()


def _text(widget: tk.Misc) -> str:
    try:
        return str(widget.cget("text"))
    except tk.TclError:
        return ""
