"""Signs are found in pictures made of characters, a pixel each: what the benchmark relies on."""

from __future__ import annotations

import pytest

from tests.bench.pictures import NothingLearnedError, Picture, last_line, typed_letter


def drawn(*rows: str) -> Picture:
    """A picture with a colour for each character."""
    pixels = "".join(rows).encode("utf-32-le")
    return Picture(len(rows[0]), len(rows), pixels)


def test_a_strip_shows_what_is_in_it_at_any_height() -> None:
    """Whole rows count: nothing that begins in the middle of one."""
    strip = drawn("....", "abcd", "efgh", "....")
    assert strip.shows(drawn("abcd", "efgh"))
    assert not strip.shows(drawn("cdef"))
    assert not strip.shows(drawn("efgh", "abcd"))


def test_the_first_letter_is_known_whatever_follows() -> None:
    """The hint and the cursor, which may be seen or not, are no part of it."""
    empty = drawn("............", "|hint text..", "............")
    one = drawn("............", ".abcdeX|....", "............")
    two = drawn("............", ".abcdeXabcde", "............")
    sign = typed_letter(empty, one, two)
    assert sign.x == 0
    assert sign.picture == drawn(".abc")
    three = drawn("............", ".abcdeXabcda", "............")
    for picture, there in ((empty, False), (one, True), (two, True), (three, True)):
        assert picture.part(sign.x, 4, 0, 3).shows(sign.picture) == there


def test_a_new_last_line_is_known_where_the_list_ends() -> None:
    """What stands above it and beside it has moved, too, and does not count."""
    plain = ["." * 20] * 14
    before = drawn(*plain, "..old............XX.", "." * 20)
    after = drawn(*plain[:-1], "..old............XX.", "..newest one.....XX.", "." * 20)
    sign = last_line(before, after)
    assert sign.x == 2
    assert sign.picture.part(0, 8, 11, 12) == drawn("newest o")
    assert after.part(2, 8, 0, 16).shows(sign.picture)


def test_without_a_difference_nothing_is_learned() -> None:
    """An error, and no sign that is always seen."""
    same = drawn("....", "abcd")
    with pytest.raises(NothingLearnedError):
        typed_letter(same, same, same)
    with pytest.raises(NothingLearnedError):
        last_line(same, same)
