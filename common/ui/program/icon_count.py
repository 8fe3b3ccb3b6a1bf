"""A program's icon with a number on it, such as how many messages are unread.

The number is composed of images of its characters, made by build_specs/draw_icons.py: loading a
font would block the window for a tenth of a second when the first message arrives.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from common.ui.look.shapes import rounded_mask, tinted
from common.ui.program.root import ASSETS, ICON_SIZES, icon_file

if TYPE_CHECKING:
    from PIL import Image

MOST: Final = 99
"""Maximum count shown; larger ones are shown as this one with a plus."""
_SIGNS: Final = "0123456789+"
_LEAST_SIZE: Final = 32
"""Minimum size of an icon in pixels for a number; on smaller ones the badge is a dot."""
_HEIGHT: Final = 0.56
"""Height of the badge as a fraction of the icon's."""
_DIGITS: Final = 0.58
"""Height of the digits as a fraction of the badge's."""
_GROUND: Final = "#d23b33"
_INK: Final = "#ffffff"


def label_of(count: int) -> str:
    """The label for a count; "" for none."""
    return "" if count <= 0 else str(count) if count <= MOST else f"{MOST}+"


def icons_with(name: str, label: str) -> list[Image.Image]:
    """The icon `name` in all of its sizes (mode RGBA), with a badge for a label of `label_of`."""
    return [with_badge(_icon(name, size), label) for size in ICON_SIZES]


def with_badge(icon: Image.Image, label: str) -> Image.Image:
    """An icon (mode RGBA) with a badge in its lower right corner: the label, or a dot if small."""
    from PIL import Image, ImageChops

    if not label:
        return icon
    size = icon.width
    high = round(size * _HEIGHT)
    text = _written(label, round(high * _DIGITS)) if size >= _LEAST_SIZE else None
    # Round for one digit; wider for more, with as little space beside them as the rounding allows.
    wide = high if text is None else min(size, max(high, text.width + round(high * 0.46)))
    line = max(1, round(size / 24))
    whole: Image.Image = icon.copy()
    # A transparent gap around it makes the badge stand out from any icon.
    gap = Image.new("L", icon.size)
    around = rounded_mask(wide + 2 * line, high + 2 * line, high / 2 + line)
    gap.paste(around, (size - wide - line, size - high - line))
    whole.putalpha(ImageChops.subtract(whole.getchannel("A"), gap))
    badge = tinted(rounded_mask(wide, high, high / 2), _GROUND)
    if text is not None:
        at = (wide - text.width) // 2, (high - text.height) // 2
        badge.paste(Image.new("RGBA", text.size, _INK), at, text)
    whole.alpha_composite(badge, (size - wide, size - high))
    return whole


@cache
def _icon(name: str, size: int) -> Image.Image:
    from PIL import Image

    with Image.open(icon_file(name, size)) as icon:
        return icon.convert("RGBA")


def _written(label: str, high: int) -> Image.Image:
    """The coverage (mode L) of a label with digits `high` pixels high, without space around it."""
    from PIL import Image

    signs = [_sign(each, high) for each in label]
    gap = max(1, round(high / 12))
    text = Image.new("L", (sum(sign.width + gap for sign in signs) - gap, high))
    at = 0
    for sign in signs:
        text.paste(sign, (at, 0))
        at += sign.width + gap
    return text


@cache
def _sign(sign: str, high: int) -> Image.Image:
    """One character, `high` pixels high, cropped at its sides; cached for each size."""
    from PIL import Image

    with Image.open(ASSETS / "count-signs.png") as picture:
        row = picture.convert("L")
    cell = row.height
    drawn = row.crop((_SIGNS.index(sign) * cell, 0, (_SIGNS.index(sign) + 1) * cell, cell))
    left, _, right, _ = drawn.getbbox() or (0, 0, cell, cell)
    drawn = drawn.crop((left, 0, right, cell))
    return drawn.resize((max(1, round(drawn.width * high / cell)), high), Image.Resampling.BOX)
