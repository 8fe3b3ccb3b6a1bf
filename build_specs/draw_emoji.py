"""Draw the sprites of emoji: ``python build_specs/draw_emoji.py FONT LICENCE``.

FONT is NotoColorEmoji.ttf and LICENCE the text of its licence (the SIL Open Font License);
on Debian both come with the package fonts-noto-color-emoji. Needs the packages Pillow (with
Raqm, as in its wheels) and emoji, which knows the sequences of Unicode (UTS #51). The result
is committed, so that only a newer Unicode makes this run again.
"""

import sys
from pathlib import Path
from typing import Final

import emoji
from PIL import Image, ImageDraw, ImageFont

FOLDER: Final = Path(__file__).parents[1] / "common" / "ui" / "assets" / "emoji"
DRAWN: Final = 109
"""The one size that the font has, in pixels."""
CELL: Final = 32
COLUMNS: Final = 64
COLOURS: Final = 256
SELECTOR: Final = "\N{VARIATION SELECTOR-16}"
_FULLY, _MINIMALLY, _UNQUALIFIED = 2, 3, 4


def main() -> None:
    """Write a strip for each row of sprites, their index and the licence."""
    font_path, licence = Path(sys.argv[1]), Path(sys.argv[2])
    font = ImageFont.truetype(str(font_path), DRAWN, layout_engine=ImageFont.Layout.RAQM)
    rows: list[tuple[Image.Image, list[str]]] = []
    for sequence, spellings in _sequences().items():
        drawn = _draw(sequence, font)
        if drawn is not None:
            rows.append((drawn, spellings))
    height = -(-len(rows) // COLUMNS) * CELL
    sheet = Image.new("RGBA", (COLUMNS * CELL, height))
    for place, (drawn, _) in enumerate(rows):
        sheet.paste(drawn, (place % COLUMNS * CELL, place // COLUMNS * CELL))
    FOLDER.mkdir(parents=True, exist_ok=True)
    quantized = sheet.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    size = 0
    for row in range(height // CELL):
        path = FOLDER / f"{row:02}.png"
        strip = quantized.crop((0, row * CELL, COLUMNS * CELL, (row + 1) * CELL))
        strip.save(path, optimize=True)
        size += path.stat().st_size
    lines = [" ".join(spellings) for _, spellings in rows]
    (FOLDER / "index.txt").write_text("\n".join(lines) + "\n", "utf-8")
    text = licence.read_text("utf-8")
    (FOLDER / "OFL.txt").write_text(text[text.index("Files:     fonts/*") :], "utf-8")
    print(f"{len(rows)} emoji, {size // 1024} KiB")


def _sequences() -> dict[str, list[str]]:
    """Each fully qualified sequence with every spelling of it that is meant as an emoji.

    A character that is text unless a selector follows (UTS #51, ED-7) stays text when it is in
    the Basic Multilingual Plane; beyond it there is no text form that Tk could show.
    """
    found: dict[str, list[str]] = {}
    loose: dict[str, str] = {}
    for sequence, facts in emoji.EMOJI_DATA.items():
        if facts["status"] == _FULLY:
            found[sequence] = [sequence]
            loose[sequence.replace(SELECTOR, "")] = sequence
    for sequence, facts in emoji.EMOJI_DATA.items():
        full = loose.get(sequence.replace(SELECTOR, ""))
        if full is None or sequence == full:
            continue
        if facts["status"] == _MINIMALLY or (
            facts["status"] == _UNQUALIFIED and ord(sequence[0]) > 0xFFFF
        ):
            found[full].append(sequence)
    return dict(sorted(found.items()))


def _draw(sequence: str, font: ImageFont.FreeTypeFont) -> Image.Image | None:
    """One sequence in a cell, or None when the font has it in pieces or not at all."""
    box = font.getbbox(sequence)
    if not 0 < box[2] - box[0] <= DRAWN * 1.4:
        return None
    big = Image.new("RGBA", (136, 136))
    ImageDraw.Draw(big).text((0, 0), sequence, font=font, embedded_color=True)
    inked = big.getbbox()
    if inked is None:
        return None
    big = big.crop((0, inked[1], 136, inked[1] + max(1, inked[3] - inked[1])))
    square = Image.new("RGBA", (136, 136))
    square.paste(big, (0, (136 - big.height) // 2))
    # Premultiplied, or the colour of what can't be seen would leave a fringe.
    return square.convert("RGBa").resize((CELL, CELL), Image.Resampling.BOX).convert("RGBA")


if __name__ == "__main__":
    main()
