"""A button that copies a text and confirms it in its own label."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.ui.look.icons import IconName
from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button, Variant

CONFIRM: Final = 1800
"""Milliseconds for which the label is "Copied"."""


class CopyButton(Button):
    """Hands `content` to `copy` when pressed. Its width is the same with either label."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        text: str,
        copy: Callable[[str], object],
        *,
        variant: Variant = "secondary",
        icon: IconName = "copy",
        height: int = 34,
    ) -> None:
        super().__init__(parent, theme, text, self._copy, variant=variant, icon=icon, height=height)
        self.content = ""
        self._idle: tuple[str, IconName] = (text, icon)
        self._copy_text = copy
        self._timer: str | None = None
        self.bind("<Destroy>", lambda _: self._stop(), add="+")

    def _copy(self) -> None:
        self._copy_text(self.content)
        self._stop()
        self.set("Copied", "check")
        self._timer = self.after(CONFIRM, self._confirmed)

    def _confirmed(self) -> None:
        self._timer = None
        self.set(*self._idle)

    def _stop(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None
