"""Emoji as pictures: finding them in a text, and drawing each.

Tk on X11 never gets raw emoji: it splits joined ones, shows flags as letters, and libXft
before 2.3.5 ends the process on a coloured glyph. The pictures are cells of strips, drawn by
build_specs/draw_emoji.py; the index beside them has a line for each cell with the spellings it
stands for. Sequences are those of UTS #51.

A strip is loaded when one of its cells is first needed (0.3 ms): loading all of them at once would
block the window for 20 ms at the first emoji.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

_FOLDER: Final = Path(__file__).parents[1] / "assets" / "emoji"
_CELL: Final = 32
_COLUMNS: Final = 64
_RARE: Final = re.compile("[\u231a-\u3299\ufe0f\U00010000-\U0010ffff]")
"""Every emoji contains one of these characters, and few other texts do."""


def split(text: str) -> Iterator[tuple[str, int | None]]:
    """`text` in pieces: runs without emoji (cell None), and each emoji with its cell."""
    if not _RARE.search(text):
        if text:
            yield text, None
        return  # without the table, which takes milliseconds to build
    cells, longest = _table()
    start = at = 0
    while at < len(text):
        for end in range(min(at + longest.get(text[at], 0), len(text)), at, -1):
            cell = cells.get(text[at:end])
            if cell is not None:
                if start < at:
                    yield text[start:at], None
                yield text[at:end], cell
                start = at = end
                break
        else:
            at += 1
    if start < len(text):
        yield text[start:], None


@cache
def _table() -> tuple[dict[str, int], dict[str, int]]:
    """The cell of each spelling, and by first character the length of the longest spelling."""
    cells: dict[str, int] = {}
    longest: dict[str, int] = {}
    for cell, line in enumerate((_FOLDER / "index.txt").read_text("utf-8").splitlines()):
        for spelling in line.split():
            cells[spelling] = cell
            longest[spelling[0]] = max(len(spelling), longest.get(spelling[0], 0))
    return cells, longest


def draw(cell: int, pixels: int) -> Image:
    """The picture of a cell, square, `pixels` wide."""
    from PIL.Image import Resampling

    row, column = divmod(cell, _COLUMNS)
    cut = _strip(row).crop((column * _CELL, 0, (column + 1) * _CELL, _CELL)).convert("RGBA")
    # Premultiplied alpha, or the colour of transparent pixels would leave a fringe.
    kernel = Resampling.BOX if pixels < _CELL else Resampling.BICUBIC
    return cut.convert("RGBa").resize((pixels, pixels), kernel).convert("RGBA")


@cache
def _strip(row: int) -> Image:
    """A strip as it is stored, with a palette: loading RGBA takes four times as long."""
    from PIL.Image import open as open_image

    with open_image(_FOLDER / f"{row:02}.png") as strip:
        strip.load()
        return strip
