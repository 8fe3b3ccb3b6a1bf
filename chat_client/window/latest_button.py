"""The button that leads to the newest message while that is out of view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat_client.window.transcript.view import Transcript
from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button
from common.ui.widgets.notices import RISE

_HEIGHT: Final = 30
"""Its height, px at 96 dpi."""
_ABOVE: Final = 8
"""Its distance from the lower edge of the conversation, px at 96 dpi."""


class LatestButton(Button):
    """Stands over a message list."""

    def __init__(
        self, transcript: Transcript, theme: Theme, on_click: Callable[[], object]
    ) -> None:
        super().__init__(transcript, theme, "Latest", on_click, icon="arrow-down", height=_HEIGHT)
        self._transcript, self._distance = transcript, theme.px(_ABOVE)

    def look(self, unread: int) -> None:
        """The view or the number of unread messages is another one."""
        if self._transcript.at_bottom:
            self.place_forget()
            return
        self.set(f"Latest · {unread:,} new" if unread else "Latest")
        self.place(relx=0.5, rely=1, y=-self._distance, anchor="s")

    @property
    def rise(self) -> int:
        """How far above the lower edge of the list a toast stands, px at 96 dpi."""
        return _ABOVE + _HEIGHT + 8 if self.winfo_manager() else RISE
