"""The chat's own name: what the host may call it, at the start or in the window."""

import unicodedata
from typing import Final

from common.domain.names import NameRefusedError
from common.limits import SERVER_NAME_LENGTH

_JOINER: Final = "\N{ZERO WIDTH JOINER}"
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as blanks."""


def clean_chat_name(text: str) -> str:
    """`text` normalized for display: one line, single spaces, NFC.

    Raises NameRefusedError when it is invisible, longer than SERVER_NAME_LENGTH characters, or
    has a character that is not allowed in a line of text.
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANKS for c in name):
        raise NameRefusedError("name_invisible")
    if len(name) > SERVER_NAME_LENGTH:
        raise NameRefusedError("name_long", most=SERVER_NAME_LENGTH)
    for place, character in enumerate(name):
        if not character.isprintable() and not _joins_emoji(name, place):
            raise NameRefusedError("name_character", character=_told(character))
    return name


def name_by_computer(computer: str) -> str:
    """What a chat is called before its host has chosen a name, by that of the host's computer.

    That may be anything: also empty, and on Linux bytes that are no text. Never fails.
    """
    shown = "".join(character if character.isprintable() else " " for character in computer)
    try:
        return clean_chat_name(shown[:SERVER_NAME_LENGTH])
    except NameRefusedError:
        return "Chat"


def _joins_emoji(name: str, place: int) -> bool:
    """Whether a zero width joiner joins two emoji into one."""
    before, after = name[place - 1 : place], name[place + 1 : place + 2]
    return name[place] == _JOINER and all(
        part and unicodedata.category(part) in {"So", "Sk", "Mn"} for part in (before, after)
    )


def _told(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".strip()
