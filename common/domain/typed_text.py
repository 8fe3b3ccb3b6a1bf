"""What people type with the keyboards of other scripts, for fields that take ASCII."""

import unicodedata
from typing import Final

_FULL_WIDTH: Final = {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}
"""The full-width forms of ASCII, as East Asian input methods make them."""
_PUNCTUATION: Final = {0x3000: " ", 0x3002: ".", 0xFF61: "."}
"""Their space, and the full stops that their key for a dot makes."""


def as_ascii(text: str) -> str:
    """The same in ASCII where that is certain: full-width characters, and digits of all scripts.

    Letters that only look like ASCII stay what they are.
    """
    if text.isascii():
        return text
    narrow = text.translate(_FULL_WIDTH).translate(_PUNCTUATION)
    return "".join(map(_digit, narrow))


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
