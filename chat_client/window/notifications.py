"""Tells the person what comes while they do something else: by the desktop, sounds and the window.

What is told, and when, is decided by `chat_client/notify/policy.py`; this carries it out for the
account that is open, on the Tk thread.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, assert_never

from chat_client.notify import policy
from chat_client.notify.policy import SUMMARY, Level, Policy
from chat_client.settings import SettingsStore
from chat_client.state import news
from common.desktop.descriptions import describe_player, describe_state
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    Notifier,
    NotifierState,
    Replied,
    make_notifier,
)
from common.limits import TEXT_BYTES
from common.ui.program.attention import Attention
from common.ui.program.mailbox import Mailbox

if TYPE_CHECKING:
    from common.desktop.sound import SoundPlayer

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
        self,
        root: tk.Tk,
        icon: str,
        store: SettingsStore,
        *,
        make: Callable[[App, Callable[[Event], object]], Notifier] = make_notifier,
        player: SoundPlayer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._store, self._clock = root, store, clock
        self.attention = Attention(root, icon)
        self._mailbox: Mailbox[Event] = Mailbox(root, self._told)
        self._notifier = make(APP, self._mailbox.post)
        self._made_player = player
        self.state = NotifierState()
        self.on_quiet: Callable[[], object] = lambda: None
        self.on_state: Callable[[], object] = lambda: None
        self._policy: Policy | None = None
        self._account = ""
        self._conversations: Conversations | None = None
        self._shown: dict[str, _Shown] = {}
        """By key, also of what was taken away: servers may tell of a click on it afterwards."""
        self._timer: str | None = None
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
        self._mailbox.close()
        for timer in (self._timer, self._quiet_timer):
            if timer is not None:
                self._root.after_cancel(timer)
        self._timer = self._quiet_timer = None
        self._notifier.stop()
        if self._made_player is not None:
            self._made_player.stop()

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
                self._run_after(TOGETHER)

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

    def status(self) -> str:
        """How notifications and sounds are shown here, in sentences."""
        if self.state.code is Code.UNKNOWN:
            self._notifier.look()
        return f"{describe_state(self.state)} {describe_player(self._player.found())}"

    def test(self) -> None:
        """Show a notification and play a sound, as a person wants to see what they are like."""
        self._notifier.show(
            Notification("test", "This is a notification", "A click on one leads to its message.")
        )
        self._play("message")

    # Carrying out

    def _run(self) -> None:
        self._running_soon = False
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None
        if self._policy is None:
            return
        for step in self._policy.due(self._clock()):
            self._do(step)
        deadline = self._policy.deadline()
        if deadline is not None:
            self._run_after(max(1, ceil(1000 * (deadline - self._clock()))))

    def _run_at_once(self) -> None:
        """Do what is due, unless that is about to be done for what was missed."""
        if not self._running_soon:
            self._run()

    def _run_after(self, milliseconds: int) -> None:
        if self._timer is not None:
            self._root.after_cancel(self._timer)
        self._timer = self._root.after(milliseconds, self._run_later)

    def _run_later(self) -> None:
        self._timer = None
        self._run()

    def _do(self, step: policy.Step) -> None:
        match step:
            case policy.Show():
                key = self._key(step.room)
                self._shown[key] = _Shown(step.room, step.target, step.seq)
                self._notifier.show(
                    Notification(key, step.title, step.body, can_reply=step.room != SUMMARY)
                )
            case policy.Close():
                self._notifier.close(self._key(step.room))
            case policy.Play():
                self._play(step.sound)
            case policy.Demand():
                self.attention.demand()
            case _:
                assert_never(step)

    def _key(self, room: str) -> str:
        """Rooms of different chats have the same names."""
        return f"{self._account} {room}"

    def _play(self, sound: policy.Sound) -> None:
        from common.desktop.sound import Sound

        self._player.play(Sound(sound), self._store.settings.volume / 100)

    @property
    def _player(self) -> SoundPlayer:
        """What plays sounds, loaded for the first one."""
        if self._made_player is None:
            from common.desktop.sound import SoundPlayer

            self._made_player = SoundPlayer()
        return self._made_player

    def _told(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Found):
                self.state = event.state
                self.on_state()
            else:
                self._answered(event)

    def _answered(self, event: Activated | Replied | Dismissed) -> None:
        """The person did something with a notification."""
        if isinstance(event, Activated):
            self.attention.raise_window(event.token or None)
        shown = self._shown.get(event.key)
        if shown is None or self._policy is None or self._conversations is None:
            return
        # It is gone from the screen by that.
        match event:
            case Dismissed():
                self._policy.dismissed(shown.room)
                self._run()
            case Activated():
                if shown.room == SUMMARY:
                    self._policy.dismissed(SUMMARY)
                self._conversations.show_message(shown.target, shown.seq)
            case Replied():
                self._conversations.reply(shown.target, event.text[:_LONGEST_REPLY])
                self.read(shown.target)
            case _:
                assert_never(event)

    def _chosen(self) -> None:
        """A setting is another one."""
        if self._policy is not None:
            self._policy.prefer(self._store.settings.preferences(self._account))
            self._run()
        self._watch_quiet()

    def _watch_quiet(self) -> None:
        """See whether do not disturb has begun or ended, now and when it next may."""
        if self._quiet_timer is not None:
            self._root.after_cancel(self._quiet_timer)
            self._quiet_timer = None
        chosen, now = self._store.settings.notifications.quiet, _now()
        quiet = chosen.holds(now)
        if quiet != self._was_quiet:
            self._was_quiet = quiet
            if quiet and self._policy is not None:
                self._policy.stop()
                self._run()
            self.on_state()
        self.on_quiet()
        # Nothing wakes a window for which no time is set.
        if chosen.may_change(now):
            self._quiet_timer = self._root.after(self._next_look(), self._look_for_quiet)

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
