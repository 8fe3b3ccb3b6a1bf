"""Pages of the open conversation that are not cached: requests, retries, and the notice. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from chat_client.state.news import Wanted
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.ui.widgets.safe_text import safe

PATIENCE: Final = 0.3
"""Seconds without a reply after which a notice says that messages are being loaded."""
RETRY: Final = 1.0
"""Initial pause in seconds before a failed request is retried; doubled with each failure."""
LONGEST: Final = 8.0
"""Maximum pause in seconds; a server may request a longer one."""


def whole_line(why: Reason | None, which: str, *, yet: bool = False) -> str:
    """The notice that messages can't be loaded (`yet`), safe to draw; `which`, such as "older"."""
    messages, loaded = f"{which.capitalize()} messages", "loaded yet" if yet else "loaded"
    if why is None:
        return f"{messages} can’t be {loaded}"
    if why.code == "lost":
        return f"{messages} are on the server, not connected"
    if "busy" in (why.code, why.params.get("why")):
        why = Reason("unreadable")  # by itself it is about what can't be stored
    return f"{messages} can’t be {loaded}: {safe(sentence(why).rstrip('.'))}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request: the reason, the number of failures, and when a retry is allowed (`at`).

    `by_itself`: it is retried automatically; else when the person scrolls there.
    """

    why: Reason | None
    times: int
    at: float
    by_itself: bool


class Missing:
    """The requests of one conversation; `ask(wanted)` sends one. Times are in seconds."""

    def __init__(self, ask: Callable[[Wanted], object]) -> None:
        self._ask = ask
        self._asked: dict[Wanted, float] = {}
        self._failed: dict[Wanted, Failure] = {}
        """Failures stay here during a retry, until the page arrives."""

    def forget(self) -> None:
        """Forget all requests: another conversation is shown, or the connection is a new one."""
        self._asked.clear()
        self._failed.clear()

    def lost(self, now: float) -> None:
        """Mark all pending requests as failed: the connection was lost."""
        for wanted in list(self._asked):
            self.failed(wanted, Reason("lost"), None, now)

    def want(self, wanted: Wanted, now: float) -> None:
        """Request a page, unless the request is pending or its retry is not allowed yet."""
        failure = self._failed.get(wanted)
        if wanted in self._asked or (failure is not None and now < failure.at):
            return
        self._asked[wanted] = now
        self._ask(wanted)

    def came(self, wanted: Wanted) -> None:
        """A page arrived."""
        self._asked.pop(wanted, None)
        self._failed.pop(wanted, None)

    def failed(self, wanted: Wanted, why: Reason | None, again: float | None, now: float) -> None:
        """A request failed, with its reason if that is known; `again` as in HistoryAdded."""
        if self._asked.pop(wanted, None) is None:
            return
        before = self._failed.get(wanted)
        times = 1 if before is None else before.times + 1
        pause = min(RETRY * 2 ** (times - 1), LONGEST)
        if again is not None:
            pause = max(pause, again)
        elif why is not None and why.code != "lost":
            pause = inf  # on this connection
        self._failed[wanted] = Failure(why, times, now + pause, by_itself=again is not None)

    def next_try(self, now: float) -> float | None:
        """Seconds until the next automatic retry; None if there is none.

        A page not wanted any more when its time comes is retried when the person scrolls there.
        """
        failures = (self._failed[wanted] for wanted in self._failed.keys() - self._asked.keys())
        pauses = [failure.at - now for failure in failures if failure.by_itself]
        return min((pause for pause in pauses if pause > 0), default=None)

    def line(self, wanted: Wanted, which: str, now: float) -> str:
        """The notice about one page, of `which` messages, such as "older"; "" for none (yet)."""
        if wanted in self._asked and now - self._asked[wanted] >= PATIENCE:
            return f"Loading {which} messages…"
        failure = self._failed.get(wanted)
        if failure is None:
            return ""
        line = whole_line(failure.why, which, yet=failure.by_itself)
        return line if failure.why is not None else f"{line}. Scroll to try again"

    def notice(
        self,
        room: str | None,
        target: Wanted | None,
        above: int | None,
        below: int | None,
        now: float,
    ) -> tuple[str, bool]:
        """The notice ("" for none), and whether it belongs at the top instead of the bottom.

        A page that the person jumped to (`target`) takes precedence. Otherwise it is about what is
        missing before the `seq` `above`, the first of the list, or after `below`, the last of the
        list but not of the room; None for an end that is not in view.
        """
        if room is None:
            return "", True
        if target is not None:
            which = "the first" if target.at is None else "that day’s"
            return self.line(target, which, now), True
        if above is not None:
            line = self.line(Wanted(room, before=above), "older", now)
            if line:
                return line, True
        if below is not None:
            return self.line(Wanted(room, around=below + 1), "newer", now), False
        return "", True

    @property
    def waits(self) -> bool:
        """Whether a request is pending."""
        return bool(self._asked)
