"""Tells the person what comes while they do something else: by the desktop, sounds and the window.

What is told, and when, is decided by `chat_client/notify/policy.py`; this carries it out for the
account that is open, on the Tk thread.
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
"""Seconds after which the end of do not disturb is looked for again: clocks are set."""
_LONGEST_REPLY: Final = 4 * TEXT_BYTES
"""Characters of an answer that are taken from a notification server: far more than can be sent."""
TOGETHER: Final = 500
"""Milliseconds for which what was missed waits for more of it: rooms that come together are told
together."""


class Conversations(Protocol):
    """What shows the account's conversations."""

    def show_message(self, room: str, seq: int) -> None:
        """Open a room at a message."""

    def reply(self, room: str, text: str) -> None:
        """Send a text that was written inside a notification."""


class People(Protocol):
    """The words for people and rooms, and who is mentioned."""

    me: str

    def full_name(self, username: str) -> str:
        """How somebody is called, such that nobody else is."""

    def title(self, room: str) -> str:
        """What a room is called."""

    def mentions_me(self, text: str) -> bool:
        """Whether a text mentions this account."""


class _Shown(NamedTuple):
    """What a notification tells of, and the message that a click on it leads to."""

    room: str
    """Or SUMMARY."""
    target: str
    seq: int


class Notifications:
    """One for the window. `on_quiet()` is called when do not disturb begins or ends."""

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
        """By key, also of what was taken away: servers may tell of a click on it afterwards."""
        self._running_soon = False
        self._quiet_timer: str | None = None
        self._was_quiet = self.is_quiet
        self._unsubscribe = store.subscribe(self._chosen)
        self._watch_quiet()

    # The account

    def begin(self, account: str, people: People, conversations: Conversations) -> None:
        """An account is open, by its key; `conversations` shows it.

        Those of an account that is open already may be shown by something new.
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
        """Nothing is told of these any more, and nothing of them stays on the screen.

        Does nothing where others have taken their place.
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
        """The window closes."""
        if self._conversations is not None:
            self.end(self._conversations)
        self._unsubscribe()
        self._timer.stop()
        self._stop_quiet_timer()
        self.desktop.stop()

    # What happens

    def heard(self, added: news.EventsAdded, *, reading: bool, missing: int = 0) -> None:
        """Events came, and `missing` messages before them did not; the person sees them, or not."""
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
        """The person has seen a room up to its end."""
        if self._policy is not None:
            self._policy.read(room)
            self._run_at_once()

    def forget(self, rooms: Iterable[str] | None) -> None:
        """These rooms, or all, are fetched again from their beginnings."""
        if self._policy is not None:
            self._policy.forget(rooms)
            self._run_at_once()

    def failed(self) -> None:
        """A message could not be sent."""
        if self._policy is not None and not self.is_quiet:
            self._policy.failed()
            self._run()

    def count(self, unread: int) -> None:
        """So many messages are unread in all rooms."""
        self.attention.show_count(unread)

    # What is chosen

    def now(self) -> datetime:
        """The local time by which it is decided whether anything may disturb."""
        return _now()

    @property
    def is_quiet(self) -> bool:
        """Whether do not disturb is on."""
        return self._store.settings.notifications.quiet.holds(_now())

    @property
    def preferences(self) -> policy.Preferences:
        """What is chosen for the account that is open."""
        return self._store.settings.preferences(self._account)

    def chosen_level(self, room: str) -> Level | None:
        """What was chosen for a room alone; None where it is as all are."""
        return self._store.settings.preferences(self._account).rooms.get(room)

    def set_level(self, room: str, level: Level | None) -> None:
        """Choose it for a room; None is as for all."""
        self._store.set_level(self._account, room, level)

    def test(self) -> None:
        """Show a notification and play a sound, as a person wants to see what they are like."""
        self.desktop.test("A click on one leads to its message.", "message")

    # Carrying out

    def _run(self) -> None:
        self._running_soon = False
        if self._policy is None:
            self._timer.stop()
        else:
            self._timer.run(self._policy)

    def _run_at_once(self) -> None:
        """Do what is due, unless that is about to be done for what was missed."""
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
        """Rooms of different chats have the same names."""
        return f"{self._account} {room}"

    def _answered(self, answer: Answer) -> None:
        """The person did something with a notification."""
        shown = self._shown.get(answer.key)
        if shown is None or self._policy is None or self._conversations is None:
            return
        # It is gone from the screen by that.
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
        """A setting is another one."""
        if self._policy is not None:
            self._policy.prefer(self._store.settings.preferences(self._account))
            self._run()
        self._watch_quiet()

    def _watch_quiet(self) -> None:
        """See whether do not disturb has begun or ended, now and when it next may."""
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
        # Nothing wakes a window for which no time is set.
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
        """Milliseconds until the clock is looked at again: at the next whole minute or the end."""
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
