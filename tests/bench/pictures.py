"""Pictures of windows, and the signs in them by which one sees that something is there.

No place in a window is written down here: signs are learned from pictures taken before and
after, in a round that is not counted, and so stay true when the windows' layout changes. That
they are compared to the last bit is fair, for the same program draws the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_PIXEL: Final = 4  # bytes
_CARET: Final = 3  # half the cursor's width, and a pixel to spare
_LINE: Final = 12
"""Rows of a line of text that surely hold the body of its letters, px at 96 dpi."""


class NothingLearnedError(Exception):
    """The pictures do not differ in the way that was expected; the text says how."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A rectangle of pixels, four bytes each, row by row."""

    width: int
    height: int
    pixels: bytes

    def part(self, x: int, width: int, top: int, bottom: int) -> Picture:
        """A part of it; `bottom` is the first row that is not in it."""
        rows = (self._row(y)[x * _PIXEL : (x + width) * _PIXEL] for y in range(top, bottom))
        return Picture(width, bottom - top, b"".join(rows))

    @property
    def colours(self) -> int:
        """How many there are."""
        return len({self.pixels[i : i + _PIXEL] for i in range(0, len(self.pixels), _PIXEL)})

    def rows_unlike(self, other: Picture) -> list[int]:
        """The rows in which two pictures of the same size differ, from the top."""
        return [y for y in range(self.height) if self._row(y) != other._row(y)]

    def columns_unlike(self, other: Picture, top: int, bottom: int) -> list[int]:
        """The columns in which they differ in these rows, from the left."""
        found: set[int] = set()
        for y in range(top, bottom):
            mine, others = self._row(y), other._row(y)
            if mine != others:
                found.update(
                    x
                    for x in range(self.width)
                    if mine[x * _PIXEL : (x + 1) * _PIXEL] != others[x * _PIXEL : (x + 1) * _PIXEL]
                )
        return sorted(found)

    def shows(self, other: Picture) -> bool:
        """Whether another picture of the same width is in it, at any height."""
        step = self.width * _PIXEL
        place = self.pixels.find(other.pixels)
        while place >= 0 and place % step:
            place = self.pixels.find(other.pixels, place + 1)
        return place >= 0

    def _row(self, y: int) -> bytes:
        return self.pixels[y * self.width * _PIXEL : (y + 1) * self.width * _PIXEL]


@dataclass(frozen=True, slots=True)
class Sign:
    """Something to be seen: at `x` from the window's left, at any height."""

    x: int
    picture: Picture


def typed_letter(empty: Picture, one: Picture, two: Picture) -> Sign:
    """The first of the letters in a line that is typed into, whatever follows it.

    Learned from the window with nothing typed, one letter, and the same letter twice. Raises
    NothingLearnedError.
    """
    rows = one.rows_unlike(two)
    if not rows:
        raise NothingLearnedError("a second letter is not to be seen")
    top, bottom = rows[0], rows[-1] + 1
    first = empty.columns_unlike(one, top, bottom)
    second = one.columns_unlike(two, top, bottom)
    # The cursor stands behind the letter, blinks, and moves on with the next one.
    left, right = first[0] if first else 0, second[0] - _CARET
    return _checked(Sign(left, two.part(left, max(0, right - left), top, bottom)), empty)


def last_line(before: Picture, after: Picture) -> Sign:
    """The beginning of a line of text that has come in at the lower end of a list.

    Raises NothingLearnedError.
    """
    rows = before.rows_unlike(after)
    if not rows:
        raise NothingLearnedError("a new line is not to be seen")
    top, bottom = rows[-1] + 1 - _LINE, rows[-1] + 1
    columns = before.columns_unlike(after, top, bottom)
    # Less than a wide letter: what follows it may be another one each time.
    return _checked(Sign(columns[0], after.part(columns[0], 8, top, bottom)), before)


def middle(before: Picture, after: Picture) -> Sign:
    """What stands in the middle of a window, in its upper two thirds.

    Raises NothingLearnedError.
    """
    x, top, bottom = after.width // 2 - 8, after.height // 5, after.height * 3 // 5
    return _checked(Sign(x, after.part(x, 16, top, bottom)), before)


def _checked(sign: Sign, before: Picture) -> Sign:
    """The sign, if it is one: more than a plain area, and not to be seen before."""
    if sign.picture.width < 4 or sign.picture.colours < 3:
        raise NothingLearnedError("what was found is no sign")
    if before.part(sign.x, sign.picture.width, 0, before.height).shows(sign.picture):
        raise NothingLearnedError("the sign was there before")
    return sign
