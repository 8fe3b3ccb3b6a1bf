"""The button of the join screen, what stands in its place meanwhile, and the other ways in."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from chat_client.window.join.titles import Row
from chat_client.window.join.ways import Way
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.gauges import Spinner

_BUTTON: Final = 44
_GAP: Final = 16


class Actions:
    """`on_press()`, `on_cancel()` and `on_turn(way)` for what is pressed."""

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_press: Callable[[], object],
        on_cancel: Callable[[], object],
        on_turn: Callable[[Way], object],
    ) -> None:
        self._theme, self._on_turn = theme, on_turn
        self.button = Button(
            column, theme, "Join", on_press, variant="primary", height=_BUTTON, font="field_bold"
        )
        self._progress = Panel(column, theme)
        self.spinner = Spinner(self._progress, theme)
        self.spinner.pack(side="left", padx=(0, theme.px(8)))
        self.cancel = Button(self._progress, theme, "Cancel", on_cancel, height=_BUTTON)
        self.cancel.pack(side="right")
        self._doing = Label(self._progress, theme, tone="muted")
        self._doing.pack(side="left")
        self._others = Panel(column, theme)
        self.others: dict[Way, Button] = {}
        """The links to the other ways that are offered."""
        self._offered: list[tuple[Way, str]] = []
        self._shown = "", ""

    def show(self, button: str, doing: str, cancel: str, others: Sequence[tuple[Way, str]]) -> None:
        """Show the button, or while something is `doing` the line with the other button."""
        self._shown = button, doing
        if button:
            self.button.set(button)
        self.button.enabled = not doing
        self._doing.set(doing)
        self.cancel.set(cancel)
        (self.spinner.start if doing else self.spinner.stop)()
        if list(others) != self._offered:
            self._offer(list(others))

    @property
    def rows(self) -> list[Row]:
        """What there is to be seen."""
        button, doing = self._shown
        rows = []
        if doing:
            rows.append(Row(self._progress, _GAP))
        elif button:
            rows.append(Row(self.button, _GAP))
        if self.others and not doing:
            rows.append(Row(self._others, 12, fill=False))
        return rows

    def fit(self, width: int) -> None:
        """Wrap to a width in screen pixels: the links stand below each other if they must."""
        beside = self.cancel.winfo_reqwidth() + self._theme.px(40)
        self._doing.configure(wraplength=max(1, width - beside))
        buttons = list(self.others.values())
        gap = self._theme.px(4)
        narrow = sum(each.winfo_reqwidth() + 2 * gap for each in buttons) > width
        for place, each in enumerate(buttons):
            row, column = (place, 0) if narrow else (0, place)
            each.grid(row=row, column=column, padx=0 if narrow else gap)

    def _offer(self, others: list[tuple[Way, str]]) -> None:
        self._offered = others
        for each in self.others.values():
            each.destroy()
        self.others = {
            way: Button(
                self._others, self._theme, said, partial(self._on_turn, way), variant="link"
            )
            for way, said in others
        }
