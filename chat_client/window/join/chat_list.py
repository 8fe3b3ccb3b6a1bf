"""The left side of the join screen: the chats on this network, and one's own."""

from __future__ import annotations

import tkinter as tk
from collections import Counter
from collections.abc import Callable
from typing import Final

from chat_client.window.join.listing import Entry, Listing
from common.ui.lists.row_list import ListRow, RowList, Section
from common.ui.look.avatars import BADGE, Presence
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.gauges import Spinner
from common.ui.widgets.keys import SETTINGS_TITLE
from common.ui.widgets.safe_text import safe
from common.ui.widgets.tooltip import Tooltip

WIDTH: Final = 300
_INSET: Final = 24
_FOOT: Final = 20
_BESIDE: Final = 12
"""Right of the settings' button, px at 96 dpi."""
_LOW: Final = 260
"""Height below which there is no heading; px at 96 dpi, as those above."""
_ADDRESS: Final = "Type an address", "Address"
_HOST: Final = "Host a chat here", "Host here"
"""What the buttons below the list say, and what where that is too wide."""
_COPIED: Final = "On several computers"
"""What is said of a chat if several servers say that they are it."""
_DOTS: Final[dict[bool | None, Presence | None]] = {None: None, True: "online", False: "offline"}


class ChatList(Panel):
    """`on_chosen(entry)` for a click, or Return, on a chat; `on_menu(entry, x, y)` for its menu.

    Below the list are the other ways in: `on_address()` and `on_host()`; above it are the settings,
    `on_settings()`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        on_chosen: Callable[[Entry], object],
        on_menu: Callable[[Entry, int, int], object],
        on_address: Callable[[], object],
        on_host: Callable[[], object],
        on_settings: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "sidebar")
        px = theme.px
        self._theme = theme
        self._on_chosen, self._on_menu = on_chosen, on_menu
        self.listing = Listing()
        self._chosen: str | None = None
        self.configure(width=px(WIDTH))
        self.pack_propagate(False)
        top = self._top = Panel(self, theme)
        self._heading = Label(top, theme, "Join a chat", font="hero_title", justify="left")
        self._heading.pack(side="left")
        self.settings = Button(
            top, theme, "", on_settings, variant="quiet", icon="gear", icon_size=18, height=32
        )
        self.settings.pack(side="right", anchor="n")
        Tooltip(self.settings, theme, f"Settings ({SETTINGS_TITLE})")
        self.rows = RowList(
            self,
            theme,
            surface="sidebar",
            inset=_INSET,
            on_click=lambda key: self._act(key, self._on_chosen),
            on_open=lambda key: self._act(key, self._on_chosen),
            on_menu=lambda key, x, y: self._act(key, lambda entry: self._on_menu(entry, x, y)),
        )
        self._build_foot(on_address, on_host)
        # What stands at the bottom is packed first: a long list must not push it out.
        self.rows.pack(fill="both", expand=True)
        self._show_top()

    def _show_top(self) -> None:
        px = self._theme.px
        padx = px(_INSET), px(_BESIDE)
        self._top.pack(fill="x", padx=padx, pady=(px(26), px(10)), before=self._foot)

    def _build_foot(self, on_address: Callable[[], object], on_host: Callable[[], object]) -> None:
        theme, px = self._theme, self._theme.px
        self._foot = Panel(self, theme)
        self._foot.pack(side="bottom", fill="x", padx=px(_FOOT), pady=(px(6), px(18)))
        self._looking = Panel(self._foot, theme)
        self.spinner = Spinner(self._looking, theme)
        self.spinner.pack(side="left", padx=(px(4), px(10)))
        self._looking_text = Label(self._looking, theme, "Looking…", tone="muted", justify="left")
        self._looking_text.pack(side="left")
        self.address = Button(
            self._foot, theme, _ADDRESS[0], on_address, variant="link", icon="pencil"
        )
        self.host = Button(self._foot, theme, _HOST[0], on_host, variant="link", icon="broadcast")

    def share(self, width: int, height: int) -> None:
        """Give way in a small window, of that size in screen pixels."""
        px = self._theme.px
        mine = min(px(WIDTH), width * 9 // 25)
        self.configure(width=mine)
        room = mine - px(_INSET + _BESIDE) - self.settings.winfo_reqwidth()
        self._heading.configure(wraplength=max(1, room))
        if height < px(_LOW):
            self._top.pack_forget()
        elif not self._top.winfo_manager():
            self._show_top()
        inset = min(px(_FOOT), mine // 14)
        for button, (label, short) in ((self.address, _ADDRESS), (self.host, _HOST)):
            button.set(label)
            if button.winfo_reqwidth() > mine - 2 * inset:
                button.set(short)
        widest = max(self.address.winfo_reqwidth(), self.host.winfo_reqwidth())
        inset = max(0, min(inset, (mine - widest) // 2))
        self._foot.pack_configure(padx=inset)
        self._looking_text.configure(wraplength=max(1, mine - 2 * inset - px(32)))

    def show(self, listing: Listing, chosen: str | None) -> None:
        """List these chats, and select that one if it is another than before, or was not there.

        What somebody has reached by the arrow keys stays selected when the list changes. And what
        is there stays where it is, in front of the pointer: what is found comes below.
        """
        is_back = self.listing.entry(chosen) is None and self.rows.selected is None
        self.listing = listing
        sections = []
        if listing.known:
            names = Counter(each.name for each in listing.known)
            rows = tuple(_row(each, shared=names[each.name] > 1) for each in listing.known)
            sections.append(Section("Your chats", rows))
        if listing.found:
            rows = tuple(map(_row, listing.found))
            sections.append(Section("On this network", rows))
        self.rows.set_sections(sections)
        if chosen != self._chosen or is_back:
            self._chosen = chosen
            self.rows.select(chosen)

    def show_foot(self, *, looking: bool, address: bool, host: bool) -> None:
        """What stands below the list."""
        (self.spinner.start if looking else self.spinner.stop)()
        for part, shown in ((self._looking, looking), (self.address, address), (self.host, host)):
            part.pack_forget()
            if shown:
                part.pack(anchor="w", pady=(self._theme.px(2), 0))

    def _act(self, key: str, act: Callable[[Entry], object]) -> None:
        entry = self.listing.entry(key)
        if entry is not None:
            act(entry)


def _row(entry: Entry, *, shared: bool = False) -> ListRow:
    """The row of a chat. `shared` says that another one of one's own has the same name."""
    name, sign = safe(entry.name), entry.sign
    words = sign.words if sign is not None else ""
    if entry.account is not None:
        # First what changes: a long name is cut at its end.
        known = {None: "", True: "On · ", False: "Off · "}[entry.online]
        if entry.copies:
            known = f"{_COPIED} · "
        sign_too = f"{words} · " if shared else ""
        detail = f"{known}{sign_too}as {safe(entry.account.display_name)}"
    elif entry.invite is not None:
        detail = " · ".join(filter(None, ("Runs here", words)))
    elif entry.imitates:
        detail = "Not the one you know"
    elif entry.is_twin:
        detail = f"{words} · twice here"
    else:
        detail = _COPIED if entry.copies else words
    is_odd = bool(entry.imitates or entry.is_twin or entry.copies)
    return ListRow(
        entry.key,
        name,
        badge=name,
        badge_colour=sign.colour if sign is not None else BADGE,
        presence=_DOTS[entry.online] if entry.account is not None else None,
        detail=detail,
        mark="warning" if is_odd else "chevron-right",
        mark_tone="warning" if is_odd else None,
    )
