"""Buttons for one choice out of a few, in one line where there is room for them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button
from common.ui.widgets.flow import Flow


@dataclass(frozen=True, slots=True)
class Options:
    """A row of buttons, one of which is selected: (id, label) of each, and the initial id."""

    label: str
    options: Sequence[tuple[str, str]]
    value: str


class OptionRow(Flow):
    """Buttons of which the selected one stands out; the arrow keys select, too.

    `on_change(id)` is called when the person selects another one, not by `choose`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        options: Options,
        on_change: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(parent, theme)
        self._on_change = on_change
        self.value = options.value
        self._ids = [each for each, _ in options.options]
        self.buttons: dict[str, Button] = {}
        for each, label in options.options:
            button = Button(self, theme, label, partial(self._chosen, each), height=30)
            self.add(button)
            for key, step in (("Left", -1), ("Right", 1)):
                button.bind(f"<{key}>", lambda _, step=step: self._step(step))  # type: ignore[misc]
            self.buttons[each] = button
        self.choose(self.value)

    def choose(self, option: str) -> None:
        """Select an option."""
        self.value = option
        for each, button in self.buttons.items():
            button.set(variant="chosen" if each == option else "secondary")
            # One stop of the Tab key for all of them.
            button.configure(takefocus=each == option)

    def _chosen(self, option: str) -> None:
        if option != self.value:
            self.choose(option)
            if self._on_change is not None:
                self._on_change(option)

    def _step(self, step: int) -> str:
        at = self._ids.index(self.value) + step
        if 0 <= at < len(self._ids):
            self._chosen(self._ids[at])
            self.buttons[self.value].focus_set()
        return "break"
