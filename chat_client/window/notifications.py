"""Notifies the person of messages on the desktop, by sounds, and by the window's attention state.

`chat_client/notify/policy.py` decides which messages, and when; this module carries out its steps
for the open account, on the Tk thread.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Final, NamedTuple, Protocol, assert_never

from chat_client.notify import policy
from chat_client.notify.policy import SUMMARY, Level, Policy
from chat_client.settings import SettingsStore
from chat_client.state import news
from common.desktop.notification import Notification
from common.desktop.notifier import Activated, App, Dismissed, Replied
from common.limits import TEXT_BYTES
from common.ui.program.desktop_alerts import (
    THIS_COMPUTER,
    Answer,
    Backends,
    DesktopAlerts,
    PolicyTimer,
)

APP: Final = App("Chat", "lan.chat.ChatClient")
_LONGEST_WAIT: Final = 60.0
"""Maximum seconds between two checks whether do not disturb has ended: clocks are set."""
_LONGEST_REPLY: Final = 4 * TEXT_BYTES
"""Maximum characters of an inline reply; the rest is dropped. Far more than can be sent."""
TOGETHER: Final = 500
"""Milliseconds for which missed messages are gathered before they are shown, so that those of
several rooms are coalesced into one notification."""


class Conversations(Protocol):
    """The screen with the account's conversations."""

    def show_message(self, room: str, seq: int) -> None:
        """Open a room at a message."""

    def reply(self, room: str, text: str) -> None:
        """Send the text of an inline reply to a room."""


class People(Protocol):
    """Names of people and rooms, and mentions of this account."""

    me: str

    def full_name(self, username: str) -> str:
        """A name to show for a username that no other person has."""

    def title(self, room: str) -> str:
        """The name of a room to show."""

    def mentions_me(self, text: str) -> bool:
        """Whether a text mentions this account."""


class _Shown(NamedTuple):
    """The room of a notification, and the message that a click on it opens."""

    room: str
    """The room, or SUMMARY for several."""
    target: str
    seq: int


