"""A drawing as SVG text: a white card that is legible on light and on dark pages."""

from __future__ import annotations

from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

INK: Final = "#1f2430"
FAINT: Final = "#6b7280"
RULE: Final = "#e2e5ea"
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


class Drawing:
    """What was drawn so far. Places and sizes are in pixels, from the upper left corner."""

    def __init__(self, title: str, width: int) -> None:
        """`title` is for who can't see it."""
        self.width: Final = width
        self._title = title
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, said: str, *, size: int = 12, colour: str = INK,
        anchor: str = "start", bold: bool = False,
    ) -> None:  # fmt: skip
        """A line of text on the base line `y`; `anchor` is start, middle or end."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}"'
            f' text-anchor="{anchor}"{weight}>{escape(said)}</text>'
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" rx="2"'
            f' fill="{colour}"/>'
        )

    def line(self, *points: tuple[float, float], colour: str = RULE, width: float = 1) -> None:
        """Straight from point to point."""
        # Piece by piece: not every program that shows SVG leaves an open line open.
        self._parts += [
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"'
            f' stroke-width="{width:g}"/>'
            for (x, y), (to_x, to_y) in pairwise(points)
        ]

    def dot(self, x: float, y: float, colour: str) -> None:
        """A point that stands out."""
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def svg(self, height: float) -> str:
        """All of it as a file's text."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height:g}"'
            f' viewBox="0 0 {self.width} {height:g}" role="img" stroke="none"'
            f" aria-label={quoteattr(self._title)} font-family={quoteattr(_FONT)}>"
        )
        card = (
            f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{height - 1:g}" rx="10"'
            f' fill="#ffffff" stroke="{RULE}"/>'
        )
        return "\n".join([head, card, *self._parts, "</svg>\n"])
