"""The command line of ChatServer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from common.limits import (
    DEFAULT_PORT,
    JOINS_PER_MINUTE,
    LEAST_MESSAGE_RATE,
    MAX_JOINS_PER_MINUTE,
    MAX_MESSAGE_RATE,
    MESSAGE_RATE,
)
from common.system.arguments import ArgumentParser, ShowVersion

if TYPE_CHECKING:
    from common.ui.look.palette import Mode


class Options(NamedTuple):
    """The parsed options. `port` 0 means any free one; `host` None means every interface."""

    headless: bool
    host: str | None
    port: int
    data_dir: Path | None
    name: str | None
    ready_file: Path | None
    plaintext: bool
    log_level: str
    theme: Mode | None = None
    smoke_test: bool = False
    discovery: bool = True
    message_rate: float = MESSAGE_RATE
    """Messages per second of one person in one room; 0 for no limit."""
    joins_per_minute: int = JOINS_PER_MINUTE
    """People who may join with one invite; 0 for no limit."""


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the options; exits with status 2 and one line of usage error if they are wrong."""
    parser = ArgumentParser(
        prog="ChatServer", description="Host a chat for the people on your network."
    )
    add = parser.add_argument
    add("--headless", action="store_true", help="run without a window")
    add("--host", help="address to listen on (default: all interfaces)")
    port_help = "TCP port, 0 for any free one (%(default)s)"
    add("--port", type=_port, default=DEFAULT_PORT, help=port_help)
    add(
        "--no-discovery",
        action="store_false",
        dest="discovery",
        help="don't let guests on this network find the chat by themselves",
    )
    add("--data-dir", type=Path, help="folder of the database and the key")
    add("--name", type=_name, help="the chat's name, as everyone sees it")
    add("--ready-file", type=Path, help="JSON file to write once the server accepts")
    rate_help = "messages a second that one person may send to a room; 0 for any (%(default)g)"
    add("--message-rate", type=_rate, default=MESSAGE_RATE, metavar="NUMBER", help=rate_help)
    joins_help = "people who may join with one invite in a minute; 0 for any number (%(default)s)"
    add("--joins-per-minute", type=_joins, default=JOINS_PER_MINUTE, metavar="NUMBER",
        help=joins_help)  # fmt: skip
    add("--plaintext", action="store_true", help="no TLS; for tests, on loopback only")
    add("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    add("--theme", choices=["light", "dark"], help="the window's colours (default: the system's)")
    add("--smoke-test", action="store_true", help="check that the program works, and exit")
    add("--version", action=ShowVersion, help="print which build this is, and exit")
    parsed = parser.parse_args(arguments)
    if parsed.plaintext and not _stays_here(parsed.host):
        parser.error("--plaintext needs a loopback address, such as --host 127.0.0.1")
    return Options(**vars(parsed))


def _stays_here(host: str | None) -> bool:
    from common.domain.invite import is_loopback  # imported here: the window must not wait for it

    return host is not None and is_loopback(host)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use 0 to 65535")
    return port


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not (rate == 0 or LEAST_MESSAGE_RATE <= rate <= MAX_MESSAGE_RATE):  # also not for "nan"
        least, most = f"{LEAST_MESSAGE_RATE:g}", f"{MAX_MESSAGE_RATE:g}"
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; use 0, or {least} to {most}")
    return rate


def _joins(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 7
    if not is_number or int(text) > MAX_JOINS_PER_MINUTE:
        most = f"use 0 to {MAX_JOINS_PER_MINUTE}"
        raise argparse.ArgumentTypeError(f"{text!r} is no number of people; {most}")
    return int(text)


def _name(text: str) -> str:
    from chat_server.chat_name import clean_chat_name  # imported here, as above
    from common.domain.names import NameRefusedError

    try:
        return clean_chat_name(text)
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
