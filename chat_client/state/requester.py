"""Requests about one's own account and the chat's invites: sends them, and reports the replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat_client.state import news
from chat_client.state.link import ServerLink
from chat_client.state.request import Request
from common.domain.reasons import Reason
from common.protocol import messages

COMMANDS: Final = (
    messages.RevokeInvite | messages.RemoveDevice | messages.RenameMe | messages.DeleteMe
)
"""Those that are answered by `done`."""
MAKES_INVITE: Final = messages.CreateInvite | messages.AddDevice
MOST_PAGES: Final = 100
"""Maximum number of pages of invites that one listing requests."""


class Requester:
    """Sends requests now or not at all: none of them is stored."""

    def __init__(self, link: ServerLink, tell: Callable[[news.News], object]) -> None:
        self._link = link
        self._tell = tell
        self._asked: dict[int, Request] = {}
        self._devices: int | None = None
        """The id of the request for one's devices, if one is pending."""
        self._joining: int | None = None
        """The id of the request for the rule of who may join."""
        self._listing: int | None = None
        """The id of the request for the current page of invites."""
        self._invites: list[messages.InviteFacts] = []
        """The invites on the pages that have come."""
        self._pages = 0

    def ask(self, what: Request) -> None:
        """Send a request, if there is a connection; `Requested` reports the outcome."""
        if self._link.is_ready:
            self._asked[self._link.ask(what.command)] = what
        else:
            self._tell(news.Requested(what, Reason("lost")))

    def list_devices(self) -> None:
        """Fetch one's own devices; `DevicesListed` has the result."""
        if self._link.is_ready:
            self._devices = self._link.ask(messages.ListDevices)
        else:
            self._tell(news.DevicesListed(None, Reason("lost")))

    def list_invites(self) -> None:
        """Fetch the invites that concern this account; `InvitesListed` has the result.

        A second call starts over.
        """
        self._invites.clear()
        self._pages = 0
        if self._link.is_ready:
            self._listing = self._link.ask(messages.ListInvites)
        else:
            self._tell(news.InvitesListed(None, Reason("lost")))

    def ask_joining(self) -> None:
        """Fetch who may join, for a moderator; `JoiningTold` has the result."""
        if self._link.is_ready:
            self._joining = self._link.ask(messages.AskJoining)
        else:
            self._tell(news.JoiningTold("", moderators_invite=False, why=Reason("lost")))

    # Replies

    def done(self, _done: messages.Done, asked: messages.Command, _now: float) -> None:
        """A command was carried out."""
        self._tell(news.Requested(self._asked.pop(asked.id), None))

    def invite_created(
        self, created: messages.InviteCreated, asked: messages.Command, _now: float
    ) -> None:
        """An invite was made."""
        what = self._asked.pop(asked.id)
        self._tell(
            news.Requested(
                what, None, link=created.link, expires=created.expires, number=created.number
            )
        )

    def devices(self, devices: messages.Devices, asked: messages.ListDevices, _now: float) -> None:
        """One's own devices."""
        if asked.id == self._devices:
            self._devices = None
            self._tell(news.DevicesListed(devices.devices))

    def device_added(self, added: messages.DeviceAdded, _now: float) -> None:
        """One more device of one's own has joined."""
        self._tell(news.DeviceAdded(added.device.name))

    def invites(self, page: messages.Invites, asked: messages.ListInvites, _now: float) -> None:
        """A page of invites."""
        if asked.id != self._listing:
            return  # A later request has replaced this one.
        self._pages += 1
        self._invites += page.invites
        last = page.invites[-1].number if page.invites else 0
        # Numbers go down from page to page, or the server's list would never end.
        goes_on = page.more and 0 < last < (asked.before or last + 1)
        if goes_on and self._pages < MOST_PAGES:
            self._listing = self._link.ask(messages.ListInvites, before=last)
            return
        self._listing = None
        self._tell(news.InvitesListed(tuple(self._invites)))

    def joining(self, joining: messages.Joining, asked: messages.AskJoining, _now: float) -> None:
        """Who may join."""
        if asked.id == self._joining:
            self._joining = None
            self._tell(news.JoiningTold(joining.rule, moderators_invite=joining.moderators_invite))

    def refused(self, request: int, reason: Reason) -> bool:
        """A command was refused; returns False if it was none of these commands."""
        if request in {self._devices, self._listing, self._joining}:
            self._list_refused(request, reason)
            return True
        what = self._asked.pop(request, None)
        if what is not None:
            self._tell(news.Requested(what, reason))
        return what is not None

    def _list_refused(self, request: int, reason: Reason) -> None:
        if request == self._devices:
            self._devices = None
            self._tell(news.DevicesListed(None, reason))
        elif request == self._listing:
            self._listing = None
            self._tell(news.InvitesListed(None, reason))
        else:
            self._joining = None
            self._tell(news.JoiningTold("", moderators_invite=False, why=reason))

    def lost(self) -> None:
        """The connection was lost: the outcome of pending commands is unknown."""
        for what in self._asked.values():
            self._tell(news.Requested(what, Reason("unanswered")))
        self._asked.clear()
        for request in (self._devices, self._listing, self._joining):
            if request is not None:
                self._list_refused(request, Reason("lost"))
