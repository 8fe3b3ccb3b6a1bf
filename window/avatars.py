"""Round avatars: white initials on a colour that always is the same for a username."""

from __future__ import annotations

import tkinter as tk
import unicodedata
import zlib
from typing import TYPE_CHECKING, Final, Literal

from window.fonts import BOLD
from window.palette import AVATARS, Palette, rgb
from window.shapes import OVER, Images, rounded_mask, tinted

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Presence = Literal["online", "away", "offline"]

BADGE: Final = "#2f6fb5"
"""Ground of the server's own badge."""

_DRAWABLE: Final = ("LATIN", "GREEK", "CYRILLIC", "DIGIT")


def colour(username: str) -> str:
    """The avatar colour of `username`: equal on every computer, whatever its case."""
    return AVATARS[(zlib.crc32(username.casefold().encode()) >> 8) % len(AVATARS)]


def initials(name: str, username: str = "") -> str:
    """One or two capitals for `name`: its first and its last word's first letter.

    Letters that the bundled font cannot draw (it has Latin, Greek and Cyrillic) are
    passed over; `username` is asked next, and `?` stands for nothing at all.
    """
    for source in (name, username):
        letters = [letter for word in source.split() if (letter := _first(word))]
        if letters:
            return letters[0] if len(letters) == 1 else letters[0] + letters[-1]
    return "?"


def avatar(
    images: Images,
    palette: Palette,
    name: str,
    username: str,
    size: int,
    presence: Presence | None = None,
) -> tk.PhotoImage:
    """A round avatar `size` screen pixels across, with a presence dot when one is given.

    The dot's ring is a gap that shows what is behind, so it fits any row or band.
    """
    text, ground = initials(name, username), colour(username or name)
    dot = {None: "", "online": palette.running, "away": palette.away, "offline": palette.offline}
    ink = dot[presence]
    key = ("avatar", text, ground, size, ink)
    return images.get(key, lambda: _draw(text, ground, size, size / 2, ink))


def badge(images: Images, name: str, size: int, ground: str = BADGE) -> tk.PhotoImage:
    """A rounded square with the first letter of `name`, for a server."""
    text = initials(name)[:1]
    key = ("badge", text, ground, size)
    return images.get(key, lambda: _draw(text, ground, size, size / 4, ""))


def _first(word: str) -> str:
    for char in word:
        if char.isalnum() and unicodedata.name(char, "").startswith(_DRAWABLE):
            return char.upper()[:1]
    return ""


def _draw(text: str, ground: str, size: int, radius: float, dot: str) -> Image.Image:
    from PIL import Image, ImageDraw

    face = rounded_mask(size, size, radius)
    letters = Image.new("L", (size * OVER, size * OVER))
    big = size * OVER
    font = _font(big * (0.42 if len(text) == 1 else 0.38))
    pen = ImageDraw.Draw(letters)
    # Centre the capital height, not the line: a line's middle lies below that of capitals.
    left, _, right, _ = pen.textbbox((0, 0), text, font=font, anchor="ls")
    _, top, _, _ = pen.textbbox((0, 0), "H", font=font, anchor="ls")
    pen.text(((big - left - right) / 2, (big - top) / 2), text, font=font, fill=255, anchor="ls")
    image = Image.new("RGB", (size, size), rgb(ground))
    image.paste((255, 255, 255), mask=letters.reduce(OVER))
    image.putalpha(face)
    if dot:
        _add_dot(image, dot)
    return image


def _add_dot(image: Image.Image, colour: str) -> None:
    """Put a presence dot at the lower right, with a see-through ring around it."""
    from PIL import Image, ImageChops, ImageDraw

    size = image.width
    across = max(9, round(size * 0.33)) + size % 2
    ring = max(2, round(size / 18))
    masks = []
    for grow in (ring, 0):
        mask = Image.new("L", (size * OVER, size * OVER))
        low, high = (size - across - grow) * OVER, (size + grow) * OVER - 1
        ImageDraw.Draw(mask).ellipse((low, low, high, high), fill=255)
        masks.append(mask.reduce(OVER))
    image.putalpha(ImageChops.subtract(image.getchannel("A"), masks[0]))
    image.alpha_composite(tinted(masks[1], colour))


def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(BOLD), round(size))
