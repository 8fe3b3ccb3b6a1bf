"""The command line of ChatClient: the window, or one of the verbs that need none."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chat_client import option_values
from chat_client.link_argument import (
    EXEC,
    OPEN_LINK,
    DamagedLink,
    join_argument,
    link_from_outside,
    read_link,
    without_link,
)
from common.system.arguments import SCHEME, ArgumentParser, ShowVersion, device_prefix
from common.system.process import INVITE_VARIABLE

# Names and invites are imported when one is given: the window must not wait for them.
if TYPE_CHECKING:
    from common.domain.invite import Invite
    from common.ui.look.palette import Mode


_DEFAULT_ROOM: Final = "general"


class Name(NamedTuple):
    """A display name, and the username proposed for it."""

    username: str
    display_name: str


class Options(NamedTuple):
    """The parsed options; `verb` is None for the window.

    `damaged` is there instead of `join` if the invite link is none, for the window only. If `join`
    is `from_outside`, a desktop had it from a web page, say: it is shown, and nothing else is done
    before the person wants it. With `new_window` no other window is asked to do this start's work.
    """

    verb: str | None = None
    join: Invite | None = None
    damaged: DamagedLink | None = None
    from_outside: bool = False
    new_window: bool = False
    name: Name | None = None
    data_dir: Path | None = None
    profile: str | None = None
    theme: Mode | None = None
    login_name: bool = False
    smoke_test: bool = False
    log_level: str = "warning"
    room: str | None = None
    text: str | None = None
    lines: bool = False
    json: bool = False
    mentions: bool = False
    command: tuple[str, ...] = ()
    device: str = ""
    messages: str = ""
    limit: int | None = None
    after: int | None = None
    timeout: float = 10.0
    at: tuple[str, int] | None = None
    code: str | None = None
    ask: bool = False

    @property
    def one_room(self) -> str:
        """The room, or the one that is meant where none is given."""
        return _DEFAULT_ROOM if self.room is None else self.room


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the options; exits with status 2 and one line of usage error if they are wrong."""
    parser = ArgumentParser(prog="ChatClient", description="Chat with the people on your network.")
    parser.add_argument("--version", action=ShowVersion, help="print which build this is, and exit")
    parser.add_argument(
        "--smoke-test", action="store_true", help="check that the program works, and exit"
    )
    parser.add_argument(
        "--theme", choices=["light", "dark"], help="the window's colours (default: the system's)"
    )
    parser.add_argument(
        "--login-name",
        action="store_true",
        help="with an invite: join at once, under the name of your login unless --name has one",
    )
    parser.add_argument(
        "--new-window",
        action="store_true",
        help="open a window in any case, to use another account beside those that are open",
    )
    parser.add_argument(
        OPEN_LINK,
        nargs="*",
        metavar="LINK",
        help="for desktops, as the last option: show the invite link in the window that is open, "
        "or in a new one; - reads it from standard input, and without a link it is a plain start",
    )
    _common(parser, default=None)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="without a window")
    _send(verbs.add_parser("send", help="send a message"))
    _listen(verbs.add_parser("listen", help="print what is said, as it is said"))
    for verb, what in (
        ("rooms", "list your rooms"),
        ("people", "list everyone"),
        ("devices", "list your devices"),
        ("add-device", "print an invite link for one more device of yours"),
    ):
        listing = verbs.add_parser(verb, help=what)
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        _timeout(listing)
        _joining(listing)
        _common(listing)
    removing = verbs.add_parser("remove-device", help="sign one of your devices out")
    removing.add_argument(
        "device",
        type=device_prefix,
        help="from “devices”; its first digits will do, at least four",
    )
    _timeout(removing)
    _common(removing)
    _own_account(verbs)
    nearby = verbs.add_parser("chats", help="list the chats on this network")
    nearby.add_argument("--json", action="store_true", help="one JSON object a line")
    nearby.add_argument(
        "--timeout",
        type=option_values.seconds,
        default=2.0,
        metavar="SECONDS",
        help="how long to look for them (%(default)s)",
    )
    _common(nearby)
    # Removed immediately: no program that is started from here inherits it.
    invite = os.environ.pop(INVITE_VARIABLE, None)
    everything = sys.argv[1:] if arguments is None else arguments
    rest, opened = without_link(everything)
    rest, command = _without_command(rest)
    if rest and rest[0].lower().startswith(SCHEME):
        parser.error("an invite link stands behind --join")
    given = vars(parser.parse_args(rest))
    words = given.pop("open_link")
    opened = opened or (" ".join(words) if words else None)
    if command:
        if given["verb"] != "listen":
            parser.error("--exec belongs to listen")
        given["command"] = command
    _take_link(parser, given, opened, invite)
    _check_joining(parser, given)
    display_name, username = given.pop("name"), given.pop("username")
    if username is not None:
        given["name"] = Name(username, display_name or username)
    elif display_name is not None:
        given["name"] = name_of(display_name)
        if given["name"] is None:
            why = f"--name {display_name!r} has no letter or digit for a username; say --username"
            parser.error(why)
    return Options(**{key: value for key, value in given.items() if value is not None})


