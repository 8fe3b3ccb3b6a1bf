"""Pages of the open conversation that only the server has: which are wanted, and what to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat_client.state.news import Wanted
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.ui.widgets.safe_text import safe

PATIENCE: Final = 0.3
"""Seconds without an answer after which it is said that something is being loaded."""
RETRY: Final = 1.0
"""Seconds after which what could not be had is asked for again, when somebody scrolls there."""


def whole_line(why: Reason | None, which: str) -> str:
    """Why messages can't be had, harmless to show; `which` as in "older"."""
    if why is not None and why.code == "lost":
        return f"{which.capitalize()} messages are on the server, not connected"
    told = "" if why is None else f": {safe(sentence(why).rstrip('.'))}"
    return f"{which.capitalize()} messages can’t be loaded{told}"


class Missing:
    """What is wanted of one conversation; `ask(wanted)` asks for a page. Times are in seconds."""

    def __init__(self, ask: Callable[[Wanted], object]) -> None:
        self._ask = ask
        self._asked: dict[Wanted, float] = {}
        self._failed: dict[Wanted, tuple[float, Reason | None]] = {}

    def forget(self) -> None:
        """Another conversation is shown, or there is another connection."""
        self._asked.clear()
        self._failed.clear()

    def lost(self, now: float) -> None:
        """The connection is gone, and nothing that was asked for comes any more."""
        for wanted in list(self._asked):
            self.failed(wanted, Reason("lost"), now)

    def want(self, wanted: Wanted, now: float) -> None:
        """Have a page asked for, once; not again right after it could not be had."""
        if wanted in self._asked or now < self._failed.get(wanted, (-RETRY, None))[0] + RETRY:
            return
        self._failed.pop(wanted, None)
        self._asked[wanted] = now
        self._ask(wanted)

    def came(self, wanted: Wanted) -> None:
        """A page is here."""
        self._asked.pop(wanted, None)
        self._failed.pop(wanted, None)

    def failed(self, wanted: Wanted, why: Reason | None, now: float) -> None:
        """A page can't be had now, for this reason if it is known."""
        if self._asked.pop(wanted, None) is not None:
            self._failed[wanted] = (now, why)

    def line(self, wanted: Wanted, which: str, now: float) -> str:
        """What to say where a page belongs, of `which` messages it is; "" for nothing (yet)."""
        if wanted in self._failed:
            _, why = self._failed[wanted]
            line = whole_line(why, which)
            again = why is None or why.code != "lost"
            return f"{line}. Scroll to try again" if again else line
        waits = wanted in self._asked and now - self._asked[wanted] >= PATIENCE
        return f"Loading {which} messages…" if waits else ""

    def notice(
        self,
        room: str | None,
        target: Wanted | None,
        above: int | None,
        below: int | None,
        now: float,
    ) -> tuple[str, bool]:
        """What to say ("" for nothing), and whether it is about what is above and not below.

        The page that somebody went to comes first. Else it is about what is before the place
        `above`, with which the list begins, and behind `below`, with which it ends and the room
        does not; None for what is not in view.
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
        """Whether an answer is still to come."""
        return bool(self._asked)
