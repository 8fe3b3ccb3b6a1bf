"""Draw the programs' icons: ``python build_specs/draw_icons.py``. Needs Pillow.

ChatClient is a speech bubble with three dots, ChatServer one with waves going out from it.
The result is committed: PNGs for windows and desktop entries in common/ui/assets/icons, and the
.ico and .icns of the bundles beside this script. Also in assets/icons are the signs of which a
count on an icon is composed (common/ui/program/icon_count.py), so that no program has to load a
font for it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

HERE: Final = Path(__file__).parent
PNGS: Final = HERE.parent / "common" / "ui" / "assets" / "icons"
SIZES: Final = (16, 24, 32, 48, 64, 128, 256)
SIGNS: Final = "0123456789+"
"""What a count is written with, in the order of the picture of them."""
SIGN: Final = 64
"""Width and height of each one's cell in pixels; the digits are as high as that."""
_FONT: Final = HERE.parent / "common" / "ui" / "assets" / "fonts" / "Inter-Bold.otf"
_UNIT: Final = 1024
"""The drawing's own width; everything below is in its pixels."""
_WHITE: Final = "#ffffff"
Draw = ImageDraw.ImageDraw


def main() -> None:
    """Write every size of both icons."""
    PNGS.mkdir(parents=True, exist_ok=True)
    for name, top, bottom, sign in (
        ("chat-client", "#4c7dff", "#2b55d9", _dots),
        ("chat-server", "#3bb57a", "#1f7f55", _waves),
    ):
        drawn = _icon(top, bottom, sign)
        for size in SIZES:
            _shrunk(drawn, size).save(PNGS / f"{name}-{size}.png", optimize=True)
        drawn.save(HERE / f"{name}.icns", append_images=[_shrunk(drawn, 512)])
        _shrunk(drawn, 256).save(HERE / f"{name}.ico", sizes=[(size, size) for size in SIZES])
    _count_signs().save(PNGS / "count-signs.png", optimize=True)


def _count_signs() -> Image.Image:
    """The signs of a count side by side, white on black, each at the left of its square cell."""
    size = next(size for size in range(SIGN, 2 * SIGN) if _digits_height(size + 1) > SIGN)
    font = ImageFont.truetype(str(_FONT), size)
    row = Image.new("L", (SIGN * len(SIGNS), SIGN))
    for place, sign in enumerate(SIGNS):
        left, *_ = font.getbbox(sign, anchor="ls")
        # On one line, the lower edge of the cell but for what round digits have below it.
        below = font.getbbox("0", anchor="ls")[3]
        at = (place * SIGN - left, SIGN - below)
        ImageDraw.Draw(row).text(at, sign, font=font, fill=255, anchor="ls")
    return row


def _digits_height(size: int) -> float:
    _, top, _, bottom = ImageFont.truetype(str(_FONT), size).getbbox("0123456789", anchor="ls")
    return bottom - top


def _icon(top: str, bottom: str, sign: Callable[[Draw, str], None]) -> Image.Image:
    """A rounded square, lighter at its top, with a white bubble that has a sign in it."""
    gradient = Image.new("RGB", (1, _UNIT))
    for line in range(_UNIT):
        gradient.putpixel((0, line), _between(top, bottom, line / _UNIT))
    mask = Image.new("L", (_UNIT, _UNIT))
    ImageDraw.Draw(mask).rounded_rectangle((32, 32, 992, 992), 220, fill=255)
    icon = Image.new("RGBA", (_UNIT, _UNIT))
    icon.paste(gradient.resize((_UNIT, _UNIT)), (0, 0), mask)
    draw = ImageDraw.Draw(icon)
    draw.rounded_rectangle((190, 230, 834, 690), 170, fill=_WHITE)
    draw.polygon([(300, 640), (300, 830), (500, 660)], fill=_WHITE)
    sign(draw, bottom)
    return icon


def _dots(draw: Draw, colour: str) -> None:
    for x in (352, 512, 672):
        draw.ellipse((x - 52, 408, x + 52, 512), fill=colour)


def _waves(draw: Draw, colour: str) -> None:
    """A point, and two arcs on each side of it."""
    draw.ellipse((460, 408, 564, 512), fill=colour)
    for radius in (130, 220):
        box = (512 - radius, 460 - radius, 512 + radius, 460 + radius)
        draw.arc(box, -42, 42, fill=colour, width=54)
        draw.arc(box, 138, 222, fill=colour, width=54)


def _between(start: str, end: str, part: float) -> tuple[int, int, int]:
    def channel(at: int) -> int:
        first, last = int(start[at : at + 2], 16), int(end[at : at + 2], 16)
        return round(first + (last - first) * part)

    return channel(1), channel(3), channel(5)


def _shrunk(icon: Image.Image, size: int) -> Image.Image:
    """Premultiplied, or the colour of what can't be seen would leave a fringe."""
    return icon.convert("RGBa").resize((size, size), Image.Resampling.BOX).convert("RGBA")


if __name__ == "__main__":
    main()
