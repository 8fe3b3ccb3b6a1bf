"""ChatClient for scripts: send, listen, rooms, people, on the same core as the window."""

import contextlib
import io
import json
import queue
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, assert_never

from chat_client.accounts import NEVER_MADE, AccountError, Accounts
from chat_client.cache.cache import Cache
from chat_client.cache.errors import CacheError
from chat_client.core import Core, StopListening
from chat_client.message_filter import MessageFilter
from chat_client.net.connector import ConnectError
from chat_client.net.recognition import RecognitionError, is_known
from chat_client.options import Options
from chat_client.state import news
from chat_client.state.account import Account
from chat_client.state.attempts import worth_telling
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import NONE, Link, Status
from chat_client.status_text import describe_attempt
from common.domain.invite import Invite
from common.domain.names import NameRefusedError, address_of, direct_members, room_for
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.domain.text import TextRefusedError, check_text, normalize_text
from common.domain.times import local_time
from common.protocol.events import JOIN, MESSAGE, Event
from common.protocol.messages import Person
from common.system.output import OutputError, print_lines, printable
from common.system.private_files import FolderInUseError, FolderLock
from common.system.process import stop_signals

_POLL: Final = 0.5
"""Polling interval in seconds while waiting for news; only Windows needs it, for Ctrl+C."""
HAPPENED: Final = {JOIN: " joined"}
_NEWER: Final = " did something that only a newer ChatClient can show"
LINES_AT_ONCE: Final = 64
"""Maximum number of lines in flight. One at a time costs a round trip and a commit for each: 1,000
lines a second; with 64 it is several thousand."""


class FailedError(Exception):
    """The verb failed; the text says why. Exit status 1."""


class UsageError(Exception):
    """Wrong usage; the text says what to change. Exit status 2."""


def run(options: Options, data_dir: Path) -> int:
    """Run the verb. The exit status: 0, 1 (refused, unreachable) or 2 (usage)."""
    # Characters that the encoding lacks are escaped, rather than raising an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    verbs: dict[str | None, Callable[[Options, Accounts], None]] = {
        "send": _send,
        "listen": _listen,
        "rooms": _rooms,
        "people": _people,
    }
    for number in stop_signals():
        if number is not signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        verbs[options.verb](options, Accounts(data_dir))
    except (UsageError, NameRefusedError) as error:
        _complain(str(error))
        return 2
    except (FailedError, OutputError, AccountError, CacheError, FolderInUseError, OSError) as error:
        if str(error):
            _complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0 if options.verb == "listen" and options.limit is None else 1
    return 0


def _complain(why: str) -> None:
    """Print one line on standard error, escaped, as a reason may come from the server."""
    print(f"ChatClient: {printable(why)}", file=sys.stderr)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


class Conversation:
    """A running core, and its news."""

    def __init__(self, core: Core, account: Account, box: "queue.SimpleQueue[news.News]") -> None:
        self.core = core
        self.account = account
        self._box = box

    def news(self, timeout: float) -> Iterator[news.News]:
        """Yield news in order. Raises FailedError when the server can't be reached.

        `timeout` is for the first connection, in seconds; after that, a lost connection is retried
        without a limit.
        """
        deadline: float | None = time.monotonic() + timeout
        why = "the server does not answer"
        told = False
        while True:
            with contextlib.suppress(queue.Empty):
                item = self._box.get(timeout=_POLL)
                if isinstance(item, news.StatusChanged):
                    link = item.status.link
                    ended = link in {Link.REFUSED, Link.SIGNED_OUT, Link.STOPPED}
                    if ended and item.status.code != "enough":
                        free = item.status.reason.params.get("suggestion")
                        hint = f" (--username {free})" if free else ""
                        raise FailedError(_why(item.status) + hint)
                    if link is Link.PAUSED:
                        why = _why(item.status)
                        if not told:
                            told = True
                            _complain(f"{why}; trying again")
                    elif link is Link.ONLINE:
                        told = False
                        deadline = None
                yield item
            if deadline is not None and time.monotonic() > deadline:
                raise FailedError(why)


