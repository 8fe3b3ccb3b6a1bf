"""The page "Links": whether chat:// links open this ChatClient."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_client.scheme_handler import Handler, Opens, SchemeHandler, SchemeHandlerError
from common.ui.look.theme import Theme
from common.ui.settings.window import SettingsPage
from common.ui.widgets.basics import Label
from common.ui.widgets.buttons import Button
from common.ui.widgets.safe_text import safe
from common.ui.widgets.setting_row import SettingRow

_WHAT: Final = (
    "An invite is a link that begins with chat://. A click on one in a mail or on a web page can "
    "show it in this window; nothing is joined before you say so."
)
_BY_SYSTEM: Final = "This system opens them with the ChatClient in its Applications folder."


class LinksPage(SettingsPage):
    """Changes the desktop's choice at once; `handler` is None where nothing can be chosen."""

    TITLE: Final = "Links"
    ICON: Final = "link"

    def __init__(self, parent: tk.Misc, theme: Theme, handler: SchemeHandler | None) -> None:
        super().__init__(parent, theme)
        self._theme, self._handler = theme, handler
        self.row = SettingRow(self, theme, "Invite links", _WHAT)
        self.row.pack(fill="x")
        self.state = Label(self.row.below, theme)
        self.state.pack(anchor="w", fill="x", pady=(theme.px(12), theme.px(10)))
        self.change = Button(self.row.below, theme, "", self._change, height=32)
        self.problem = Label(self.row.below, theme, tone="danger")
        self.row.below.bind("<Configure>", lambda _: self._wrap())
        self.refresh()

    def refresh(self) -> None:
        """Show what opens links now; another program may have changed it."""
        if self._handler is None:
            self.state.set(_BY_SYSTEM)
            return
        found = self._handler.find()
        self.state.set(describe(found))
        label = _LABELS[found.opens]
        if label:
            self.change.set(label)
            self.change.pack(anchor="w", after=self.state)
        else:
            self.change.pack_forget()

    def _change(self) -> None:
        if self._handler is None:
            return
        problem = ""
        try:
            if self._handler.find().opens is Opens.THIS:
                self._handler.unregister()
            else:
                self._handler.register()
        except SchemeHandlerError as error:
            problem = str(error)
        self.problem.set(safe(problem))
        if problem:
            self.problem.pack(anchor="w", fill="x", pady=(self._theme.px(8), 0))
        else:
            self.problem.pack_forget()
        self.refresh()

    def _wrap(self) -> None:
        for label in (self.state, self.problem):
            label.configure(wraplength=max(1, self.row.below.winfo_width()))


_LABELS: Final = {
    Opens.THIS: "No longer open them",
    Opens.INSTALLED: "",
    Opens.ANOTHER: "Use this ChatClient",
    Opens.NOTHING: "Use this ChatClient",
}


def describe(handler: Handler) -> str:
    """A sentence about what opens links."""
    match handler.opens:
        case Opens.THIS | Opens.INSTALLED:
            return "A click on one opens this ChatClient."
        case Opens.ANOTHER:
            return f"A click on one opens another program: {safe(handler.name)}."
        case Opens.NOTHING:
            return "A click on one opens nothing yet."
