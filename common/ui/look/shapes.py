"""Anti-aliased shapes: supersampled with Pillow and cached as Tk images.

A shape is one flat colour with its coverage as alpha. Only the coverage is downsampled,
with a box filter, so no light or dark fringe appears on any background.
"""

from __future__ import annotations

import io
import tkinter as tk
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final

from common.ui.look.palette import rgb

if TYPE_CHECKING:
    from PIL import Image

OVER: Final = 4
"""Supersampling in each direction: 16 levels of coverage an edge."""
_FAINT: Final = 24
"""Coverage, of 255, below which a pixel shows the background only."""


class Images:
    """The Tk images of one interpreter, each drawn on first use and then cached.

    Keys name the shape, its size in screen pixels and its colours, so a theme switch
    or a second window costs nothing for what was drawn before.
    """

    def __init__(self, root: tk.Misc) -> None:
        self._root = root
        self._kept: dict[Hashable, tk.PhotoImage] = {}

    def get(self, key: Hashable, draw: Callable[[], Image.Image]) -> tk.PhotoImage:
        """The image cached under `key`; `draw` makes it if there is none."""
        image = self._kept.get(key)
        if image is None:
            image = self._kept[key] = photo(self._root, draw())
        return image

    def rounded(
        self,
        width: int,
        height: int,
        radius: int,
        fill: str,
        border: str | None = None,
        line: int = 1,
    ) -> tk.PhotoImage:
        """A rounded rectangle in screen pixels, with a border `line` wide inside its edge."""
        key = ("rounded", width, height, radius, fill, border, line)
        return self.get(key, lambda: rounded(width, height, radius, fill, border, line))

    def ring(self, width: int, height: int, radius: int, colour: str, line: int) -> tk.PhotoImage:
        """Only the border of a rounded rectangle."""
        return self.get(
            ("ring", width, height, radius, colour, line),
            lambda: ring(width, height, radius, colour, line),
        )

    def space(self, width: int, height: int) -> tk.PhotoImage:
        """A fully transparent image of that size in screen pixels."""
        key = ("space", width, height)
        image = self._kept.get(key)
        if image is None:
            image = tk.PhotoImage(master=self._root, width=width, height=height)
            self._kept[key] = image
        return image

    def disc(self, size: int, fill: str) -> tk.PhotoImage:
        """A filled circle `size` screen pixels across."""
        return self.rounded(size, size, size // 2 + 1, fill)

    def cap(self, height: int, radius: int, fill: str, right: bool) -> tk.PhotoImage:
        """The left or right end of a rounded band: `radius` wide, to meet a rectangle."""
        return self.get(
            ("cap", height, radius, fill, right),
            lambda: rounded(radius * 2, height, radius, fill).crop(
                (radius if right else 0, 0, radius * 2 if right else radius, height)
            ),
        )


def photo(root: tk.Misc, image: Image.Image) -> tk.PhotoImage:
    """`image` as a Tk image, with its transparency."""
    return tk.PhotoImage(master=root, data=png(image), format="png")


def png(image: Image.Image) -> bytes:
    """`image` as an uncompressed PNG, which Tk reads with its transparency."""
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=0)  # read back at once: packing it is wasted
    return data.getvalue()


def on_ground(image: Image.Image, colour: str) -> Image.Image:
    """`image` composed onto a colour; pixels that it does not cover stay transparent."""
    from PIL import Image

    ground = Image.new("RGBA", image.size, rgb(colour))
    ground.alpha_composite(image)
    ground.putalpha(image.getchannel("A").point([0] * _FAINT + [255] * (256 - _FAINT)))
    return ground


def rounded_mask(width: int, height: int, radius: float, inset: float = 0) -> Image.Image:
    """Coverage (mode L) of a rounded rectangle, `inset` from the edges of the picture."""
    from PIL import Image, ImageDraw

    big = Image.new("L", (width * OVER, height * OVER))
    edge = inset * OVER
    right, bottom = width * OVER - edge - 1, height * OVER - edge - 1
    if right >= edge and bottom >= edge:
        limit = min(right - edge + 1, bottom - edge + 1) / 2
        corner = max(0.0, min((radius - inset) * OVER, limit))
        ImageDraw.Draw(big).rounded_rectangle((edge, edge, right, bottom), corner, fill=255)
    return big.reduce(OVER)


def tinted(mask: Image.Image, colour: str) -> Image.Image:
    """One flat colour with `mask` as its alpha."""
    from PIL import Image

    image = Image.new("RGBA", mask.size, rgb(colour))
    image.putalpha(mask)
    return image


def rounded(
    width: int, height: int, radius: float, fill: str, border: str | None = None, line: float = 1
) -> Image.Image:
    """A rounded rectangle as a picture; see `Images.rounded`."""
    outer = rounded_mask(width, height, radius)
    if border is None:
        return tinted(outer, fill)
    from PIL import Image

    image = Image.new("RGB", (width, height), rgb(border))
    image.paste(rgb(fill), mask=rounded_mask(width, height, radius, line))
    image.putalpha(outer)
    return image


def ring(width: int, height: int, radius: float, colour: str, line: float) -> Image.Image:
    """Only the border of a rounded rectangle, `line` wide, as a picture."""
    from PIL import ImageChops

    inner = rounded_mask(width, height, radius, line)
    return tinted(ImageChops.subtract(rounded_mask(width, height, radius), inner), colour)


def chart(
    width: int, height: int, values: tuple[float, ...], line: str, fill: str, scale: float
) -> Image.Image:
    """A line with the area below it filled and a dot at its end; `values` from 0 to 1."""
    from PIL import Image, ImageDraw

    pad = 4 * scale
    step = (width - 2 * pad) / max(1, len(values) - 1)
    points = [
        ((pad + step * at) * OVER, (height - pad - value * (height - 2 * pad)) * OVER)
        for at, value in enumerate(values)
    ]
    size = (width * OVER, height * OVER)
    area, curve = Image.new("L", size), Image.new("L", size)
    floor = [(points[-1][0], size[1]), (points[0][0], size[1])]
    ImageDraw.Draw(area).polygon([*points, *floor], fill=255)
    pen = ImageDraw.Draw(curve)
    pen.line(points, fill=255, width=round(1.5 * scale * OVER), joint="curve")
    (x, y), dot = points[-1], 3 * scale * OVER
    pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=255)
    image = tinted(area.reduce(OVER), fill)
    image.alpha_composite(tinted(curve.reduce(OVER), line))
    return image
