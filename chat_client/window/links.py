"""Detects links in a text (http and https only), by Unicode categories. Pure.

A link in a chat is surrounded by prose of any script, often without a space on either side. So its
end is determined by Unicode categories and by pairs of brackets and quotes, not by a list of
allowed characters: an IRI (RFC 3987) may contain nearly everything.
"""

import re
import unicodedata
from typing import Final

MOST_LINKS: Final = 40
"""Maximum number of links in one text; further ones are shown as text."""
LONGEST: Final = 4096
"""Maximum length of a link in characters: browsers and servers don't accept longer ones."""

_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~/?#@!$&*+,;=%:]+")
"""What is in most links, in one step; the rest is looked at one by one."""
_NEVER: Final = frozenset('<>"`{}|\\^')
"""ASCII that no URI has (RFC 3986, appendix A)."""
_TRAILING: Final = ".,;:!?*_~'\u2019"
"""The sentence's own punctuation, and marks of emphasis around the link."""
_BRACKETS: Final = {")": "(", "]": "["}
_QUOTES: Final = {"'": "'", "\u2018": "\u2019", "\u201a": "\u2018", "\u201b": "\u2019"}
"""What opens a quotation → the apostrophe-like character that closes it."""
_APOSTROPHES: Final = frozenset("'\u2018\u2019")
_INNER: Final = frozenset(
    "\u00b7\u0387\u05f3\u05f4\u2010\u2011\u2013\u2027\u2032\u2033\u30fb\uff65"
)
"""Punctuation inside of words: middle dots, geresh, primes, hyphens and the dash of names."""
_EMOJI_STYLE: Final = "\ufe0f"
"""Behind a symbol: as an emoji. Browsers leave it out of a host's name (UTS 46)."""
_SYMBOLS: Final = re.compile(r"([^\x00-\x7f]{1,63})\.[^\W_]")
"""The rest of a host's label, and the beginning of the next one."""
_NESTS: Final = frozenset("/=?&#%+")
"""After one of these another link is a part of this one: an archive's, or a redirection's."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""What shows nothing and is of no category that says so (UCD, Default_Ignorable_Code_Point)."""


def links_in(text: str) -> list[tuple[int, int]]:
    """From where to where the first `MOST_LINKS` links are. Takes time linear in the length."""
    found: list[tuple[int, int]] = []
    at = 0
    while len(found) < MOST_LINKS:
        scheme = _SCHEME.search(text, at)
        if scheme is None:
            break
        begin, at = scheme.span()
        stop = _Scan(text, begin, at).end()
        end = _trimmed(text, at, stop)
        if _has_host(text, at, end) and stop - begin <= LONGEST:
            found.append((begin, end))
            at = end
        else:
            at = max(at, stop)
    return found


class _Scan:
    """Goes through one link, from behind its scheme, to where it can't go on."""

    def __init__(self, text: str, begin: int, at: int) -> None:
        self._text, self._at = text, at
        self._first = at
        self._open: list[str] = []
        self._in_host = True
        self._closing = _QUOTES.get(text[begin - 1]) if begin else None
        """The quote that ends it, when one stands right before it."""

    def end(self) -> int:
        """Where it ends, with the punctuation that may follow it."""
        text = self._text
        stop = min(len(text), self._first + LONGEST + 1)
        while self._at < stop:
            plain = _PLAIN.match(text, self._at, stop)
            if plain is not None:
                end = self._plain(plain.end())
                if end is not None:
                    return end
            elif self._belongs(text[self._at]):
                self._at += 1
            else:
                break
        return self._at

    def _plain(self, end: int) -> int | None:
        """Take a run of ASCII; where the link ends, if another begins in the run."""
        text = self._text
        # The scheme may begin before the run, but not in what is behind us already.
        nested = _SCHEME.search(text, self._at, min(len(text), end + 3))
        while nested is not None and nested.start() < end:
            start = nested.start()
            if text[start - 1] not in _NESTS:
                return self._without_prose(start)
            nested = _SCHEME.search(text, nested.end(), min(len(text), end + 3))
        if self._in_host and any(mark in text[self._at : end] for mark in "/?#"):
            self._in_host = False
        self._at = end
        return None

    def _without_prose(self, end: int) -> int:
        """Where a link ends that another one follows with only words of a script like Han between.

        Such a word at its end is the sentence's when it is glued to a letter, as in
        "https://a.example/x和https://b.example/y".
        """
        text, at = self._text, end
        while at > self._first and _caseless(text[at - 1]):
            at -= 1
        return at if at > self._first and text[at - 1].isascii() and text[at - 1].isalnum() else end

    def _belongs(self, character: str) -> bool:
        if character.isascii():
            return self._ascii_belongs(character)
        category = unicodedata.category(character)
        if self._in_host and (category == "So" or character == _EMOJI_STYLE):
            return self._is_in_label()
        if category[0] in "LMN":
            return not _UNSEEN.match(character) and not self._ends_host(character)
        if character == self._closing:
            return False
        if character in _INNER or character in _APOSTROPHES or category == "Sm":
            return self._is_inside_word()
        # An emoji right behind a word is the sentence's, behind a slash the link's.
        before = self._text[self._at - 1]
        return category == "So" and not before.isalnum() and not _UNSEEN.match(character)

    def _ascii_belongs(self, character: str) -> bool:
        if character in "([":
            self._open.append(character)
            return True
        opening = _BRACKETS.get(character)
        if opening is not None:
            if not self._open or self._open[-1] != opening:
                return False
            self._open.pop()
            return True
        if character == "'":
            return self._closing != "'" and self._at > self._first
        return character not in _NEVER and character.isprintable() and character != " "

    def _ends_host(self, letter: str) -> bool:
        """Whether a letter is prose that follows a host's ASCII label, as in "a.example是"."""
        before = self._text[self._at - 1]
        return self._in_host and _caseless(letter) and before.isascii() and before.isalnum()

    def _is_in_label(self) -> bool:
        """Whether symbols of a host's name follow, as in "http://i❤.example", and not prose."""
        label = _SYMBOLS.match(self._text, self._at)
        return label is not None and all(
            mark == _EMOJI_STYLE or unicodedata.category(mark) == "So" for mark in label[1]
        )

    def _is_inside_word(self) -> bool:
        text, at = self._text, self._at
        after = text[at + 1] if at + 1 < len(text) else " "
        return _is_word(text[at - 1]) and _is_word(after)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _caseless(letter: str) -> bool:
    """Whether it is of a script without upper and lower case, most of which need no spaces."""
    return not letter.isascii() and unicodedata.category(letter) == "Lo"


def _has_host(text: str, begin: int, end: int) -> bool:
    first = text[begin : begin + 1] if begin < end else ""
    return first.isalnum() or first == "[" or (first != "" and unicodedata.category(first) == "So")


def _trimmed(text: str, begin: int, end: int) -> int:
    """The end without the sentence's punctuation and without a bracket that nothing closes."""
    while end > begin and (text[end - 1] in _TRAILING or text[end - 1] in "(["):
        end -= 1
    return end
