"""Usernames, display names and the ids of rooms.

A username is an account's key: ASCII letters, digits and ``-_.``, starting with a letter or
digit, compared and stored in lower case. A display name is what people read; its rules are in
common/domain/display_names.py.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.limits import USERNAME_LENGTH

GENERAL: Final = "general"
"""The room every account is a member of."""
FORMER_MEMBER: Final = "Former member"
"""The display name of all accounts that were deleted."""

USERNAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"
TOLD_USERNAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,31}$"
"""Of a username as the server writes it."""
ROOM_PATTERN: Final = (
    r"^(?:[a-z0-9][a-z0-9._-]{0,31}"
    r"|dm:[a-z0-9][a-z0-9._-]{0,31}:[a-z0-9][a-z0-9._-]{0,31})$"
)
RESERVED: Final = frozenset(
    {
        *("admin", "administrator", "chat", "chatclient", "chatserver", "host", "mod", "moderator"),
        *("server", "system", "the admin", "the chat", "the host", "the moderator"),
        *("the server", "the system", "all", "channel", "everybody", "everyone", "general", "here"),
        *("room", "rooms", "you", "former member"),
    }
)
"""What nobody may be called: the programs and rooms themselves, and words for those who listen."""
_NUMBERS: Final = (*range(1, 33), *(1 << power for power in range(6, 20)))
"""What a taken name is numbered with: in a row at first, and then in steps that grow. Whoever has
made thousands of names would else have the server look at them all for each join that it refuses.
"""
_FILLERS: Final = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
"""Letters that are drawn as blanks."""
_USERNAME = re.compile(USERNAME_PATTERN)
_ROOM = re.compile(ROOM_PATTERN)
_NOT_IN_USERNAME = re.compile(r"[^a-z0-9._-]+")


class NameRefusedError(ValueError):
    """A name breaks a rule: `reason` says which, and the text says it to who typed the name."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.reason = Reason(code, params)
        super().__init__(sentence(self.reason))


def fold_username(username: str) -> str:
    """The stored form of `username`. Raises NameRefusedError when it is none."""
    if not _USERNAME.fullmatch(username) or username.endswith("\n"):
        raise NameRefusedError("username_form", most=USERNAME_LENGTH)
    return username.lower()


def claim_username(username: str) -> str:
    """The stored form of a `username` for a new account.

    Raises NameRefusedError when it is none, or could be taken for the program's own word. Accounts
    from before a word was reserved keep their names: so only joining asks this.
    """
    folded = fold_username(username)
    if is_reserved(folded):
        raise NameRefusedError("username_reserved", username=folded)
    return folded


def is_reserved(name: str) -> bool:
    """Whether `name` reads as one of RESERVED, whatever its case, its signs and its lookalikes."""
    return not _words(name).isdisjoint(_reserved())


def reads_as(name: str, other: str) -> bool:
    """Whether two names are the same to a reader who passes over their signs and spaces."""
    return not _words(name).isdisjoint(_words(other))


def suggest_username(display_name: str) -> str:
    """A username for a display name ("Łukasz Öberg" gives "lukasz.oberg"), or "" if there is none.

    Other scripts are written in Latin letters, by a table that knows no language: let the person
    see it, and change it.
    """
    from common.domain.transliteration import to_ascii

    dotted = _NOT_IN_USERNAME.sub(".", to_ascii(display_name).strip())
    dotted = re.sub(r"\.{2,}", ".", dotted)
    suggested = dotted.lstrip("._-")[:USERNAME_LENGTH].rstrip("._-")
    return free_username(suggested) if suggested else ""


def free_username(username: str, taken: Callable[[str], bool] = lambda _: False) -> str:
    """`username`, or the first of username2, username3, … that is neither taken nor reserved.

    The name is cut where it must be to make room for the number. From 32 on not every number is
    tried; if none of them is free, the answer is "".
    """
    for number in _NUMBERS:
        suffix = str(number) if number > 1 else ""
        candidate = username[: USERNAME_LENGTH - len(suffix)].rstrip("._-") + suffix
        if not (taken(candidate) or is_reserved(candidate)):
            return candidate
    return ""


def spelling(username: str) -> str:
    """What a stored username is read as: vict0r like victor, corn like com."""
    from common.domain.confusables import skeletons

    (skeleton,) = skeletons(username)
    return skeleton


def _words(name: str) -> frozenset[str]:
    """What a name reads as without signs and spaces; nothing for one that has only these."""
    from common.domain.confusables import skeletons

    read: frozenset[str] = frozenset()
    # A chat's name may be in full width. As it is, too: of a sign may become letters, as of "(TM)".
    for form in {name, unicodedata.normalize("NFKC", name)}:
        # Without its signs first, since some of them look like letters: a long dash like a kana,
        # two bars like "ll". As it is, too: they may stand for these letters.
        letters = "".join(char for char in form if unicodedata.category(char)[0] not in "PSZ")
        read |= skeletons(form) | skeletons(letters)
        # A digit one passes for I, too.
        if "1" in form:
            read |= skeletons(form.replace("1", "i"))
    words = ("".join(filter(str.isalnum, skeleton.translate(_FILLERS))) for skeleton in read)
    return frozenset(filter(None, words))


@cache
def _reserved() -> frozenset[str]:
    return frozenset().union(*map(_words, RESERVED))


def direct_room(one: str, other: str) -> str:
    """The id of the direct conversation of two usernames, the same from both sides.

    Raises NameRefusedError when either is no username or both are the same person.
    """
    first, second = sorted((fold_username(one), fold_username(other)))
    if first == second:
        raise NameRefusedError("direct_with_oneself")
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
        raise NameRefusedError("no_room_address", address=repr(address))
    return room


def address_of(room: str, me: str) -> str:
    """How a person `me` names `room`: the opposite of `room_for`."""
    partner = direct_partner(room, me)
    return room if partner is None else f"@{partner}"
