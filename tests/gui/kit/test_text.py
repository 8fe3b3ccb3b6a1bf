"""Received text shows what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ui.widgets.safe_text import safe


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        ("plain, größer, 日本語", "plain, größer, 日本語"),
        ("photo\u202egpj.exe", "photo⟦U+202E⟧gpj.exe"),
        ("a\u2066b\u2069", "a⟦U+2066⟧b⟦U+2069⟧"),
        ("bell\x07", "bell⟦U+0007⟧"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("[exit] $x {", "[exit] $x {"),
        ("\ud800", "?"),
        ("", ""),
    ],
)
def test_safe(received: str, shown: str) -> None:
    """Controls and bidi formats become visible; all else stays."""
    assert safe(received) == shown


@given(st.text())
def test_safe_is_one_clean_line(received: str) -> None:
    """Nothing that steers is left, the text can be encoded, and a second pass adds nothing."""
    shown = safe(received)
    assert not any(char < " " or "\u202a" <= char <= "\u202e" for char in shown)
    shown.encode()
    assert safe(shown) == shown
