"""Emoji as pictures: where they are in a text, and what each looks like.

Tk on X11 never gets raw emoji: it splits joined ones, shows flags as letters, and libXft
before 2.3.5 ends the process on a coloured glyph. The pictures are cells of one sheet, drawn
by build_specs/draw_emoji.py; the index beside it has a line for each cell with the spellings
it stands for. Sequences are those of UTS #51.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.Image import Image

_FOLDER: Final = Path(__file__).parent / "assets" / "emoji"
_CELL: Final = 32
_COLUMNS: Final = 64
_RARE: Final = re.compile("[\u231a-\u3299\ufe0f\U00010000-\U0010ffff]")
"""One of these is in every emoji, and in few texts else."""
_END: Final = ""
"""The key of a trie's node under which the cell's number stands."""


def split(text: str) -> Iterator[tuple[str, int | None]]:
    """`text` in pieces: stretches without emoji (None), and each emoji with its cell."""
    if not _RARE.search(text):
        if text:
            yield text, None
        return  # without the table, which takes a moment to make
    trie = _trie()
    start = at = 0
    while at < len(text):
        if text[at] not in trie:
            at += 1
            continue
        end, cell = _longest(trie, text, at)
        if cell is None:
            at += 1
            continue
        if start < at:
            yield text[start:at], None
        yield text[at:end], cell
        start = at = end
    if start < len(text):
        yield text[start:], None


def _longest(trie: dict[str, Any], text: str, at: int) -> tuple[int, int | None]:
    """Where the longest emoji that begins at `at` ends, and its cell."""
    end: int = at
    cell: int | None = None
    for place in range(at, len(text)):
        if text[place] not in trie:
            break
        trie = trie[text[place]]
        if _END in trie:
            end, cell = place + 1, trie[_END]
    return end, cell


@cache
def _trie() -> dict[str, Any]:
    """All spellings, letter by letter. Made at the first text that is looked at."""
    trie: dict[str, Any] = {}
    lines = (_FOLDER / "index.txt").read_text("ascii").splitlines()
    for cell, line in enumerate(lines):
        for spelling in line.split():
            node = trie
            for code in spelling.split("-"):
                node = node.setdefault(chr(int(code, 16)), {})
            node[_END] = cell
    return trie


def draw(cell: int, pixels: int) -> Image:
    """The picture of a cell, square, `pixels` wide."""
    from PIL.Image import Resampling

    left, top = cell % _COLUMNS * _CELL, cell // _COLUMNS * _CELL
    cut = _sheet().crop((left, top, left + _CELL, top + _CELL)).convert("RGBA")
    # Premultiplied, or the colour of what can't be seen would leave a fringe.
    kernel = Resampling.BOX if pixels < _CELL else Resampling.BICUBIC
    return cut.convert("RGBa").resize((pixels, pixels), kernel).convert("RGBA")


@cache
def _sheet() -> Image:
    """The sheet as it is stored, with a palette: all of it in RGBA takes four times as long."""
    from PIL.Image import open as open_image

    with open_image(_FOLDER / "sheet.png") as sheet:
        sheet.load()
        return sheet
