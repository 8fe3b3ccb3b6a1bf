"""Joining at an address, for verbs: by a spoken code, by asking the host, or where anyone may."""

from __future__ import annotations

import queue
import time
from contextlib import closing

from chat_client.accounts import Accounts
from chat_client.conversation import POLL, FailedError, UsageError, complain
from chat_client.net.joining import JoinConnection
from chat_client.options import Options
from chat_client.state import joining
from chat_client.state.attempts import worth_telling
from chat_client.state.joining import JoiningNews
from chat_client.status_text import describe_attempt
from common.domain.invite import Invite, Place
from common.domain.sentences import sentence


def invite_at(options: Options, accounts: Accounts) -> Invite:
    """The invite to the chat at `options.at`: of an account there, or a new one. Blocks.

    A host who is asked has ten minutes. Raises UsageError or FailedError.
    """
    if options.at is None:
        raise UsageError("--at HOST is needed to join without an invite")
    host, port = options.at
    box: queue.SimpleQueue[JoiningNews] = queue.SimpleQueue()
    place = Place((host,), port, None, host)
    with closing(JoinConnection(place, accounts.installation, box.put)) as attempt:
        return _Attempt(options, accounts, place, attempt, box).run()


class _Attempt:
    """One attempt, and its news."""

    def __init__(
        self,
        options: Options,
        accounts: Accounts,
        place: Place,
        attempt: JoinConnection,
        box: queue.SimpleQueue[JoiningNews],
    ) -> None:
        self._options = options
        self._accounts = accounts
        self._place = place
        self._attempt = attempt
        self._box = box

    def run(self) -> Invite:
        deadline: float | None = time.monotonic() + self._options.timeout
        while True:
            try:
                news = self._box.get(timeout=POLL)
            except queue.Empty:
                if deadline is not None and time.monotonic() > deadline:
                    raise FailedError("the server does not answer") from None
                continue
            match news:
                case joining.Connected():
                    deadline = None  # the connection has its own
                    invite = self._connected(news)
                    if invite is not None:
                        return invite
                case joining.Digits():
                    complain(f"asking the host; tell them these digits: {news.digits}")
                case joining.Invited():
                    return news.invite
                case joining.Refused():
                    raise FailedError(sentence(news.reason))
                case joining.Unreachable():
                    tried = "; ".join(map(describe_attempt, worth_telling(news.attempts)))
                    raise FailedError(f"the server can't be reached ({tried})")
                case _:
                    pass

    def _connected(self, news: joining.Connected) -> Invite | None:
        """The invite of an account that is there already; else begin to join."""
        options = self._options
        place = Place(self._place.hosts, self._place.port, news.fingerprint, news.server_name)
        username = None if options.name is None else options.name.username
        known = self._accounts.find(place.invite(""), username)
        if known is not None:
            hosts = tuple(dict.fromkeys((*place.hosts, *known.invite.hosts)))
            return Place(hosts, place.port, place.fingerprint, place.server_name).invite(
                known.invite.secret, known.invite.username
            )
        if options.code is not None:
            self._attempt.code(options.code)
            return None
        if options.name is None:
            raise UsageError("--name NAME is needed to join")
        if options.ask:
            self._attempt.knock(options.name)
            return None
        if news.rule == "open":
            return place.invite("")
        raise UsageError("--code CODE or --ask is needed to join this chat")
