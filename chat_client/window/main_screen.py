"""The main window: rooms and people on the left, the conversation, the members on the right."""

import time
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from typing import Final, assert_never

from chat_client.cache.search import Found
from chat_client.open_account import OpenAccount
from chat_client.state import news
from chat_client.state.moderation import Action, Moderation
from chat_client.state.outbox_message import OutboxMessage, OutboxState
from chat_client.state.status import STORAGE, Link, Status
from chat_client.status_text import describe
from chat_client.window.browser import browse
from chat_client.window.composer import Composer
from chat_client.window.find_bar import FindBar
from chat_client.window.go_to_date import ask as ask_for_day
from chat_client.window.go_to_date import day_menu
from chat_client.window.moderation_dialogs import ask, done, menu_items, question
from chat_client.window.overview import Overview, Presence
from chat_client.window.server_clock import ServerClock
from chat_client.window.sidebar import Members, Sidebar
from chat_client.window.transcript.missing import whole_line
from chat_client.window.transcript.view import Transcript
from common.domain.names import GENERAL, direct_partner, direct_room
from common.domain.reasons import Reason
from common.domain.sentences import sentence, whole_sentence
from common.domain.text import TextRefusedError, check_text
from common.protocol.events import MESSAGE
from common.ui.look.theme import Theme
from common.ui.program.mailbox import Mailbox
from common.ui.widgets.basics import Hairline, Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.dialog import Dialog
from common.ui.widgets.keys import FIND_TITLE
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.notices import FAILURE_TIME, RISE, TOAST_TIME, Banner, Toasts
from common.ui.widgets.safe_text import safe
from common.ui.widgets.selection import copy
from common.ui.widgets.tooltip import Tooltip

_NARROW: Final = 860
"""Below this width, px at 96 dpi, the members give their place to the conversation."""
_DRAFT_PAUSE: Final = 1.0
"""Seconds without a change after which what is written is kept."""
_DRAFT_LATEST: Final = 3.0
"""Seconds from a change until it is kept, however fast somebody types."""
_PRESENCE: Final[dict[Presence, str]] = {
    "online": "Online",
    "offline": "Offline",
    "unknown": "Presence not known",
}

_MENU_WAIT: Final = 300
"""Milliseconds that a menu waits at most for the server's answer."""
_LOOK_AGAIN: Final = 60_000
"""Milliseconds after which the clock is looked at in any case: a suspension stops timers."""
_LATEST: Final = 30
"""Height of the button that leads to the latest message, px at 96 dpi."""
_LATEST_AT: Final = 8
"""Its distance from the lower edge of the conversation, px at 96 dpi."""
_HEADER: Final = 51
"""Height of the header, px at 96 dpi."""
_HEADER_NARROW: Final = 200
"""Below this width, px at 96 dpi, the header has room for the name alone."""


