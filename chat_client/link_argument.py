"""Invite links among the arguments of a start, and what of the arguments is secret."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from common.system.process import INVITE_VARIABLE

# Names and invites are imported when one is given: the window must not wait for them.
if TYPE_CHECKING:
    from common.domain.invite import Invite

OPEN_LINK: Final = "--open-link"
EXEC: Final = "--exec"
"""Behind it stands a command, of which nothing is an option of ours."""
_SECRET_OPTIONS: Final = ("--join", "--code")
"""Options of which the value is nobody else's business."""
_LINK: Final = ("chat:", "chat+plaintext:")
_LONGEST_INPUT: Final = 65_536
"""Maximum bytes that are read of standard input for a link."""


class DamagedLink(NamedTuple):
    """What was given for an invite link and is none, and why; the window shows both."""

    text: str
    problem: str


def secrets_among(arguments: Sequence[str]) -> list[str]:
    """What of the arguments, and of the environment, other users should not see; without parsing.

    All that looks like an invite link, whatever option it belongs to and however it is damaged.
    """
    found = [each for each in arguments if any(link in each.lower() for link in _LINK)]
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == OPEN_LINK:
            found += [value, *arguments[place + 1 :]]
        # An option may be abbreviated.
        elif len(flag) > 2 and any(option.startswith(flag) for option in _SECRET_OPTIONS):
            found += [value] if equals else arguments[place + 1 : place + 2]
    found.append(os.environ.get(INVITE_VARIABLE, ""))
    # The longest first: one may be a part of another. What is as short as a dash hides nothing.
    return sorted({each for each in found if len(each) > 1}, key=len, reverse=True)


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """The arguments of a window's start without those that name an invite, in whatever way."""
    rest, _ = without_link(arguments)
    kept: list[str] = []
    skipped = False
    for argument in rest:
        flag, equals, _ = argument.partition("=")
        if skipped:
            skipped = False
        elif len(flag) > 2 and "--join".startswith(flag):
            skipped = not equals
        else:
            kept.append(argument)
    return kept


def without_link(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments before `--open-link`, and what is behind it, which is all one link.

    A desktop puts there what a web page says. On Windows a quotation mark in it would begin another
    argument: so nothing behind it is ever taken for an option.
    """
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == OPEN_LINK:
            words = [value] if equals else []
            text = " ".join([*words, *arguments[place + 1 :]])
            return list(arguments[:place]), text or None
        if argument in {EXEC, "--"}:
            break
    return list(arguments), None


def link_from_outside(text: str) -> Invite | DamagedLink:
    """The invite that a desktop opens; "-" reads it from standard input."""
    if text == "-":
        text = sys.stdin.buffer.read(_LONGEST_INPUT).decode("utf-8", "replace")
    return read_link(text)


def join_argument(text: str) -> Invite | DamagedLink:
    """What `--join` gets; "-" reads it from a line of standard input."""
    if text == "-":
        # Unbuffered, and not beyond the line: the message may follow.
        text = sys.stdin.buffer.readline().decode("utf-8", "replace")
        if not text.strip():
            return DamagedLink("", "standard input has no invite link in its first line")
    return read_link(text)


def read_link(text: str) -> Invite | DamagedLink:
    """The invite in a text that somebody gave, or what is wrong with it."""
    from common.domain.invite import InviteError
    from common.domain.pasted_invite import find_invite

    try:
        return find_invite(text)
    except InviteError as error:
        return DamagedLink(text, str(error))
