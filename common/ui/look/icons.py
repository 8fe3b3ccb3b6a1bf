"""Line icons, drawn on a 16 × 16 grid with round 1.3 strokes, in any size and colour."""

from __future__ import annotations

import math
import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from common.ui.look.shapes import Images, tinted

if TYPE_CHECKING:
    from PIL import Image

IconName = Literal[
    "arrow-down", "arrow-left", "bell", "bell-off", "broadcast", "chat", "check", "check-circle",
    "check-disc", "chevron-down", "chevron-right", "chevron-up", "clock", "close", "connections",
    "copy", "desktop", "enter", "gear", "hash", "laptop", "leave", "link", "log", "moon", "more",
    "ban", "pencil", "people", "person", "plus", "plus-circle", "power", "renew", "search", "send",
    "shield", "sort-down", "sort-up", "sun", "terminate", "warning",
]  # fmt: skip

_OVER: Final = 8
_GRID: Final = 16
_STROKE: Final = 1.3

Points = list[tuple[float, float]]


class _Pen:
    """Draws coverage in grid units onto one large picture."""

    def __init__(self, size: int) -> None:
        from PIL import Image, ImageDraw

        self.unit = size * _OVER / _GRID
        self.mask = Image.new("L", (size * _OVER, size * _OVER))
        self._draw = ImageDraw.Draw(self.mask)

    def line(self, *points: tuple[float, float], closed: bool = False) -> None:
        """A stroke through the points, round at its joints and ends."""
        path: Points = [*points, points[0]] if closed else list(points)
        width, unit = _STROKE * self.unit, self.unit
        scaled = [(x * unit, y * unit) for x, y in path]
        self._draw.line(scaled, fill=255, width=round(width))
        for x, y in scaled:
            half = width / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=255)

    def arc(self, x: float, y: float, radius: float, start: float = 0, end: float = 360) -> None:
        """A stroked part of a circle; degrees clockwise from three o'clock."""
        steps = max(8, round(abs(end - start) / 6))
        angles = [math.radians(start + (end - start) * at / steps) for at in range(steps + 1)]
        self.line(*((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles))

    def dot(self, x: float, y: float, radius: float, ink: int = 255) -> None:
        """A filled circle; `ink` 0 cuts it out."""
        box = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse([part * self.unit for part in box], fill=ink)

    def fill(self, *points: tuple[float, float], ink: int = 255) -> None:
        """A filled polygon; `ink` 0 cuts it out."""
        self._draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=ink)

    def box(self, left: float, top: float, right: float, bottom: float, radius: float) -> None:
        """A stroked rounded rectangle."""
        corners = (
            (right - radius, top + radius, -90), (right - radius, bottom - radius, 0),
            (left + radius, bottom - radius, 90), (left + radius, top + radius, 180),
        )  # fmt: skip
        path: Points = []
        for x, y, start in corners:
            for at in range(0, 91, 15):
                angle = math.radians(start + at)
                path.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
        self.line(*path, closed=True)

    def cut(self, draw: Callable[[_Pen], None]) -> None:
        """Erase what `draw` draws."""
        from PIL import ImageChops

        other = _Pen(round(self.mask.width / _OVER))
        draw(other)
        self.mask.paste(ImageChops.subtract(self.mask, other.mask))


def _gear(pen: _Pen) -> None:
    pen.arc(8, 8, 2.2)
    path: Points = []
    for tooth in range(8):
        for turn, radius in ((-0.30, 5.0), (-0.17, 6.6), (0.17, 6.6), (0.30, 5.0)):
            angle = (tooth + turn) * math.pi / 4
            path.append((8 + radius * math.cos(angle), 8 + radius * math.sin(angle)))
    pen.line(*path, closed=True)


def _moon(pen: _Pen) -> None:
    # The outer arc and a smaller one around (11, 5) meet in the tips of the crescent.
    pen.arc(8, 8, 6.3, 14, 256)
    tips = [(8 + 6.3 * math.cos(math.radians(a)), 8 + 6.3 * math.sin(math.radians(a)))
            for a in (14, 256)]  # fmt: skip
    middle = (10.9, 5.1)
    radius = math.dist(middle, tips[0])
    ends = [math.degrees(math.atan2(y - middle[1], x - middle[0])) for x, y in tips]
    pen.arc(*middle, radius, ends[0], ends[1] % 360)


def _sun(pen: _Pen) -> None:
    pen.arc(8, 8, 3)
    for at in range(8):
        x, y = math.cos(at * math.pi / 4), math.sin(at * math.pi / 4)
        pen.line((8 + 5.3 * x, 8 + 5.3 * y), (8 + 6.9 * x, 8 + 6.9 * y))


def _people(pen: _Pen) -> None:
    pen.arc(5.2, 5.6, 2.3)
    pen.arc(11.2, 5.0, 2.1)
    pen.arc(5.2, 14.0, 4.3, 180, 360)
    pen.line((0.9, 14), (9.5, 14))
    pen.arc(11.0, 13.0, 4.2, 268, 360)
    pen.line((11.6, 13), (15.2, 13))


