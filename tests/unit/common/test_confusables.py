"""Skeletons: what two readers' eyes take for the same."""

from __future__ import annotations

import string

import pytest
from hypothesis import given

from common.domain import confusables
from common.domain.confusables import skeletons
from tests import strategies as our


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "ada"),
        ("paypal", "paypaI"),
        ("paypal", "раураl"),
        ("scope", "ѕсоре"),
        ("com", "corn"),
        ("Ian", "lan"),
        ("Ian", "IAN"),
        ("HOST", "НОЅТ"),
        ("Нина", "нина"),
        ("Ada ❤\ufe0f", "Ada ❤"),
        ("a\u200db", "ab"),
        ("é", "e\u0301"),
        ("O0", "oO"),
    ],
)
def test_what_looks_alike(one: str, other: str) -> None:
    """They share a skeleton."""
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ada", "Ade"), ("Ada", "Åda"), ("Ali", "All"), ("", "a")]
)
def test_what_does_not_look_alike(one: str, other: str) -> None:
    """They share none: an accent can be seen."""
    assert not skeletons(one) & skeletons(other)


def test_ascii_needs_no_table() -> None:
    """The short way for it gives what the table gives."""
    for char in string.printable:
        for form in (char, char.lower()):
            assert confusables._mapped_ascii(form) == confusables._mapped(form)


@given(our.any_text())
def test_every_text_has_a_skeleton(text: str) -> None:
    """And a text looks like itself in either case."""
    assert skeletons(text)
    assert skeletons(text) & skeletons(text.casefold())
