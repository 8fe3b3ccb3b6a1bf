"""The two lists beside the conversation: rooms and direct messages, and the members."""

import tkinter as tk
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from chat_client.state.account import Account
from chat_client.window.overview import PRESENCE_TEXT, MemberItem, Overview, Presence, RoomItem
from common.ui.lists.row_list import ListRow, MadeRows, Person, RowList, Section
from common.ui.look.avatars import Presence as Dot
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.keys import SETTINGS_TITLE
from common.ui.widgets.safe_text import safe
from common.ui.widgets.tooltip import Tooltip

_WIDTH = 250
_MEMBERS_WIDTH = 214
_DOTS: Final[dict[Presence, Dot | None]] = {
    "online": "online",
    "offline": "offline",
    "unknown": None,  # a grey dot would say that they are away
}


class Sidebar(Panel):
    """The chat's name, its rooms, the direct conversations, and who one is.

    `on_room(room)` for each choice, also while going through the list with the arrow keys;
    `on_done()` when it was made, by a click or Return. `on_room_menu(room, x, y)` for the
    context-menu click or key, `on_quiet_menu(x, y)` for the bell, `on_settings()` for the gear,
    `on_own_menu(x, y)` for who one is.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        on_room: Callable[[str], object],
        on_leave: Callable[[], object],
        on_done: Callable[[], object],
        on_room_menu: Callable[[str, int, int], object],
        on_quiet_menu: Callable[[int, int], object],
        on_settings: Callable[[], object],
        on_own_menu: Callable[[int, int], object],
    ) -> None:
        super().__init__(parent, theme, "sidebar")
        self._theme = theme
        self._on_own_menu = on_own_menu
        self._room = ""
        self.configure(width=theme.px(_WIDTH))
        self.pack_propagate(False)
        top = Panel(self, theme, "sidebar")
        top.pack(fill="x", padx=(theme.px(16), theme.px(8)), pady=theme.px(8))
        self._server = Label(top, theme, font="title")
        self._server.pack(side="left", fill="x", expand=True)
        self.settings_button = Button(
            top, theme, "", on_settings, variant="quiet", icon="gear", icon_size=18, height=32
        )
        Tooltip(self.settings_button, theme, f"Settings ({SETTINGS_TITLE})")
        self.quiet_button = Button(
            top,
            theme,
            "",
            self._quiet_clicked,
            variant="quiet",
            icon="bell",
            icon_size=18,
            height=32,
        )
        self._on_quiet_menu = on_quiet_menu
        self._bell_hint = Tooltip(self.quiet_button, theme, "")
        self.settings_button.pack(side="right")
        self.quiet_button.pack(side="right")
        self.settings_button.lift()
        me = self.me = Panel(self, theme, "sidebar")
        me.pack(side="bottom", fill="x", padx=theme.px(16), pady=theme.px(12))
        self._avatar = Picture(me, theme, lambda: theme.avatar("?", "?", 32))
        self._avatar.pack(side="left")
        leave = self._leave = Button(
            me, theme, "", on_leave, variant="quiet", icon="leave", icon_size=18
        )
        leave.pack(side="right")
        Tooltip(leave, theme, "Go to another chat")
        self.own_button = Button(
            me, theme, "", self._own_clicked, variant="quiet", icon="more", icon_size=18
        )
        self.own_button.pack(side="right")
        leave.lift()  # Tab goes from left to right
        Tooltip(self.own_button, theme, "Your name, your devices, your account")
        names = self._names = Panel(me, theme, "sidebar")
        names.pack(side="left", fill="x", expand=True, padx=theme.px(10))
        self._name = Label(names, theme, font="body_bold")
        self._name.pack(anchor="w", fill="x")
        self._username = Label(names, theme, font="label", tone="muted")
        self._username.pack(anchor="w", fill="x")
        self.rooms = RowList(
            self,
            theme,
            surface="sidebar",
            on_select=lambda room: on_room(room) if room is not None else None,
            on_click=lambda _: on_done(),
            on_open=lambda _: on_done(),
            on_menu=on_room_menu,
        )
        self.rooms.menu_selects = False  # a room that is opened is read: the menu has that as well
        # A list without a height yet would scroll as far as it can to show the selection.
        self.rooms.canvas.bind("<Map>", lambda _: self.rooms.select(self._room), add="+")
        self.rooms.pack(fill="both", expand=True)
        for part in (me, names, self._avatar, self._name, self._username):
            part.bind("<Button-1>", lambda _: self._own_clicked())
            part.configure(cursor="hand2")
        me.lift()  # Tab follows the stack
        self._shown = ("", "")
        self._showing: tuple[Overview | None, int] = (None, 0)
        """Whose rooms the list shows, as they were after so many changes."""
        self._server_name = ""

    def give_way(self, width: int) -> None:
        """Leave most of a window of that width, in screen pixels, to the conversation."""
        mine, px = min(self._theme.px(_WIDTH), width * 3 // 8), self._theme.px
        self.configure(width=mine)
        # Where there is room for nothing else, what can be pressed.
        buttons = self.own_button.winfo_reqwidth() + self._leave.winfo_reqwidth()
        narrow = mine - 2 * px(16) - buttons < px(32) + 2 * px(10)
        self.me.pack_configure(padx=px(4 if narrow else 16))
        for part, padx in ((self._avatar, 0), (self._names, px(10))):
            if narrow:
                part.pack_forget()
            elif not part.winfo_manager():
                part.pack(side="left", padx=padx)
        if not narrow:
            self._names.pack_configure(fill="x", expand=True)
        self._fit_names()

    def show_quiet(self, quiet: str) -> None:
        """Show that do not disturb is on, and until when; "" that it is off."""
        self.quiet_button.set(icon="bell-off" if quiet else "bell")
        self._bell_hint.text = f"Do not disturb. {quiet}" if quiet else "Do not disturb"

    def _quiet_clicked(self) -> None:
        button = self.quiet_button
        self._on_quiet_menu(button.winfo_rootx(), button.winfo_rooty() + button.winfo_height())

    def _own_clicked(self) -> None:
        self._on_own_menu(self.me.winfo_rootx(), self.me.winfo_rooty())

    def _fit_names(self) -> None:
        px, fit = self._theme.px, self._theme.fonts.fit
        whole = int(self.cget("width"))
        buttons = self.settings_button.winfo_reqwidth() + self.quiet_button.winfo_reqwidth()
        room = whole - px(16) - px(8) - buttons
        self._server.set(fit("title", self._server_name, room))
        buttons = self._leave.winfo_reqwidth() + self.own_button.winfo_reqwidth()
        width = whole - 2 * px(16) - px(32) - 2 * px(10) - buttons
        self._name.set(fit("body_bold", self._shown[0], width))
        self._username.set(fit("label", f"@{self._shown[1]}", width))

    def show(self, overview: Overview, room: str, account: Account) -> None:
        """Show these rooms, with `room` selected."""
        name, username = safe(account.display_name), account.username
        if (name, username) != self._shown:
            self._shown = (name, username)
            self._avatar.set(lambda: self._theme.avatar(name, username, 32))
        self._server_name = safe(account.invite.server_name)
        self._fit_names()
        if (overview, overview.room_changes) != self._showing:
            self._showing = overview, overview.room_changes
            rooms, direct = overview.room_keys()
            row = partial(_room_row_of, overview)
            sections = [Section("Rooms", MadeRows(rooms, row))]
            if direct:
                sections.append(Section("Direct messages", MadeRows(direct, row)))
            self.rooms.set_sections(sections)
        self._room = room
        if self.rooms.selected != room and self.rooms.canvas.winfo_ismapped():
            self.rooms.select(room)


class Members(Panel):
    """Who is in the room; a click on one, or Return, opens the direct conversation.

    `on_menu(username, x, y)` for the context-menu click or key.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        on_person: Callable[[str], object],
        on_menu: Callable[[str, int, int], object],
    ) -> None:
        super().__init__(parent, theme, "sidebar")
        self.configure(width=theme.px(_MEMBERS_WIDTH))
        self.pack_propagate(False)
        self._on_person = on_person
        self.people = RowList(
            self,
            theme,
            surface="sidebar",
            row_height=40,
            avatar=32,
            on_click=self._opened,
            on_open=self._opened,
            on_menu=self._asked,
        )
        self._on_menu = on_menu
        self._overview: Overview | None = None
        self._showing: tuple[Overview | None, int, str] = (None, 0, "")
        """Whose members of which room the list shows, as they were after so many changes."""
        self._pointed: str | None = None
        self.hint = Tooltip(self.people.canvas, theme, "")
        """What the mark of a moderator means."""
        self.people.canvas.bind("<Motion>", lambda event: self._point(event.y), add="+")
        self.people.canvas.bind("<Leave>", lambda _: self._point(-1), add="+")
        self.people.pack(fill="both", expand=True, pady=theme.px(10))

    def show(self, overview: Overview, room: str) -> None:
        """Show a room's members."""
        showing = overview, overview.people_changes, room
        if showing == self._showing:
            return
        self._showing = showing
        self._overview = overview
        sections = []
        for presence, usernames in overview.member_keys(room).items():
            if usernames:
                title = f"{PRESENCE_TEXT[presence]} — {len(usernames)}"
                rows = MadeRows(usernames, partial(_member_row_of, overview))
                sections.append(Section(title, rows))
        self.people.set_sections(sections)

    def _point(self, y: int) -> None:
        key = self.people.key_at(y) if y >= 0 else None
        if key == self._pointed:
            return
        self._pointed = key
        self.hint.hide()
        self.hint.text = ""
        if key is not None and self._overview is not None and key in self._overview.moderators:
            top, bottom = self.people.bounds(key)
            self.hint.wait_at("Moderator", (0, top, self.people.canvas.winfo_width(), bottom))

    def _asked(self, username: str, x: int, y: int) -> None:
        self.people.select(None)
        self._on_menu(username, x, y)

    def _opened(self, username: str) -> None:
        # A way to somebody, not a choice that lasts.
        self.people.select(None)
        self._on_person(username)


def _room_row_of(overview: Overview, room: str) -> ListRow:
    return _room_row(overview.room(room))


def _member_row_of(overview: Overview, username: str) -> ListRow:
    return _member_row(overview.member(username))


@lru_cache(512)
def _room_row(item: RoomItem) -> ListRow:
    label, count = safe(item.label), str(min(item.unread, 999)) if item.unread else ""
    if item.partner is None:
        mentions = "" if not item.mentions else f"@{min(item.mentions, 99)}"
        return ListRow(
            item.room, label, icon="hash", count=count, bold=bool(item.unread), alert=mentions
        )
    person = Person(item.label, item.partner, _DOTS[item.presence])
    return ListRow(
        item.room, label, person=person, count=count, bold=bool(item.unread), handle=item.handle
    )


@lru_cache(512)
def _member_row(member: MemberItem) -> ListRow:
    person = Person(member.name, member.username, _DOTS[member.presence])
    known_offline = member.presence == "offline"
    return ListRow(
        member.username,
        safe(member.name),
        person=person,
        ending=member.label.removeprefix(member.name),
        plain=not known_offline,
        mark="shield" if member.is_moderator else None,
        handle=member.handle,
    )