def _why(status: Status) -> str:
    """Why there is no connection, with the outcome of each address that was tried."""
    tried = "; ".join(map(describe_attempt, worth_telling(status.attempts)))
    why = sentence(status.reason)
    return f"{why} ({tried})" if tried else why


@contextmanager
def _conversation(
    options: Options,
    accounts: Accounts,
    cache_of: Callable[[Account], Cache],
    *,
    follow: Collection[str] | None,
    on_event: Callable[[Event], bool] | None = None,
    at_once: int = 1,
) -> Iterator[Conversation]:
    """Join or sign in, according to the data folder and the options."""
    account = _account(options, accounts)
    if not account.joined:
        accounts.save(account)
    box: queue.SimpleQueue[news.News] = queue.SimpleQueue()
    kept = [account]
    """The account as it was saved last."""

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
            box.put(item)

    core = Core(account, cache_of(account), tell, follow=follow, on_event=on_event, at_once=at_once)
    core.start()
    try:
        yield Conversation(core, account, box)
    finally:
        core.stop()


def _tell_username(username: str, name: str) -> None:
    """Print the username, when it is not the name that was given."""
    if username != name.casefold():
        print(f"ChatClient: your username is {username}", file=sys.stderr)


def _never_joined(account: Account, item: news.News) -> bool:
    """Whether the server refused to create the account."""
    return (
        not account.joined
        and isinstance(item, news.StatusChanged)
        and item.status.code in NEVER_MADE
    )


def _account(options: Options, accounts: Accounts) -> Account:
    """The account of the options: one in the data folder, or a new one to join with."""
    username = options.name.username if options.name is not None else None
    account = accounts.find(options.join, username)
    if account is not None:
        if options.join is not None and options.join != account.invite:
            # The same server at another address, or with another secret.
            account = account.with_invite(options.join)
            accounts.save(account)
        return account
    if options.join is None:
        raise UsageError("there is no such account here yet; use --join INVITE and --name NAME")
    former = accounts.former(options.join, username)
    if former is not None and _known(former, options.join, options.timeout):
        account = former.with_invite(options.join)
        accounts.save(account)
        return account
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
            time.sleep(_POLL)


def _in_memory(_account: Account) -> Cache:
    """A cache in memory: nothing is stored, and another program may use the account, too."""
    return Cache(None)


def _send(options: Options, accounts: Accounts) -> None:
    lines = _lines(options)
    me = _account(options, accounts).username
    room = room_for(options.one_room, me)
    sending = _Sending([number for number, _ in lines], by_line=options.lines)
    at_once = LINES_AT_ONCE if options.lines else 1
    with _conversation(options, accounts, _in_memory, follow=(), at_once=at_once) as conversation:
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
            _complain(f"{sentence(item.reason)}; trying again")
        return len(self._sent) == len(self._lines)

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


def _listen(options: Options, accounts: Accounts) -> None:
    account = _account(options, accounts)
    if options.after is not None and options.mentions and options.room is None:
        raise UsageError("--after is a place in one room; say which with --room")
    everywhere = options.mentions and options.room is None
    room = None if everywhere else room_for(options.one_room, account.username)
    lock: FolderLock | None = None
    if options.after is None:
        accounts.save(account)
        lock = FolderLock(accounts.folder(account))
        try:
            lock.acquire()
        except FolderInUseError as error:
            raise FailedError(
                f"another ChatClient listens as {account.username}; close it, or use --after SEQ"
            ) from error

    try:
        if options.after is None:
            cache = Cache(accounts.folder(account) / "cache.db")
        else:
            cache = Cache(None)
            cache.set_position(room_for(options.one_room, account.username), options.after)
        wanted = MessageFilter(account, cache, after=options.after or 0, mentions=options.mentions)
        printer = _Printer(options, wanted.wants, account.username if everywhere else None)
        people = cache.usernames()
        with _conversation(
            options,
            accounts,
            lambda _account: cache,
            follow=None if room is None else {room},
            on_event=printer.event,
        ) as conversation:
            _hear(conversation, options, room, people)
    finally:
        if lock is not None:
            lock.release()
    if printer.failure is not None:
        raise printer.failure


