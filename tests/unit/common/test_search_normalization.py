"""Texts that look the same are the same when they are compared."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.search_normalization import comparable, comparable_places, joins

_LETTERS = st.sampled_from(
    "ab \tu\u00fc\u0308\u0323\u0301\u00a0\u2009\u1100\u1161\u11a8\uac00\u304b\u3099\u09c7\u09be"
    "\u0915\u093c\u0958\U0001f600"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zu\u0308rich", "Z\u00fcrich"),
        ("100\u00a0EUR", "100 EUR"),
        ("a\tb\u2003c\u3000d", "a b c d"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("a\u0308\u0323", "\u1ea1\u0308"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    """However it is written."""
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Zurich", "Z\u00fcrich"), ("ab", "a b"), ("a\nb", "a b")]
)
def test_what_looks_different_is_not(one: str, other: str) -> None:
    """An accent and a space count, and so does the end of a line."""
    assert comparable(one) != comparable(other)


@given(st.text(_LETTERS | st.characters(codec="utf-8")))
def test_the_places_are_those_of_the_characters(text: str) -> None:
    """In order and without a gap; each part is what it was made of."""
    compared = comparable_places(text)
    assert compared.text == comparable(text)
    assert len(compared.begins) == len(compared.ends) == len(compared.text)
    assert list(compared.begins) == sorted(compared.begins)
    for begin, end in zip(compared.begins, compared.ends, strict=True):
        made = comparable(text[begin:end])
        assert made in compared.text
        assert len(made) >= 1


def test_every_character_that_composes_is_known() -> None:
    """By Unicode's own data: a character that can be the second of a pair joins."""
    for code in range(0x110000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            assert joins(chr(int(parts[1], 16))), hex(code)