class Notifications:
    """Notifications of one window, for one account at a time.

    `on_quiet()` is called whenever do not disturb may have turned on or off.
    """

    def __init__(
        self, root: tk.Tk, icon: str, store: SettingsStore, backends: Backends = THIS_COMPUTER
    ) -> None:
        self._root, self._store = root, store
        self.desktop = DesktopAlerts(
            root, icon, APP, lambda: store.settings.volume, self._answered, backends
        )
        self.attention = self.desktop.attention
        self._timer = PolicyTimer(root, self._do, self._run, backends.clock)
        self.on_quiet: Callable[[], object] = lambda: None
        self._policy: Policy | None = None
        self._account = ""
        self._conversations: Conversations | None = None
        self._shown: dict[str, _Shown] = {}
        """Key → notification. Closed ones stay: some servers signal a click after the closing."""
        self._running_soon = False
        self._quiet_timer: str | None = None
        self._was_quiet = self.is_quiet
        self._unsubscribe = store.subscribe(self._chosen)
        self._watch_quiet()

    # The account

    def begin(self, account: str, people: People, conversations: Conversations) -> None:
        """Begin to notify for an account, by its key; `conversations` handles clicks and replies.

        If the account is open already, only `conversations` is replaced, by its new screen.
        """
        if self._policy is not None and account == self._account:
            self._conversations = conversations
            return
        if self._conversations is not None:
            self.end(self._conversations)
        self._account, self._conversations = account, conversations
        self._policy = Policy(
            people.me,
            people.mentions_me,
            people.full_name,
            people.title,
            self._store.settings.preferences(account),
        )

    def end(self, conversations: Conversations) -> None:
        """Close all notifications of the account that `conversations` shows, and end it.

        Does nothing if a newer screen has replaced `conversations`.
        """
        if self._conversations is not conversations:
            return
        if self._policy is not None:
            self._policy.stop()
            self._run()
        self._policy = self._conversations = None
        self._shown.clear()
        self.attention.show_count(0)

    def stop(self) -> None:
        """End the open account and cancel all timers, as the window closes."""
        if self._conversations is not None:
            self.end(self._conversations)
        self._unsubscribe()
        self._timer.stop()
        self._stop_quiet_timer()
        self.desktop.stop()

    # Events

    def heard(self, added: news.EventsAdded, *, reading: bool, missing: int = 0) -> None:
        """Handle new events, which the person is `reading` or not; see `Policy.heard`."""
        if self._policy is not None:
            self._policy.heard(
                added.room,
                added.events,
                added.came,
                reading=reading,
                now=_now(),
                read=added.read,
                missing=missing,
            )
            if added.came == "live":
                self._run()
            elif not self._running_soon:
                self._running_soon = True
                self._timer.wake_after(TOGETHER)

    def read(self, room: str) -> None:
        """Close the notification of a room that was read up to its end."""
        if self._policy is not None:
            self._policy.read(room)
            self._run_at_once()

    def forget(self, rooms: Iterable[str] | None) -> None:
        """Forget these rooms, or all with None: their events are fetched again."""
        if self._policy is not None:
            self._policy.forget(rooms)
            self._run_at_once()

    def erased(self, username: str) -> None:
        """Close the notifications with messages of somebody whose messages were removed."""
        if self._policy is not None:
            self._policy.erased(username)
            self._run_at_once()

    def failed(self) -> None:
        """Handle a message that could not be sent."""
        if self._policy is not None and not self.is_quiet:
            self._policy.failed()
            self._run()

    def count(self, unread: int) -> None:
        """Show the number of unread messages of all rooms on the icon."""
        self.attention.show_count(unread)

    # Settings

    def now(self) -> datetime:
        """The local time, which do not disturb depends on."""
        return _now()

    @property
    def is_quiet(self) -> bool:
        """Whether do not disturb is on."""
        return self._store.settings.notifications.quiet.holds(_now())

    @property
    def preferences(self) -> policy.Preferences:
        """The notification settings of the open account."""
        return self._store.settings.preferences(self._account)

    def chosen_level(self, room: str) -> Level | None:
        """The level of a room; None if it has the default."""
        return self._store.settings.preferences(self._account).rooms.get(room)

    def set_level(self, room: str, level: Level | None) -> None:
        """Store the level of a room; None is for the default."""
        self._store.set_level(self._account, room, level)

    def test(self) -> None:
        """Show a test notification, and play a sound."""
        self.desktop.test("A click on one leads to its message.", "message")

    # Carrying out steps

    def _run(self) -> None:
        self._running_soon = False
        if self._policy is None:
            self._timer.stop()
        else:
            self._timer.run(self._policy)

    def _run_at_once(self) -> None:
        """Carry out the steps that are due, unless missed messages are being gathered."""
        if not self._running_soon:
            self._run()

    def _do(self, step: policy.Step) -> None:
        match step:
            case policy.Show():
                key = self._key(step.room)
                self._shown[key] = _Shown(step.room, step.target, step.seq)
                self.desktop.show(
                    Notification(key, step.title, step.body, can_reply=step.room != SUMMARY)
                )
            case policy.Close():
                self.desktop.close(self._key(step.room))
            case policy.Play():
                self.desktop.play(step.sound)
            case policy.Demand():
                self.attention.demand()
            case _:
                assert_never(step)

    def _key(self, room: str) -> str:
        """The key of a room's notification; rooms of different chats have the same ids."""
        return f"{self._account} {room}"

    def _answered(self, answer: Answer) -> None:
        """Handle the person's response to a notification."""
        shown = self._shown.get(answer.key)
        if shown is None or self._policy is None or self._conversations is None:
            return
        # The notification is closed by then.
        match answer:
            case Dismissed():
                self._policy.dismissed(shown.room)
                self._run()
            case Activated():
                if shown.room == SUMMARY:
                    self._policy.dismissed(SUMMARY)
                self._conversations.show_message(shown.target, shown.seq)
            case Replied():
                self._conversations.reply(shown.target, answer.text[:_LONGEST_REPLY])
                self.read(shown.target)
            case _:
                assert_never(answer)

    def _chosen(self) -> None:
        """Apply changed settings."""
        if self._policy is not None:
            self._policy.prefer(self._store.settings.preferences(self._account))
            self._run()
        self._watch_quiet()

    def _watch_quiet(self) -> None:
        """Check whether do not disturb has turned on or off, and schedule the next check."""
        self._stop_quiet_timer()
        chosen, now = self._store.settings.notifications.quiet, _now()
        quiet = chosen.holds(now)
        if quiet != self._was_quiet:
            self._was_quiet = quiet
            if quiet and self._policy is not None:
                self._policy.stop()
                self._run()
            self.desktop.on_state()  # the settings show this, too
        self.on_quiet()
        # Without a time or hours there is no timer: an idle window costs no CPU.
        if chosen.may_change(now):
            self._quiet_timer = self._root.after(self._next_look(), self._look_for_quiet)

    def _stop_quiet_timer(self) -> None:
        if self._quiet_timer is not None:
            self._root.after_cancel(self._quiet_timer)
            self._quiet_timer = None

    def _look_for_quiet(self) -> None:
        self._quiet_timer = None
        self._watch_quiet()

    def _next_look(self) -> int:
        """Milliseconds until the next check: at a whole minute, or when `until` is reached."""
        quiet, now = self._store.settings.notifications.quiet, _now()
        wait = _LONGEST_WAIT - now.second - now.microsecond / 1e6
        if quiet.until > 0:
            left = quiet.until / 1000 - now.timestamp()
            wait = min(wait, left) if left > 0 else wait
        return max(1, ceil(1000 * wait))

    def quiet_for(self, until: int) -> None:
        """Turn do not disturb on until a time (see `Quiet.until`), or off with 0."""
        self._store.set_quiet(replace(self._store.settings.notifications.quiet, until=until))


def _now() -> datetime:
    return datetime.now().astimezone()