def _hear(conversation: Conversation, options: Options, room: str | None, people: set[str]) -> None:
    """Listen to a room, or to all (None), until enough was printed.

    The core's thread prints events before they are stored. `people` are the known ones, before the
    server lists those changed since.
    """
    rooms: set[str] = set()
    for item in conversation.news(options.timeout):
        match item:
            case news.StatusChanged() if item.status.code == "enough":
                return
            case news.RoomSeen():
                rooms.add(item.room)
            case news.PersonSeen():
                people.add(item.person.username)
            case news.PeopleForgotten():
                people.clear()
            case news.Listed() if room is not None:
                _check_room(room, rooms, people)
            case news.RoomRefused() if room is None:
                _complain(f"{item.room} can't be listened to: {sentence(item.reason)}")
            case news.RoomRefused() if item.room == room:
                raise FailedError(f"{room} can't be listened to: {sentence(item.reason)}")
            case (
                news.StatusChanged()
                | news.AccountChanged()
                | news.MuteChanged()
                | news.RoleChanged()
                | news.Welcomed()
                | news.Moderated()
                | news.SanctionsListed()
                | news.OnlineListed()
                | news.PresenceSeen()
                | news.EventsAdded()
                | news.HistoryAdded()
                | news.Skipped()
                | news.Listed()
                | news.RoomRefused()
                | news.OutboxChanged()
                | news.MessageNotStored()
                | news.CacheReset()
                | news.EventsUpgraded()
            ):
                pass  # Not printed.
            case _:
                assert_never(item)


def _check_room(room: str, rooms: set[str], people: set[str]) -> None:
    """A direct room is created by its first message; any other room must exist."""
    if room in rooms:
        return
    for username in direct_members(room) or ():
        if username not in people:
            raise FailedError(f"nobody here is called {username}")
    if direct_members(room) is None:
        raise FailedError(f"you are in no room {room}")


class _Printer:
    """Prints the wanted events, and counts the messages among them.

    `rooms_of` is whose rooms they are from, to name them; None where all are from one.
    """

    def __init__(
        self, options: Options, wants: Callable[[Event], bool], rooms_of: str | None = None
    ) -> None:
        self._json = options.json
        self._left = options.limit
        self._wants = wants
        self._rooms_of = rooms_of
        self.failure: OutputError | None = None

    def event(self, event: Event) -> bool:
        """Print an event; returns False after the last one wanted. Called before it is stored."""
        if not self._wants(event):
            return True
        try:
            print_lines([self._line(event)])
        except OutputError as error:
            self.failure = error
            raise StopListening from error
        if self._left is not None and event.is_message:
            self._left -= 1
        return self._left != 0

    def _line(self, event: Event) -> str:
        if self._json:
            return json.dumps(event._asdict())
        time_of_day = local_time(event.sent_at)
        # Indented, or the second line of a message could pass for another one's.
        text = "\n    ".join(map(printable, event.text.split("\n")))
        happened = HAPPENED.get(event.kind, _NEWER) if event.known else _NEWER
        said = f": {text}" if event.is_message else happened
        room = "" if self._rooms_of is None else f"{address_of(event.room, self._rooms_of)} "
        return f"{time_of_day:%Y-%m-%d %H:%M} {room}{event.sender}{said}"


def _rooms(options: Options, accounts: Accounts) -> None:
    rooms: set[str] = set()
    with _conversation(options, accounts, _in_memory, follow=()) as conversation:
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
    with _conversation(options, accounts, _in_memory, follow=()) as conversation:
        for item in conversation.news(options.timeout):
            if isinstance(item, news.PersonSeen):
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
