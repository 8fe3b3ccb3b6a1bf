"""The main window: rooms and people on the left, the conversation, the members on the right."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Sequence
from typing import assert_never

from chat_client.open_account import OpenAccount
from chat_client.state import news
from chat_client.state.outbox_message import OutboxState
from chat_client.state.slow_mode import SlowModeOrder
from chat_client.state.status import Link
from chat_client.window.focus_watch import FocusWatch
from chat_client.window.members_panel import MembersPanel
from chat_client.window.notification_menus import NotificationMenus
from chat_client.window.notifications import Notifications
from chat_client.window.overview import Overview
from chat_client.window.own_menu import OwnMenu
from chat_client.window.person_menu import PersonMenu
from chat_client.window.read_marker import ReadMarker
from chat_client.window.room_history import RoomHistory
from chat_client.window.room_view import RoomView
from chat_client.window.sidebar import Sidebar
from chat_client.window.slow_mode_menu import SlowModeMenu
from chat_client.window.status_banner import Deed, status_line
from chat_client.window.unread_counts import UnreadCounts
from common.domain.names import GENERAL, direct_partner, direct_room
from common.domain.reasons import Reason
from common.domain.text import normalize_text
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Panel
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.safe_text import safe


class MainScreen(Panel):
    """The conversations of one account, loaded from the cache or taken over from `former`.

    `on_title(title)` sets the window's title. `on_leave()` opens the join screen, `on_another()`
    does so for somebody else of this chat, and `on_come_back(why)` for this account, which needs
    another invite; `on_reopen()` opens the account anew. `on_remove()` removes a deleted account
    from this computer, `on_settings()` opens the settings, and `on_mode()` toggles between the
    light and the dark mode.
    """

    def __init__(
        self,
        parent: tk.Tk,
        theme: Theme,
        session: OpenAccount,
        notifications: Notifications,
        former: MainScreen | None = None,
        *,
        on_title: Callable[[str], object],
        on_leave: Callable[[], object],
        on_another: Callable[[], object],
        on_come_back: Callable[[Reason], object],
        on_reopen: Callable[[], object],
        on_remove: Callable[[], object],
        on_settings: Callable[[], object],
        on_mode: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._window, self._theme, self._session = parent, theme, session
        self._notifications = notifications
        self._on_settings = on_settings
        self._on_title = on_title
        self._on_leave, self._on_remove = on_leave, on_remove
        self._on_another, self._on_come_back, self._on_reopen = on_another, on_come_back, on_reopen
        self.overview: Overview = former.overview if former else Overview(session.account.username)
        self._counts = UnreadCounts(self.overview, session.reader)
        if former is None:
            self._counts.load()
        self._on_mode = on_mode
        theme.colours.forget()
        theme.colours.meet(self.overview.names)
        self.dialog: Dialog | None = None
        """The dialog that is open, or was the last one to be."""
        self.focus_watch = FocusWatch(parent, self, self.look, self._look_away)
        self._build()
        notifications.begin(session.account.key, self.overview, self)
        self._menus.begin(self.sidebar.show_quiet)
        if former is None:
            # The person may not be looking yet, such as when the window is iconified.
            self.open(GENERAL, read=self.focus_watch.has_focus)
            self._take_keyboard(parent.focus_displayof())
        else:
            self._take_over(former)

    # Building

    def _take_over(self, former: MainScreen) -> None:
        """Take over the state of another screen of this account; marks nothing as read."""
        self._history.take_over(former._history)
        self.members_panel.take_over(former.members_panel)
        self.view.take_over(former.view)
        self._refresh()
        self._take_keyboard(former.focus_displayof())

    def _take_keyboard(self, focus: tk.Misc | None) -> None:
        """Focus the composer, unless another window has the focus, such as the settings."""
        if focus is None or focus.winfo_toplevel() is self._window:
            # The window redirects keystrokes to the composer until that is on the screen.
            self._window.focus_set()
            self.view.write()

    def _build(self) -> None:
        theme = self._theme
        self._menus = NotificationMenus(
            self,
            theme,
            self.overview,
            self._notifications,
            on_settings=self._on_settings,
            mark_read=self._mark_read,
        )
        self.sidebar = Sidebar(
            self,
            theme,
            self.open,
            self._on_leave,
            self._write,
            on_room_menu=self._menus.open_room,
            on_quiet_menu=self._menus.open_quiet,
            on_settings=self._on_settings,
            on_own_menu=self._open_own_menu,
        )
        self.sidebar.pack(side="left", fill="y")
        view = self.view = RoomView(
            self,
            self._window,
            theme,
            self._session,
            self.overview,
            has_focus=lambda: self.focus_watch.has_focus,
            on_offer=self._take_offer,
            on_mode=self._on_mode,
            on_members=self._toggle_members,
            on_end=self._look_at_end,
            on_latest=self._read_to_end,
            on_line=self._show_state,
            on_dialog=self._ask,
            on_slow_mode=self._choose_slow_mode,
        )
        view.pack(side="left", fill="both", expand=True)
        self.header, self.banner, self.find = view.header, view.banner, view.find
        self.composer, self.entry, self.completion = view.composer, view.entry, view.completion
        self.transcript, self.unread_line = view.transcript, view.unread_line
        self.connection, self.latest, self.toasts = view.connection, view.latest, view.toasts
        self._build_reading()
        self.person_menu = PersonMenu(
            self,
            self._window,
            theme,
            self.overview,
            order=self._session.ask,
            on_message=self._open_direct,
            on_dialog=self._ask,
            toast=view.toast,
            server_time=self.connection.clock.now,
        )
        self.own_menu = OwnMenu(
            self,
            self._window,
            theme,
            lambda: self._session.account,
            is_deleted=lambda: self.connection.status.code == "account_deleted",
            is_moderator=lambda: self.overview.me in self.overview.moderators,
            order=self._session.ask,
            on_another=self._on_another,
            on_remove=self._on_remove,
            on_dialog=self._ask,
            toast=view.toast,
        )
        self.slow_mode_menu = SlowModeMenu(
            self,
            theme,
            order=self._session.ask,
            toast=view.toast,
            interval=view.rate_limit.interval,
        )
        self.members_panel = MembersPanel(
            self, theme, view, self._open_direct, self.person_menu.open
        )
        self.members = self.members_panel.members
        self.bind("<Configure>", self._resized)
        for behind in (self.transcript.text, self.composer.text):
            behind.bind("<Button-1>", lambda _: self.members_panel.hide_over(), add="+")
        # Tab follows the stacking order, by default that of creation: make it the visual order.
        self.members_panel.lift()

    def _build_reading(self) -> None:
        """Create the parts that handle history and what was read."""
        reader, notifications = self._session.reader, self._notifications
        self._read_marker = ReadMarker(
            self.overview,
            reader,
            self.transcript,
            notifications,
            self._session.ask,
            has_focus=lambda: self.focus_watch.has_focus,
            on_read=self._was_read,
        )
        self._history = RoomHistory(
            self.overview,
            reader,
            self._counts,
            self.transcript,
            self.unread_line,
            notifications,
            order=self._session.ask,
            tell=self.tell,
            sees=self._read_marker.sees,
            on_end=self._look_at_end,
        )

    @property
    def room(self) -> str:
        """The open room."""
        return self.view.room

    # News

    def apply(self, told: Sequence[news.News]) -> None:
        """Apply news of the core, in order, and update the screen once."""
        for item in told:
            self._show_news(item)
        self.entry.take_back([item for item in told if isinstance(item, news.MessageNotStored)])
        met = [item.person.username for item in told if isinstance(item, news.PersonSeen)]
        self._theme.colours.meet(met)
        # A person's first message may arrive before their name, and a namesake after it.
        renamed = self.overview.take_renamed()
        if self.transcript.shows(renamed):
            self.transcript.rename(renamed)
        self._refresh()

    def _show_news(self, item: news.News) -> None:
        match item:
            case news.StatusChanged():
                self._show_status(item)
            case news.PersonSeen() if item.person.username == self.overview.me:
                self._update_self(item)
            case (
                news.PersonSeen()
                | news.PeopleForgotten()
                | news.OnlineListed()
                | news.PresenceSeen()
            ):
                self.overview.hear_of_people(item)
            case news.RoomSeen():
                self._history.asked_anew(item.room)
                self.overview.add_room(item.room)
            case news.EventsAdded():
                self._add_events(item)
            case news.OutboxChanged():
                self._show_outbox(item)
            case news.CacheReset():
                self._start_over(item.rooms)
            case news.MessagesErased():
                self._notifications.erased(item.username)
                self._counts.count()
                self._open_again((self.room,))
            case news.EventsUpgraded():
                # Some of the events may be unread messages.
                self._counts.count()
                self._open_again(item.rooms)
            case _:
                self._show_more_news(item)

    def _update_self(self, item: news.PersonSeen) -> None:
        """Update the account's own name and role; a changed role is shown by a toast."""
        before = self.overview.is_moderator
        self.overview.hear_of_people(item)
        if self.overview.is_moderator and not before:
            self.tell("You are a moderator now: right-click a member")
        elif before and not self.overview.is_moderator:
            self.tell("You are no longer a moderator")
        self.view.show_moderation()

    def _show_more_news(
        self,
        item: news.AccountChanged
        | news.DeviceAdded
        | news.DevicesListed
        | news.HistoryAdded
        | news.InvitesListed
        | news.JoiningTold
        | news.Listed
        | news.Moderated
        | news.MuteChanged
        | news.SanctionsListed
        | news.MessageNotStored
        | news.Requested
        | news.RoleChanged
        | news.RoomRefused
        | news.Skipped
        | news.SlowModeSeen
        | news.Welcomed,
    ) -> None:
        match item:
            case news.Welcomed():
                self.connection.clock.set(item.time, time.monotonic() - item.at)
            case news.RoleChanged():
                self.overview.hear_of_role(item.role)
                self.view.show_moderation()
            case news.SlowModeSeen():
                self.view.rate_limit.hear(item)
            case news.MuteChanged():
                self.connection.show_mute(item.reason)
            case news.Moderated(what=SlowModeOrder() as order):
                self.slow_mode_menu.hear(order, item)
            case news.Moderated() | news.SanctionsListed():
                self.person_menu.hear(item)
            case news.HistoryAdded() | news.Skipped() | news.RoomRefused() | news.Listed():
                self._history.hear(item)
            case (
                news.Requested()
                | news.DevicesListed()
                | news.DeviceAdded()
                | news.InvitesListed()
                | news.JoiningTold()
            ):
                self.own_menu.hear(item)
            case news.AccountChanged() | news.MessageNotStored():
                pass  # `apply` handles MessageNotStored for all of them at once.
            case _:
                assert_never(item)

    def tell(self, text: str) -> None:
        """Show a text as a toast, such as one that concerns all accounts."""
        self.view.tell(text)

    def _show_outbox(self, changed: news.OutboxChanged) -> None:
        self.connection.waiting = changed.waiting
        if self.view.rate_limit.held(changed):
            pass  # It says so where one writes to this room: it is no trouble of the connection.
        elif changed.state is not OutboxState.WAITING:
            self.connection.show_delay(None)
        elif changed.reason is not None:
            self.connection.show_delay(changed.reason)
        if changed.state is OutboxState.FAILED:
            self._notifications.failed()
        if changed.room == self.room:
            self.transcript.refresh_outbox()

    def _start_over(self, rooms: tuple[str, ...] | None) -> None:
        """Empty these rooms, or all, without the cache: it may be ahead of the news."""
        self._notifications.forget(rooms)
        if rooms is None:
            self.overview.load([], {})
            self.overview.add_room(GENERAL)
            self.open(GENERAL, again=True, read=self.focus_watch.has_focus)
            return
        self.overview.forget(rooms)
        self._open_again(rooms)

    def _open_again(self, rooms: tuple[str, ...]) -> None:
        """Reload the open room if it is one of these, whose events have changed."""
        if self.room in rooms:
            self.open(self.room, again=True, read=self.focus_watch.has_focus)

    def _add_events(self, added: news.EventsAdded) -> None:
        here = added.room == self.room
        if here:
            self.transcript.add(added.events)
        seen = self._read_marker.sees(added.room)
        self.overview.add_events(added.room, added.events, seen=seen, read=added.read)
        self._notifications.heard(added, reading=seen)
        if here and added.came != "before" and not (seen and added.came == "live"):
            self.unread_line.heard(added.room, added.events, read=added.read)
        if seen:
            self._read_marker.seen(added.room, added.events[-1].seq)
        elif here:
            self.view.show_latest()

    def _refresh(self) -> None:
        server = self._session.account.invite.server_name
        self.overview.call_chat(server)
        self.sidebar.show(self.overview, self.room, self._session.account)
        self.members.show(self.overview, self.room)
        unread = self.overview.all_unread
        self._notifications.count(unread)
        title = self.overview.title(self.room)
        self._on_title(f"{f'({unread}) ' if unread else ''}{safe(title)} — {safe(server)}")
        partner = direct_partner(self.room, self.overview.me)
        self.connection.show_former(is_former=partner in self.overview.former)
        self._show_state()

    # Status

    def _show_status(self, told: news.StatusChanged) -> None:
        self.connection.show_status(told.status, told.waiting)
        if told.status.link not in {Link.ONLINE, Link.CONNECTING}:
            # Presence is unknown now, and pending requests have failed.
            self._history.disconnected()
            self.overview.offline()
            self.transcript.disconnected()

    def _show_state(self) -> None:
        """Update the room's name and the status line beside it."""
        connection = self.connection
        state = status_line(
            connection.status, connection.waiting, self.overview, self.room, now=time.monotonic()
        )
        self.header.show(safe(self.overview.title(self.room)), state)
        connection.show_line()

    def _take_offer(self, deed: Deed) -> None:
        """Do what the banner offers."""
        match deed:
            case "connect":
                self.view.connect()
            case "leave":
                self._on_leave()
            case "come_back":
                self._on_come_back(self.connection.status.reason)
            case "reopen":
                self._on_reopen()

    # Rooms

    def open(self, room: str, *, again: bool = False, read: bool = True) -> None:
        """Show a room, and mark it as read if `read`, else when the person looks at it.

        `again` reloads the room if it is open already.
        """
        if room == self.room and not again:
            return
        self.members_panel.hide_over()
        self.view.open(room)
        if self.connection.online:
            self._history.bring_newest()
        if read:
            self._read_marker.mark_open()
        self._refresh()
        self._history.say_refused()

    def _write(self) -> None:
        """Set the keyboard focus to the composer."""
        self.view.write()

    def _choose_slow_mode(self) -> None:
        button = self.header.open_slow_mode
        x, y = button.winfo_rootx(), button.winfo_rooty() + button.winfo_height()
        self.slow_mode_menu.open(self.room, x, y)

    def _ask(self, dialog: Dialog) -> None:
        self.dialog = dialog

    def _open_direct(self, username: str) -> None:
        if username == self.overview.me:
            return
        room = direct_room(self.overview.me, username)
        self._session.ask(lambda core: core.open_room(room))
        self.overview.add_room(room)
        self.open(room)
        self._write()

    # Reading

    def look(self) -> None:
        """Mark what is in view as seen, as the window may have got the focus."""
        self.unread_line.look()
        self._read_marker.look()

    def _look_away(self) -> None:
        """Remove the unread line if it was seen, as another program has got the focus."""
        self.unread_line.go_on()

    def _mark_read(self, room: str) -> None:
        self._read_marker.mark(room)

    def _look_at_end(self) -> None:
        """Handle a change of the open room's end, or of whether it is in view."""
        self.view.show_latest()
        self._read_marker.look()

    def _was_read(self) -> None:
        self.view.show_latest()
        self._refresh()

    def _read_to_end(self) -> None:
        self._read_marker.mark_open()
        self._refresh()

    # Responses to notifications

    def show_message(self, room: str, seq: int) -> None:
        """Open a room at a message, such as after a click on a notification."""
        self.open(room)
        if not self.transcript.at_bottom or not self._is_near_end(seq):
            self.transcript.go_to(seq)
        self._read_marker.mark_open()
        self._refresh()
        self._write()

    def _is_near_end(self, seq: int) -> bool:
        """Whether a message is the newest of the open room, so that it is in view with the end."""
        latest = self._session.reader.latest(self.room, 1)
        return bool(latest) and latest[-1].seq <= seq

    def reply(self, room: str, text: str) -> None:
        """Send an inline reply of a notification; one that can't be sent becomes a draft."""
        text = normalize_text(text)
        if not text.strip():
            return
        problem = self.entry.answer(room, text)
        if problem is None:
            self._read_marker.mark(room)
            return
        self.open(room)
        self.entry.add_to_draft(text)
        self.tell(f"Not sent. {problem}")
        self._notifications.attention.demand()

    # Writing

    def save_draft(self) -> None:
        """Store the text of the composer as the room's draft."""
        self.entry.save()

    @property
    def would_lose(self) -> bool:
        """Whether closing the window would lose a draft, as it can't be stored."""
        reader = self._session.reader
        return not self.connection.can_store and self.entry.differs_from(reader.drafts())

    # The window

    def escape(self) -> None:
        """Hide the members panel if it covers the conversation, and the find bar."""
        self.members_panel.hide_over()
        self.find.hide()

    def _open_own_menu(self, x: int, y: int) -> None:
        self.own_menu.open(x, y)

    def _toggle_members(self) -> None:
        self.members_panel.toggle()

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self.sidebar.give_way(event.width)
            self.members_panel.put()

    def close(self, *, destroy: bool = True) -> None:
        """Stop the timers and end the notifications; destroy the screen unless the caller will."""
        self._menus.stop()
        self._notifications.end(self)
        self.focus_watch.stop()
        self.person_menu.forget()
        self.view.stop()
        if destroy:
            self.destroy()
