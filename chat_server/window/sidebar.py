"""The sidebar: the server's name and state, and the navigation."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView, Page, ServerState
from chat_server.window.server_name import ServerName
from common.ui.lists.row_list import ListRow, RowList, Section
from common.ui.look.cards import Card
from common.ui.look.palette import Palette
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.switch import Switch
from common.ui.widgets.tooltip import Tooltip

WIDTH: Final = 232
_DOT: Final = 9

_SAYS: Final = {
    ServerState.STARTING: ("Starting…", "One moment"),
    ServerState.RUNNING: ("Running", ""),
    ServerState.STOPPING: ("Stopping…", "Saying goodbye"),
    ServerState.STOPPED: ("Stopped", "Nobody can connect"),
    ServerState.CLOSING: ("Closing…", "Saying goodbye"),
}


class Sidebar(Panel):
    """Server, state card, navigation, and the switch between light and dark."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, "sidebar")
        self._theme = theme
        self._phase = ServerState.STARTING
        self.configure(width=theme.px(WIDTH))
        self.pack_propagate(False)
        self.name = ServerName(self, theme, actions)
        self.name.pack(fill="x", padx=theme.px(14), pady=(theme.px(14), theme.px(16)))
        self._build_state(actions)
        self.navigation = RowList(
            self, theme, row_height=36,
            on_select=lambda key: actions.go(Page(key)) if key is not None else None,
        )  # fmt: skip
        self._build_foot(actions)
        self.navigation.pack(fill="both", expand=True, pady=(theme.px(18), 0))

    def show(self, view: HostView) -> None:
        """Show the server's name, its state and the number of connections."""
        self.name.show(view)
        state, detail = _SAYS[view.phase]
        self._state.set(state)
        self._detail.set(f"Since {view.since}" if view.phase is ServerState.RUNNING else detail)
        if view.phase is not self._phase:
            self._phase = view.phase
            self._dot.set(self._draw_dot)
        self.switch.set(view.phase in {ServerState.RUNNING, ServerState.STARTING})
        self.switch.enabled = view.phase in {ServerState.RUNNING, ServerState.STOPPED}
        self.client.enabled = view.phase is ServerState.RUNNING
        count = str(view.connections) if view.connections else ""
        row = ListRow(
            "connections", "Connections", icon="connections", count=count, quiet_count=True
        )
        held = str(len(view.sanctions)) if view.sanctions else ""
        sanctions = ListRow("sanctions", "Bans and mutes", icon="ban", count=held, quiet_count=True)
        joined = str(view.joined) if view.joined else ""
        people = ListRow("people", "People", icon="people", count=joined, quiet_count=True)
        valid = str(view.joining.valid_invites or "")
        invites = ListRow("invites", "Invites", icon="link", count=valid, quiet_count=True)
        self.navigation.set_sections((Section("", (row, people, invites, sanctions)),))
        if self.navigation.selected != view.page.value:
            self.navigation.select(view.page.value)

    def _build_state(self, actions: Actions) -> None:
        theme = self._theme
        card = Card(self, theme, "raised", padding=(14, 13))
        card.pack(fill="x", padx=theme.px(14))
        self.switch = Switch(card, theme, on=True, on_change=actions.switch)
        self.switch.pack(side="right")
        Tooltip(self.switch, theme, "Start or stop the server")
        state = Panel(card, theme)
        state.pack(anchor="w")
        self._dot = Picture(state, theme, self._draw_dot)
        self._dot.pack(side="left", padx=(0, theme.px(7)))
        self._state = Label(state, theme, font="field_bold")
        self._state.pack(side="left")
        self._detail = Label(card, theme, font="label", tone="muted")
        self._detail.pack(anchor="w", pady=(theme.px(4), 0))

    def _build_foot(self, actions: Actions) -> None:
        theme = self._theme
        foot = Panel(self, theme)
        foot.pack(side="bottom", fill="x", padx=theme.px(14), pady=theme.px(12))
        self.look = Button(foot, theme, command=actions.toggle_theme, variant="quiet", height=32)
        self.look.pack(side="right")
        self.client = Button(
            foot, theme, "Open ChatClient", actions.open_client, icon="chat", height=32
        )
        if actions.open_client is not None:
            self.client.pack(side="left")
            Tooltip(self.client, theme, "Join this chat on this computer")
        self.look.lift()  # Tab follows the stack
        hint = Tooltip(self.look, theme, "")

        def paint() -> None:
            dark = theme.mode == "dark"
            self.look.set(icon="sun" if dark else "moon")
            hint.text = "Light colours" if dark else "Dark colours"

        theme.subscribe(self.look, paint)

    def _draw_dot(self) -> tk.PhotoImage:
        theme = self._theme
        return theme.images.disc(theme.px(_DOT), _DOT_COLOUR[self._phase](theme.palette))


_DOT_COLOUR: Final[dict[ServerState, Callable[[Palette], str]]] = {
    ServerState.STARTING: lambda palette: palette.away,
    ServerState.RUNNING: lambda palette: palette.running,
    ServerState.STOPPING: lambda palette: palette.away,
    ServerState.STOPPED: lambda palette: palette.offline,
    ServerState.CLOSING: lambda palette: palette.away,
}
