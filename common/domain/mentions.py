"""Where a text mentions people: ``@username`` or ``@display name`` as a whole word. Pure.

Names are compared without case and in one normal form. The longest name that fits is meant, so
that of ``@ada`` and ``@ada.lovelace`` each is reached; a full stop that ends the sentence is not
taken for a part of the name. Whoever has a shorter name as a username is meant as well: a username
is one person's alone, and nobody can take mentions away from it by a display name that begins so.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from common.domain.search_normalization import comparable, joins
from common.limits import DISPLAY_NAME_LENGTH, USERNAME_LENGTH

MOST_MENTIONS: Final = 50
"""Mentions of one text that are marked; what looks like one after them is text."""
_AT: Final = re.compile("[@\uff20]")
"""The sign, and the wide form that East Asian keyboards type."""
_NOT_BEFORE: Final = frozenset("@\uff20/\\._-+=&?#%~")
"""Signs before which ``@`` belongs to an address or a link."""
_IN_NAMES: Final = frozenset("._-")
"""Signs inside of usernames, which also end sentences."""
_MOST_KNOWN: Final = 1_000
"""Texts of which it is kept whether they mention somebody: it is asked several times of each."""
_LONGEST_KNOWN: Final = 1_000
"""Characters of such a text at most."""
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer: no space stands between their words."""


class Mention(NamedTuple):
    """From where to where a text mentions somebody, and who may be meant, by usernames.

    Those are several when people of one display name are meant by it.
    """

    begin: int
    end: int
    usernames: frozenset[str]


class Mentionable:
    """The people that may be mentioned, each by the username and the display name."""

    def __init__(self, people: Iterable[tuple[str, str]] = ()) -> None:
        self._meant: dict[str, set[str]] = {}
        self._names: list[str] = []
        """Its keys in order, so that a beginning that no name has is known at once."""
        self._display_names: dict[str, str] = {}
        """By username, which is a name in its normal form."""
        self._latest: tuple[str, str, list[Mention]] = "", "", []
        """What was read last, and what was found: a message is drawn in several steps."""
        self._known: dict[tuple[str, str], bool] = {}
        """By text and username: whether the one mentions the other."""
        for username, display_name in people:
            self.put(username, display_name)

    def put(self, username: str, display_name: str) -> None:
        """Add somebody, or change the display name."""
        self.discard(username)
        self._display_names[username] = display_name
        for name in {_folded(username), _folded(display_name)}:
            if name not in self._meant:
                self._meant[name] = set()
                insort(self._names, name)
            self._meant[name].add(username)

    def discard(self, username: str) -> None:
        """Take somebody out; harmless for somebody who is not in."""
        former = self._display_names.pop(username, None)
        self._latest = "", "", []
        self._known.clear()
        for name in {_folded(username), _folded(former)} if former is not None else ():
            self._meant[name].discard(username)
            if not self._meant[name]:
                del self._meant[name]
                del self._names[bisect_left(self._names, name)]

    def mentions(self, text: str, me: str = "") -> Sequence[Mention]:
        """The first MOST_MENTIONS mentions in a text, in order, and the first of `me` in any case.

        Takes time linear in the text's length.
        """
        if self._latest[:2] == (text, me):
            return self._latest[2]
        each = self._each(text)
        found = list(islice(each, MOST_MENTIONS))
        if me and not any(me in mention.usernames for mention in found):
            found += islice((mention for mention in each if me in mention.usernames), 1)
        self._latest = text, me, found
        return found

    def mentions_person(self, text: str, username: str) -> bool:
        """Whether somebody is among those that a text mentions, however many these are."""
        known = self._known.get((text, username))
        if known is None:
            known = self.has_name(text, username) and any(
                username in mention.usernames for mention in self._each(text)
            )
            if len(text) <= _LONGEST_KNOWN:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[text, username] = known
        return known

    def has_name(self, text: str, username: str) -> bool:
        """Whether somebody's name stands behind a sign, whole; else it is no mention of them.

        Much faster than to read all mentions of a text that is full of others' names, or of what
        nearly is this one.
        """
        folded, ascii_only = _folded(text).replace("\uff20", "@"), text.isascii()
        for name in {username, _folded(self._display_names.get(username, username))}:
            signed = f"@{name}"
            at = folded.find(signed)
            while at >= 0:
                end = at + len(signed)
                # Letters beyond ASCII may fold to others: what these say is not decided here.
                if ascii_only:
                    fits = may_begin(folded, at) and _may_end(folded, end)
                else:
                    fits = folded[end : end + 1] in _IN_NAMES or _may_end(folded, end)
                if fits:
                    return True
                at = folded.find(signed, at + 1)
        return False

    def _each(self, text: str) -> Iterator[Mention]:
        end = 0
        for sign in _AT.finditer(text):
            if sign.start() >= end and may_begin(text, sign.start()):
                mention = self._mention(text, sign.start())
                if mention is not None:
                    yield mention
                    end = mention.end

    def _mention(self, text: str, begin: int) -> Mention | None:
        """The longest mention that begins at a sign."""
        best: Mention | None = None
        owners: set[str] = set()
        folded = ""
        at = begin + 1
        if text[at : at + 1].isspace():
            return None
        while at < len(text) and self._is_beginning(folded) and not _begins_another(text, at):
            # What combines is compared together with the letter that it stands on.
            end = at + 1
            while end < len(text) and end - at <= DISPLAY_NAME_LENGTH and joins(text[end]):
                end += 1
            folded += _folded(text[at:end])
            at = end
            usernames = self._meant.get(folded)
            if usernames and _may_end(text, end):
                if folded in self._display_names:
                    owners.add(folded)
                best = Mention(begin, end, frozenset(usernames | owners))
        return best

    def _is_beginning(self, folded: str) -> bool:
        """Whether a name begins so."""
        place = bisect_left(self._names, folded)
        return place < len(self._names) and self._names[place].startswith(folded)


def _begins_another(text: str, at: int) -> bool:
    """Whether a sign begins a mention of its own there, and is no part of the name before it.

    So no part of a text is read more than once, whatever names people have.
    """
    if at + 1 < len(text) and text[at + 1].isspace():
        return False
    return _AT.match(text, at) is not None and may_begin(text, at)


def _folded(name: str) -> str:
    return comparable(comparable(name).casefold())


def may_begin(text: str, at: int) -> bool:
    """Whether the sign there begins a word, and is not within an e-mail address or a link."""
    if at == 0:
        return True
    before = text[at - 1]
    return before not in _NOT_BEFORE and (not before.isalnum() or _stands_alone(before))


def _may_end(text: str, at: int) -> bool:
    """Whether a name that ends there is a whole word."""
    if at == len(text):
        return True
    after = text[at]
    if after in _IN_NAMES:
        rest = text[at : at + USERNAME_LENGTH].lstrip("._-")
        return not rest or not (rest[0].isascii() and rest[0].isalnum())
    return not (after.isalnum() or joins(after)) or _stands_alone(after)


def _stands_alone(letter: str) -> bool:
    """Whether it is of a script that is written without spaces between words."""
    wide = unicodedata.east_asian_width(letter) in {"W", "F"}
    return (wide and not joins(letter)) or _UNSPACED.match(letter) is not None
