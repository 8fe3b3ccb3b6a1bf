"""What is known about whether others can connect, one line for each fact."""

from __future__ import annotations

import tkinter as tk
from typing import Final, Literal

from chat_server.window.actions import Actions
from chat_server.window.model import Fact, FactKind
from common.ui.look.icons import IconName
from common.ui.look.palette import Tone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.copy_button import CopyButton

_LOOKS: Final[dict[FactKind, tuple[IconName, Tone]]] = {
    "good": ("check-circle", "running"),
    "warning": ("warning", "warning"),
}


class Facts(Panel):
    """The facts below each other, each with its command and a button that copies it, if it has one.

    `centred` puts them in the middle of the page.
    """

    def __init__(
        self, parent: tk.Misc, theme: Theme, actions: Actions, *, centred: bool = False
    ) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions, self._centred = theme, actions, centred
        self._facts: tuple[Fact, ...] | None = None
        self._wrapped: list[Label] = []
        self._width = 0
        self.copies: list[CopyButton] = []

    def show(self, facts: tuple[Fact, ...]) -> None:
        """Show these facts."""
        if facts == self._facts:
            return
        self._facts = facts
        for child in self.winfo_children():
            child.destroy()
        self._wrapped.clear()
        self.copies.clear()
        for fact in facts:
            self._add(fact)
        if not facts:
            # A frame keeps the height of what it had.
            self.configure(height=1)
        self.fit(self._width)

    def fit(self, width: int) -> None:
        """Wrap all texts at `width` screen pixels."""
        self._width = width
        if width > 1:
            for label in self._wrapped:
                label.configure(wraplength=width)

    def _add(self, fact: Fact) -> None:
        theme = self._theme
        anchor: Literal["center", "w"] = "center" if self._centred else "w"
        icon, tone = _LOOKS[fact.kind]
        text = Label(
            self, theme, fact.text, icon=icon, tone=tone,
            justify="center" if self._centred else "left",
        )  # fmt: skip
        text.pack(anchor=anchor, pady=(theme.px(6), 0))
        self._wrapped.append(text)
        if not fact.command:
            return
        command = Label(self, theme, fact.command, font="body_bold")
        command.pack(anchor=anchor, pady=(theme.px(6), 0))
        self._wrapped.append(command)
        copy = CopyButton(
            self, theme, "Copy command", lambda text: self._actions.copy(text, ""), height=30
        )
        copy.content = fact.command
        copy.pack(anchor=anchor, pady=(theme.px(6), 0))
        self.copies.append(copy)
