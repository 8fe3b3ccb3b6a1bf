"""Validation and normalization of a message's text."""

from __future__ import annotations

import re

from common import limits

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
"""Line ends other than a newline (UAX #14, classes BK, CR and NL)."""


class TextRefusedError(ValueError):
    """The text breaks a rule and says which, for a person.

    `code` names the rule: "not_unicode", "too_long", "control_character" or "blank".
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def is_plain(text: str) -> bool:
    """Whether a text is certainly valid, by quick checks that nearly every message passes."""
    return (
        text.isascii()
        and text.isprintable()
        and 0 < len(text) <= limits.TEXT_BYTES
        and not text.isspace()
    )


def check_text(text: str) -> str:
    """Check a message's text: no controls but tab and newline, not blank, TEXT_BYTES at most.

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
    """A typed text as it is sent: newlines for all line ends, no blank lines around.

    Everything else stays as typed, leading spaces and tabs of a line included. The result may still
    be invalid: see `check_text`.
    """
    lines = _LINE_END.sub("\n", text).split("\n")
    # Not by a regular expression: one that looks for the end tries at every newline on the way.
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return "\n".join(lines[first:last])
