"""What the join screen says while no chat is chosen: that it looks, and why nothing was found."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import Final

from chat_client.window.join.titles import Row
from chat_client.window.join.view import Searching
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.gauges import Spinner

_WIDTH: Final = 380
_BUTTON: Final = 44
_GAP: Final = 10


class SearchPart:
    """A line with a spinner, the causes, and two buttons: to host, and to type an address.

    Below them is a link, to try every address of this network.
    """

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_host: Callable[[], object],
        on_address: Callable[[], object],
        on_scan: Callable[[], object],
    ) -> None:
        self._theme = theme
        self._line = Panel(column, theme)
        self.spinner = Spinner(self._line, theme)
        self.spinner.pack(side="left", padx=(0, theme.px(8)))
        self._doing = Label(self._line, theme, tone="muted")
        self._doing.pack(side="left")
        self.causes = Label(column, theme, wrap=_WIDTH)
        self._buttons = Panel(column, theme)
        self._buttons.columnconfigure((0, 1), weight=1, uniform="buttons")
        self.host = Button(self._buttons, theme, "Host here", on_host, height=_BUTTON)
        self.address = Button(self._buttons, theme, "Type an address", on_address, height=_BUTTON)
        self.scan = Button(column, theme, "Try every address", on_scan, variant="link")
        self._choices, self._can_scan = True, False
        self._shown = [self.host, self.address]

    @property
    def rows(self) -> Sequence[Row]:
        """What there is to be seen."""
        rows = []
        if self._doing.cget("text"):
            rows.append(Row(self._line, 20))
        if self.causes.cget("text"):
            rows.append(Row(self.causes, 20))
        if self._choices:
            rows.append(Row(self._buttons, 20))
        if self._can_scan:
            rows.append(Row(self.scan, 12, fill=False))
        return rows

    def show(self, searching: Searching) -> None:
        """Show what is going on, if anything is, and sentences about what is not there."""
        doing, causes, self._choices, can_host, self._can_scan = searching
        self._doing.set(doing)
        self.causes.set("\n\n".join(causes))
        (self.spinner.start if doing else self.spinner.stop)()
        self._shown = [self.host, self.address] if can_host else [self.address]

    def fit(self, width: int) -> None:
        """Wrap the text to a width in screen pixels."""
        self.causes.configure(wraplength=width)
        self._doing.configure(wraplength=max(1, width - self._theme.px(24)))
        gap = self._theme.px(_GAP)
        # Side by side where both have room for their texts, else below each other.
        widest = max(button.winfo_reqwidth() for button in self._shown)
        across = len(self._shown) * (widest + gap) <= width + gap
        for button in (self.host, self.address):
            button.grid_forget()
        for place, button in enumerate(self._shown):
            row, column = (0, place) if across else (place, 0)
            last = place == len(self._shown) - 1
            button.grid(
                row=row,
                column=column,
                columnspan=1 if across and len(self._shown) > 1 else 2,
                sticky="ew",
                # Half of the gap at each side: the columns are equally wide with it.
                padx=(gap // 2 * (across and place > 0), gap // 2 * (across and not last)),
                pady=(gap * (not across and place > 0), 0),
            )
