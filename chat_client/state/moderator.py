"""Moderation: sends commands, and reports the server's replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat_client.state import news
from chat_client.state.link import ServerLink
from chat_client.state.moderation import Moderation
from chat_client.state.slow_mode import SlowModeOrder
from common.domain.reasons import Reason
from common.protocol import messages

MOST_PAGES: Final = 1000
"""Maximum number of pages of bans and mutes that one listing requests."""
COMMANDS: Final = (
    messages.MutePerson
    | messages.Unmute
    | messages.Ban
    | messages.Unban
    | messages.Terminate
    | messages.SetSlowMode
)


class Moderator:
    """Sends moderation commands now or not at all: none of them is stored."""

    def __init__(self, link: ServerLink, tell: Callable[[news.News], object]) -> None:
        self._link = link
        self._tell = tell
        self._asked: dict[int, Moderation | SlowModeOrder] = {}
        self._listing: int | None = None
        """The id of the request for the current page of bans and mutes."""
        self._sanctioned: dict[str, set[str]] = {}
        """By kind of sanction: the people on the pages that have come."""
        self._pages = 0

    def ask(self, what: Moderation | SlowModeOrder) -> None:
        """Send a command, if there is a connection; `Moderated` reports the outcome."""
        if self._link.is_ready:
            self._asked[self._link.ask(what.command)] = what
        else:
            self._tell(news.Moderated(what, Reason("lost")))

    def list_sanctions(self) -> None:
        """Fetch mutes and bans; `SanctionsListed` has the result. A second call starts over."""
        self._sanctioned.clear()
        self._pages = 0
        if self._link.is_ready:
            self._listing = self._link.ask(messages.ListSanctions)
        else:
            self._tell(news.SanctionsListed(None, None))

    def sanctions(
        self, page: messages.Sanctions, asked: messages.ListSanctions, _now: float
    ) -> None:
        """A page of bans and mutes."""
        if asked.id != self._listing:
            return  # A later request has replaced this one.
        self._pages += 1
        for each in page.sanctions:
            if each.username is not None:  # else of a device
                self._sanctioned.setdefault(each.kind, set()).add(each.username)
        if page.more and page.sanctions and page.sanctions[-1].number > asked.after:
            last = page.sanctions[-1].number
            if self._pages < MOST_PAGES:
                self._listing = self._link.ask(messages.ListSanctions, after=last)
            else:
                self._listing = None
                self._tell(news.SanctionsListed(None, None))
        else:
            self._listing = None
            muted, banned = (frozenset(self._sanctioned.get(kind, ())) for kind in ("mute", "ban"))
            self._tell(news.SanctionsListed(muted, banned))

    def done(self, done: messages.Done, asked: messages.Command, _now: float) -> None:
        """A command was carried out."""
        note = None if done.note is None else Reason(done.note)
        self._tell(news.Moderated(self._asked.pop(asked.id), None, note))

    def refused(self, request: int, reason: Reason) -> bool:
        """A command was refused; returns False if it was none of these commands."""
        if request == self._listing:
            self._listing = None
            self._tell(news.SanctionsListed(None, None))
            return True
        what = self._asked.pop(request, None)
        if what is not None:
            self._tell(news.Moderated(what, reason))
        return what is not None

    def lost(self) -> None:
        """The connection was lost: the outcome of pending commands is unknown."""
        for what in self._asked.values():
            self._tell(news.Moderated(what, Reason("unanswered")))
        self._asked.clear()
        if self._listing is not None:
            self._listing = None
            self._tell(news.SanctionsListed(None, None))
