"""The window's frame: the sidebar, the current page, and the activity feed."""

from __future__ import annotations

import tkinter as tk
from functools import cached_property
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.hero import Down, Invite
from chat_server.window.model import HostView, Page, ServerState
from chat_server.window.pages.accounts import Accounts
from chat_server.window.pages.activity import Activity
from chat_server.window.pages.invites import Invites
from chat_server.window.pages.people import People
from chat_server.window.pages.sanctions import Sanctions
from chat_server.window.pages.summary import Summary
from chat_server.window.requests import RequestStrip
from chat_server.window.sidebar import Sidebar
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.keys import SETTINGS_TITLE
from common.ui.widgets.notices import Banner, Toasts
from common.ui.widgets.tooltip import Tooltip

GUTTER: Final = 24
_HEADER: Final = 51
_ACTIVITY: Final = (112, 170, 260)
"""Least, usual and greatest height of the feed, px at 96 dpi."""
_LEAST_REACH: Final = 40
"""Width, px at 96 dpi, below which there is no room for addresses beside the title."""
_LOW: Final = 420
"""Height of the window, px at 96 dpi, below which the feed is hidden in favour of the page."""


_TITLES: Final = {
    Page.CONNECTIONS: "Connections",
    Page.PEOPLE: "People",
    Page.INVITES: "Invites",
    Page.SANCTIONS: "Bans and mutes",
}