def _check_joining(parser: ArgumentParser, given: dict[str, Any]) -> None:
    """Refuse what does not belong together among the ways to join."""
    by_code, asks = given.get("code") is not None, bool(given.get("ask"))
    if given.get("at") is None:
        if by_code or asks:
            parser.error(f"{'--code' if by_code else '--ask'} needs --at HOST")
    elif given["join"] is not None:
        parser.error("--at belongs to --code or --ask; an invite says where its server is")
    elif by_code and asks:
        parser.error("use --code or --ask, not both")


def _take_link(
    parser: ArgumentParser, given: dict[str, Any], opened: str | None, invite: str | None
) -> None:
    """Choose among the invites of `--join`, of a desktop (`opened`) and of the environment."""
    source = "argument --join"
    if opened is not None:
        source = f"argument {OPEN_LINK}"
        if given["verb"] is not None:
            parser.error(f"{source}: it is for the window")
        given["join"], given["from_outside"] = link_from_outside(opened), True
    elif invite and given["join"] is None:
        source = f"environment variable {INVITE_VARIABLE}"
        given["join"] = read_link(invite)
    if isinstance(given["join"], DamagedLink):
        damaged = given["damaged"] = given.pop("join")
        # A window shows it: whoever starts that has seldom a terminal to read an error in.
        if given["verb"] is not None:
            parser.error(f"{source}: {damaged.problem}")


def _without_command(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The arguments before `--exec`, and those behind it, which are a command's and not ours."""
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == EXEC:
            command = [value] if equals else []
            command += arguments[place + 1 :]
            if command[:1] == ["--"]:
                command = command[1:]
            if command and command[0]:
                return list(arguments[:place]), tuple(command)
            return [*arguments[:place], EXEC], ()
        if argument == "--":
            break
    return list(arguments), ()


def _common(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    """Options allowed before a verb or after it; a verb's defaults must not override the former."""

    def add(flag: str, **settings: object) -> None:
        parser.add_argument(flag, default=default, **settings)  # type: ignore[arg-type]  # passed on

    add(
        "--join",
        type=join_argument,
        metavar="INVITE",
        help="the invite link from the host; - reads it from the first line of standard input, "
        f"and without this option it may be in the environment variable {INVITE_VARIABLE}",
    )
    add("--name", type=option_values.display_name, help="your name there")
    add(
        "--username",
        type=option_values.username,
        help="your username there (default: made from --name, in Latin letters)",
    )
    add("--data-dir", type=Path, help="folder of your accounts and messages")
    add(
        "--profile",
        type=option_values.profile,
        metavar="NAME",
        help="a further set of them, of that name",
    )
    add("--log-level", choices=["debug", "info", "warning", "error"], help="(default: warning)")


def _own_account(verbs: argparse._SubParsersAction[ArgumentParser]) -> None:
    renaming = verbs.add_parser("rename", help="change your name")
    renaming.add_argument(
        "text", type=option_values.display_name, metavar="NAME", help="your new name"
    )
    _timeout(renaming)
    _common(renaming)
    deleting = verbs.add_parser("delete-account", help="delete your account, for good")
    deleting.add_argument(
        "--messages",
        choices=["keep", "remove"],
        required=True,
        help="keep what you said, as a former member's, or remove it everywhere",
    )
    _timeout(deleting)
    _common(deleting)


def _send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="?", help="the message (default: standard input)")
    _room(parser)
    parser.add_argument(
        "--lines", action="store_true", help="send each line of standard input as a message"
    )
    _timeout(parser)
    _joining(parser)
    _common(parser)


def _listen(parser: argparse.ArgumentParser) -> None:
    _room(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--mentions",
        action="store_true",
        help="only messages of others that mention you, as @USERNAME or by your name, "
        "in all of your rooms and direct conversations unless --room names one",
    )
    parser.add_argument(
        "--count",
        type=option_values.positive,
        metavar="N",
        dest="limit",
        help="end after N messages",
    )
    parser.add_argument(
        "--after",
        type=option_values.position,
        metavar="SEQ",
        help="print messages after this place, without marking them as read",
    )
    parser.add_argument(
        EXEC,
        nargs="+",
        metavar=("COMMAND", "ARGUMENT"),
        dest="command",
        help="the last option: run this command, one at a time and without a shell, for each "
        "message of others; it gets the message as JSON on its standard input",
    )
    _timeout(parser)
    _joining(parser)
    _common(parser)


def _room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--room", help=f"a room, or @USERNAME for a person ({_DEFAULT_ROOM})")


def _timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=option_values.seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long to try to reach the server (%(default)s)",
    )


def _joining(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at",
        type=option_values.address,
        metavar="HOST[:PORT]",
        help="without an invite: the address that the host's window shows",
    )
    parser.add_argument(
        "--code",
        type=option_values.code,
        help="with --at: the code that the host reads out; - reads it from the first line of "
        "standard input",
    )
    parser.add_argument(
        "--ask",
        action="store_true",
        help="with --at: ask the host to let you in, who compares four digits with you",
    )


def name_of(text: str) -> Name | None:
    """A display name with the username proposed for it, if there is one."""
    from common.domain.names import NameRefusedError, claim_username, suggest_username

    display_name = " ".join(text.split())
    try:
        return Name(claim_username(display_name), display_name)
    except NameRefusedError:
        username = suggest_username(display_name)
        return Name(username, display_name) if username else None
