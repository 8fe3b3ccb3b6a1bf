"""Pages with a single message in the middle: the invite, and the server not running."""

from __future__ import annotations

import tkinter as tk
from functools import cached_property
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.code_card import CodeCard
from chat_server.window.facts import Facts
from chat_server.window.model import HostView, ServerState
from common.ui.look.cards import Card
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.copy_button import CopyButton
from common.ui.widgets.gauges import Spinner
from common.ui.widgets.link_field import LinkField
from common.ui.widgets.scrolling import ScrollPane

_CARD: Final = 640
"""Width of the invite's card where there is room, px at 96 dpi."""
_CAREFUL: Final = "Anyone who has this link can join, so share it with care."
_LETS_NOBODY_IN: Final = "This link lets nobody in now: new people have to ask."
_CARE: Final = 180
"""Width, px at 96 dpi, from which the sentence is beside the button instead of below it."""


class _Page(ScrollPane):
    """A page with a centred column, as wide as there is room for."""

    def __init__(self, parent: tk.Misc, theme: Theme, above: float) -> None:
        super().__init__(parent, theme, lambda width, _: self._fit(width))
        self._theme, self._above = theme, above
        self._middle = Panel(self.inside, theme)
        self._middle.bind("<Configure>", lambda _: self._fit(self.canvas.winfo_width()))

    def _fit(self, width: int) -> None:
        self._wrap(max(1, width - self._theme.px(48)))
        self.put(self._middle, self._above, self._theme.px(8))

    def _wrap(self, room: int) -> None:
        """Wrap all texts at `room` screen pixels."""