class Connections(Panel):
    """The page with people on it: numbers, tools and the table."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        gutter = theme.px(GUTTER)
        self.summary = Summary(self, theme, actions)
        self.summary.pack(fill="x", padx=gutter, pady=theme.px(16))
        self.people = People(self, theme, actions)
        self.people.pack(fill="both", expand=True, padx=gutter)

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self.summary.show(view)
        self.people.show(view)


_AnyPage = Connections | Accounts | Invites | Sanctions | Invite | Down


class Frame(Panel):
    """Everything in the window. `show` updates it to a view; unchanged parts are left alone."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, "window")
        self._theme, self._actions = theme, actions
        self.sidebar = Sidebar(self, theme, actions)
        self.sidebar.pack(side="left", fill="y")
        content = Panel(self, theme, "window")
        content.pack(side="left", fill="both", expand=True)
        self._build_header(content)
        self._content = content
        self.banner = Banner(content, theme)
        self.activity = Activity(content, theme)
        self.activity.pack(side="bottom", fill="x")
        self.activity.set_height(theme.px(_ACTIVITY[1]))
        self._pages = Panel(content, theme)
        self._pages.pack(fill="both", expand=True)
        self._page: _AnyPage | None = None
        self.activity.lift()  # Tab follows the stacking order
        # Not over the activity, where the newest is in the first lines.
        self.toasts = Toasts(content, theme, over=self._pages)
        content.bind("<Configure>", lambda event: self._share(event.height), add="+")

    # Pages are created on first use: most of them are not needed at the start.

    @cached_property
    def requests(self) -> RequestStrip:
        """What is above every page while somebody asks to join; made when the first one does."""
        strip = RequestStrip(self._content, self._theme, self._actions)
        strip.lower(self.banner)  # Tab follows the stacking order
        return strip

    @cached_property
    def connections(self) -> Connections:
        """The page with people on it."""
        return Connections(self._pages, self._theme, self._actions)

    @cached_property
    def accounts(self) -> Accounts:
        """The page of everybody who has joined."""
        return Accounts(self._pages, self._theme, self._actions)

    @cached_property
    def invites(self) -> Invites:
        """The page of links, codes and who used them."""
        return Invites(self._pages, self._theme, self._actions)

    @cached_property
    def sanctions(self) -> Sanctions:
        """The page of bans and mutes."""
        return Sanctions(self._pages, self._theme, self._actions)

    @cached_property
    def invite(self) -> Invite:
        """The page that is shown while nobody is connected."""
        return Invite(self._pages, self._theme, self._actions)

    @cached_property
    def down(self) -> Down:
        """The page that is shown while the server does not run."""
        return Down(self._pages, self._theme, self._actions)

    def take_over(self, former: Frame) -> None:
        """Continue where a frame was that this one replaces: what was typed, and what is sorted."""
        self.sidebar.name.take_over(former.sidebar.name)
        made = vars(former)
        if "connections" in made:
            self.connections.people.take_over(former.connections.people)
        if "accounts" in made:
            self.accounts.take_over(former.accounts)
        if "invites" in made:
            self.invites.take_over(former.invites)
        if "requests" in made:
            self.requests.take_over(former.requests)
        if "sanctions" in made:
            self.sanctions.take_over(former.sanctions)

    def show(self, view: HostView) -> None:
        """Show this moment."""
        self.sidebar.show(view)
        self._show_header(view)
        self._show_trouble(view)
        self._show_requests(view)
        page = self._page_for(view)
        page.show(view)
        # Also while it is hidden: no row or selection of a former run may remain in it.
        if page is not vars(self).get("connections", page):
            self.connections.show(view)
        if page is not self._page:
            if self._page is not None:
                self._page.pack_forget()
            if isinstance(self._page, Down):
                self._page.rest()
            page.pack(fill="both", expand=True)
            self._page = page
        self.activity.show(view.feed)

    def _page_for(self, view: HostView) -> _AnyPage:
        if view.phase is not ServerState.RUNNING:
            return self.down
        if view.page is Page.SANCTIONS:
            return self.sanctions
        if view.page is Page.PEOPLE:
            return self.accounts
        if view.page is Page.INVITES:
            return self.invites
        return self.connections if view.connections else self.invite

    def _build_header(self, content: Panel) -> None:
        theme = self._theme
        header = Panel(content, theme)
        header.configure(height=theme.px(_HEADER))
        header.pack_propagate(False)
        header.pack(fill="x")
        # First, as what is packed last is cut where there is too little room.
        self.settings = Button(
            header, theme, "", self._actions.show_settings,
            variant="quiet", icon="gear", icon_size=18, height=32,
        )  # fmt: skip
        self.settings.pack(side="right", padx=(0, theme.px(12)))
        Tooltip(self.settings, theme, f"Settings ({SETTINGS_TITLE})")
        self._title = Label(header, theme, "Connections", font="title")
        self._title.pack(side="left", padx=(theme.px(GUTTER), theme.px(14)))
        self._where = Label(header, theme, tone="muted")
        self._where.pack(side="left", pady=(theme.px(2), 0))
        self._everywhere = Tooltip(self._where, theme, "")
        self._page_title = _TITLES[Page.CONNECTIONS]
        self._reach = "", ""
        """Where clients reach the server: for one line, and all of it."""
        self._header = header
        header.bind("<Configure>", lambda _: self._show_reach())
        self.settings.lift()  # Tab follows the stack
        self._below_header = Hairline(content, theme)
        self._below_header.pack(fill="x")

    def _show_header(self, view: HostView) -> None:
        page = view.page if view.phase is ServerState.RUNNING else Page.CONNECTIONS
        self._page_title = _TITLES[page]
        connections = view.phase is ServerState.RUNNING and page is Page.CONNECTIONS
        reach = view.reach if connections else None
        text = "" if reach is None else reach.text if view.connections else "Nobody is here"
        self._reach = text, "" if reach is None else reach.all_text
        self._show_reach()

    def _show_reach(self) -> None:
        """Show title and addresses as far as there is room; all of these at a touch."""
        (text, whole), px, fonts = self._reach, self._theme.px, self._theme.fonts
        room = self._header.winfo_width() - self.settings.winfo_reqwidth()
        room -= px(GUTTER + 14 + 12 + 12)
        self._title.set(fonts.fit("title", self._page_title, max(1, room)))
        room -= fonts.width("title", self._page_title)
        shown = fonts.fit("body", text, room) if room >= px(_LEAST_REACH) else ""
        self._where.set(shown)
        self._everywhere.text = whole if whole != shown else ""

    def _show_trouble(self, view: HostView) -> None:
        if view.trouble:
            self.banner.show(
                f"Messages can’t be stored: {view.trouble}. They wait with their senders.", "slow"
            )
        elif view.disk_low:
            self.banner.show(
                "The disk is nearly full. Make room: once it is full, messages can’t be stored.",
                "away",
            )
        else:
            self.banner.hide()
            return
        # It packs itself, by default below the page.
        self.banner.pack_configure(before=self._pages)

    def _show_requests(self, view: HostView) -> None:
        """Show who asks to join, above everything else on every page."""
        if not view.joining.requests and "requests" not in vars(self):
            return
        self.requests.show(view.joining)
        if not view.joining.requests:
            self.requests.pack_forget()
        elif not self.requests.winfo_manager():
            self.requests.pack(fill="x", after=self._below_header)

    def _share(self, height: int) -> None:
        """Set the feed's height by that of the window."""
        least, usual, greatest = (self._theme.px(each) for each in _ACTIVITY)
        if height < self._theme.px(_LOW):
            self.activity.pack_forget()
            return
        if not self.activity.winfo_manager():
            self.activity.pack(side="bottom", fill="x", before=self._pages)
        wanted = usual + (height - self._theme.px(760)) // 3
        self.activity.set_height(max(least, min(greatest, wanted)))
