"""Which of the events that arrive a listener wants."""

from __future__ import annotations

from typing import Final

from chat_client.cache.cache import Cache
from chat_client.state.account import Account
from common.domain.mentions import Mentionable
from common.protocol.events import Event

_SIGNS: Final = ("@", "\uff20")
"""One of these is in every mention."""


class MessageFilter:
    """All events after a place; or of those the messages of others, or those that mention one.

    It is asked while events are stored, by the thread that stores them: so a name that changed
    before a message was sent is known when the message comes.
    """

    def __init__(
        self,
        account: Account,
        cache: Cache,
        *,
        after: int = 0,
        of_others: bool = False,
        mentions: bool = False,
    ) -> None:
        self._account = account
        self._cache = cache
        self._after = after
        self._of_others = of_others
        self._mentions = mentions
        self._name = ""
        self._me = Mentionable()

    def wants(self, event: Event) -> bool:
        """Whether the listener wants an event."""
        if event.seq <= self._after:
            return False  # The room was reset and is fetched again from its beginning.
        if self._of_others or self._mentions:
            is_of_others = event.is_message and event.sender != self._account.username
            return is_of_others and (not self._mentions or self._is_mentioned(event.text))
        return True

    def _is_mentioned(self, text: str) -> bool:
        if not any(sign in text for sign in _SIGNS):
            return False
        username = self._account.username
        name = self._cache.people.display_name(username) or self._account.display_name
        if name != self._name:
            self._name = name
            self._me = Mentionable([(username, name)])
        if not self._me.mentions_person(text, username):
            return False
        if Mentionable([(username, username)]).mentions_person(text, username):
            return True
        # By the display name, with which the longer one of somebody else may begin.
        everyone = Mentionable([*self._cache.people.display_names().items(), (username, name)])
        return everyone.mentions_person(text, username)
