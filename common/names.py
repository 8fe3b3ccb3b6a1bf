"""Usernames, display names and the ids of rooms.

A username is an account's key: ASCII letters, digits and ``-_.``, starting with a letter or
digit, compared and stored in lower case. A display name is what people read: free text under
the Nickname profile of PRECIS (RFC 8266).
"""

import re
import unicodedata
from typing import Final

from common.limits import DISPLAY_NAME_LENGTH, USERNAME_LENGTH

GENERAL: Final = "general"
"""The room every account is a member of."""

USERNAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"
ROOM_PATTERN: Final = (
    r"^(?:[a-z0-9][a-z0-9._-]{0,31}"
    r"|dm:[a-z0-9][a-z0-9._-]{0,31}:[a-z0-9][a-z0-9._-]{0,31})$"
)
_USERNAME = re.compile(USERNAME_PATTERN)
_ROOM = re.compile(ROOM_PATTERN)
_NOT_IN_USERNAME = re.compile(r"[^a-z0-9._-]+")


class NameRefusedError(ValueError):
    """The name breaks a rule; the text says which, for the person who typed it."""


def fold_username(username: str) -> str:
    """The stored form of `username`. Raises NameRefusedError when it is none."""
    if not _USERNAME.fullmatch(username) or username.endswith("\n"):
        raise NameRefusedError(
            f"a username has 1 to {USERNAME_LENGTH} of a-z, 0-9 and . _ - "
            "and starts with a letter or digit"
        )
    return username.lower()


def suggest_username(display_name: str) -> str:
    """A username for a display name ("Ada Lindqvist" gives "ada.lindqvist"), or "" if none."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode()
    dotted = _NOT_IN_USERNAME.sub(".", plain.strip().lower())
    dotted = re.sub(r"\.{2,}", ".", dotted)
    return dotted.lstrip("._-")[:USERNAME_LENGTH].rstrip("._-")


def clean_display_name(name: str) -> str:
    """`name` as everyone will see it: NFKC, single spaces, no controls (RFC 8266).

    Raises NameRefusedError when nothing is left, when it is longer than
    DISPLAY_NAME_LENGTH characters, or when it holds characters that names may not have.
    """
    # Imported here: its Unicode tables cost start-up time and only a joining needs them.
    import precis_i18n

    try:
        cleaned = precis_i18n.get_profile("NicknameCasePreserved").enforce(name)
    except UnicodeEncodeError as error:
        raise NameRefusedError(
            "a name must not be empty and has letters, digits, spaces and symbols only"
        ) from error
    if len(cleaned) > DISPLAY_NAME_LENGTH:
        raise NameRefusedError(f"a name has at most {DISPLAY_NAME_LENGTH} characters")
    return cleaned


def direct_room(one: str, other: str) -> str:
    """The id of the direct conversation of two usernames, the same from both sides.

    Raises NameRefusedError when either is no username or both are the same person.
    """
    first, second = sorted((fold_username(one), fold_username(other)))
    if first == second:
        raise NameRefusedError("a direct conversation is between two people")
    return f"dm:{first}:{second}"


def direct_members(room: str) -> tuple[str, str] | None:
    """The two usernames of a direct room's id, or None for any other room."""
    if not room.startswith("dm:"):
        return None
    _, one, other = room.split(":")
    return one, other


def direct_partner(room: str, me: str) -> str | None:
    """The other one of a direct room that is mine, or None."""
    members = direct_members(room)
    if members is None or me not in members:
        return None
    return members[1] if members[0] == me else members[0]


def room_for(address: str, me: str) -> str:
    """The room id a person means: a room's own id or name, or ``@username`` for a direct one.

    Raises NameRefusedError when `address` can be neither.
    """
    if address.startswith("@"):
        return direct_room(me, address[1:])
    room = address.removeprefix("#")
    if not _ROOM.fullmatch(room):
        raise NameRefusedError(f"{address!r} is no room: use its name, or @username for a person")
    return room


def address_of(room: str, me: str) -> str:
    """How a person `me` names `room`: the opposite of `room_for`."""
    partner = direct_partner(room, me)
    return room if partner is None else f"@{partner}"
