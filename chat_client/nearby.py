"""`ChatClient chats`: lists the chats on the local network, for scripts and over the telephone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence

from chat_client.accounts import Accounts
from chat_client.conversation import FailedError
from chat_client.net.diagnosis import why_nothing
from chat_client.net.finder import Finder
from chat_client.options import Options
from chat_client.state.account import Account
from chat_client.state.discovery import FoundChat
from common.domain.sentences import sentence
from common.domain.sign import sign_of
from common.system.output import print_lines, printable


def chats(options: Options, accounts: Accounts) -> None:
    """Print what is found within the time-out. Raises FailedError, with the causes, for nothing."""
    known = accounts.all()
    found = _look(options.timeout, known)
    if not found:
        causes = "; ".join(map(sentence, why_nothing()))
        raise FailedError(f"no chat was found: {causes}")
    print_lines(_line(chat, known, as_json=options.json) for chat in found)


def _look(seconds: float, known: Sequence[Account]) -> Sequence[FoundChat]:
    told: list[Sequence[FoundChat]] = [()]
    finder = Finder(told.append, _pins(known))
    finder.start()
    try:
        # Not a sleep of the finder's thread: Ctrl+C ends this one.
        threading.Event().wait(seconds)
    finally:
        finder.stop()
    return told[-1]


def _pins(accounts: Iterable[Account]) -> set[bytes]:
    return {pin for account in accounts if (pin := account.invite.fingerprint) is not None}


def _line(chat: FoundChat, known: Sequence[Account], *, as_json: bool) -> str:
    mine = [each for each in known if each.joined and each.invite.fingerprint == chat.fingerprint]
    words = sign_of(chat.fingerprint).words
    if as_json:
        facts = {"name": chat.name, "sign": words, "hosts": chat.hosts, "port": chat.port}
        accounts = [account.username for account in mine]
        pin = chat.fingerprint.hex()
        return json.dumps({**facts, "fingerprint": pin, "accounts": accounts})
    host = f"[{chat.hosts[0]}]" if ":" in chat.hosts[0] else chat.hosts[0]
    columns = [printable(chat.name), words, f"{host}:{chat.port}"]
    if mine:
        columns.append(f"as {', '.join(account.username for account in mine)}")
    elif any(account.joined and account.invite.server_name == chat.name for account in known):
        columns.append("not the one of this name that you have joined")
    return "\t".join(columns)
