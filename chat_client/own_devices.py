"""The verbs about one's own devices: ``devices``, ``add-device`` and ``remove-device``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from chat_client.cache.cache import Cache
from chat_client.conversation import Conversation, FailedError, complain, conversation_of
from chat_client.state import news
from chat_client.state.request import AddDevice, RemoveDevice, Request
from chat_client.state.status import Link
from common.domain.sentences import sentence
from common.domain.times import minute_text
from common.system.output import print_lines, printable

if TYPE_CHECKING:
    from chat_client.accounts import Accounts
    from chat_client.options import Options
    from chat_client.state.account import Account
    from common.protocol.messages import DeviceFacts


def list_devices(options: Options, accounts: Accounts) -> None:
    """Print one's devices, those that were seen last first. Raises FailedError."""
    print_lines(_line(each, options) for each in _devices(options, accounts))


def add_device(options: Options, accounts: Accounts) -> None:
    """Print a link with which one more device joins as this person. Raises FailedError."""
    done = carry_out(AddDevice(), options, accounts)
    facts = {"link": done.link, "expires": done.expires}
    print_lines([json.dumps(facts) if options.json else done.link])
    note = "whoever has this link can join as you, once and within a day: give it to nobody else"
    complain(note)


def remove_device(options: Options, accounts: Accounts) -> None:
    """Sign a device out, which is named by its id or some of its first digits.

    Raises FailedError, also if several devices begin with them.
    """
    named = [each for each in _devices(options, accounts) if each.device.startswith(options.device)]
    if len(named) > 1:
        raise FailedError(f"{options.device} stands for several devices; give all of its digits")
    device = named[0].device if named else options.device.ljust(16, "0")
    carry_out(RemoveDevice(device), options, accounts)


def _devices(options: Options, accounts: Accounts) -> tuple[DeviceFacts, ...]:
    for item in _asking(options, accounts, lambda online: online.core.list_devices()):
        if isinstance(item, news.DevicesListed):
            if item.devices is None:
                raise FailedError(sentence(item.why) if item.why else "there is no list")
            return item.devices
    raise FailedError("the server does not answer")


def carry_out(what: Request, options: Options, accounts: Accounts) -> news.Requested:
    """Have the server do something, once, and wait for it. Raises FailedError."""
    for item in _asking(options, accounts, lambda online: online.core.request(what)):
        if isinstance(item, news.Requested):
            if item.why is not None:
                raise FailedError(sentence(item.why))
            return item
    raise FailedError("the server does not answer")


def _asking(
    options: Options, accounts: Accounts, ask: Callable[[Conversation], object]
) -> Iterator[news.News]:
    """The news from the time on at which something is asked, once, on the first connection."""
    asked = False
    with conversation_of(options, accounts, _in_memory, follow=()) as conversation:
        for item in conversation.news(options.timeout):
            online = isinstance(item, news.StatusChanged) and item.status.link is Link.ONLINE
            if online and not asked:
                asked = True
                ask(conversation)
            yield item


def _in_memory(_account: Account) -> Cache:
    """A cache in memory: nothing is stored, and another program may use the account, too."""
    return Cache(None)


def _line(device: DeviceFacts, options: Options) -> str:
    if options.json:
        return json.dumps(device.model_dump())
    seen = "not known" if device.last_seen is None else minute_text(device.last_seen)
    columns = [
        device.device,
        printable(device.name),
        f"joined {minute_text(device.created)}",
        "online" if device.online else f"last seen {seen}",
    ]
    return "\t".join([*columns, "this one"] if device.current else columns)
