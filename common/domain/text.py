"""What a message's text may be."""

from __future__ import annotations

import re

from common import limits

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
"""What ends a line besides a newline (UAX #14, classes BK, CR and NL)."""


class TextRefusedError(ValueError):
    """The text breaks a rule and says which, for a person.

    `code` names the rule: "not_unicode", "too_long", "control_character" or "blank".
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def is_plain(text: str) -> bool:
    """Whether a text is surely valid: what nearly every message is, by the quickest questions."""
    return (
        text.isascii()
        and text.isprintable()
        and 0 < len(text) <= limits.TEXT_BYTES
        and not text.isspace()
    )


def check_text(text: str) -> str:
    """A message's text: no controls but tab and newline, not blank, bounded in bytes.

    Raises TextRefusedError.
    """
    if is_plain(text):
        return text
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise TextRefusedError("not_unicode", "a message is Unicode text") from error
    if size > limits.TEXT_BYTES:
        raise TextRefusedError("too_long", f"a message has at most {limits.TEXT_BYTES} bytes")
    if _CONTROL.search(text):
        raise TextRefusedError(
            "control_character", "a message has no control characters but tab and newline"
        )
    if not text.strip():
        raise TextRefusedError("blank", "a message must not be blank")
    return text


def normalize_text(text: str) -> str:
    """What somebody wrote as it is sent: newlines for all that ends a line, no blank lines around.

    All else stays as it was typed, the spaces and tabs at the beginning of a line among it. The
    result may still be no message's text: see `check_text`.
    """
    lines = _LINE_END.sub("\n", text).split("\n")
    # Not by a regular expression: one that looks for the end tries at every newline on the way.
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return "\n".join(lines[first:last])
