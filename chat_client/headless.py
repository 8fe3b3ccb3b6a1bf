"""ChatClient for scripts: send, listen, lists and devices, on the same core as the window."""

import io
import json
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from typing import Final

from chat_client import own_account, own_devices
from chat_client.accounts import AccountError, Accounts
from chat_client.cache.cache import Cache
from chat_client.cache.errors import CacheError
from chat_client.command_runner import (
    CommandError,
)
from chat_client.conversation import FailedError, UsageError, account_for, complain, conversation_of
from chat_client.listening import listen
from chat_client.options import Options
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import NONE
from common.domain.names import NameRefusedError, address_of, room_for
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.domain.text import TextRefusedError, check_text, normalize_text
from common.domain.times import duration_text
from common.protocol.events import MESSAGE
from common.protocol.messages import Person
from common.system.output import OutputError, print_lines, printable
from common.system.private_files import FolderInUseError
from common.system.process import stop_signals

LINES_AT_ONCE: Final = 64
"""Maximum number of lines in flight. One at a time costs a round trip and a commit for each: 1,000
lines a second; with 64 it is several thousand."""


_LIMITS: Final = {"rate_limited", "slow_mode"}
"""Codes of the limits of a room."""
_LONG: Final = 3.0
"""Seconds from which on it is told how long a message waits."""


class Interrupts:
    """Counts the signals that ask for an end.

    The first one raises KeyboardInterrupt; later ones don't, as they would break off what is done
    in an orderly way because of the first.
    """

    def __init__(self) -> None:
        self.count = 0

    def handle(self, *_: object) -> None:
        """Handle a signal, as a handler of `signal.signal`."""
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt


def run(options: Options, data_dir: Path) -> int:
    """Run the verb. The exit status: 0, 1 (refused, unreachable) or 2 (usage)."""
    # Characters that the encoding lacks are escaped, rather than raising an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    interrupts = Interrupts()
    for number in stop_signals():
        if number is not signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupts.handle)
    verbs: dict[str | None, Callable[[Options, Accounts], None]] = {
        "send": _send,
        "listen": partial(listen, hurried=lambda: interrupts.count > 1),
        "rooms": _rooms,
        "people": _people,
        "devices": own_devices.list_devices,
        "add-device": own_devices.add_device,
        "remove-device": own_devices.remove_device,
        "rename": own_account.rename,
        "delete-account": own_account.delete_account,
        "chats": _chats,
    }
    try:
        accounts = Accounts(data_dir)
        if options.at is not None:
            from chat_client.joining_at import invite_at

            options = options._replace(join=invite_at(options, accounts))
        verbs[options.verb](options, accounts)
    except (UsageError, NameRefusedError) as error:
        complain(str(error))
        return 2
    except (
        FailedError,
        CommandError,
        OutputError,
        AccountError,
        CacheError,
        FolderInUseError,
        OSError,
    ) as error:
        if str(error):
            complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0 if options.verb == "listen" and options.limit is None else 1
    return 0


def _in_memory(_account: Account) -> Cache:
    """A cache in memory: nothing is stored, and another program may use the account, too."""
    return Cache(None)


def _send(options: Options, accounts: Accounts) -> None:
    lines = _lines(options)
    me = account_for(options, accounts).username
    room = room_for(options.one_room, me)
    sending = _Sending([number for number, _ in lines], by_line=options.lines)
    at_once = LINES_AT_ONCE if options.lines else 1
    with conversation_of(options, accounts, _in_memory, follow=(), at_once=at_once) as conversation:
        for _, text in lines:
            conversation.core.send(room, MESSAGE, {"text": text})
        try:
            for item in conversation.news(options.timeout):
                if sending.went(item):
                    return
        except FailedError as error:
            raise FailedError(sending.so_far(str(error))) from error


