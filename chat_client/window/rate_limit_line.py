"""The line below the composer about how fast messages may be sent: slow mode, and "slow down"."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Final

from chat_client.state import news
from chat_client.state.outbox_message import OutboxState
from chat_client.window.composer import Composer
from chat_client.window.server_clock import ServerClock
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence
from common.domain.times import duration_text

_SECOND: Final = 1000
"""Milliseconds between two looks at the clock; a suspension stops timers."""
_TOLERANCE: Final = 2.0
"""Seconds by which this computer's idea of the server's time may be wrong."""
_LINGER: Final = 3.0
"""Seconds for which "slow down" is shown beyond the last refusal: a flood is refused again and
again, and the line would flicker."""


def rate_limit_text(seconds: int, next_in: float, *, slow_down: bool, is_moderator: bool) -> str:
    """What the line says in a room with slow mode (0 seconds for none); "" for nothing.

    The next message may be sent in `next_in` seconds. More than the interval can't be right: the
    server's clock was ahead when the last one was sent, and was set since. Then it is not told.
    """
    if slow_down:
        words = whole_sentence(Reason("rate_limited", {"why": "many_messages"}))
        return f"{words} They are sent one after the other."
    if not seconds:
        return ""
    text = f"Slow mode: one message in {duration_text(seconds)}"
    if is_moderator:
        return f"{text} (not for moderators)"
    counts = 0 < next_in <= seconds + _TOLERANCE
    return f"{text}, next in {duration_text(ceil(next_in))}" if counts else text


class RateLimitLine:
    """Shows it for the open room in `composer`. `clock` is the server's."""

    def __init__(
        self, composer: Composer, clock: Callable[[], ServerClock], is_moderator: Callable[[], bool]
    ) -> None:
        self._composer, self._clock, self._is_moderator = composer, clock, is_moderator
        self._room = ""
        self._slow: dict[str, news.SlowModeSeen] = {}
        """By room; only those in slow mode."""
        self._slow_down_until: dict[str, float] = {}
        """By room, on the monotonic clock."""
        self._timer: str | None = None

    def interval(self, room: str) -> int:
        """The seconds of a room's slow mode; 0 for none."""
        slow = self._slow.get(room)
        return 0 if slow is None else slow.seconds

    def open(self, room: str) -> None:
        """Another room is shown."""
        self._room = room
        self.show()

    def take_over(self, former: RateLimitLine) -> None:
        """Show what another one shows, whose place this takes."""
        self._room, self._slow = former._room, former._slow
        self._slow_down_until = former._slow_down_until
        self.show()

    def hear(self, told: news.SlowModeSeen) -> None:
        """Slow mode of a room began, changed or ended, or the next message has another time."""
        self._slow.pop(told.room, None)
        if told.seconds:
            self._slow[told.room] = told
        self.show()

    def held(self, changed: news.OutboxChanged) -> bool:
        """Whether a message is held up by what this line is about: then it says so."""
        reason = changed.reason
        if changed.state is not OutboxState.WAITING or reason is None:
            return False
        if reason.code == "rate_limited" and reason.params.get("why") == "many_messages":
            until = time.monotonic() + (changed.again or 0.0) + _LINGER
            self._slow_down_until[changed.room] = until
            self.show()
            return True
        return reason.code == "slow_mode"

    def show(self) -> None:
        """Show the line as it is now, and again in a second if it counts down."""
        if self._timer is not None:
            self._composer.after_cancel(self._timer)
            self._timer = None
        slow = self._slow.get(self._room)
        next_in = 0.0 if slow is None else (slow.next_at - self._clock().now()) / 1000
        slow_down = self._slow_down_until.get(self._room, 0.0) > time.monotonic()
        text = rate_limit_text(
            0 if slow is None else slow.seconds,
            next_in,
            slow_down=slow_down,
            is_moderator=self._is_moderator(),
        )
        self._composer.note(text)
        if next_in > 0 or slow_down:
            self._timer = self._composer.after(_SECOND, self.show)

    def stop(self) -> None:
        """The window is about to go."""
        if self._timer is not None:
            self._composer.after_cancel(self._timer)
            self._timer = None
