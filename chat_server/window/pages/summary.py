"""The strip of numbers over the table, and the invite."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView
from common.ui.look.cards import Card
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.gauges import Sparkline
from common.ui.widgets.tooltip import Tooltip

HEIGHT: Final = 68
_CHART_FROM: Final = 690
"""Width of the strip, px at 96 dpi, from which the chart is shown."""
_TRAFFIC_FROM: Final = 560
"""The same for the traffic in and out."""
_CHART: Final = 106, 40
"""Width and height of the chart, px at 96 dpi."""
_WITHOUT_TRAFFIC: Final = 3
"""Number of figures before those of the traffic."""
_MORE: Final = 6
"""Space between a number and the widget beside it, px at 96 dpi."""


class _Figure(Panel):
    """A small title over a number, with room for another widget at its right."""

    def __init__(self, parent: tk.Misc, theme: Theme, title: str) -> None:
        super().__init__(parent, theme)
        self._beside = theme.px(_MORE)
        texts = Panel(self, theme)
        texts.pack(side="left")
        self._title = Label(texts, theme, title, font="label", tone="muted")
        self._title.pack(anchor="w")
        line = Panel(texts, theme)
        line.pack(anchor="w", pady=(theme.px(2), 0))
        self.value = Label(line, theme, font="title")
        self.value.pack(side="left")
        self.more = Label(line, theme, tone="muted")
        self.more.pack(side="left", padx=(self._beside, 0), pady=(theme.px(3), 0))

    @property
    def needed(self) -> int:
        """Width of its texts, in screen pixels.

        The labels know at once what a new text needs; the panels around them, which Tk lays out
        when it is idle, would still say what the one before needed.
        """
        number = self.value.winfo_reqwidth() + self._beside + self.more.winfo_reqwidth()
        return max(self._title.winfo_reqwidth(), number)


class Summary(Card):
    """People, messages a minute, uptime, traffic, and the button that copies the invite."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, padding=(15, 0))
        self._theme = theme
        self.configure(height=theme.px(HEIGHT))
        self.grid_propagate(False)
        self.rowconfigure(0, weight=1)
        self._people = _Figure(self, theme, "People online")
        self._rate = _Figure(self, theme, "Messages/min")
        self._chart = Sparkline(self._rate, theme, width=_CHART[0], height=_CHART[1], least_top=10)
        self._chart_hint = Tooltip(self._chart, theme, "Each of the last 20 minutes")
        self._uptime = _Figure(self, theme, "Uptime")
        self._in = _Figure(self, theme, "In")
        self._out = _Figure(self, theme, "Out")
        Tooltip(self._in, theme, "Received from clients since the start")
        Tooltip(self._out, theme, "Sent to clients since the start")
        self.copy = CopyButton(
            self, theme, "Copy invite link", lambda link: actions.copy(link, ""), icon="link"
        )
        self.renew = Button(self, theme, command=actions.new_invite, variant="quiet", icon="renew")
        Tooltip(self.renew, theme, "New invite link…")
        self._figures = (self._people, self._rate, self._uptime, self._in, self._out)
        self._lines = tuple(Hairline(self, theme, vertical=True) for _ in self._figures)
        self._arranged: tuple[bool, int, bool] | None = None
        self.bind("<Configure>", lambda event: self._arrange(event.width), add="+")

    def show(self, view: HostView) -> None:
        """Show the numbers of this moment."""
        self._people.value.set(str(view.people))
        more = view.connections > view.people
        self._people.more.set(f"on {view.connections} devices" if more else "")
        self._rate.value.set(str(view.rate))
        self._chart.set(view.history)
        self._uptime.value.set(view.uptime)
        self._in.value.set(view.received)
        self._out.value.set(view.sent)
        if view.reach is not None:
            self.copy.content = view.reach.invite
        self._arrange(self.winfo_width())

    def _arrange(self, width: int) -> None:
        """Show the figures that there is room for, with hairlines between."""
        theme = self._theme
        count = len(self._figures) if width >= theme.px(_TRAFFIC_FROM) else _WITHOUT_TRAFFIC
        while count > 1 and self._needed(count) > width:
            count -= 1 if count <= _WITHOUT_TRAFFIC else count - _WITHOUT_TRAFFIC
        # Dropped last: the page without connections has the same button.
        renews = self._needed(count) <= width
        chart_width = theme.px(_CHART[0] + 18)
        chart = width >= theme.px(_CHART_FROM) and self._needed(count) + chart_width <= width
        if (chart, count, renews) == self._arranged:
            return
        self._arranged = chart, count, renews
        if chart:
            self._chart.pack(side="left", padx=(theme.px(18), 0))
        else:
            self._chart.pack_forget()
        shown = self._figures[:count]
        for child in (*self._figures, *self._lines):
            child.grid_forget()
        for column in range(13):
            self.columnconfigure(column, weight=0)
        for place, (figure, line) in enumerate(zip(shown, self._lines, strict=False)):
            figure.grid(row=0, column=2 * place, sticky="w")
            self.columnconfigure(2 * place, weight=1)
            if place + 1 < len(shown):
                line.grid(
                    row=0, column=2 * place + 1, sticky="ns", pady=theme.px(16),
                    padx=(theme.px(8), theme.px(15)),
                )  # fmt: skip
        self.copy.grid(row=0, column=11, sticky="e")
        if renews:
            self.renew.grid(row=0, column=12, sticky="e", padx=(theme.px(4), 0))
        else:
            self.renew.grid_forget()

    def _needed(self, count: int) -> int:
        """Width of the strip with that many figures, in screen pixels."""
        px = self._theme.px
        texts = sum(figure.needed for figure in self._figures[:count])
        lines = (count - 1) * px(8 + 1 + 15)
        return (
            2 * px(15)
            + texts
            + lines
            + px(8)
            + self.copy.winfo_reqwidth()
            + px(4)
            + self.renew.winfo_reqwidth()
        )
