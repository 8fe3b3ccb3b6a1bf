"""The page "Messages" of the host's settings: how fast members may write."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.domain.names import GENERAL
from common.domain.times import duration_text
from common.ui.look.theme import Theme
from common.ui.settings.window import SettingsPage
from common.ui.widgets.basics import Label
from common.ui.widgets.option_row import OptionRow, Options
from common.ui.widgets.setting_row import SettingRow

_INTERVALS: Final = (0, 5, 10, 30, 60, 5 * 60, 15 * 60, 3600, 6 * 3600)
"""Seconds, as in ChatClient's menu of moderators."""


class MessagesPage(SettingsPage):
    """Each change holds at once, for everybody.

    `slow()` is the interval of slow mode in the public room in seconds, 0 without it and None while
    the server does not run; `change(seconds)` changes that.
    """

    TITLE: Final = "Messages"
    ICON: Final = "chat"

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        slow: Callable[[], int | None],
        change: Callable[[int], object],
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._slow, self._change = theme, slow, change
        self._stopped = Label(
            self, theme, "This can be changed while the server runs.", tone="warning"
        )
        self.row = SettingRow(
            self, theme, f"Slow mode in “{GENERAL}”",
            "Each member may send one message in this time; moderators any number. ChatClient says "
            "so, and sends what is written sooner by itself.",
        )  # fmt: skip
        self.row.pack(fill="x")
        self.intervals: OptionRow | None = None
        self.refresh()

    def refresh(self) -> None:
        """Show the interval that is in force."""
        slow = self._slow()
        if slow is None:
            if self.intervals is not None:
                self.intervals.pack_forget()
            self._stopped.pack(anchor="w", pady=(0, self._theme.px(12)), before=self.row)
            return
        self._stopped.pack_forget()
        if self.intervals is None or str(slow) not in self.intervals.buttons:
            self._make(slow)
        if self.intervals is not None:
            self.intervals.choose(str(slow))
            self.intervals.pack(fill="x", pady=(self._theme.px(10), 0))

    def _make(self, slow: int) -> None:
        """The buttons, with one for an interval that was chosen at a command line."""
        if self.intervals is not None:
            self.intervals.destroy()
        seconds = sorted({*_INTERVALS, slow})
        named = [(str(each), duration_text(each) if each else "Off") for each in seconds]
        self.intervals = OptionRow(
            self.row.below, self._theme, Options("", named, str(slow)),
            lambda chosen: self._change(int(chosen)),
        )  # fmt: skip