def _person(pen: _Pen) -> None:
    pen.arc(8, 5, 2.8)
    pen.arc(8, 14.2, 5.4, 180, 360)
    pen.line((2.6, 14.2), (13.4, 14.2))


def _hash(pen: _Pen) -> None:
    pen.line((6.6, 2.6), (5.0, 13.4))
    pen.line((11.0, 2.6), (9.4, 13.4))
    pen.line((3.2, 5.9), (13.2, 5.9))
    pen.line((2.8, 10.1), (12.8, 10.1))


def _send(pen: _Pen) -> None:
    pen.fill((0.6, 8.3), (15.4, 0.6), (12.6, 14.4), (8.3, 11.8), (6.0, 15.2), (5.2, 10.2))
    pen.cut(lambda cut: cut.line((5.4, 10.2), (12.4, 4.0)))


def _copy(pen: _Pen) -> None:
    pen.box(4.9, 1.6, 14.4, 11.1, 1.8)
    pen.line((4.9, 4.9), (3.2, 4.9), (2.2, 5.2), (1.6, 6.4), (1.6, 12.6), (2.2, 13.8), (3.4, 14.4),
             (9.6, 14.4), (10.8, 13.8), (11.1, 12.6), (11.1, 11.1))  # fmt: skip


def _link(pen: _Pen) -> None:
    # Two links of a chain along the diagonal, each open where the other one enters.
    for side in (1, -1):
        path: Points = []
        for x, y in ((-0.4, -2.3), (2.6, -2.3), (4.6, -1.9), (5.7, 0), (4.6, 1.9), (2.6, 2.3),
                     (0.4, 2.3)):  # fmt: skip
            along, across = (x + 0.9) * side, y * side
            path.append((8 + (along + across) * 0.7071, 8 + (across - along) * 0.7071))
        pen.line(*path)
    pen.line((6.2, 9.8), (9.8, 6.2))


def _check(pen: _Pen) -> None:
    pen.line((3, 8.6), (6.4, 12), (13, 4.6))


def _check_circle(pen: _Pen) -> None:
    pen.arc(8, 8, 6.4)
    pen.line((5.1, 8.3), (7.2, 10.4), (11, 6))


def _check_disc(pen: _Pen) -> None:
    pen.dot(8, 8, 7.4)
    pen.cut(lambda cut: cut.line((4.9, 8.3), (7.1, 10.5), (11.2, 5.8)))


def _terminate(pen: _Pen) -> None:
    pen.arc(8, 8, 6.6)
    pen.line((5.6, 5.6), (10.4, 10.4))
    pen.line((10.4, 5.6), (5.6, 10.4))


def _power(pen: _Pen) -> None:
    pen.arc(8, 8.6, 5.8, -55, 235)
    pen.line((8, 1.6), (8, 7.6))


def _warning(pen: _Pen) -> None:
    pen.line((8, 1.7), (15, 14), (1, 14), closed=True)
    pen.line((8, 6.4), (8, 9.6))
    pen.dot(8, 11.9, 0.9)


def _enter(pen: _Pen) -> None:
    pen.line((6, 4.6), (6, 2.2), (14.4, 2.2), (14.4, 13.8), (6, 13.8), (6, 11.4))
    pen.line((1, 8), (10, 8))
    pen.line((7.2, 5.2), (10, 8), (7.2, 10.8))


def _leave(pen: _Pen) -> None:
    pen.line((9.6, 4.6), (9.6, 2.2), (1.6, 2.2), (1.6, 13.8), (9.6, 13.8), (9.6, 11.4))
    pen.line((6, 8), (15, 8))
    pen.line((12.2, 5.2), (15, 8), (12.2, 10.8))


def _laptop(pen: _Pen) -> None:
    pen.box(2.6, 3, 13.4, 10.9, 1.2)
    pen.line((0.9, 13), (15.1, 13))


def _desktop(pen: _Pen) -> None:
    pen.box(1, 2.4, 15, 11, 1.4)
    pen.line((8, 11), (8, 13.6))
    pen.line((5, 13.8), (11, 13.8))


def _clock(pen: _Pen) -> None:
    pen.arc(8, 8, 6.4)
    pen.line((8, 4.4), (8, 8.2), (10.6, 9.8))


def _connections(pen: _Pen) -> None:
    pen.box(0.9, 2, 15.1, 6.6, 2.2)
    pen.dot(3.6, 4.3, 0.7)
    pen.line((8, 6.6), (8, 10.6))
    pen.arc(8, 12.2, 1.5)
    pen.line((0.9, 12.2), (6.5, 12.2))
    pen.line((9.5, 12.2), (15.1, 12.2))


def _chat(pen: _Pen) -> None:
    pen.line((1.2, 2.4), (14.8, 2.4), (14.8, 11.8), (4.6, 11.8), (1.2, 14.8), closed=True)
    for y in (5.3, 8.7):
        pen.line((4, y), (12 if y < 6 else 9.5, y))


def _pencil(pen: _Pen) -> None:
    pen.line((1.6, 14.4), (2.6, 10.4), (11.2, 1.8), (14.2, 4.8), (5.6, 13.4), closed=True)
    pen.line((9.2, 3.8), (12.2, 6.8))