class MainScreen(Panel):
    """One account's conversations. `on_leave` asks for the join screen."""

    def __init__(
        self,
        parent: tk.Tk,
        theme: Theme,
        session: OpenAccount,
        *,
        on_title: Callable[[str], object],
        on_leave: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._window, self._theme, self._session = parent, theme, session
        self._on_title = on_title
        self._on_leave = on_leave
        self.overview = Overview(session.account.username)
        reader = session.reader
        self.overview.load(
            reader.rooms(session.account.username), reader.people(), reader.moderators()
        )
        self.overview.add_room(GENERAL)
        theme.colours.forget()
        theme.colours.meet(self.overview.names)
        self._status = Status(Link.CONNECTING)
        self._waiting = 0
        self._members_wanted = True
        self._members_over = False
        """Whether the members stand over the conversation, in a window too narrow for both."""
        self._drafts = session.reader.drafts()
        """What is written and not sent in the rooms that are not shown."""
        self._saved = dict(self._drafts)
        """What the core was given to keep of them."""
        self._saving: str | None = None
        self._unsaved_since = 0.0
        self._clock: str | None = None
        self._line = ""
        self._held_up: Reason | None = None
        """Why the server, which is connected, takes no message for now, if it does not."""
        self._mute: Reason | None = None
        """Why nothing may be written, if that is so."""
        self._waiting_menu: tuple[str, int, int, str] | None = None
        """Whose menu is to be shown, where, and the timer for when nothing is answered."""
        self._server_clock = ServerClock()
        self._refused: dict[str, Reason] = {}
        """Rooms that the server does not bring on this connection, and why."""
        self.dialog: Dialog | None = None
        """The question that is asked, or was asked last."""
        self._lifting: str | None = None
        """The timer for when a mute or a ban ends by itself."""
        self.room = ""
        self._build()
        self.open(GENERAL)
        self._write()
        self.bind("<FocusIn>", self._focused)

    # Building

    def _build(self) -> None:
        theme = self._theme
        self.sidebar = Sidebar(self, theme, self.open, self._on_leave, self._write)
        self.sidebar.pack(side="left", fill="y")
        self._right = Panel(self, theme, "sidebar")
        self._edge = Hairline(self._right, theme, vertical=True)
        self.members = Members(self._right, theme, self._open_direct, self._person_menu)
        self.members.pack(side="right", fill="both", expand=True)
        self._middle = Panel(self, theme, "window")
        self._middle.pack(side="left", fill="both", expand=True)
        self._build_header()
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
        self.composer.text.bind("<<Modified>>", self._typed, add="+")
        self.composer.pack(side="bottom", fill="x", padx=theme.px(20), pady=theme.px(14))
        self.transcript = Transcript(
            self._middle,
            theme,
            self._session.reader,
            self.overview.name,
            handle_of=self.overview.handle,
            on_bottom=self._bottom,
            on_link=lambda url: open_link(url, self._not_opened.post),
            on_failed=self._failed,
            on_missing=lambda wanted: self._session.ask(lambda core: core.load_history(wanted)),
            on_day=self._day_menu,
        )
        self.transcript.pack(fill="both", expand=True)
        self.toasts = Toasts(self.transcript, theme)
        self._not_opened: Mailbox[str] = Mailbox(self._window, self._link_failed)
        self.latest = Button(
            self.transcript, theme, "Latest", self._to_latest, icon="arrow-down", height=_LATEST
        )
        for keys, go in (
            ("<Prior>", lambda: self.transcript.scroll_pages(-1)),
            ("<Next>", lambda: self.transcript.scroll_pages(1)),
            ("<Control-Home>", self.transcript.go_to_first),
            ("<Control-End>", self.transcript.go_to_latest),
        ):
            self.composer.text.bind(keys, partial(_done, go))
        # What is selected among the messages stays so while one writes, and can be copied then.
        self.composer.editing.copy_instead = self.transcript.copy_selected
        self.bind("<Configure>", self._resized)
        for behind in (self.transcript.text, self.composer.text):
            behind.bind("<Button-1>", lambda _: self._hide_members_over(), add="+")
        # Tab goes through the window as one reads it: it follows the stack, the first made first.
        for part in (self.composer, self._right):
            part.lift()

    def _build_header(self) -> None:
        theme = self._theme
        header = self._header = Panel(self._middle, theme, "window")
        header.configure(height=theme.px(_HEADER))
        header.pack_propagate(False)
        header.pack(fill="x")
        header.bind("<Configure>", lambda _: self._fit_header())
        self._icon = Label(header, theme, icon="hash")
        self._icon.pack(side="left", padx=(theme.px(22), theme.px(6)))
        self.toggle_members = Button(
            header, theme, "", self._toggle_members, variant="quiet", icon="people", icon_size=18
        )
        self.toggle_members.pack(side="right", padx=(0, theme.px(16)))
        Tooltip(self.toggle_members, theme, "Show or hide the members")
        self.toggle_theme = Button(
            header, theme, "", theme.toggle, variant="quiet", icon="moon", icon_size=18
        )
        self.toggle_theme.pack(side="right")
        Tooltip(self.toggle_theme, theme, "Light or dark")
        self.open_find = Button(
            header, theme, "", self._toggle_find, variant="quiet", icon="search", icon_size=18
        )
        self.open_find.pack(side="right")
        Tooltip(self.open_find, theme, f"Find in this conversation ({FIND_TITLE})")
        for button in (self.open_find, self.toggle_theme, self.toggle_members):
            button.lift()
        self._title = Label(header, theme, font="title")
        self._title.pack(side="left")
        self.state = Label(header, theme, tone="muted")
        self.state.pack(side="left", padx=theme.px(16), fill="x", expand=True)
        theme.subscribe(
            self, lambda: self.toggle_theme.set(icon="sun" if theme.mode == "dark" else "moon")
        )

    # News

    def apply(self, told: Sequence[news.News]) -> None:
        """Show what the core told, in its order."""
        for item in told:
            self._show_news(item)
        self._take_back([item for item in told if isinstance(item, news.MessageNotStored)])
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
                self._show_status(item.status, item.waiting)
            case (
                news.PersonSeen()
                | news.PeopleForgotten()
                | news.OnlineListed()
                | news.PresenceSeen()
            ):
                self.overview.hear_of_people(item)
            case news.RoomSeen():
                self._refused.pop(item.room, None)  # it is asked for anew
                self.overview.add_room(item.room)
            case news.EventsAdded():
                self._add_events(item)
            case news.OutboxChanged():
                self._show_outbox(item)
            case news.CacheReset():
                self._start_over(item.rooms)
            case news.EventsUpgraded():
                # Some of it may be messages, which nobody has read yet.
                self.overview.count(self._session.reader.rooms(self.overview.me))
                self._open_again(item.rooms)
            case _:
                self._show_more_news(item)

    def _show_more_news(
        self,
        item: news.AccountChanged
        | news.HistoryAdded
        | news.Listed
        | news.Moderated
        | news.MuteChanged
        | news.MutesListed
        | news.MessageNotStored
        | news.RoleTold
        | news.RoomRefused
        | news.Skipped
        | news.Welcomed,
    ) -> None:
        match item:
            case news.Welcomed():
                self._server_clock.set(item.time, time.monotonic() - item.at)
            case news.RoleTold():
                self.overview.hear_of_role(item.role)
            case news.MuteChanged() | news.Moderated() | news.MutesListed():
                self._show_moderation(item)
            case news.HistoryAdded() | news.Skipped() | news.RoomRefused() | news.Listed():
                self._hear_of_history(item)
            case news.AccountChanged() | news.MessageNotStored():
                pass  # All that was not kept is given back together.
            case _:
                assert_never(item)

    def _show_sanctions(self) -> None:
        """Close the composer while this account is muted, and offer what helps who is banned.

        Both end by themselves, which nobody tells.
        """
        if self._lifting is not None:
            self.after_cancel(self._lifting)
            self._lifting = None
        now = self._server_clock.now()
        mute = self._mute if self._mute is not None and _holds(self._mute, now) else None
        self.composer.close("" if mute is None else _sentence(mute))
        if self._status.code == "banned":
            may_return = not _holds(self._status.reason, now)
            self.banner.show(
                _sentence(self._status.reason),
                "slow",
                ("Sign in again", self._connect) if may_return else None,
            )
        reasons = [reason for reason in (mute, self._status.reason) if reason is not None]
        ends = [reason.params.get("until") for reason in reasons]
        later = [end - now for end in ends if isinstance(end, int) and end > now]
        if later:
            self._lifting = self.after(min(min(later) + 1, _LOOK_AGAIN), self._show_sanctions)

    def _person_menu(self, username: str, x: int, y: int) -> None:
        """What can be done about a member; for a moderator, once it is known who is muted."""
        if not self.overview.may_moderate(username):
            self._show_menu(username, x, y, None)
            return
        self._forget_menu()
        timer = self.after(_MENU_WAIT, lambda: self._show_waiting_menu(None))
        self._waiting_menu = (username, x, y, timer)
        self._session.ask(lambda core: core.list_mutes())

    def _forget_menu(self) -> tuple[str, int, int] | None:
        """The menu that waits, which does so no more."""
        waiting, self._waiting_menu = self._waiting_menu, None
        if waiting is None:
            return None
        username, x, y, timer = waiting
        self.after_cancel(timer)
        return username, x, y

    def _show_waiting_menu(self, muted: frozenset[str] | None) -> None:
        waiting = self._forget_menu()
        if waiting is not None:
            username, x, y = waiting
            self._show_menu(username, x, y, None if muted is None else username in muted)

    def _show_menu(self, username: str, x: int, y: int, muted: bool | None) -> None:
        items = []
        if username != self.overview.me:
            items.append(MenuItem("Message", lambda: self._open_direct(username)))
        items.append(MenuItem("Copy username", lambda: copy(self, username)))
        if self.overview.may_moderate(username):
            do = menu_items(lambda action: self._moderate(username, action), muted=muted)
            items += [MenuItem(), *do]
        popup(self, self._theme, items, x, y)

    def _moderate(self, username: str, action: Action) -> None:
        wanted: Moderation | None = Moderation(action, username)
        if action != "unmute":
            name = self.overview.name(username)
            self.dialog = question(self._window, self._theme, action, name)
            wanted = ask(self.dialog, action, username, self._server_clock.now)
        if wanted is not None and self.winfo_exists():
            self._session.ask(lambda core: core.moderate(wanted))

    def _show_moderation(self, item: news.MuteChanged | news.Moderated | news.MutesListed) -> None:
        if isinstance(item, news.MuteChanged):
            self._mute = item.reason
            self._show_sanctions()
        elif isinstance(item, news.MutesListed):
            self._show_waiting_menu(item.usernames)
        elif item.why is None:
            name = self.overview.name(item.what.username)
            self._toast(done(item.what.action, name, item.note), TOAST_TIME)
        else:
            self._toast(f"Not done: {safe(sentence(item.why))}", FAILURE_TIME)

    def _toast(self, text: str, milliseconds: int) -> None:
        # Above the button that leads to the latest message.
        rise = _LATEST_AT + _LATEST + 8 if self.latest.winfo_manager() else RISE
        self.toasts.show(text, milliseconds, rise=rise)

    def _hear_of_history(
        self, item: news.HistoryAdded | news.Skipped | news.RoomRefused | news.Listed
    ) -> None:
        match item:
            case news.HistoryAdded():
                self._add_history(item)
            case news.Skipped():
                self.overview.skip(item.room, item.after, item.head)
                if item.room == self.room:
                    self._bring_newest()
            case news.RoomRefused():
                self._refused[item.room] = item.reason
                self._say_refused()
            case news.Listed():
                self.transcript.look_again()
            case _:
                assert_never(item)

    def _say_refused(self) -> None:
        """Say so if nothing new comes in the open room on this connection."""
        reason = self._refused.get(self.room)
        if reason is not None:
            self._toast(f"Nothing new comes here: {safe(sentence(reason))}", FAILURE_TIME)

    def _add_history(self, added: news.HistoryAdded) -> None:
        self.transcript.history_added(added)
        if added.why is not None and (added.wanted.at is not None or added.wanted.around == 1):
            self._toast(whole_line(added.why, "those"), FAILURE_TIME)
        if added.places and added.wanted == news.Wanted(added.room):
            me = self.overview.me
            self.overview.count(self._session.reader.rooms(me, only=added.room))
            if added.room == self.room:
                self._bottom(self.transcript.at_bottom)

    def _bring_newest(self) -> None:
        """If the newest page of the open room is to come, have it come before others'."""
        newest = news.Wanted(self.room)
        self._session.ask(lambda core: core.load_history(newest))

    def _show_outbox(self, changed: news.OutboxChanged) -> None:
        self._waiting = changed.waiting
        if changed.state is not OutboxState.WAITING:
            self._show_held_up(None)
        elif changed.reason is not None:
            self._show_held_up(changed.reason)
        if changed.room == self.room:
            self.transcript.refresh_outbox()

    def _show_held_up(self, why: Reason | None) -> None:
        """Say why a connected server takes no message for now; None when it has taken one."""
        if self._status.link is not Link.ONLINE or why == self._held_up:
            return  # Without a connection the strip is about that.
        self._held_up = why
        if why is not None:
            self.banner.show(f"{_sentence(why)} What you write is kept and sent later.", "away")
        else:
            self.banner.hide()

    def _start_over(self, rooms: tuple[str, ...] | None) -> None:
        """Begin with nothing and not with the cache, which may be ahead of the news."""
        if rooms is None:
            self.overview.load([], {})
            self.overview.add_room(GENERAL)
            self.open(GENERAL, again=True)
            return
        self.overview.forget(rooms)
        self._open_again(rooms)

    def _open_again(self, rooms: tuple[str, ...]) -> None:
        """What stands in these rooms is another now."""
        if self.room in rooms:
            self.open(self.room, again=True)

    def _add_events(self, added: news.EventsAdded) -> None:
        here = added.room == self.room
        if here:
            self.transcript.add(added.events)
        seen = here and self.transcript.at_bottom and self._has_focus()
        self.overview.add_events(added.room, added.events, seen=seen, read=added.read)
        if seen:
            self._mark_read(added.room, added.events[-1].seq)
        elif here:
            self._show_latest()

    def _refresh(self) -> None:
        server = self._session.account.invite.server_name
        self.overview.call_chat(server)
        self.sidebar.show(self.overview, self.room, self._session.account)
        self.members.show(self.overview, self.room)
        unread = self.overview.all_unread
        title = self.overview.title(self.room)
        self._on_title(f"{f'({unread}) ' if unread else ''}{safe(title)} — {safe(server)}")
        self._show_state()

    # Status

    def _go_offline(self) -> None:
        """Nobody's presence is known, and nothing that was asked for comes."""
        self._refused.clear()
        self.overview.offline()
        self.transcript.disconnected()

    def _show_status(self, status: Status, waiting: int) -> None:
        if self._status.code in STORAGE and status.code not in STORAGE:
            self.composer.renew_reason(
                "Not sent yet. This computer can store messages again: press Enter to send it."
            )
        self._status, self._waiting = status, waiting
        self._held_up = None
        if status.code == "banned":
            self._go_offline()
            self._show_sanctions()
            return
        match status.link:
            case Link.ONLINE | Link.CONNECTING:
                if status.link is Link.ONLINE:
                    self.banner.hide()
            case Link.PAUSED if status.code in STORAGE:
                self._go_offline()
                self.banner.show(
                    _sentence(status.reason) + " What you write stays in its field until it can be "
                    "kept.",
                    "slow",
                    ("Try now", self._connect),
                )
            case Link.PAUSED:
                self._go_offline()
                self.banner.show(
                    _sentence(status.reason) + " What you write is kept and sent later.",
                    "away",
                    ("Try now", self._connect),
                )
            case Link.SIGNED_OUT:
                self._go_offline()
                self.banner.show(
                    _why_signed_out(status.reason),
                    "slow",
                    ("Sign in again", self._connect),
                )
            case Link.STOPPED:
                self._go_offline()
                self.banner.show(_sentence(status.reason), "slow", ("Try again", self._connect))
            case Link.REFUSED:
                self._go_offline()
                self.banner.show(
                    _sentence(status.reason),
                    "slow",
                    # Another invite is no help where one of the programs is too old.
                    ("Try again", self._connect)
                    if status.code in {"version", "client_too_old", "server_too_old"}
                    else ("Join again", self._on_leave),
                )

    def _show_state(self) -> None:
        """The line beside the room's name; it counts down while a try is to come."""
        line = describe(self._status, self._waiting, time.monotonic())
        if self._status.link is Link.ONLINE:
            partner = direct_partner(self.room, self.overview.me)
            if partner is None:
                count = self.overview.count_members(self.room)
                line = f"{count} member{'s' if count != 1 else ''} · {line}"
            else:
                # Whose is which must be plain: the other one may be away while we are connected.
                presence = _PRESENCE[self.overview.presence(partner)]
                line = f"{presence} · you are {line[0].lower()}{line[1:]}"
        self._line = safe(line)
        self._fit_header()
        if self._status.link is Link.PAUSED and self._clock is None:
            self._clock = self.after(500, self._tick)

    def _fit_header(self) -> None:
        """The room's name and the state in what the buttons leave, the name first.

        Of a state that is too long its first parts go: the banner says them, or they are known.
        """
        theme = self._theme
        # One more for each of what is rounded up.
        width = self._header.winfo_width() - theme.px(22 + 16 + 6 + 2 * 16 + 16) - 4
        for button in (self.toggle_members, self.toggle_theme, self.open_find):
            width -= button.winfo_reqwidth()
        fonts, line = theme.fonts, self._line
        title = safe(self.overview.title(self.room))
        if width < theme.px(_HEADER_NARROW):
            line = ""
        room = max(width - fonts.width("body", line), width * 6 // 10)
        title = fonts.fit("title", title, room)
        self._title.set(title)
        width -= fonts.width("title", title)
        while " · " in line and fonts.width("body", line) > width:
            line = line.partition(" · ")[2]
        self.state.set(fonts.fit("body", line, max(0, width)))

    def _tick(self) -> None:
        self._clock = None
        self._show_state()

    # Rooms

    def open(self, room: str, *, again: bool = False) -> None:
        """Show a room and everything about it."""
        if room == self.room and not again:
            return
        if self.room:
            self.save_draft()
            self._drafts[self.room] = self.composer.draft
        self.find.hide()
        self._hide_members_over()
        partner = direct_partner(room, self.overview.me)
        title = safe(self.overview.title(room))
        self._icon.set_icon("hash" if partner is None else "person")
        draft = self._drafts.pop(room, "")
        if room != self.room:  # Else somebody may be writing in the middle of it.
            self.composer.set_draft(draft)
        self.room = room
        self.composer.set_hint(f"Message {'#' if partner is None else ''}{title}")
        self.transcript.show(room, self.overview.me)
        if self._status.link is Link.ONLINE:
            self._bring_newest()
        self._read()
        self._refresh()
        self._say_refused()

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

        def keep(dialog: Dialog) -> None:
            self.dialog = dialog

        at = ask_for_day(self._window, self._theme, keep)
        if at is not None and self.winfo_exists():
            self.transcript.go_to_time(at)

    def _day_menu(self, sent_at: int | None) -> None:
        """Offer other days from the heading of one; without one, ask."""
        if sent_at is None:
            self.go_to_date()
            return
        items = day_menu(self.transcript, sent_at, self.go_to_date)
        popup(self, self._theme, items, *self.winfo_pointerxy())

    def _show_latest(self) -> None:
        """Offer the way to the newest message while it is not in view, and say what is new."""
        if self.transcript.at_bottom:
            self.latest.place_forget()
            return
        count = self.overview.unread.get(self.room, 0)
        self.latest.set(f"Latest · {count:,} new" if count else "Latest")
        self.latest.place(relx=0.5, rely=1, y=-self._theme.px(_LATEST_AT), anchor="s")

    def _open_direct(self, username: str) -> None:
        if username == self.overview.me:
            return
        room = direct_room(self.overview.me, username)
        self._session.ask(lambda core: core.open_room(room))
        self.overview.add_room(room)
        self.open(room)
        self._write()

    def _connect(self) -> None:
        self._session.ask(lambda core: core.connect_now())

    def _mark_read(self, room: str, seq: int) -> None:
        self._session.ask(lambda core: core.mark_read(room, seq))

    def _read(self) -> None:
        """What is in view now counts as read."""
        latest = self._session.reader.latest(self.room, 1)
        if latest and self.overview.unread.get(self.room):
            self._mark_read(self.room, latest[-1].seq)
        self.overview.mark_read(self.room)

    def _focused(self, _: object) -> None:
        if self.overview.unread.get(self.room) and self.transcript.at_bottom:
            self._read()
            self._refresh()

    def _has_focus(self) -> bool:
        # focus_displayof fails on widgets that Tk made itself, such as a menu's.
        return bool(self.tk.call("focus", "-displayof", "."))

    def _bottom(self, at_bottom: bool) -> None:
        self._show_latest()
        if at_bottom and self._has_focus() and self.overview.unread.get(self.room):
            self._read()
            self._refresh()

    def _link_failed(self, _: object) -> None:
        self._toast("No program here opens links; right-click one to copy it", FAILURE_TIME)

    def _to_latest(self) -> None:
        self.transcript.show_latest()
        self._read()
        self._refresh()
        self._write()

    # Writing

    def _send(self, text: str) -> str | None:
        try:
            check_text(text)
        except TextRefusedError as error:
            return str(error)[:1].upper() + str(error)[1:] + "."
        room = self.room
        self._saved[room] = ""  # Erased with the sending.
        self._session.ask(lambda core: core.send(room, MESSAGE, {"text": text}))
        self.transcript.go_to_latest()
        return None

    def _take_back(self, items: Sequence[news.MessageNotStored]) -> None:
        """What could not be kept stands where it was written, before what was written since."""
        for room in dict.fromkeys(item.room for item in items):
            texts = [item.text for item in items if item.room == room]
            self._saved.pop(room, None)
            if room == self.room:
                why = next(item.why for item in items if item.room == room)
                self.composer.give_back(
                    "\n".join(filter(None, (*texts, self.composer.draft))),
                    f"Not sent. {_sentence(why)} Your text stays here: send it again later.",
                )
            else:
                self._drafts[room] = "\n".join(filter(None, (*texts, self._drafts.get(room))))
                self._keep_draft(room, self._drafts[room])

    def _typed(self, _: object) -> None:
        """Keep the draft when the typing pauses, and now and then while it goes on."""
        now = time.monotonic()
        if self._saving is None:
            self._unsaved_since = now
        else:
            self.after_cancel(self._saving)
        latest = self._unsaved_since + _DRAFT_LATEST - now
        self._saving = self.after(
            round(1000 * max(0.0, min(_DRAFT_PAUSE, latest))), self.save_draft
        )

    def save_draft(self) -> None:
        """Keep what is written now and not sent."""
        if self._saving is not None:
            self.after_cancel(self._saving)
            self._saving = None
        self._keep_draft(self.room, self.composer.draft)

    def _keep_draft(self, room: str, text: str) -> None:
        text = text if text.strip() else ""
        if text != self._saved.get(room, ""):
            self._saved[room] = text
            self._session.ask(lambda core: core.save_draft(room, text))

    @property
    def would_lose(self) -> bool:
        """Whether something is written that can't be kept when the window is closed."""
        if self._status.code not in STORAGE:
            return False
        kept = self._session.reader.drafts()
        written = {**self._drafts, self.room: self.composer.draft}
        return any(text.strip() and text != kept.get(room) for room, text in written.items())

    def _failed(self, out: OutboxMessage, action: str) -> None:
        if action == "again":
            if self.composer.closed:
                self._toast(self.composer.why_closed, FAILURE_TIME)
            else:
                self._session.ask(lambda core: core.send_again(out.cid))
            return
        if action == "edit":
            # Below what may be half written there.
            self.composer.set_draft("\n".join(filter(None, (self.composer.draft, out.text))))
            # Kept as a draft before it leaves the outbox: a crash in between loses nothing.
            self.save_draft()
            self._write()
        self._session.ask(lambda core: core.drop(out.cid))

    # The window

    def escape(self) -> None:
        """Take away what stands over the conversation or beside its beginning."""
        self._hide_members_over()
        self.find.hide()

    @property
    def _is_narrow(self) -> bool:
        return self.winfo_width() < self._theme.px(_NARROW)

    def _toggle_members(self) -> None:
        shown = bool(self._right.winfo_manager())
        if self._is_narrow:
            self._members_over = not shown
        else:
            self._members_wanted = not shown
        self._place_members()

    def _hide_members_over(self) -> None:
        if self._members_over:
            self._members_over = False
            self._place_members()

    def _resized(self, event: "tk.Event[tk.Misc]") -> None:
        if event.widget is self:
            self.sidebar.give_way(event.width)
            self._place_members()

    def _place_members(self) -> None:
        """Beside the conversation; over it, below the header, where there is no room for both."""
        right = self._right
        wanted = ("place" if self._members_over else "") if self._is_narrow else ""
        if not self._is_narrow:
            self._members_over = False
            wanted = "pack" if self._members_wanted else ""
        if right.winfo_manager() == wanted:
            return
        right.pack_forget()
        right.place_forget()
        if wanted == "pack":
            self._edge.pack_forget()
            right.pack(side="right", fill="y", before=self._middle)
        elif wanted == "place":
            self._edge.pack(side="left", fill="y")
            top = self._theme.px(_HEADER) + self._theme.px(1)
            right.place(in_=self._middle, relx=1, y=top, anchor="ne", relheight=1, height=-top)

    def close(self) -> None:
        """No more of this screen; its timers are stopped."""
        self._forget_menu()
        for timer in (self._clock, self._saving, self._lifting):
            if timer is not None:
                self.after_cancel(timer)
        self._clock = self._saving = self._lifting = None
        self._not_opened.close()
        self.destroy()


def _sentence(reason: Reason) -> str:
    """A reason in words, shown harmlessly: some of them may be a host's."""
    return safe(whole_sentence(reason))


def _holds(reason: Reason, now: int) -> bool:
    """Whether what it tells of has not ended by itself."""
    until = reason.params.get("until")
    return not isinstance(until, int) or now < until


def _why_signed_out(reason: Reason) -> str:
    if reason.code in {"terminated", "banned"}:
        return _sentence(reason)  # It says so itself.
    return f"You were signed out: {safe(sentence(reason).rstrip('.'))}."


def _done(do: Callable[[], object], _: object) -> str:
    """Do something for a key, and let nothing else come of it."""
    do()
    return "break"


def open_link(url: str, failed: Callable[[str], object]) -> None:
    """Open a link in the browser, on a thread: some systems take seconds for it.

    `failed(url)` is called on that thread when no program of the system takes it.
    """
    if url.lower().startswith(("http://", "https://")):
        Thread(target=_browse, args=(url, failed), name="browser", daemon=True).start()


def _browse(url: str, failed: Callable[[str], object]) -> None:
    if not browse(url):
        failed(url)
