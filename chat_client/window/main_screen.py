"""The main window: rooms and people on the left, the conversation, the members on the right."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

from chat_client.cache.search import Found
from chat_client.open_account import OpenAccount
from chat_client.state import news
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.state.status import Link
from chat_client.window.browser import open_link
from chat_client.window.completion import Candidate, Completion
from chat_client.window.composer import Composer
from chat_client.window.connection_view import ConnectionView
from chat_client.window.find_bar import FindBar
from chat_client.window.focus_watch import FocusWatch
from chat_client.window.go_to_date import ask as ask_for_day
from chat_client.window.go_to_date import day_menu
from chat_client.window.header import Header
from chat_client.window.latest_button import LatestButton
from chat_client.window.members_panel import MembersPanel
from chat_client.window.message_entry import MessageEntry
from chat_client.window.notification_menus import NotificationMenus
from chat_client.window.notifications import Notifications
from chat_client.window.overview import Overview
from chat_client.window.person_menu import PersonMenu
from chat_client.window.read_marker import ReadMarker
from chat_client.window.room_history import RoomHistory
from chat_client.window.sidebar import Sidebar
from chat_client.window.status_banner import status_line
from chat_client.window.transcript.timeline import Unread
from chat_client.window.transcript.view import Transcript
from chat_client.window.unread_counts import UnreadCounts
from chat_client.window.unread_line import UnreadLine
from common.domain.names import GENERAL, direct_partner, direct_room
from common.domain.text import normalize_text
from common.ui.look.theme import Theme
from common.ui.program.mailbox import Mailbox
from common.ui.widgets.basics import Hairline, Panel
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.menus import popup
from common.ui.widgets.notices import FAILURE_TIME, Banner, Toasts
from common.ui.widgets.safe_text import safe


class MainScreen(Panel):
    """One account's conversations, from the cache or as another screen of it, `former`, has them.

    `on_leave` asks for the join screen, `on_settings` for the settings, `on_mode` for the other of
    the light and the dark mode.
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
        on_settings: Callable[[], object],
        on_mode: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._window, self._theme, self._session = parent, theme, session
        self._notifications = notifications
        self._on_settings = on_settings
        self._on_title = on_title
        self._on_leave = on_leave
        self.overview: Overview = former.overview if former else Overview(session.account.username)
        self._counts = UnreadCounts(self.overview, session.reader)
        if former is None:
            self._counts.load()
        self._on_mode = on_mode
        theme.colours.forget()
        theme.colours.meet(self.overview.names)
        self.dialog: Dialog | None = None
        """The question that is asked, or was asked last."""
        self.room = ""
        self.focus_watch = FocusWatch(parent, self, self.look, self._look_away)
        self._build()
        notifications.begin(session.account.key, self.overview, self)
        self._menus.begin(self.sidebar.show_quiet)
        if former is None:
            # Nobody may look yet, such as when the window is iconified.
            self.open(GENERAL, read=self.focus_watch.has_focus)
            self._write()
        else:
            self._take_over(former)

    # Building

    def _take_over(self, former: MainScreen) -> None:
        """Begin with all that another screen has; nothing becomes read by that."""
        self._history.take_over(former._history)
        self.entry.take_over(former.entry)
        self.composer.take_over(former.composer)
        self.connection.take_over(former.connection)
        self.members_panel.take_over(former.members_panel)
        self._show_room(former.room, former.transcript.unread)
        self.unread_line.take_over(former.unread_line)
        self._refresh()
        focus = former.focus_displayof()
        # Not out of another window, such as that of the settings.
        if focus is None or focus.winfo_toplevel() is self._window:
            # Until the composer is on the screen, what is typed is redirected to it from there.
            self._window.focus_set()
            self._write()

    def show_place(self, seq: int | None) -> None:
        """Have an event at the top of the view; None stands for the newest message."""
        if seq is not None:
            self.update_idletasks()  # the view must have its size
            self.transcript.show_from(seq)
            self._show_latest()
            self.unread_line.look()

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
        )
        self.sidebar.pack(side="left", fill="y")
        self._middle = Panel(self, theme, "window")
        self._middle.pack(side="left", fill="both", expand=True)
        self.header = Header(
            self._middle,
            theme,
            on_find=self._toggle_find,
            on_mode=self._on_mode,
            on_members=self._toggle_members,
        )
        self.header.pack(fill="x")
        line = Hairline(self._middle, theme)
        line.pack(fill="x")
        self.banner = Banner(self._middle, theme, after=line)
        self.find = FindBar(
            self._middle,
            theme,
            self._window,
            self._search,
            self._session.stop_search,
            on_words=self._look_for,
            on_place=self._go_to,
            on_close=self._write,
            is_whole=lambda: self._session.reader.is_whole(self.room),
            after=line,
        )
        self.composer = Composer(self._middle, theme, self._send)
        self.entry = MessageEntry(self.composer, self._session.reader.drafts(), self._session.ask)
        self.completion = Completion(self, theme, self.composer, self._people_here)
        self.composer.pack(side="bottom", fill="x", padx=theme.px(20), pady=theme.px(14))
        self.connection = ConnectionView(
            self,
            self.banner,
            self.composer,
            on_connect=self._connect,
            on_leave=self._on_leave,
            on_line=self._show_state,
        )
        self.transcript = Transcript(
            self._middle,
            theme,
            self._session.reader,
            self.overview.name,
            handle_of=self.overview.handle,
            mentions_in=self.overview.mentions_in,
            on_bottom=lambda _: self._look_at_end(),
            on_link=lambda url: open_link(url, self._not_opened.post),
            on_failed=self._failed,
            on_missing=lambda wanted: self._session.ask(lambda core: core.load_history(wanted)),
            on_day=self._day_menu,
            on_view=self._viewed,
        )
        self.unread_line = UnreadLine(
            self.transcript,
            theme,
            self.overview,
            self._session.reader,
            has_focus=lambda: self.focus_watch.has_focus,
            on_go=self._write,
        )
        self.transcript.pack(fill="both", expand=True)
        self.toasts = Toasts(self.transcript, theme)
        self._not_opened: Mailbox[str] = Mailbox(self._window, self._link_failed)
        self.latest = LatestButton(self.transcript, theme, self._to_latest)
        self._build_reading()
        for keys, go in (
            ("<Prior>", lambda: self.transcript.scroll_pages(-1)),
            ("<Next>", lambda: self.transcript.scroll_pages(1)),
            ("<Control-Home>", self.transcript.go_to_first),
            ("<Control-End>", self.transcript.go_to_latest),
        ):
            self.composer.text.bind(keys, partial(_done, go))
        # What is selected among the messages stays so while one writes, and can be copied then.
        self.composer.editing.copy_instead = self.transcript.copy_selected
        self.person_menu = PersonMenu(
            self,
            self._window,
            theme,
            self.overview,
            order=self._session.ask,
            on_message=self._open_direct,
            on_dialog=self._ask,
            toast=self._toast,
            server_time=self.connection.clock.now,
        )
        self.members_panel = MembersPanel(
            self, theme, self._middle, self._open_direct, self.person_menu.open
        )
        self.members = self.members_panel.members
        self.bind("<Configure>", self._resized)
        for behind in (self.transcript.text, self.composer.text):
            behind.bind("<Button-1>", lambda _: self.members_panel.hide_over(), add="+")
        # Tab goes through the window as one reads it: it follows the stack, the first made first.
        self.composer.lift()
        self.members_panel.lift()

    def _build_reading(self) -> None:
        """What becomes of what comes and is read."""
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

    # News

    def apply(self, told: Sequence[news.News]) -> None:
        """Show what the core told, in its order."""
        for item in told:
            self._show_news(item)
        self.entry.take_back([item for item in told if isinstance(item, news.MessageNotStored)])
        met = [item.person.username for item in told if isinstance(item, news.PersonSeen)]
        self._theme.colours.meet(met)
        # Somebody's first words may come before their name, and a namesake after them.
        renamed = self.overview.take_renamed()
        if self.transcript.shows(renamed):
            self.transcript.rename(renamed)
        self._refresh()

    def _show_news(self, item: news.News) -> None:
        match item:
            case news.StatusChanged():
                self._show_status(item)
            case news.PersonSeen() if item.person.username == self.overview.me:
                self._hear_of_oneself(item)
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
            case news.EventsUpgraded():
                # Some of it may be messages, which nobody has read yet.
                self._counts.count()
                self._open_again(item.rooms)
            case _:
                self._show_more_news(item)

    def _hear_of_oneself(self, item: news.PersonSeen) -> None:
        """Take over the own name and role; a role that one got or lost right now is told."""
        before = self.overview.is_moderator
        self.overview.hear_of_people(item)
        if self.overview.is_moderator and not before:
            self.tell("You are a moderator now: right-click a member")
        elif before and not self.overview.is_moderator:
            self.tell("You are no longer a moderator")

    def _show_more_news(
        self,
        item: news.AccountChanged
        | news.HistoryAdded
        | news.Listed
        | news.Moderated
        | news.MuteChanged
        | news.SanctionsListed
        | news.MessageNotStored
        | news.RoleChanged
        | news.RoomRefused
        | news.Skipped
        | news.Welcomed,
    ) -> None:
        match item:
            case news.Welcomed():
                self.connection.clock.set(item.time, time.monotonic() - item.at)
            case news.RoleChanged():
                self.overview.hear_of_role(item.role)
            case news.MuteChanged():
                self.connection.show_mute(item.reason)
            case news.Moderated() | news.SanctionsListed():
                self.person_menu.hear(item)
            case news.HistoryAdded() | news.Skipped() | news.RoomRefused() | news.Listed():
                self._history.hear(item)
            case news.AccountChanged() | news.MessageNotStored():
                pass  # All that was not kept is given back together.
            case _:
                assert_never(item)

    def tell(self, text: str) -> None:
        """Show a short text for a while, such as one about what concerns all accounts."""
        self._toast(text, FAILURE_TIME)

    def _toast(self, text: str, milliseconds: int) -> None:
        self.toasts.show(text, milliseconds, rise=self.latest.rise)

    def _show_outbox(self, changed: news.OutboxChanged) -> None:
        self.connection.waiting = changed.waiting
        if changed.state is not OutboxState.WAITING:
            self.connection.show_delay(None)
        elif changed.reason is not None:
            self.connection.show_delay(changed.reason)
        if changed.state is OutboxState.FAILED:
            self._notifications.failed()
        if changed.room == self.room:
            self.transcript.refresh_outbox()

    def _start_over(self, rooms: tuple[str, ...] | None) -> None:
        """Begin with nothing and not with the cache, which may be ahead of the news."""
        self._notifications.forget(rooms)
        if rooms is None:
            self.overview.load([], {})
            self.overview.add_room(GENERAL)
            self.open(GENERAL, again=True, read=self.focus_watch.has_focus)
            return
        self.overview.forget(rooms)
        self._open_again(rooms)

    def _open_again(self, rooms: tuple[str, ...]) -> None:
        """What stands in these rooms is another now."""
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
            self._show_latest()

    def _refresh(self) -> None:
        server = self._session.account.invite.server_name
        self.overview.call_chat(server)
        self.sidebar.show(self.overview, self.room, self._session.account)
        self.members.show(self.overview, self.room)
        unread = self.overview.all_unread
        self._notifications.count(unread)
        title = self.overview.title(self.room)
        self._on_title(f"{f'({unread}) ' if unread else ''}{safe(title)} — {safe(server)}")
        self._show_state()

    # Status

    def _show_status(self, told: news.StatusChanged) -> None:
        self.connection.show_status(told.status, told.waiting)
        if told.status.link not in {Link.ONLINE, Link.CONNECTING}:
            # Nobody's presence is known, and nothing that was asked for comes.
            self._history.disconnected()
            self.overview.offline()
            self.transcript.disconnected()

    def _show_state(self) -> None:
        """The room's name and the line beside it."""
        connection = self.connection
        state = status_line(
            connection.status, connection.waiting, self.overview, self.room, now=time.monotonic()
        )
        self.header.show(safe(self.overview.title(self.room)), state)
        connection.show_line()

    # Rooms

    def open(self, room: str, *, again: bool = False, read: bool = True) -> None:
        """Show a room and everything about it; unless it is `read`, it is when somebody looks."""
        if room == self.room and not again:
            return
        self.entry.open(room)
        self.find.hide()
        self.members_panel.hide_over()
        self._show_room(room, self.unread_line.of(room))
        if self.connection.online:
            self._history.bring_newest()
        if read:
            self._read_marker.mark_open()
        self._refresh()
        self._history.say_refused()

    def _show_room(self, room: str, unread: Unread | None) -> None:
        partner = direct_partner(room, self.overview.me)
        title = safe(self.overview.title(room))
        self.header.show_room(is_direct=partner is not None)
        self.room = room
        self.composer.set_hint(f"Message {'#' if partner is None else ''}{title}")
        self.transcript.show(room, self.overview.me, unread)

    def _write(self) -> None:
        """The keyboard goes to the composer."""
        self.composer.text.focus_set()

    def _toggle_find(self) -> None:
        self.find.hide() if self.find.shown else self.find.show()

    def _search(self, words: str, before: int, tell: Callable[[Found], None]) -> None:
        self._session.search(self.room, words, before, tell)

    def _look_for(self, words: str) -> None:
        self.transcript.highlight(words)

    def _go_to(self, seq: int) -> None:
        self.transcript.go_to(seq)

    def go_to_date(self) -> None:
        """Ask for a day, and show what was said from then on."""
        at = ask_for_day(self._window, self._theme, self._ask)
        if at is not None and self.winfo_exists():
            self.transcript.go_to_time(at)

    def _ask(self, dialog: Dialog) -> None:
        self.dialog = dialog

    def _day_menu(self, sent_at: int | None) -> None:
        """Offer other days from the heading of one; without one, ask."""
        if sent_at is None:
            self.go_to_date()
            return
        items = day_menu(self.transcript, sent_at, self.go_to_date)
        popup(self, self._theme, items, *self.winfo_pointerxy())

    def _show_latest(self) -> None:
        """Offer the way to the newest message while it is not in view, and say what is new."""
        self.latest.look(self.overview.unread.get(self.room, 0))

    def _open_direct(self, username: str) -> None:
        if username == self.overview.me:
            return
        room = direct_room(self.overview.me, username)
        self._session.ask(lambda core: core.open_room(room))
        self.overview.add_room(room)
        self.open(room)
        self._write()

    def _people_here(self) -> list[Candidate]:
        """Whom one may mention in the open room."""
        overview = self.overview
        return [
            Candidate(username, overview.name(username), overview.presence(username))
            for usernames in overview.member_keys(self.room).values()
            for username in usernames
            if username != overview.me
        ]

    def _connect(self) -> None:
        self._session.ask(lambda core: core.connect_now())

    # Reading

    def look(self) -> None:
        """The person may be looking at the window from now on."""
        self.unread_line.look()
        self._read_marker.look()

    def _look_away(self) -> None:
        """The person turned to another program: what was seen is not new any more."""
        self.unread_line.go_on()

    def _viewed(self) -> None:
        self.unread_line.look()

    def _mark_read(self, room: str) -> None:
        self._read_marker.mark(room)

    def _look_at_end(self) -> None:
        """The end of the open room came into view or left it, or is another one."""
        self._show_latest()
        self._read_marker.look()

    def _was_read(self) -> None:
        self._show_latest()
        self._refresh()

    def _to_latest(self) -> None:
        self.transcript.show_latest()
        self._read_marker.mark_open()
        self._refresh()
        self._write()

    # What the person does with a notification

    def show_message(self, room: str, seq: int) -> None:
        """Open a room at a message, such as one that a notification told of."""
        self.open(room)
        if not self.transcript.at_bottom or not self._is_near_end(seq):
            self.transcript.go_to(seq)
        self._read_marker.mark_open()
        self._refresh()
        self._write()

    def _is_near_end(self, seq: int) -> bool:
        """Whether a message is the newest of the open room: in view with the end."""
        latest = self._session.reader.latest(self.room, 1)
        return bool(latest) and latest[-1].seq <= seq

    def reply(self, room: str, text: str) -> None:
        """Send what was written inside a notification; what can't be sent is a draft."""
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

    def _link_failed(self, _: object) -> None:
        self.tell("No program here opens links; right-click one to copy it")

    # Writing

    def _send(self, text: str) -> str | None:
        problem = self.entry.send(text)
        if problem is None:
            self.unread_line.clear()
            self.transcript.go_to_latest()
        return problem

    def save_draft(self) -> None:
        """Keep what is written now and not sent."""
        self.entry.save()

    @property
    def would_lose(self) -> bool:
        """Whether something is written that can't be kept when the window is closed."""
        reader = self._session.reader
        return not self.connection.can_store and self.entry.differs_from(reader.drafts())

    def _failed(self, out: OutboxMessage, action: str) -> None:
        problem = self.entry.act_on(out, action)
        if problem is not None:
            self.tell(problem)
        elif action == "edit":
            self._write()

    # The window

    def escape(self) -> None:
        """Take away what stands over the conversation or beside its beginning."""
        self.members_panel.hide_over()
        self.find.hide()

    def _toggle_members(self) -> None:
        self.members_panel.toggle()

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self.sidebar.give_way(event.width)
            self.members_panel.put()

    def close(self, *, destroy: bool = True) -> None:
        """No more of this screen; its timers are stopped. `destroy` it now, or do it later."""
        self._menus.stop()
        self._notifications.end(self)
        self.focus_watch.stop()
        self.person_menu.forget()
        self.connection.stop()
        self.entry.stop()
        self._not_opened.close()
        # Before it is destroyed, when the root's bindings can't be changed.
        self.find.stop()
        if destroy:
            self.destroy()


def _done(do: Callable[[], object], _: object) -> str:
    """Do something for a key, and let nothing else come of it."""
    do()
    return "break"