def _bell(pen: _Pen) -> None:
    pen.line((2.2, 12), (3.6, 10), (3.6, 6.8), (4.4, 4.4), (6.2, 2.9), (8, 2.5), (9.8, 2.9),
             (11.6, 4.4), (12.4, 6.8), (12.4, 10), (13.8, 12), closed=True)  # fmt: skip
    pen.arc(8, 12.6, 1.9, 10, 170)


def _bell_off(pen: _Pen) -> None:
    _bell(pen)
    pen.line((2, 2), (14, 14))


def _broadcast(pen: _Pen) -> None:
    pen.dot(8, 8, 1.7)
    for radius in (4.2, 7):
        pen.arc(8, 8, radius, -48, 48)
        pen.arc(8, 8, radius, 132, 228)


def _log(pen: _Pen) -> None:
    pen.box(2.4, 1.4, 14, 14.6, 1.6)
    for y in (5, 8, 11):
        pen.line((6, y), (10.8, y))


def _path(*points: tuple[float, float]) -> Callable[[_Pen], None]:
    return lambda pen: pen.line(*points)


def _paths(*paths: Points, circle: float = 0) -> Callable[[_Pen], None]:
    def draw(pen: _Pen) -> None:
        if circle:
            pen.arc(8, 8, circle)
        for path in paths:
            pen.line(*path)

    return draw


def _search(pen: _Pen) -> None:
    pen.arc(6.8, 6.8, 5.2)
    pen.line((10.7, 10.7), (14.6, 14.6))


def _renew(pen: _Pen) -> None:
    pen.arc(8, 8, 5.8, -20, 270)
    pen.line((8, 2.2), (10.8, 0.6))
    pen.line((8, 2.2), (10.6, 4.4))


def _ban(pen: _Pen) -> None:
    pen.arc(8, 8, 6.3)
    pen.line((3.6, 3.6), (12.4, 12.4))


def _shield(pen: _Pen) -> None:
    pen.line((8, 1.4), (13.6, 3.4), (13.6, 7.6), (11.8, 11.4), (8, 14.6), (4.2, 11.4),
             (2.4, 7.6), (2.4, 3.4), closed=True)  # fmt: skip


def _more(pen: _Pen) -> None:
    for x in (3.2, 8, 12.8):
        pen.dot(x, 8, 1.25)


_DRAW: Final[dict[IconName, Callable[[_Pen], None]]] = {
    "arrow-down": _paths([(8, 2.4), (8, 13.4)], [(3.4, 8.8), (8, 13.4), (12.6, 8.8)]),
    "arrow-left": _paths([(2.6, 8), (13.6, 8)], [(7.2, 3.4), (2.6, 8), (7.2, 12.6)]),
    "ban": _ban,
    "bell": _bell,
    "bell-off": _bell_off,
    "broadcast": _broadcast,
    "chat": _chat,
    "check": _check,
    "check-circle": _check_circle,
    "check-disc": _check_disc,
    "chevron-down": _path((3.4, 5.8), (8, 10.4), (12.6, 5.8)),
    "chevron-right": _path((5.8, 3.4), (10.4, 8), (5.8, 12.6)),
    "chevron-up": _path((3.4, 10.2), (8, 5.6), (12.6, 10.2)),
    "clock": _clock,
    "close": _paths([(3.6, 3.6), (12.4, 12.4)], [(12.4, 3.6), (3.6, 12.4)]),
    "connections": _connections,
    "copy": _copy,
    "desktop": _desktop,
    "enter": _enter,
    "gear": _gear,
    "hash": _hash,
    "laptop": _laptop,
    "leave": _leave,
    "link": _link,
    "log": _log,
    "moon": _moon,
    "more": _more,
    "pencil": _pencil,
    "people": _people,
    "person": _person,
    "plus": _paths([(8, 2.6), (8, 13.4)], [(2.6, 8), (13.4, 8)]),
    "plus-circle": _paths([(8, 5), (8, 11)], [(5, 8), (11, 8)], circle=6.9),
    "power": _power,
    "renew": _renew,
    "search": _search,
    "shield": _shield,
    "send": _send,
    "sort-down": lambda pen: pen.fill((3.6, 5.8), (12.4, 5.8), (8, 11)),
    "sort-up": lambda pen: pen.fill((3.6, 10.2), (12.4, 10.2), (8, 5)),
    "sun": _sun,
    "terminate": _terminate,
    "warning": _warning,
}


def icon(
    images: Images, name: IconName, colour: str, size: int = 16, gap: int = 0
) -> tk.PhotoImage:
    """The icon as a Tk image `size` screen pixels square, on transparency.

    `gap` adds that much empty width at its right, for widgets that put text there.
    """
    key = ("icon", name, colour, size, gap)
    return images.get(key, lambda: picture(name, colour, size, gap))


def picture(name: IconName, colour: str, size: int, gap: int = 0) -> Image.Image:
    """The icon as a picture."""
    from PIL import ImageOps

    pen = _Pen(size)
    _DRAW[name](pen)
    return tinted(ImageOps.expand(pen.mask.reduce(_OVER), (0, 0, gap, 0)), colour)
