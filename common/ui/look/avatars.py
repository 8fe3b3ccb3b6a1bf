"""Round avatars: white initials on a colour that is assigned to the person."""

from __future__ import annotations

import tkinter as tk
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

from common.ui.look.fonts import BOLD
from common.ui.look.palette import AVATARS, Palette, rgb
from common.ui.look.shapes import OVER, Images, on_ground, rounded_mask, tinted

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Presence = Literal["online", "away", "offline"]

BADGE: Final = "#2f6fb5"
"""Ground of the server's own badge."""

_DRAWABLE: Final = ("LATIN", "GREEK", "CYRILLIC", "DIGIT")


class Colours:
    """Which colour each person has, in avatars and beside messages.

    Colours are reused only when all are taken, the least used one first. The choice depends on the
    usernames alone, so everybody who sees the same people sees the same colours; a later arrival
    never changes the colour of anybody else.
    """

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._uses: Counter[str] = Counter()

    def meet(self, usernames: Iterable[str]) -> None:
        """Assign colours to those who have none yet."""
        # Not by the difference of two sets: that would iterate over everybody known.
        names = (name.casefold() for name in usernames)
        for username in sorted({name for name in names if name not in self._of}):
            # Of the least used colours the one with the fewest similar ones in use; ties go by the
            # person's own order of preference.
            chosen = min(_preferred(username), key=self._crowd)
            self._of[username] = chosen
            self._uses[chosen] += 1

    def _crowd(self, colour: str) -> tuple[int, int]:
        """How many people have a colour, and how many have one of its neighbours."""
        at = AVATARS.index(colour)
        beside = AVATARS[at - 1], AVATARS[(at + 1) % len(AVATARS)]
        return self._uses[colour], sum(self._uses[each] for each in beside)

    def forget(self) -> None:
        """Forget all assignments, as before the people of another chat."""
        self._of.clear()
        self._uses.clear()

    def of(self, username: str) -> str:
        """The colour of `username`, ignoring case; one is assigned if there is none yet."""
        name = username.casefold()
        return self._of.get(name) or _preferred(name)[0]


def _preferred(username: str) -> list[str]:
    """All colours in the order of a username's preference; consecutive ones differ clearly."""
    count, step = len(AVATARS), 5  # coprime to the number of colours, so that each comes once
    first = (zlib.crc32(username.encode()) >> 8) % count
    return [AVATARS[(first + step * place) % count] for place in range(count)]


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
    text: str,
    ground: str,
    size: int,
    presence: Presence | None = None,
    *,
    behind: str | None = None,
) -> tk.PhotoImage:
    """A round avatar `size` screen pixels across, with a presence dot when one is given.

    `text` is somebody's initials, `ground` their colour. The dot's ring is a gap that shows what
    is behind, so it fits any row or band. Where that is of one colour, give it as `behind`: then no
    pixel is translucent, which on X11 makes drawing much cheaper (see `emoji_pictures`).
    """
    ink = _dot_colour(palette, presence)
    key = ("avatar", text, ground, size, ink, behind)

    def draw() -> Image.Image:
        image = _draw(text, ground, size, size / 2, ink)
        return image if behind is None else on_ground(image, behind)

    return images.get(key, draw)


def badge(
    images: Images,
    palette: Palette,
    name: str,
    size: int,
    ground: str = BADGE,
    presence: Presence | None = None,
) -> tk.PhotoImage:
    """A rounded square with the first letter of `name`, for a server, with a dot as an avatar's."""
    text = initials(name)[:1]
    ink = _dot_colour(palette, presence)
    key = ("badge", text, ground, size, ink)
    return images.get(key, lambda: _draw(text, ground, size, size / 4, ink))


def _dot_colour(palette: Palette, presence: Presence | None) -> str:
    """The colour of a presence dot; "" for none."""
    dot = {None: "", "online": palette.running, "away": palette.away, "offline": palette.offline}
    return dot[presence]


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
    font = _font(big * (0.42 if len(text) == 1 else 0.38 if not dot else 0.36))
    pen = ImageDraw.Draw(letters)
    # Centre the capital height, not the line: a line's middle lies below that of capitals.
    left, _, right, _ = pen.textbbox((0, 0), text, font=font, anchor="ls")
    _, top, _, _ = pen.textbbox((0, 0), "H", font=font, anchor="ls")
    middle = (big - left - right) / 2
    pen.text((middle, (big - top) / 2), text, font=font, fill=255, anchor="ls")
    if dot:
        letters = _clear_of_dot(letters, size)
    image = Image.new("RGB", (size, size), rgb(ground))
    image.paste((255, 255, 255), mask=letters.reduce(OVER))
    image.putalpha(face)
    if dot:
        _add_dot(image, dot)
    return image


def _add_dot(image: Image.Image, colour: str) -> None:
    """Put a presence dot at the lower right, with a see-through ring around it."""
    from PIL import ImageChops

    around, dot = (_dot_mask(image.width, ring=ring).reduce(OVER) for ring in (True, False))
    image.putalpha(ImageChops.subtract(image.getchannel("A"), around))
    image.alpha_composite(tinted(dot, colour))


def _dot_mask(size: int, *, ring: bool) -> Image.Image:
    """Coverage of the presence dot, with its ring or without, at `OVER` times the size."""
    from PIL import Image, ImageDraw

    across = max(9, round(size * 0.33)) + size % 2
    grow = max(2, round(size / 18)) if ring else 0
    mask = Image.new("L", (size * OVER, size * OVER))
    low, high = (size - across - grow) * OVER, (size + grow) * OVER - 1
    ImageDraw.Draw(mask).ellipse((low, low, high, high), fill=255)
    return mask


def _clear_of_dot(letters: Image.Image, size: int) -> Image.Image:
    """The initials moved up and to the left, as far as the dot would cover the second one."""
    from PIL import ImageChops

    dot = _dot_mask(size, ring=True)
    for _ in range(size * OVER // 4):
        if ImageChops.multiply(letters, dot).getbbox() is None:
            break
        letters = ImageChops.offset(letters, -1, -2)
    return letters


def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(BOLD), round(size))
