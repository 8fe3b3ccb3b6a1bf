"""The spoken code: how it looks, and what people type for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.spoken_code import (
    ALPHABET,
    LENGTH,
    is_code,
    new_code,
    typed_code,
    written_code,
)

codes = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH)


def test_a_code_has_40_bits() -> None:
    """Eight of 32 characters, none of which is taken for another when it is read or heard."""
    assert len(set(ALPHABET)) == len(ALPHABET) == 32
    assert not set("ILOU") & set(ALPHABET)
    assert all(is_code(new_code()) for _ in range(100))
    assert len({new_code() for _ in range(100)}) == 100
    assert {each for _ in range(200) for each in new_code()} == set(ALPHABET)


@given(codes, st.data())
def test_what_people_type_is_the_code(code: str, data: st.DataObject) -> None:
    """In any case, with O for 0, I and L for 1, in groups by whatever is between them."""
    # Also with an input method of East Asia, and with Arabic, Persian and Devanagari digits.
    same = {"0": "0Oo\uff10\uff2f\u0660", "1": "1IiLl\uff49\u0661", "7": "7\uff17\u06f7\u096d"}
    same |= {each: each + each.lower() + chr(0xFEE0 + ord(each)) for each in "KQMXP"}
    typed = ""
    for each in written_code(code):
        some = same.get(each, each + each.lower())
        hyphens = "-\u2013\u2011 \t\u00a0._\u3000\uff0d"
        typed += data.draw(st.sampled_from(some if each != "-" else hyphens))
        typed += data.draw(st.sampled_from(["", " ", "-", "\n"]))
    assert typed_code(typed) == code
    assert is_code(typed_code(typed))


@pytest.mark.parametrize(
    "typed", ["", "K7QM3XP", "K7QM3XPAA", "K7QM3XPU", "K7QM3XP\u0410", "K7QM3X+A", "\u212a7QM3XPA"]
)
def test_anything_else_is_no_code(typed: str) -> None:
    """Too few or too many characters, or others: a Kelvin sign is no K."""
    assert not is_code(typed_code(typed))


@given(st.text())
def test_any_text_can_be_typed(text: str) -> None:
    """And cleaning it once more changes nothing."""
    typed = typed_code(text)
    assert typed_code(typed) == typed


def test_a_code_is_written_in_two_groups() -> None:
    """As it is read out."""
    assert written_code("K7QM3XPA") == "K7QM-3XPA"
