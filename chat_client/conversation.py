"""A verb's connection to the server: the account, the running core, and its news."""

import contextlib
import queue
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeAlias

from chat_client.accounts import NEVER_MADE, Accounts
from chat_client.cache.cache import Cache
from chat_client.core import Core
from chat_client.net.connector import ConnectError
from chat_client.net.recognition import RecognitionError, is_known
from chat_client.options import Options
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.attempts import worth_telling
from chat_client.state.status import WRONG_SERVER, Link, Status
from chat_client.status_text import describe_attempt
from common.domain.invite import Invite, is_loopback
from common.domain.sentences import sentence
from common.protocol.events import Event
from common.system.output import printable

POLL: Final = 0.5
"""Polling interval in seconds while waiting for news; only Windows needs it, for Ctrl+C."""


class FailedError(Exception):
    """The verb failed. The text is the reason for the person. Exit status 1."""


class UsageError(Exception):
    """Wrong usage. The text says what to change. Exit status 2."""


def complain(why: str) -> None:
    """Print one line on standard error. Control characters are escaped."""
    print(f"ChatClient: {printable(why)}", file=sys.stderr)


class _End(NamedTuple):
    """Ends the conversation; `failure` is the reason if it is a failure."""

    failure: Exception | None


_Box: TypeAlias = "queue.SimpleQueue[news.News | _End]"


SOUGHT: Final = 3.0
"""Seconds in which a server may be found on the network when another one is at its address."""


class Conversation:
    """A running core, and the queue of its news."""

    def __init__(self, core: Core, account: Account, box: _Box) -> None:
        self.core = core
        self.account = account
        self._box = box

    def end(self, failure: Exception | None) -> None:
        """End `news`, which raises FailedError for a failure. May be called from any thread."""
        self._box.put(_End(failure))

    def news(self, timeout: float) -> Iterator[news.News]:
        """Yield news in order. Raises FailedError when the server can't be reached.

        `timeout` is for the first connection, in seconds; later, a lost connection is retried
        without a limit.
        """
        deadline: float | None = time.monotonic() + timeout
        why = "the server does not answer"
        told = sought = False
        while True:
            with contextlib.suppress(queue.Empty):
                item = self._box.get(timeout=POLL)
                if isinstance(item, _End):
                    if item.failure is not None:
                        raise FailedError(str(item.failure))
                    return
                if isinstance(item, news.StatusChanged):
                    link = item.status.link
                    if not sought and self._may_have_moved(item.status):
                        sought, why = True, _why(item.status)
                        until = time.monotonic() + SOUGHT
                        deadline = until if deadline is None else min(deadline, until)
                    else:
                        _fail_if_ended(item.status)
                    if link is Link.PAUSED:
                        why = _why(item.status)
                        if not told:
                            told = True
                            complain(f"{why}; trying again")
                    elif link is Link.ONLINE:
                        told = False
                        deadline = None
                yield item
            if deadline is not None and time.monotonic() > deadline:
                raise FailedError(why)

    def _may_have_moved(self, status: Status) -> bool:
        """Whether the server may be found elsewhere, as another one is at its address."""
        hosts = self.account.invite.hosts
        return status.code in WRONG_SERVER and not all(map(is_loopback, hosts))


def _fail_if_ended(status: Status) -> None:
    """Raise FailedError if there will be no connection any more, but not at one's own wish."""
    ended = status.link in {Link.REFUSED, Link.SIGNED_OUT, Link.STOPPED}
    if ended and status.code != "enough":
        free = status.reason.params.get("suggestion")
        hint = f" (--username {free})" if free else ""
        raise FailedError(_why(status) + hint)


def _why(status: Status) -> str:
    """Why there is no connection, with the result for each address that was tried."""
    tried = "; ".join(map(describe_attempt, worth_telling(status.attempts)))
    why = sentence(status.reason)
    return f"{why} ({tried})" if tried else why


@contextmanager
def conversation_of(
    options: Options,
    accounts: Accounts,
    cache_of: Callable[[Account], Cache],
    *,
    follow: Collection[str] | None,
    on_event: Callable[[Event], bool] | None = None,
    at_once: int = 1,
) -> Iterator[Conversation]:
    """Join or sign in, according to the data folder and the options. The core stops at the end."""
    account = account_for(options, accounts)
    if account != accounts.find(account.invite, account.username):
        accounts.save(account)
    box: _Box = queue.SimpleQueue()
    kept = [account]
    """The account as it was last saved."""

    def tell(told: Sequence[news.News]) -> None:
        for item in told:
            if isinstance(item, news.AccountChanged):
                if item.account != kept[0]:
                    accounts.save(item.account)
                if not kept[0].joined and options.name is not None:
                    _tell_username(item.account.username, options.name.display_name)
                kept[0] = item.account
            elif _never_joined(account, item):
                accounts.remove(account)
            elif isinstance(item, news.DeviceAdded):
                complain(f"a device has joined as you: {item.name}")
            box.put(item)

    core = Core(account, cache_of(account), tell, follow=follow, on_event=on_event, at_once=at_once)
    core.start()
    try:
        yield Conversation(core, account, box)
    finally:
        core.stop()


def _tell_username(username: str, name: str) -> None:
    """Print the username, unless it is the given name."""
    if username != name.casefold():
        print(f"ChatClient: your username is {username}", file=sys.stderr)


def _never_joined(account: Account, item: news.News) -> bool:
    """Whether the server refused to create the account."""
    return (
        not account.joined
        and isinstance(item, news.StatusChanged)
        and item.status.code in NEVER_MADE
    )


def account_for(options: Options, accounts: Accounts) -> Account:
    """The account of the options: one of the data folder, or a new one to join with.

    A new or changed one is not saved yet. Raises UsageError or FailedError.
    """
    username = options.name.username if options.name is not None else None
    bound = "" if options.join is None else options.join.username
    if bound and username not in {None, bound}:
        raise UsageError(f"this invite adds a device to {bound}’s account, and is for nobody else")
    username = bound or username
    account = accounts.find(options.join, username)
    if account is not None:
        if options.join is not None and options.join != account.invite:
            # The same server at another address, or with another secret.
            account = account.with_invite(options.join)
        return account
    if options.join is None:
        raise UsageError("there is no such account here yet; use --join INVITE and --name NAME")
    former = accounts.former(options.join, username)
    if former is not None and _known(former, options.join, options.timeout):
        return former.with_invite(options.join)
    if bound:
        return accounts.new(options.join, bound, bound)
    if options.name is None:
        raise UsageError("--name NAME is needed to join")
    return accounts.new(options.join, options.name.username, options.name.display_name)


def _known(account: Account, invite: Invite, timeout: float) -> bool:
    """Whether the invite's server, with its new identity, knows the account. Raises FailedError."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return is_known(account, invite)
        except RecognitionError as error:
            raise FailedError(str(error)) from error
        except ConnectError as error:
            if time.monotonic() > deadline:
                raise FailedError(f"the server can't be reached: {error}") from error
            time.sleep(POLL)
