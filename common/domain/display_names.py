"""Display names: which are valid, and which need the username beside them.

A display name is free text under the Nickname profile of PRECIS (RFC 8266), with three rules of
our own: emoji sequences count as a whole (UTS #51), it must be visible, and it must not imitate
what the windows write themselves, such as "(you)" or the word "Host".
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import cache, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

from common.domain.confusables import skeletons
from common.domain.names import NameRefusedError, is_reserved, reads_as
from common.limits import DISPLAY_NAME_LENGTH

_PICTOGRAPHS: Final = Path(__file__).parents[1] / "assets" / "unicode" / "pictographs.txt"
_MOST_TYPED: Final = 4 * DISPLAY_NAME_LENGTH
"""Maximum length before NFKC, which composes at most four characters into one."""
_MOST_MARKS: Final = 4
"""Maximum number of nonspacing marks on a letter (UTS #39, §5.4); more overlap other lines."""
_STAND_INS: Final = tuple(map(chr, chain(range(0x2801, 0x2900), range(0x2500, 0x25A0))))
"""Placeholders: symbols that no rule here changes or refuses, more than a name has characters."""
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00016fe4\U0001d159")
"""Letters and symbols that are drawn as blanks."""
_PART_OF_FLAG: Final = ("\U0001f1e6", "\U0001f1ff")
_SKIN_TONES: Final = ("\U0001f3fb", "\U0001f3ff")
_HANDLE: Final = re.compile(r"(?<!\w)@\w")
_BORDERS: Final = frozenset(
    "|/\\<>\u00a6\u00b7\u01c0\u01c1\u05c0\u2016\u2022\u2027\u2044\u2215\u2219\u2223\u2225\u22c5\u23d0"
    "\u23fd\u2502\u2503\u2551\u2758\u2759\u275a\u29f8"
)
"""Bars, slashes and dots that separate parts of a name; brackets do so by their category."""
_DASH: Final = re.compile(
    r"[\u2014\u2015\u2500\u2501\u2e3a\u2e3b\u3030]"
    r"|(?:(?<=\s)[{0}]+|[{0}]+(?=\s|$)|^[{0}]+)".format(
        r"\-~\u02d7\u058a\u05be\u1400\u1806\u2010-\u2013\u2043\u2053\u2212\u223c\u2796"
        r"\u2e17\u2e1a\u2e40\u2e5d\u301c\u30a0\u06d4\U00010ead"
    )
)
"""A long dash, or a short one that is not between two words."""
_CONTROLS: Final = {"\0": "NULL", "\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN"}
_KINDS: Final = {
    "Cc": "a control character",
    "Cn": "not a character yet",
    "Co": "for private use",
    "Cs": "half a character",
}


def clean_display_name(name: str, chat_name: str = "") -> str:
    """`name` normalized for display: NFKC, single spaces, no invisible characters.

    Raises NameRefusedError when it is invisible, longer than DISPLAY_NAME_LENGTH characters, holds
    a character that names may not have (which the error names), or could be mistaken for
    `chat_name` or for the program's own words.
    """
    typed = name.strip()
    if not typed:
        raise NameRefusedError("name_empty")
    if len(typed) > _MOST_TYPED:
        raise _too_long()
    plain, sequences = _without_sequences(typed)
    for char in plain:
        _check_character(char)
    cleaned = _with_sequences(_enforced(plain), sequences)
    if len(cleaned) > DISPLAY_NAME_LENGTH:
        raise _too_long()
    _check_marks(cleaned)
    if not any(unicodedata.category(char)[0] in "LNPSC" for char in cleaned):
        raise NameRefusedError("name_invisible")
    if imitates(cleaned, chat_name):
        raise NameRefusedError("name_imitates")
    return cleaned


@lru_cache(8192)
def imitates(name: str, chat_name: str = "") -> bool:
    """Whether a name could be mistaken for text of the program, or for the chat's name.

    A part of a name counts, too, when it is in brackets or after a bar or a dash, as in
    "Ada (you)"; and so does anything that looks like a username.
    """
    if (chat_name and reads_as(name, chat_name)) or _HANDLE.search(name):
        return True
    return any(map(is_reserved, _parts(name)))


def describe(char: str) -> str:
    """A character by its number and its name in Unicode: "U+200B ZERO WIDTH SPACE"."""
    known = unicodedata.name(char, "") or _CONTROLS.get(char, "")
    kind = _KINDS.get(unicodedata.category(char), "")
    return f"U+{ord(char):04X} {known}" if known else f"U+{ord(char):04X} ({kind})"


class Namesakes:
    """Everyone's names, and which of them are ambiguous by their display name alone."""

    def __init__(self) -> None:
        self.chat_name = ""
        """The chat's current name; a display name that looks like it is ambiguous."""
        self._names: dict[str, str] = {}
        self._keys: dict[str, frozenset[str]] = {}
        """The skeletons of each display name by username, cached."""
        self._shown: defaultdict[str, set[str]] = defaultdict(set)
        """By skeleton: the usernames of those whose display name has it."""
        self._called: defaultdict[str, set[str]] = defaultdict(set)
        """By skeleton: the usernames that have it."""

    def put(self, username: str, display_name: str) -> set[str]:
        """Add or change a person; returns the usernames of all whose `handle` may have changed."""
        before = self._names.get(username)
        if before == display_name:
            return set()
        affected = {username}
        if before is None:
            for key in skeletons(username):
                self._called[key].add(username)
                affected |= _alone(self._shown[key])
        else:
            for key in self._keys[username]:
                self._shown[key].discard(username)
                affected |= _alone(self._shown[key])
        keys = self._keys[username] = skeletons(display_name)
        for key in keys:
            affected |= _alone(self._shown[key])
            self._shown[key].add(username)
        self._names[username] = display_name
        return affected

    def remove(self, username: str) -> set[str]:
        """Take out somebody who is no longer here; returns the same as `put`."""
        if self._names.pop(username, None) is None:
            return set()
        affected = {username}
        for key in self._keys.pop(username):
            self._shown[key].discard(username)
            affected |= _alone(self._shown[key])
        for key in skeletons(username):
            self._called[key].discard(username)
            affected |= _alone(self._shown[key])
        return affected

    def handle(self, username: str) -> str:
        """`@username` if the display name is ambiguous, else "".

        It is ambiguous if another display name or username looks the same, and if it is one that
        would be refused today.
        """
        name = self._names.get(username)
        if name is None:
            return ""  # only the username is known, and is shown
        alike = any(self._has_others(username, key) for key in self._keys[username])
        return f"@{username}" if alike or imitates(name, self.chat_name) else ""

    def _has_others(self, username: str, key: str) -> bool:
        # By counts: if all had the same name, comparing them pairwise would be quadratic.
        called = self._called.get(key, ())
        return len(self._shown[key]) > 1 or len(called) > (username in called)


def _alone(usernames: set[str]) -> set[str]:
    """The only element of a set, or nothing: of several, all have their handle already."""
    return usernames if len(usernames) == 1 else set()


def _enforced(plain: str) -> str:
    # Imported here: its Unicode tables cost start-up time and only a joining needs them.
    import precis_i18n

    try:
        return precis_i18n.get_profile("NicknameCasePreserved").enforce(plain)
    except UnicodeEncodeError as error:
        if error.end - error.start == 1:
            raise _refused(error.object[error.start]) from error
        raise NameRefusedError("name_invisible") from error


def _check_character(char: str) -> None:
    """Raise NameRefusedError for a character that is never part of a name, as it was typed."""
    if char in _BLANKS:
        raise _refused(char)
    if _PART_OF_FLAG[0] <= char <= _PART_OF_FLAG[1] or _SKIN_TONES[0] <= char <= _SKIN_TONES[1]:
        raise NameRefusedError("name_character_alone", character=describe(char))
    compatible = unicodedata.normalize("NFKC", char)
    if len(compatible) > 1 and compatible[0] == " " and unicodedata.category(compatible[1]) == "Mn":
        raise _refused(char)  # an accent with no letter under it, such as U+00B4


def _check_marks(cleaned: str) -> None:
    marks = 0
    for before, char in pairwise(f" {cleaned}"):
        category = unicodedata.category(char)
        if category[0] == "M" and before == " ":
            raise NameRefusedError("name_mark_alone", character=describe(char))
        marks = marks + 1 if category == "Mn" else 0
        if marks > _MOST_MARKS:
            raise NameRefusedError("name_marks", most=_MOST_MARKS)


def _parts(name: str) -> list[str]:
    """The name, and its parts in brackets or after a bar or a dash."""
    if name.isascii() and name.replace(" ", "").isalnum():
        return [name]  # as most are, told by the quickest questions
    cut = _DASH.sub("\0", name)
    cut = "".join("\0" if _is_border(char) else char for char in cut)
    return [name, *cut.split("\0")]


def _is_border(char: str) -> bool:
    return char in _BORDERS or unicodedata.category(char) in {"Ps", "Pe", "Pi", "Pf"}


def _without_sequences(name: str) -> tuple[str, list[str]]:
    """The name with a placeholder for each emoji sequence, and the sequences.

    The profile is about single characters, and would refuse joiners and modifiers of emoji.
    """
    spare = (char for char in _STAND_INS if char not in name)
    stand_in = next(spare)
    sequences: list[str] = []

    def replace(found: re.Match[str]) -> str:
        emoji = found.group()
        if len(emoji) == 1 and unicodedata.category(emoji) != "Cn":
            return emoji  # a symbol like any other
        sequences.append(emoji)
        return stand_in

    return _sequence().sub(replace, name), [stand_in, *sequences]


def _with_sequences(cleaned: str, sequences: list[str]) -> str:
    stand_in, *emoji = sequences
    pieces = cleaned.split(stand_in)
    return "".join(chain.from_iterable(zip(pieces, [*emoji, ""], strict=True)))


@cache
def _sequence() -> re.Pattern[str]:
    """Emoji sequences (UTS #51, §1.4.9): joined, with modifiers, flags, keycaps, or single emoji.

    Emoji of a later Unicode than Python's match, too: their code points are reserved already.
    """
    ranges = (map(_escaped, line.split(" ")) for line in _PICTOGRAPHS.read_text().splitlines())
    one = "[" + "".join("-".join(pair) for pair in ranges) + "]"
    tones = f"[{_SKIN_TONES[0]}-{_SKIN_TONES[1]}]"
    tagged = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
    joined = f"{one}{tones}?\ufe0f?(?:\u200d{one}{tones}?\ufe0f?)*"
    flag = f"[{_PART_OF_FLAG[0]}-{_PART_OF_FLAG[1]}]" + "{2}"
    keycap = "[0-9#*]\ufe0f?\u20e3"
    return re.compile(f"{tagged}|{one}\ufe0e|{joined}|{flag}|{keycap}")


def _escaped(code: str) -> str:
    return f"\\U{int(code, 16):08X}"


def _refused(char: str) -> NameRefusedError:
    return NameRefusedError("name_character", character=describe(char))


def _too_long() -> NameRefusedError:
    return NameRefusedError("name_long", most=DISPLAY_NAME_LENGTH)
