"""Radio buttons: one choice out of a few, each with an explanation below its title."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from common.ui.look.palette import rgb
from common.ui.look.shapes import rounded_mask
from common.ui.look.theme import Theme, surface_of
from common.ui.widgets.basics import Label, Panel

if TYPE_CHECKING:
    from PIL import Image

_SIZE: Final = 18
"""Across a radio button, px at 96 dpi."""
_DOT: Final = 8
_GAP: Final = 10


class Alternative(NamedTuple):
    """One of the choices: `id` is what `on_choose` gets."""

    id: str
    title: str
    explanation: str = ""


class ChoiceList(Panel):
    """One of them is chosen, by a click anywhere on it, the arrow keys or Space.

    The Tab key stops once, at the one that is chosen. `on_choose(id)` is called when the person
    chooses another one, not by `choose`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        alternatives: Sequence[Alternative],
        on_choose: Callable[[str], object],
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._on_choose = theme, on_choose
        self._ids = [each.id for each in alternatives]
        self._enabled = True
        self._wrapped: list[Label] = []
        self.value = ""
        self.buttons: dict[str, _Radio] = {}
        for each in alternatives:
            self._add(each)
        self.bind("<Configure>", lambda event: self._wrap(event.width), add="+")
        self._show()

    @property
    def enabled(self) -> bool:
        """Whether a person can choose."""
        return self._enabled

    @enabled.setter
    def enabled(self, on: bool) -> None:
        self._enabled = on
        self._show()

    def choose(self, choice: str) -> None:
        """Show one as chosen; "" for none."""
        self.value = choice
        self._show()

    def _add(self, each: Alternative) -> None:
        theme = self._theme
        row = Panel(self, theme)
        row.pack(fill="x", pady=(theme.px(0 if not self.buttons else 14), 0))
        button = _Radio(row, theme)
        button.pack(side="left", anchor="n", padx=(0, theme.px(_GAP)))
        texts = Panel(row, theme)
        texts.pack(side="left", fill="x", expand=True)
        labels = [Label(texts, theme, each.title, font="body_bold")]
        if each.explanation:
            labels.append(Label(texts, theme, each.explanation, tone="muted"))
        for label in labels:
            label.pack(anchor="w", fill="x")
        self._wrapped += labels
        choose = partial(self._chosen, each.id)
        for widget in (row, button, texts, *labels):
            widget.bind("<Button-1>", choose, add="+")
        for key in ("<space>", "<Return>", "<KP_Enter>"):
            button.bind(key, choose)
        for keys, step in (("<Up>", -1), ("<Left>", -1), ("<Down>", 1), ("<Right>", 1)):
            button.bind(keys, partial(self._step, each.id, step))
        self.buttons[each.id] = button

    def _chosen(self, choice: str, _: object) -> str:
        if self._enabled and choice != self.value:
            self.choose(choice)
            self._on_choose(choice)
        return "break"

    def _step(self, choice: str, step: int, event: object) -> str:
        at = self._ids.index(choice) + step
        if self._enabled and 0 <= at < len(self._ids):
            self._chosen(self._ids[at], event)
            self.buttons[self._ids[at]].focus_set()
        return "break"

    def _show(self) -> None:
        stop = self.value if self.value in self.buttons else self._ids[0]
        for each, button in self.buttons.items():
            button.show(chosen=each == self.value, enabled=self._enabled)
            button.configure(takefocus=self._enabled and each == stop)

    def _wrap(self, width: int) -> None:
        room = max(self._theme.px(80), width - self._theme.px(_SIZE + _GAP))
        for label in self._wrapped:
            label.configure(wraplength=room)


class _Radio(tk.Label):
    """The round button of one of them."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, padx=0, pady=0)
        self._theme = theme
        self._chosen, self._enabled, self._ringed = False, True, False
        theme.focus.watch(self, self._ring)
        theme.subscribe(self, self._paint)

    def show(self, *, chosen: bool, enabled: bool) -> None:
        """Show it chosen or not."""
        self._chosen, self._enabled = chosen, enabled
        self.configure(cursor="hand2" if enabled else "")
        self._paint()

    def _ring(self, on: bool) -> None:
        self._ringed = on
        self._paint()

    def _paint(self) -> None:
        theme, palette = self._theme, self._theme.palette
        ground = palette.surface(surface_of(self.master))
        edge = palette.field_border if self._enabled else palette.track
        dot = palette.primary if self._enabled else palette.disabled
        if self._chosen:
            edge = dot
        if self._ringed:
            edge = palette.text
        size, inner, line = theme.px(_SIZE), theme.px(_DOT), max(1, theme.px(1.6))
        fill = dot if self._chosen else ""
        key = ("radio", size, edge, ground, fill)
        image = theme.images.get(key, lambda: _draw(size, inner, line, edge, ground, fill))
        self.configure(background=ground, image=image)


def _draw(size: int, inner: int, line: int, edge: str, ground: str, dot: str) -> Image.Image:
    from PIL import Image

    body = Image.new("RGB", (size, size), rgb(edge))
    body.paste(rgb(ground), mask=rounded_mask(size, size, size / 2, line))
    if dot:
        inner += (size - inner) % 2  # in the very middle
        at = (size - inner) // 2
        body.paste(rgb(dot), (at, at), rounded_mask(inner, inner, inner / 2))
    body.putalpha(rounded_mask(size, size, size / 2))
    return body
