"""What a message's text may be."""

from __future__ import annotations

import re

from common import limits

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TextRefusedError(ValueError):
    """The text breaks a rule and says which, for a person.

    `code` names the rule: "not_unicode", "too_long", "control_character" or "blank".
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def check_text(text: str) -> str:
    """A message's text: no controls but tab and newline, not blank, bounded in bytes.

    Raises TextRefusedError.
    """
    if text.isascii() and text.isprintable() and len(text) <= limits.TEXT_BYTES and text.strip():
        return text  # what nearly every message is, told by the quickest questions
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