class Invite(_Page):
    """Nobody is connected: how people join, with the link, and the code when it is asked for."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, 0.46)
        self._actions = actions
        middle = self._middle
        self._title = Label(middle, theme, font="hero_title", justify="center")
        self._title.pack()
        self._what = Label(middle, theme, font="row", tone="muted", justify="center")
        self._what.pack(pady=(theme.px(8), theme.px(24)))
        self._card = Card(middle, theme, radius=14, padding=(32, 26))
        self._card.pack()
        self._build_card(actions)
        self._where = Label(middle, theme, justify="center", wrap=_CARD)
        self._where.pack(pady=(theme.px(22), 0))
        self.facts = Facts(middle, theme, actions, centred=True)
        self.facts.pack()
        self.adopt()

    @cached_property
    def code(self) -> CodeCard:
        """The code with its buttons; made when it is shown for the first time."""
        card = CodeCard(self._card, self._theme, self._actions)
        card.lower(self._link_title)  # Tab follows the stacking order
        self.adopt()
        return card

    def show(self, view: HostView) -> None:
        """Show the invite of a running server."""
        came = view.somebody_came
        self._title.set("Nobody is here right now" if came else "Invite the first person")
        if view.reach is None:
            return
        joining, local = view.joining, view.reach.local
        self._what.set(how_to_join(view))
        self._show_code(view)
        self.facts.show(() if local else joining.facts)
        self.copy.content = view.reach.invite
        self.field.show(view.reach.invite)
        self._where.set(view.reach.note, "warning" if local else "muted")
        self._where.set_icon("warning" if local else "broadcast")

    def _build_card(self, actions: Actions) -> None:
        theme, card = self._theme, self._card
        # Invisible: it makes the card as wide as the page allows.
        self._width = Panel(card, theme)
        self._width.configure(height=1, width=theme.px(_CARD - 64))
        self._width.pack()
        self._link_title = Label(card, theme, "Invite link", tone="muted")
        self._link_title.pack(anchor="w")
        self.field = LinkField(card, theme, lambda link: actions.copy(link, "Invite link copied"))
        self.field.pack(fill="x", pady=(theme.px(8), theme.px(16)))
        row = Panel(card, theme)
        row.pack(anchor="w", fill="x")
        self.copy = CopyButton(
            row,
            theme,
            "Copy link",
            lambda link: actions.copy(link, ""),
            variant="primary",
            icon="link",
            height=40,
        )
        self.copy.pack(side="left")
        self.show_code = Button(row, theme, "Show a code", actions.joining.show_code, height=40)
        self.show_code.pack(side="left", padx=(theme.px(8), 0))
        self.renew = Button(
            row, theme, "New invite link…", actions.new_invite, variant="quiet", height=40
        )
        self.renew.pack(side="left", padx=(theme.px(8), 0))
        self._care = Label(row, theme, _CAREFUL, font="label", tone="muted")
        self._care.pack(side="left", padx=(theme.px(16), 0))

    def _wrap(self, room: int) -> None:
        px = self._theme.px
        room = min(px(_CARD), room)
        inside = max(1, room - px(64))
        self._width.configure(width=inside)
        for label in (self._title, self._what, self._where):
            label.configure(wraplength=room)
        if "code" in vars(self):
            self.code.fit(inside)
        self.facts.fit(room)
        # In a narrow window there is room for the short one only.
        self.renew.set("New invite link…")
        if self._buttons_width() > inside:
            self.renew.set("New link…")
        self._stack(self._buttons_width() > inside)
        beside = inside - self._buttons_width() - px(16)
        if beside >= px(_CARE):
            self._care.pack_configure(side="left", padx=(px(16), 0), pady=0, after=self.renew)
        else:
            beside = inside
            self._care.pack_configure(
                side="bottom", padx=0, pady=(px(10), 0), anchor="w", before=self.copy
            )
        self._care.configure(wraplength=min(px(380), beside))

    @property
    def _buttons(self) -> tuple[Button, ...]:
        """Those below the link that are shown, from left to right."""
        shown = (self.show_code,) if self.show_code.winfo_manager() else ()
        return (self.copy, *shown, self.renew)

    def _buttons_width(self) -> int:
        return sum(each.winfo_reqwidth() for each in self._buttons) + self._theme.px(8) * (
            len(self._buttons) - 1
        )

    def _stack(self, stacked: bool) -> None:
        """Put the buttons below each other, where there is no room beside."""
        space = self._theme.px(8)
        for button in self._buttons:
            apart = 0 if button is self.copy else space
            if stacked:
                button.pack_configure(side="top", anchor="w", padx=0, pady=(apart, 0))
            else:
                button.pack_configure(side="left", padx=(apart, 0), pady=0)

    def _show_code(self, view: HostView) -> None:
        """Show the code above the link, or the button that has it shown."""
        joining, px = view.joining, self._theme.px
        if joining.rule == "ask":
            self._care.set(_LETS_NOBODY_IN, "warning")
        else:
            self._care.set(_CAREFUL, "muted")
        if joining.code is not None:
            self.code.show(joining.code)
            self.code.pack(fill="x", pady=(0, px(20)), before=self._link_title)
            self.show_code.pack_forget()
        else:
            if "code" in vars(self):
                self.code.pack_forget()
            self.show_code.set("Show the code" if joining.code_live else "Show a code")
            if joining.rule == "ask":
                self.show_code.pack_forget()  # it would let nobody in
            elif not self.show_code.winfo_manager():
                self.show_code.pack(side="left", padx=(px(8), 0), after=self.copy)
        self._fit(self.canvas.winfo_width())


def how_to_join(view: HostView) -> str:
    """How people join, by the rule of this chat."""
    if view.reach is not None and view.reach.local:
        return "On this computer: start ChatClient, paste this link."
    chosen = f"On another computer: start ChatClient, choose “{view.name}”"
    if not view.joining.listed:
        chosen = "On another computer: start ChatClient, press “Type an address”, type that below"
    return {
        "ask": f"{chosen} and press “Ask to join”.",
        "open": f"{chosen} and press “Join”. Or paste this link.",
        "invite": f"{chosen} and type a code. Or paste this link.",
    }.get(view.joining.rule, f"{chosen} and press “Ask to join”. Or paste this link.")


class Down(_Page):
    """The server does not run: shows its state, and a button to start it."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, 0.44)
        middle = self._middle
        self._spinner = Spinner(middle, theme, size=28)
        self._title = Label(middle, theme, font="hero_title", justify="center")
        self._title.pack()
        self._text = Label(middle, theme, font="row", tone="muted", justify="center")
        self._text.pack(pady=(theme.px(8), 0))
        self.start = Button(
            middle, theme, "Start the server", lambda: actions.switch(True),
            variant="primary", icon="power", height=40,
        )  # fmt: skip
        self.adopt()

    def _wrap(self, room: int) -> None:
        self._title.configure(wraplength=room)
        self._text.configure(wraplength=min(self._theme.px(440), room))

    def show(self, view: HostView) -> None:
        """Show whether the server is starting, stopping or stopped."""
        title, text = _DOWN[view.phase]
        self._title.set(title)
        self._text.set(text)
        stopped = view.phase is ServerState.STOPPED
        if stopped:
            self._spinner.stop()
            self._spinner.pack_forget()
            self.start.pack(pady=(self._theme.px(24), 0))
        else:
            self.start.pack_forget()
            self._spinner.pack(before=self._title, pady=(0, self._theme.px(20)))
            self._spinner.start()

    def rest(self) -> None:
        """Stop the spinner, as another page is shown."""
        self._spinner.stop()


_DOWN: Final = {
    ServerState.STARTING: ("Starting…", "The server opens its log and its port."),
    ServerState.STOPPING: ("Stopping…", "Everyone is told, and all messages are saved."),
    ServerState.STOPPED: (
        "The server is stopped",
        (
            "Nobody can connect. All messages are stored, and people come back by "
            "themselves when you start it again."
        ),
    ),
    ServerState.CLOSING: ("Closing…", "Everyone is told, and all messages are saved."),
}