class _Sending:
    """Tracks the messages of one `send`, each of which is on a line of its own."""

    def __init__(self, lines: Sequence[int], *, by_line: bool) -> None:
        self._lines = lines
        self._by_line = by_line
        self._line_of: dict[str, int] = {}
        self._sent: set[str] = set()
        self._failed = False
        self._told: Reason | None = None
        self._told_of_limits: set[str] = set()
        """The codes of limits of the room: with many lines they are met again and again."""

    def went(self, item: news.News) -> bool:
        """Handle news; returns whether all messages were sent. Raises FailedError."""
        if isinstance(item, news.MessageNotStored):
            raise FailedError(sentence(item.why))
        return isinstance(item, news.OutboxChanged) and self._went(item)

    def _went(self, item: news.OutboxChanged) -> bool:
        if item.cid not in self._line_of:
            # They are reported in the order in which they were passed to the core.
            self._line_of[item.cid] = self._lines[len(self._line_of)]
        if item.state is OutboxState.FAILED:
            self._failed = True
            line = f"line {self._line_of[item.cid]}: " if self._by_line else ""
            raise FailedError(f"{line}{sentence(item.reason or NONE)}")
        if item.state is OutboxState.SENT:
            # A set: it is reported again when a restored server has lost it and got it once more.
            self._sent.add(item.cid)
            self._told = None
        elif item.reason is not None and item.reason != self._told:
            self._told = item.reason
            self._tell_delay(item.reason, item.again or 0.0)
        return len(self._sent) == len(self._lines)

    def _tell_delay(self, reason: Reason, again: float) -> None:
        """Say why a message is not sent yet, and for how long if that is some while."""
        if reason.code in self._told_of_limits:
            return
        if reason.code in _LIMITS:
            self._told_of_limits.add(reason.code)
        when = f" in {duration_text(ceil(again))}" if again >= _LONG else ""
        complain(f"{sentence(reason)}; trying again{when}")

    def so_far(self, why: str) -> str:
        """The reason for the failure, with the progress."""
        if not self._by_line or (not self._failed and not self._sent):
            return why  # Nothing was sent: the failure has nothing to do with the lines.
        return f"{why} ({len(self._sent)} of {len(self._lines)} lines are known to be sent)"


def _lines(options: Options) -> list[tuple[int, str]]:
    """The messages to send, each with the number of its line. Raises UsageError."""
    if options.text is not None:
        if options.lines:
            raise UsageError("--lines reads standard input; leave the text out")
        return [(1, _checked(options.text))]
    # Split as bytes: str.splitlines also splits at characters that may be inside of a line.
    read = _decoded(sys.stdin.buffer.read()).replace("\r\n", "\n")
    if not options.lines:
        return [(1, _checked(read))]
    lines = [
        (number, _checked(line, f"line {number}: "))
        for number, line in enumerate(read.split("\n"), 1)
        if line.strip()
    ]
    if not lines:
        raise UsageError("there is no line to send")
    return lines


def _decoded(data: bytes) -> str:
    """Decode standard input as UTF-8, without a byte order mark.

    Raises UsageError for another encoding: guessing it, or replacing characters, would change the
    text.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"line {line}: standard input is not text in UTF-8") from error


def _checked(text: str, where: str = "") -> str:
    try:
        return check_text(normalize_text(text))
    except TextRefusedError as error:
        raise UsageError(f"{where}{error}") from error


def _chats(options: Options, accounts: Accounts) -> None:
    from chat_client.nearby import chats  # no other verb needs it

    chats(options, accounts)


def _rooms(options: Options, accounts: Accounts) -> None:
    rooms: set[str] = set()
    with conversation_of(options, accounts, _in_memory, follow=()) as conversation:
        for item in conversation.news(options.timeout):
            if isinstance(item, news.RoomSeen):
                rooms.add(item.room)
            elif isinstance(item, news.Listed):
                break
    addresses = {room: address_of(room, conversation.account.username) for room in sorted(rooms)}
    print_lines(
        json.dumps({"room": room, "address": address}) if options.json else printable(address)
        for room, address in addresses.items()
    )


def _people(options: Options, accounts: Accounts) -> None:
    people: dict[str, Person] = {}
    online: frozenset[str] = frozenset()
    with conversation_of(options, accounts, _in_memory, follow=()) as conversation:
        for item in conversation.news(options.timeout):
            if isinstance(item, news.PersonSeen) and not item.person.former:
                people[item.person.username] = item.person
            elif isinstance(item, news.OnlineListed):
                online = item.usernames
            elif isinstance(item, news.Listed):
                break
    print_lines(
        _person_line(person, username in online, options)
        for username, person in sorted(people.items())
    )


def _person_line(person: Person, online: bool, options: Options) -> str:
    if options.json:
        facts = {"username": person.username, "display_name": person.display_name}
        return json.dumps({**facts, "role": person.role, "online": online})
    columns = [person.username, printable(person.display_name), "online" if online else "offline"]
    if person.role != "member":
        columns.append(person.role)
    return "\t".join(columns)
