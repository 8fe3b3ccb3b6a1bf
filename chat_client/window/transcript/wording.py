"""Splits a message's text into portions to draw, and maps drawn offsets to the original. Pure.

A text may have 16 KiB of anything, and Tk's cost grows with the pictures and tags of one line. So
a long text is drawn folded: only its first portion, until the person unfolds it; then the others
follow one by one. The limits of a portion bound the cost of one step of drawing.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from chat_client.window.links import MOST_LINKS, links_in
from common.domain.mentions import Mention
from common.domain.search_normalization import comparable_places
from common.ui.widgets.safe_text import worded


class Limits(NamedTuple):
    """Maximum contents of a portion of text."""

    characters: int
    lines: int
    costly: int
    """Emoji, each of which is a picture, and characters that are drawn as their code point."""
    tabs: int
    """Each is a layout chunk of its own in Tk."""


FOLDED: Final = Limits(characters=2000, lines=20, costly=64, tabs=200)
"""The portion of a folded text that is drawn."""
WHOLE: Final = Limits(characters=2400, lines=25, costly=72, tabs=240)
"""A text within these is not folded: its few more lines take no more room than the button."""
PORTION: Final = Limits(characters=4000, lines=200, costly=64, tabs=200)
"""A portion of an unfolded text, drawn in one step."""
_NEAR: Final = 100
"""Characters before the maximum end of a portion that are searched for a space to end at."""
_CLUSTER: Final = 32
"""Maximum characters of an emoji or an accented letter (grapheme cluster) that is not cut."""

_COSTLY: Final = re.compile(
    "[\u202d\u202e\u203c\u2049\u20e3\u2122\u2139\u2194-\u21aa\u231a-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)


class Span(NamedTuple):
    """A run of text; with `url` it is a link, with `mention` it is a mention."""

    text: str
    url: str | None = None
    mention: Mention | None = None


class Portion(NamedTuple):
    """Begin and end of a portion in the text; with `breaks` a line break is drawn after it.

    That line break is not in the text: it limits the number of pictures in one line of Tk's.
    """

    begin: int
    end: int
    breaks: bool


def portions(text: str) -> tuple[Portion, ...]:
    """The portions of a text, drawn one by one; of a folded text only the first is drawn."""
    if _stop(text, 0, WHOLE) == len(text):
        return (Portion(0, len(text), breaks=False),)
    found: list[Portion] = []
    begin = 0
    while begin < len(text):
        end = _end(text, begin, PORTION if found else FOLDED)
        # A line break at the portion's end, of the text itself, needs no second one.
        found.append(Portion(begin, end, end < len(text) and text[end - 1] != "\n"))
        begin = end
    return tuple(found)


def spans_of(
    text: str, begin: int = 0, end: int | None = None, mentions: Sequence[Mention] = ()
) -> tuple[Span, ...]:
    """The range `begin` to `end` of `text`, cut at the links and mentions of the whole text.

    A link that the range cuts keeps its whole URL. A mention inside a link is part of the link.
    """
    links = links_in(text)
    parts: list[tuple[int, int, Mention | None]] = [(*link, None) for link in links]
    parts += [
        (each.begin, each.end, each)
        for each in mentions
        if not any(first < each.end and each.begin < last for first, last in links)
    ]
    spans: list[Span] = []
    at, end = begin, len(text) if end is None else end
    for first, last, mention in sorted(parts, key=itemgetter(0)):
        if first >= end:
            break
        start, stop = max(first, begin), min(last, end)
        if start >= stop:
            continue
        if start > at:
            spans.append(Span(text[at:start]))
        url = text[first:last] if mention is None else None
        spans.append(Span(text[start:stop], url, mention))
        at = stop
    if at < end:
        spans.append(Span(text[at:end]))
    return tuple(spans)


def match_end(text: str, looked_for: re.Pattern[str]) -> int | None:
    """The offset in `text` at which the first match of `looked_for` ends; None without a match.

    The normalized text is searched (`common.domain.search_normalization`).
    """
    compared = comparable_places(text)
    match = looked_for.search(compared.text)
    return None if match is None else compared.ends[match.end() - 1]


def link_at(text: str, place: int) -> str | None:
    """The URL of the link that contains the character at offset `place`; None if there is none."""
    for first, last in links_in(text):
        if first <= place < last:
            return text[first:last]
    return None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text as it is drawn: its first portions, each as the widget contains it."""

    text: str
    portions: Sequence[Portion]

    def original(self, place: int, *, end: bool = False) -> int:
        """The offset in the text of the drawn character at offset `place`.

        Beside characters that are not drawn, the offset is before them, or after them with `end`.
        """
        for portion in self.portions:
            wording = worded(self.text[portion.begin : portion.end])
            if place <= len(wording.text):
                return portion.begin + wording.original(place, end=end)
            place -= len(wording.text) + portion.breaks
            if place < 0:
                return portion.end
        return len(self.text)


def weight(text: str) -> int:
    """Approximate cost of drawing the first portion of a text; the cost of a picture is 1.

    It is derived from the text alone, so that events can be chosen before they are drawn.
    """
    head = text[: WHOLE.characters]
    lines = min(head.count("\n"), WHOLE.lines)
    costly = 0 if head.isascii() else sum(1 for _ in _COSTLY.finditer(head))
    links = min(head.count("://"), MOST_LINKS)
    tabs = min(head.count("\t"), WHOLE.tabs)
    rest = len(head) // 400 + lines // 8 + links // 4 + tabs // 8
    return 2 + rest + min(costly, WHOLE.costly)


def _end(text: str, begin: int, limits: Limits) -> int:
    """Where a portion ends: after a space if there is one near, never inside a grapheme cluster."""
    stop = _stop(text, begin, limits)
    if stop == len(text) or text[stop - 1] == "\n":
        return stop
    for at in range(stop, max(begin + 1, stop - _NEAR), -1):
        if text[at - 1].isspace():
            return at
    for at in range(stop, max(begin + 1, stop - _CLUSTER), -1):
        if not _joins(text[at - 1], text[at]):
            return at
    return stop


def _stop(text: str, begin: int, limits: Limits) -> int:
    """The maximum end of a portion within the limits."""
    stop = min(len(text), begin + limits.characters)
    stop = _behind(text, "\n", limits.lines, begin, stop)
    stop = _behind(text, "\t", limits.tabs, begin, stop)
    if not text.isascii():
        for number, match in enumerate(_COSTLY.finditer(text, begin, stop)):
            if number == limits.costly:
                return match.start()
    return stop


def _behind(text: str, character: str, number: int, begin: int, stop: int) -> int:
    """The offset after the `number`th occurrence of a character; `stop` if there are fewer."""
    at = begin
    for _ in range(number):
        at = text.find(character, at, stop) + 1
        if not at:
            return stop
    return at


def _joins(before: str, after: str) -> bool:
    """Whether two adjacent characters belong to one emoji or accented letter."""
    return (
        before == "\u200d"
        or after in "\u200d\ufe0f\u20e3"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U0001f1e6" <= after <= "\U0001f1ff"
        or unicodedata.category(after)[0] == "M"
    )
