"""Extracts the invite from pasted text.

A link that was forwarded is seldom intact: mail programs wrap, quote and escape it, messengers
decorate it or embed it in another link, and people copy the words around it. What can be undone
without guessing is undone here; everything else is an error that says what to do.
`common.domain.invite` defines the link itself.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote

from common.domain.invite import SCHEME, Invite, InviteError, parse_invite

LONGEST: Final = 65_536
"""Maximum length of the text in characters: a long mail with everything it quotes."""
_LONGEST_LINK: Final = 4096
_MOST_LINKS: Final = 64
_MOST_PIECES: Final = 128
"""Maximum number of pieces of a wrapped link."""

_START: Final = re.compile(r"chat(?:\+plaintext)?://", re.IGNORECASE)
# The whole link as a value of another one, escaped once or more often.
_ESCAPED: Final = re.compile(
    r"chat(?:(?:\+|%(?:25)*2B)plaintext)?%(?:25)*3A%(?:25)*2F%(?:25)*2F[^\s&<>\"]*", re.IGNORECASE
)
_ESCAPED_DEPTH: Final = 4
# Quoted-printable (RFC 2045 §6.7): every "=" of the link became "=3D".
_QUOTED_PRINTABLE: Final = re.compile(r"fp=3D[\w-]{43}(?![\w-])", re.ASCII)
_SOFT_BREAK: Final = re.compile(r"=\r?\n")
_OCTET: Final = re.compile(r"=([0-9A-F]{2})")
_AMPERSAND: Final = re.compile(r"&(?:amp|#38|#x26);", re.IGNORECASE)
_MARKUP: Final = re.compile(r"&(?:lt|gt|quot|apos|nbsp|#34|#39|#60|#62|#160);", re.IGNORECASE)
_QUOTE_MARKS: Final = re.compile(r"^[\s>|]+")
# What RFC 3986 lets a link have, and letters of all scripts: some programs show a name unescaped.
_NOT_IN_LINK: Final = re.compile(r"[^\w%&=+./:?#\[\]@!$'()*,;~-]")
_AFTER_LINK: Final = ".,;:!?'*()[]$@#"
"""Characters that a link may contain but never ends with; see `Invite.link`."""
_EMPHASIS: Final = "_~*"
_HYPHENS: Final = str.maketrans(
    {
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{MINUS SIGN}": "-",
        # Typographic replacement makes them of two hyphens.
        "\N{EN DASH}": "--",
        "\N{EM DASH}": "--",
    }
)
# Unseen, and not of the category Cf: joiners, fillers, and what picks a glyph's variant.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f"
    "\uffa0\ufffc\U000e0100-\U000e01ef]"
)


class _Piece(NamedTuple):
    """A piece of a link without white space, and whether it is on a line of its own."""

    text: str
    new_line: bool


def find_invite(text: str) -> Invite:
    """The one invite in `text`. Raises InviteError, also when there are different ones.

    Time is linear in the text, of which more than `LONGEST` characters are refused.
    """
    if len(text) > LONGEST:
        raise InviteError("this is too long for an invite link; copy the link alone")
    plain = _plain(text)
    found: set[Invite] = set()
    problem: InviteError | None = None
    for start, end in _places(plain):
        try:
            found.add(_read(plain, start, end))
        except InviteError as error:
            problem = problem or error
    if len(found) > 1:
        raise InviteError("these are several invite links; paste only the one you want")
    if found:
        return found.pop()
    raise problem or InviteError(_nothing_like_it(plain))


def _plain(text: str) -> str:
    """`text` without the encodings of mail programs and messengers that apply to all of it."""
    text = unicodedata.normalize("NFC", text).translate(_HYPHENS)
    text = _UNSEEN.sub("", text)
    if not text.isascii():
        text = "".join(c for c in text if c.isascii() or unicodedata.category(c) != "Cf")
    unwrapped = _SOFT_BREAK.sub("", text)
    if _QUOTED_PRINTABLE.search(unwrapped):
        text = _OCTET.sub(lambda octet: chr(int(octet[1], 16)), unwrapped)
    text = _ESCAPED.sub(lambda escaped: _unescaped(escaped[0]), _MARKUP.sub(" ", text))
    if not _START.search(text) and _START.search(squeezed := "".join(text.split())):
        return squeezed
    return text


def _unescaped(link: str) -> str:
    for _ in range(_ESCAPED_DEPTH):
        if _START.match(link):
            break
        link = unquote(link)
    return link


def _places(text: str) -> Iterator[tuple[int, int]]:
    """The range in `text` in which each of the links may be."""
    starts = [match.start() for match in _START.finditer(text)][:_MOST_LINKS]
    yield from pairwise([*starts, len(text)])


def _read(text: str, start: int, end: int) -> Invite:
    """The invite that starts at `start`, of as few pieces as possible. Raises InviteError."""
    pieces = _pieces(text[start : min(end, start + 2 * _LONGEST_LINK)])
    before = text[max(0, start - 3) : start]
    link, stopped_by = "", ""
    first: InviteError | None = None
    for piece in pieces[:_MOST_PIECES]:
        if link:
            invite = _whole(_trimmed(link, before))
            if not isinstance(invite, InviteError) and not _continues(link, piece):
                break
            first = first or (invite if isinstance(invite, InviteError) else None)
        part, stopped_by = _cut(piece.text)
        link += part
        if stopped_by or len(link) > _LONGEST_LINK:
            break
    invite = _whole(_trimmed(link, before))
    if not isinstance(invite, InviteError):
        return invite
    if stopped_by == "…" or "..." in link:
        why = "the link was shortened where it was copied from; copy the link itself"
        raise InviteError(why)
    raise first or invite


def _pieces(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    for line in text.splitlines():
        words = _QUOTE_MARKS.sub("", line).split()
        pieces += [_Piece(word, new_line=place == 0) for place, word in enumerate(words)]
    return pieces


def _cut(piece: str) -> tuple[str, str]:
    """The part of a piece that can belong to a link, and the character that ended it, if any."""
    end = len(piece)
    sign = _NOT_IN_LINK.search(piece)
    if sign:
        end = sign.start()
    depth = {")": 0, "]": 0}
    for place, character in enumerate(piece[:end]):
        if character in "([":
            depth[")" if character == "(" else "]"] += 1
        elif character in depth:
            depth[character] -= 1
            if depth[character] < 0:
                end = place  # the end of a bracket that was opened before the link
                break
    return piece[:end], piece[end : end + 1]


def _trimmed(link: str, before: str) -> str:
    """`link` without trailing punctuation, and without the end of an emphasis."""
    link = _ampersands(link)
    while True:
        shorter = link.rstrip(_AFTER_LINK)
        if shorter[-1:] in _EMPHASIS and before.endswith(shorter[-1:]):
            shorter, before = shorter[:-1], before[:-1]
        if shorter == link:
            return link
        link = shorter


def _ampersands(link: str) -> str:
    """`link` with the ampersands that HTML escaped, some of them more than once."""
    while (changed := _AMPERSAND.sub("&", link)) != link:
        link = changed
    return link


def _whole(link: str) -> Invite | InviteError:
    try:
        return parse_invite(link)
    except InviteError as error:
        if "%" in link:
            try:
                return parse_invite(unquote(link))
            except InviteError:
                pass  # The error of the unchanged link is more informative.
        return error


def _continues(link: str, piece: _Piece) -> bool:
    """Whether a piece continues a link that is complete without it, as it was wrapped there."""
    if piece.text.startswith("&") or "&also=" in piece.text:
        return True
    last = link.rpartition("&")[2]
    if piece.new_line and ("=" not in last or last.endswith("=") or "%" in last[-2:]):
        return True
    key, _, value = last.partition("=")
    part, _ = _cut(piece.text)
    joined = part.rstrip(_AFTER_LINK)
    return key == "also" and not _is_address(value) and _is_address(value + joined)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(unquote(text))
    except ValueError:
        return False
    return True


def _nothing_like_it(text: str) -> str:
    """The error for a text without an invite link."""
    words = text.split()
    if not words:
        return f"paste the invite link from the host: it starts with {SCHEME}://"
    if any(word.lower().startswith(("http://", "https://", "www.")) for word in words):
        return f"that is a link to a web page; an invite link starts with {SCHEME}://"
    if len(words) == 1 and re.fullmatch(r"[\w.-]+(:\d{1,5})?|\[[\da-f:.%]+\](:\d{1,5})?", words[0]):
        host = words[0].rpartition(":")[0] or words[0]
        if "." in host or ":" in host:
            return (
                "an address alone is not enough: ask the host for the invite link, "
                f"which starts with {SCHEME}://"
            )
    return f"an invite link starts with {SCHEME}://"
