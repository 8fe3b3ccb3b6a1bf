"""The results drawn: deliveries/s beside the peers', and what happens as things grow.

``python3 -m tests.bench.load.chart RESULTS.json CHART.svg`` draws what was measured before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.load.svg import FAINT, INK, RULE, Drawing

Results = Mapping[str, Any]
Trial = Mapping[str, Any]
Value = Callable[[Trial], float]

_WIDTH: Final = 880
_MARGIN: Final = 28
_LABELS: Final = 150
"""The part of the width that names take."""
_STEP: Final = 22
_OURS: Final = "#2457d6"
_OURS_PLAIN: Final = "#94b2f4"
_THEIRS: Final = "#6f7786"
_THEIRS_PLAIN: Final = "#c4c9d1"
_ROW: Final = 190
"""Height of a row of curves."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """One figure over what grows: the measures of these first words of their keys."""

    title: str
    over: str
    key: str
    value: Value
    form: str


_CURVES: Final = (
    _Curve(
        "CPU of the server for each delivery, µs", "receivers", "growth-receivers-",
        lambda t: t["server_cpu_s"] / max(t["deliveries"], 1) * 1e6, "{:.2f}",
    ),
    _Curve(
        "Text delivered, MB/s", "bytes of text", "growth-text-",
        lambda t: t["deliveries"] / t["measured_s"] * t["text"] / 1e6, "{:,.0f}",
    ),
    _Curve(
        "Durable acknowledged messages/s", "messages there already", "growth-history-acks-",
        lambda t: t["acks"] / t["measured_s"], "{:,.0f}",
    ),
    _Curve(
        "Time for the latest 100 messages, ms", "messages there already", "growth-history-page-",
        lambda t: t["catch_up"]["p50"], "{:.1f}",
    ),
)  # fmt: skip


def chart(results: Results) -> str:
    """An SVG of what `Report.json` gives; what was not measured is left out."""
    drawing = Drawing("How much the server delivers, beside its peers", _WIDTH)
    bottom = 30.0
    for key in ("saturation-100", "saturation-1000"):
        if key in results["measures"]:
            bottom = _bars(drawing, bottom, results["measures"][key])
    bottom = _curves(drawing, bottom, results["measures"])
    return drawing.svg(bottom)


def _bars(drawing: Drawing, top: float, measure: Mapping[str, Any]) -> float:
    """Deliveries/s of each server, with the least and the greatest; where it ends."""
    receivers = measure["load"]["members"] - measure["load"]["publishers"]
    title = f"Deliveries per second to {receivers:,} receivers"
    drawing.text(_MARGIN, top + 6, title, size=15, bold=True)
    rates = {
        server: [trial["deliveries"] / trial["measured_s"] for trial in trials if trial]
        for server, trials in measure["servers"].items()
    }
    most = max((max(found) for found in rates.values() if found), default=1)
    left, y = _MARGIN + _LABELS, top + 24
    scale = (_WIDTH - left - _MARGIN - 60) / most
    for server, found in rates.items():
        ours = server.startswith("Chat")
        drawing.text(left - 10, y + 12, server, anchor="end", bold=ours)
        if found:
            drawing.bar(left, y, median(found) * scale, 15, _colour(server))
            ends = [(left + rate * scale, y + 7.5) for rate in (min(found), max(found))]
            drawing.line(*ends, colour=INK, width=1.5)
        said = _short(median(found)) if found else "failed"
        drawing.text(left + max(found, default=0) * scale + 8, y + 12, said, bold=ours)
        y += _STEP
    said = "Bars: the median of all rounds; lines: from the least to the greatest."
    drawing.text(left, y + 12, said, size=10, colour=FAINT)
    return y + 44


def _colour(server: str) -> str:
    if server.startswith("Chat"):
        return _OURS if "TLS" in server else _OURS_PLAIN
    return _THEIRS if "TLS" in server else _THEIRS_PLAIN


def _short(rate: float) -> str:
    return f"{rate / 1e6:.2f} M" if rate >= 1e6 else f"{rate / 1e3:,.0f} k"


def _grown(number: int) -> str:
    if number >= 1_000_000:
        return f"{number // 1_000_000} M"
    return f"{number // 1000} k" if number >= 1000 else str(number)


def _curves(drawing: Drawing, top: float, measures: Mapping[str, Any]) -> float:
    """Two in a row; where they end."""
    shown = [(curve, found) for curve in _CURVES if len(found := _points(curve, measures)) > 1]
    if not shown:
        return top
    drawing.text(_MARGIN, top + 6, "As it grows (Chat, TLS)", size=15, bold=True)
    half = _WIDTH / 2
    for place, (curve, points) in enumerate(shown):
        left = _MARGIN + (place % 2) * (half - _MARGIN / 2)
        _curve(drawing, left, top + 24 + place // 2 * _ROW, curve, points)
    return top + 24 + (len(shown) + 1) // 2 * _ROW


def _points(curve: _Curve, measures: Mapping[str, Any]) -> list[tuple[int, float]]:
    """How far it has grown, and the median there."""
    found = []
    for key, measure in measures.items():
        trials = [trial for trial in measure["servers"].get("Chat, TLS", ()) if trial]
        if key.startswith(curve.key) and trials:
            found.append((measure["point"], median(map(curve.value, trials))))
    return found


def _curve(
    drawing: Drawing, left: float, top: float, curve: _Curve, points: Sequence[tuple[int, float]]
) -> None:
    """From nothing upwards, over the logarithm of what grows."""
    width, height = _WIDTH / 2 - 2 * _MARGIN, 92
    foot = top + 30 + height
    first, last = log10(points[0][0]), log10(points[-1][0])
    most = max(value for _, value in points) * 1.1
    drawing.text(left, top + 12, curve.title, bold=True)
    drawing.line((left, foot), (left + width, foot), colour=RULE)
    places = []
    for number, (grown, value) in enumerate(points):
        x = left + 22 + (log10(grown) - first) / (last - first) * (width - 44)
        y = foot - value / most * height
        places.append((x, y))
        drawing.text(x, foot + 15, _grown(grown), size=10, colour=FAINT, anchor="middle")
        side = -8 if number % 2 == 0 or y > foot - 24 else 18
        drawing.text(x, y + side, curve.form.format(value), size=10, anchor="middle")
    drawing.line(*places, colour=_OURS, width=2)
    for x, y in places:
        drawing.dot(x, y, _OURS)
    drawing.text(left + width, foot + 30, curve.over, size=10, colour=FAINT, anchor="end")


def main(arguments: Sequence[str]) -> int:
    """Draw a file of results into another file; the exit status."""
    if len(arguments) != 2:
        sys.stderr.write("two files are needed: the results in JSON, and where to draw them\n")
        return 2
    results, drawn = map(Path, arguments)
    drawn.write_text(chart(json.loads(results.read_text("utf-8"))), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
