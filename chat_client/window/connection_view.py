"""Shows the connection: the banner, the line beside the room's name, and if one may write."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final

from chat_client.state.status import STORAGE, Link, Status
from chat_client.window.composer import Composer
from chat_client.window.server_clock import ServerClock
from chat_client.window.status_banner import (
    Deed,
    Notice,
    holds,
    next_end,
    notice_of,
    notice_of_delay,
    reason_text,
)
from common.domain.reasons import Reason
from common.ui.widgets.notices import Banner

_LOOK_AGAIN: Final = 60_000
"""Milliseconds after which the clock is looked at in any case: a suspension stops timers."""
_COUNTDOWN: Final = 500
"""Milliseconds between two looks at how long it is until the next try."""


class ConnectionView:
    """Knows the status, and what keeps this account from writing.

    `on_offer` does what the banner offers; `on_line` is to show the line beside the room's name
    anew, which counts down while a try is to come.
    """

    def __init__(
        self,
        widget: tk.Misc,
        banner: Banner,
        composer: Composer,
        *,
        on_offer: Callable[[Deed], object],
        on_line: Callable[[], object],
    ) -> None:
        self._widget, self._banner, self._composer = widget, banner, composer
        self._on_offer = on_offer
        self._on_line = on_line
        self.status = Status(Link.CONNECTING)
        self.waiting = 0
        """Messages on their way out."""
        self._delay: Reason | None = None
        """Why the server, which is connected, takes no message for now, if it does not."""
        self._mute: Reason | None = None
        """Why nothing may be written, if that is so."""
        self._is_former = False
        """Whether the open conversation is with somebody whose account was deleted."""
        self.clock = ServerClock()
        self._ending: str | None = None
        """The timer for when a mute or a ban ends by itself."""
        self._countdown: str | None = None

    @property
    def online(self) -> bool:
        """Whether there is a connection, and this account is signed in."""
        return self.status.link is Link.ONLINE

    @property
    def can_store(self) -> bool:
        """Whether this computer can store what is written, as far as it is known."""
        return self.status.code not in STORAGE

    def take_over(self, former: ConnectionView) -> None:
        """Show what another one shows, whose place this takes."""
        self.clock.take_over(former.clock)
        self._mute, delay = former._mute, former._delay
        self._show_mute()
        self.show_status(former.status, former.waiting)
        self.show_delay(delay)

    # What is told

    def show_status(self, status: Status, waiting: int) -> None:
        """The connection is another."""
        if not self.can_store and status.code not in STORAGE:
            self._composer.renew_reason(
                "Not sent yet. This computer can store messages again: press Enter to send it."
            )
        self.status, self.waiting = status, waiting
        self._delay = None
        if self.online:
            self._banner.hide()
        else:
            self._show(notice_of(status, self.clock.now()))
        self._wait_for_end()

    def show_delay(self, why: Reason | None) -> None:
        """Say why a connected server takes no message for now; None when it has taken one."""
        if not self.online or why == self._delay:
            return  # Without a connection the banner is about that.
        self._delay = why
        if why is not None:
            self._show(notice_of_delay(why))
        else:
            self._banner.hide()

    def show_mute(self, why: Reason | None) -> None:
        """This account may not write any more, or may again."""
        self._mute = why
        self._show_mute()
        self._wait_for_end()

    def show_former(self, *, is_former: bool) -> None:
        """The open conversation is with somebody whose account was deleted, or it is not."""
        if is_former != self._is_former:
            self._is_former = is_former
            self._show_mute()

    def show_line(self) -> None:
        """The line beside the room's name is shown: look at it again while a try is to come."""
        if self.status.link is Link.PAUSED and self._countdown is None:
            self._countdown = self._widget.after(_COUNTDOWN, self._count_down)

    def _count_down(self) -> None:
        self._countdown = None
        self._on_line()

    # What ends by itself, which nobody tells

    def _show_mute(self) -> None:
        why = self._mute
        if why is not None and not holds(why, self.clock.now()):
            why = None
        if self._is_former:
            why = Reason("former_member")
        self._composer.close("" if why is None else reason_text(why))

    def _wait_for_end(self) -> None:
        if self._ending is not None:
            self._widget.after_cancel(self._ending)
            self._ending = None
        reasons = [reason for reason in (self._mute, self.status.reason) if reason is not None]
        wait = next_end(reasons, self.clock.now())
        if wait is not None:
            self._ending = self._widget.after(min(wait + 1, _LOOK_AGAIN), self._look_at_ends)

    def _look_at_ends(self) -> None:
        self._ending = None
        self._show_mute()
        if self.status.code == "banned":
            self._show(notice_of(self.status, self.clock.now()))
        self._wait_for_end()

    def _show(self, notice: Notice | None) -> None:
        if notice is not None:
            offer = notice.offer
            action = None if offer is None else (offer.label, partial(self._on_offer, offer.does))
            self._banner.show(notice.text, notice.tone, action)

    def stop(self) -> None:
        """The window is about to go."""
        for timer in (self._ending, self._countdown):
            if timer is not None:
                self._widget.after_cancel(timer)
        self._ending = self._countdown = None
