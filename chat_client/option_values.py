"""The values of options: what a text on the command line stands for.

All of these raise argparse.ArgumentTypeError, with the words of a usage error.
"""

from __future__ import annotations

import argparse
import sys

# Names and addresses are imported when one is given: the window must not wait for them.


def address(text: str) -> tuple[str, int]:
    """A host and its port, of `--at`."""
    from common.domain.typed_address import AddressError, parse_address

    try:
        return parse_address(text)
    except AddressError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def code(text: str) -> str:
    """A spoken code; "-" reads it from a line of standard input."""
    from common.domain.spoken_code import is_code, typed_code

    if text == "-":
        text = sys.stdin.buffer.readline().decode("utf-8", "replace")
    code = typed_code(text)
    if not is_code(code):
        raise argparse.ArgumentTypeError("a code has 8 letters and digits")
    return code


def display_name(text: str) -> str:
    """A name as people read it, cleaned."""
    from common.domain.display_names import clean_display_name
    from common.domain.names import NameRefusedError

    try:
        return clean_display_name(text)
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def username(text: str) -> str:
    """A username, in lower case."""
    from common.domain.names import NameRefusedError, fold_username

    try:
        return fold_username(text)
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def profile(text: str) -> str:
    """A profile's name; as it names a folder, it has the form of usernames."""
    from common.domain.names import NameRefusedError, fold_username

    try:
        return fold_username(text)
    except NameRefusedError as error:
        raise argparse.ArgumentTypeError(f"a profile's name is like a username: {error}") from error


def seconds(text: str) -> float:
    """A number of seconds, up to a day's."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to a day's")
    return seconds


def positive(text: str) -> int:
    """A whole number from 1 on."""
    number = position(text)
    if number < 1:
        raise argparse.ArgumentTypeError("use 1 or more")
    return number


def position(text: str) -> int:
    """A whole number from 0 on."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)
