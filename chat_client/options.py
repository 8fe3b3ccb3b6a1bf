"""The command line of ChatClient: the window, or one of the verbs that need none."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import __version__
from common.arguments import ArgumentParser
from common.invite import Invite, InviteError, parse_invite
from common.names import (
    NameRefusedError,
    clean_display_name,
    fold_username,
    suggest_username,
)


@dataclass(frozen=True, slots=True)
class Name:
    """What a person is called, and the username that goes with it."""

    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `verb` is None for the window."""

    verb: str | None = None
    join: Invite | None = None
    name: Name | None = None
    data_dir: Path | None = None
    theme: str | None = None
    log_level: str = "warning"
    room: str = "general"
    text: str | None = None
    lines: bool = False
    json: bool = False
    count: int | None = None
    after: int | None = None
    timeout: float = 10.0


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """The options; ends the program with status 2 and one line when they are wrong."""
    parser = ArgumentParser(prog="ChatClient", description="Chat with the people on your network.")
    parser.add_argument("--version", action="version", version=f"ChatClient {__version__}")
    parser.add_argument(
        "--theme", choices=["light", "dark"], help="the window's colours (default: the system's)"
    )
    _common(parser, default=None)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="without a window")
    _send(verbs.add_parser("send", help="send a message"))
    _listen(verbs.add_parser("listen", help="print what is said, as it is said"))
    for verb, what in (("rooms", "list your rooms"), ("people", "list everyone")):
        listing = verbs.add_parser(verb, help=what)
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        _timeout(listing)
        _common(listing)
    given = vars(parser.parse_args(arguments))
    return Options(**{key: value for key, value in given.items() if value is not None})


def _common(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    """What may stand before a verb or after it; a verb's silence must not undo the former."""

    def add(flag: str, **settings: object) -> None:
        parser.add_argument(flag, default=default, **settings)  # type: ignore[arg-type]  # passed on

    add("--join", type=_invite, metavar="INVITE", help="the invite link from the host")
    add("--name", type=_name, help="your name there")
    add("--data-dir", type=Path, help="folder of your accounts and messages")
    add("--log-level", choices=["debug", "info", "warning", "error"], help="(default: warning)")


def _send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="?", help="the message (default: standard input)")
    _room(parser)
    parser.add_argument(
        "--lines", action="store_true", help="send each line of standard input as a message"
    )
    _timeout(parser)
    _common(parser)


def _listen(parser: argparse.ArgumentParser) -> None:
    _room(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--count", type=_positive, metavar="N", help="end after N messages")
    parser.add_argument(
        "--after",
        type=_position,
        metavar="SEQ",
        help="begin after this place, and leave what you have heard as it is",
    )
    _timeout(parser)
    _common(parser)


def _room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--room", default="general", help="a room, or @USERNAME for a person (%(default)s)"
    )


def _timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long to try to reach the server (%(default)s)",
    )


def _invite(text: str) -> Invite:
    try:
        return parse_invite(text)
    except InviteError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _name(text: str) -> Name:
    try:
        display_name = clean_display_name(text)
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name_of(display_name) or _no_name(text)


def name_of(text: str) -> Name | None:
    """The username and display name for what somebody calls themselves, if there is one."""
    display_name = " ".join(text.split())
    try:
        return Name(fold_username(display_name), display_name)
    except NameRefusedError:
        username = suggest_username(display_name)
        return Name(username, display_name) if username else None


def _no_name(text: str) -> Name:
    raise argparse.ArgumentTypeError(f"{text!r} has no letter or digit of a-z, 0-9 for a username")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to a day's")
    return seconds


def _positive(text: str) -> int:
    number = _position(text)
    if number < 1:
        raise argparse.ArgumentTypeError("use 1 or more")
    return number


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)
