"""`ChatClient listen`: prints events, or runs a command for each message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, assert_never

from chat_client.accounts import Accounts
from chat_client.cache.cache import Cache
from chat_client.command_runner import (
    PAGE,
    CommandRunner,
    event_line,
    find_command,
)
from chat_client.conversation import (
    Conversation,
    FailedError,
    UsageError,
    account_for,
    complain,
    conversation_of,
)
from chat_client.core import StopListening
from chat_client.message_filter import MessageFilter
from chat_client.options import Options
from chat_client.state import news
from chat_client.state.account import Account
from common.domain.names import FORMER_MEMBER, address_of, direct_members, room_for
from common.domain.sentences import sentence
from common.domain.times import local_time
from common.protocol.events import ACCOUNT_DELETED, JOIN, REMOVED, Event
from common.system.output import OutputError, print_lines, printable
from common.system.private_files import FolderInUseError, FolderLock

HAPPENED: Final = {
    JOIN: " joined",
    ACCOUNT_DELETED: " left: the account was deleted",
    REMOVED: "’s message was removed",
}
_NEWER: Final = " did something that only a newer ChatClient can show"


def listen(options: Options, accounts: Accounts, hurried: Callable[[], bool]) -> None:
    """Run the verb. Raises what `conversation_of` does, and CommandError.

    On an interrupt (KeyboardInterrupt) a running command gets TIME_TO_END to end by itself, unless
    `hurried()`.
    """
    account = account_for(options, accounts)
    if options.after is not None and options.mentions and options.room is None:
        raise UsageError("--after is a place in one room; say which with --room")
    if options.command:
        find_command(options.command[0])
    everywhere = options.mentions and options.room is None
    room = None if everywhere else room_for(options.one_room, account.username)
    lock: FolderLock | None = None
    if options.after is None:
        try:
            lock = accounts.lock(account)
        except FolderInUseError as error:
            raise FailedError(
                f"another ChatClient listens as {account.username}; close it, or use --after SEQ"
            ) from error

    try:
        if lock is not None:
            accounts.save(account)
        _listen_to(room, options, accounts, account, hurried)
    finally:
        if lock is not None:
            lock.release()


def _listen_to(
    room: str | None,
    options: Options,
    accounts: Accounts,
    account: Account,
    hurried: Callable[[], bool],
) -> None:
    """Listen to a room, or to all (None), and print the wanted events or run commands for them."""
    if options.after is None:
        cache = Cache(accounts.folder(account) / "cache.db")
    else:
        cache = Cache(None)
        cache.set_position(room_for(options.one_room, account.username), options.after)
    wanted = MessageFilter(
        account,
        cache,
        after=options.after or 0,
        of_others=bool(options.command),
        mentions=options.mentions,
    )
    people = cache.people.usernames()
    rooms_of = account.username if room is None else None
    printer = _Printer(options, wanted.wants, rooms_of, cache.people.is_former)

    def keep(event: Event) -> bool:
        """Queue it for a command, in the transaction that stores it."""
        if wanted.wants(event):
            cache.unheard.add(event)
        return True

    if options.command:
        with cache.transaction():
            cache.unheard.make()
    elif not _print_unheard(cache, room, printer):
        cache.close()
        return
    with conversation_of(
        options,
        accounts,
        lambda _account: cache,
        follow=None if room is None else {room},
        on_event=keep if options.command else printer.event,
    ) as conversation:
        if options.command:
            with _commands(options, room, conversation, hurried) as runner:
                _receive(conversation, options, room, people, runner.wake)
        else:
            _receive(conversation, options, room, people)
    if printer.failure is not None:
        raise printer.failure


def _print_unheard(cache: Cache, room: str | None, printer: "_Printer") -> bool:
    """Print messages queued for a command and not processed; returns whether more are wanted."""
    while page := cache.unheard.page(room, PAGE):
        for event in page:
            more = printer.event(event)
            with cache.transaction():
                cache.unheard.remove(event)
            if not more:
                return False
    return True


@contextmanager
def _commands(
    options: Options,
    room: str | None,
    conversation: Conversation,
    hurried: Callable[[], bool],
) -> Iterator[CommandRunner]:
    """Run the command for the queued messages of a room, or of all (None)."""
    core = conversation.core
    runner = CommandRunner(
        options.command,
        fetch=lambda reply: core.with_cache(lambda cache: reply(cache.unheard.page(room, PAGE))),
        done=lambda event: core.with_cache(lambda cache: cache.unheard.remove(event)),
        tell=complain,
        ended=conversation.end,
        limit=options.limit,
    )
    try:
        runner.start()
        yield runner
    finally:
        runner.stop(hurried)


def _receive(
    conversation: Conversation,
    options: Options,
    room: str | None,
    people: set[str],
    added: Callable[[], object] = lambda: None,
) -> None:
    """Receive news of a room, or of all (None), until enough events are printed.

    The core's thread prints events before they are stored; `added` is called once some are stored.
    `people` are the known usernames, before the server lists the changes since.
    """
    rooms: set[str] = set()
    for item in conversation.news(options.timeout):
        match item:
            case news.StatusChanged() if item.status.code == "enough":
                return
            case news.EventsAdded():
                added()
            case news.RoomSeen():
                rooms.add(item.room)
            case news.PersonSeen():
                note = people.discard if item.person.former else people.add
                note(item.person.username)
            case news.PeopleForgotten():
                people.clear()
            case news.Listed():
                _check_room(room, rooms, people)
            case news.RoomRefused():
                _refused(item, room)
            case (
                news.StatusChanged()
                | news.AccountChanged()
                | news.MuteChanged()
                | news.RoleChanged()
                | news.Welcomed()
                | news.MessagesErased()
                | news.Moderated()
                | news.SlowModeSeen()
                | news.SanctionsListed()
                | news.Requested()
                | news.DevicesListed()
                | news.DeviceAdded()
                | news.InvitesListed()
                | news.JoiningTold()
                | news.OnlineListed()
                | news.PresenceSeen()
                | news.HistoryAdded()
                | news.Skipped()
                | news.OutboxChanged()
                | news.MessageNotStored()
                | news.CacheReset()
                | news.EventsUpgraded()
            ):
                pass  # Not printed.
            case _:
                assert_never(item)


def _refused(refused: news.RoomRefused, room: str | None) -> None:
    """Handle the refusal of a room: nothing of it will be delivered on this connection."""
    why = f"{refused.room} can't be listened to: {sentence(refused.reason)}"
    if refused.room == room:
        raise FailedError(why)
    if room is None:
        complain(why)  # The others can.


def _check_room(room: str | None, rooms: set[str], people: set[str]) -> None:
    """A direct room is created by its first message; any other room must exist."""
    if room is None or room in rooms:
        return
    for username in direct_members(room) or ():
        if username not in people:
            raise FailedError(f"nobody here is called {username}")
    if direct_members(room) is None:
        raise FailedError(f"you are in no room {room}")


class _Printer:
    """Prints the wanted events, and counts the messages among them.

    `rooms_of` is whose rooms they are from, to name them; None where all are from one.
    `is_former(username)` tells whether somebody's account was deleted.
    """

    def __init__(
        self,
        options: Options,
        wants: Callable[[Event], bool],
        rooms_of: str | None = None,
        is_former: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._is_former = is_former
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
            return event_line(event)
        time_of_day = local_time(event.sent_at)
        # Indented, or the second line of a message could pass for another message.
        text = "\n    ".join(map(printable, event.text.split("\n")))
        happened = HAPPENED.get(event.kind, _NEWER) if event.known else _NEWER
        said = f": {text}" if event.is_message else happened
        room = "" if self._rooms_of is None else f"{address_of(event.room, self._rooms_of)} "
        sender = FORMER_MEMBER if self._is_former(event.sender) else event.sender
        return f"{time_of_day:%Y-%m-%d %H:%M} {room}{sender}{said}"
