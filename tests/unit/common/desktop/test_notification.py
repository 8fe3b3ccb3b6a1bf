"""What of a text may be shown in a notification."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.desktop.notification import MOST, Notification, clean

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ANY_TEXT = st.text(st.characters() | st.sampled_from("\u200d\u202e\ud83d\n\U0001f1e9\u0301\ufe0f"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello", "Hello"),
        ("", ""),
        (" \n\t ", ""),
        ("one\r\ntwo\u2028three\x0bfour", "one two three four"),
        ("a\0b\x1b[31mc", "a b [31mc"),
        ("<b>bold</b> &amp; http://a.example", "<b>bold</b> &amp; http://a.example"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066\u2067a\u2069\u200f\u061cb", "ab"),
        ("\u200b\ufeff\u2060\u00ad", ""),
        ("a\u200bb\u3164c\u2800", "ab c"),
        ("\U000e0041tag\U000e007f", "tag"),
        ("half \ud83d, none \ufffe\ufdd0", "half \ufffd, none \ufffd\ufffd"),
        (FAMILY, FAMILY),
        ("\u200d\u200da\u200d\u200d b\u200d", "a b"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\u0301x" + 9 * "\u0301", "x" + 4 * "\u0301"),
        (
            "\u0634\u0645\u0627\u0631\u0647 \u0600\u0661",
            "\u0634\u0645\u0627\u0631\u0647 \u0600\u0661",
        ),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    """One line, nothing unseen, nothing that turns the direction; all else as it was typed."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("123456", "123456"),
        ("1234567", "12345…"),
        ("12345 7", "12345…"),
        ("123\U0001f1e9\U0001f1ea\U0001f1eax", "123\U0001f1e9\U0001f1ea…"),
        ("1234\U0001f1e9\U0001f1eax", "1234…"),
        ("1234\U0001f1e9\U0001f1ea", "1234\U0001f1e9\U0001f1ea"),
        ("12345\U0001f1e9\U0001f1ea", "12345…"),
        ("1234\U0001f44d\U0001f3fd", "1234\U0001f44d\U0001f3fd"),
        ("12345\U0001f44d\U0001f3fd", "12345…"),
        ("123" + FAMILY, "123…"),
        ("1234e\u0301x", "1234…"),
    ],
)
def test_a_long_text_ends_between_two_characters(text: str, shown: str) -> None:
    """As a reader sees them: flags, families and accents are whole or not there."""
    assert clean(text, 6) == shown


def test_a_text_of_16_kib_is_short() -> None:
    """And so is one of which nearly nothing is seen."""
    assert clean(16384 * "x") == 199 * "x" + "…"
    assert clean(16384 * "\u200b" + "x") == "…"
    assert len(clean(4096 * "x\u200d")) == MOST


@given(ANY_TEXT, st.integers(2, 12))
def test_whatever_it_is_it_can_be_shown(text: str, most: int) -> None:
    """One bounded line of Unicode without formats; and cleaning it again changes nothing."""
    shown = clean(text, most)
    assert len(shown) <= most
    shown.encode()
    assert shown == shown.strip()
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert clean(shown, most) == shown


def test_both_texts_are_cleaned() -> None:
    """The key is the program's own."""
    assert Notification("k\n", "a\nb", "\u202ec", urgent=True).cleaned() == Notification(
        "k\n", "a b", "c", urgent=True
    )
