"""The saved state of a window: its geometry, and its mode if one was chosen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, NamedTuple

from common.ui.look.palette import Mode

FILE: Final = "window.json"
_GEOMETRY: Final = re.compile(r"(\d{1,5})x(\d{1,5})\+(-?\d{1,5})\+(-?\d{1,5})")
TEXT_SIZES: Final = 80, 200
"""Minimum and maximum text size, in per cent of the default."""
_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})")


class WindowState(NamedTuple):
    """`geometry` is (width, height, x, y) in screen pixels. None is for a default.

    `scale` is screen pixels for one pixel at 96 dpi when it was saved, and `screen` the width and
    height of the screen in pixels; None where unknown. Of a `maximized` window, `geometry` is the
    one it had before. `text_size` is in per cent of the default.
    """

    geometry: tuple[int, int, int, int] | None = None
    theme: Mode | None = None
    scale: float | None = None
    screen: tuple[int, int] | None = None
    maximized: bool = False
    text_size: int = 100


def load_window_state(data_dir: Path) -> WindowState:
    """The saved state; defaults for whatever is missing or damaged. Never raises."""
    try:
        kept = json.loads((data_dir / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return WindowState()
    if not isinstance(kept, dict):
        return WindowState()
    theme, scale, text_size = kept.get("theme"), kept.get("scale"), kept.get("text_size")
    least, most = TEXT_SIZES
    return WindowState(
        parse_geometry(str(kept.get("geometry"))),
        theme if theme in ("light", "dark") else None,
        scale if isinstance(scale, float) and 1.0 <= scale <= 8.0 else None,
        _parse_size(str(kept.get("screen"))),
        kept.get("maximized") is True,
        text_size if type(text_size) is int and least <= text_size <= most else 100,
    )


def save_window_state(data_dir: Path, state: WindowState) -> None:
    """Save the state atomically; a failure is logged, as it must not prevent closing."""
    # Imported here: loading comes before the first window is on the screen, saving long after.
    import logging

    from common.system.private_files import make_private_folder, write_private

    content: dict[str, str | float | bool] = {}
    if state.geometry is not None:
        content["geometry"] = "{}x{}+{}+{}".format(*state.geometry)
    if state.scale is not None:
        content["scale"] = state.scale
    if state.screen is not None:
        content["screen"] = "{}x{}".format(*state.screen)
    if state.maximized:
        content["maximized"] = True
    if state.text_size != 100:
        content["text_size"] = state.text_size
    if state.theme is not None:
        content["theme"] = state.theme
    try:
        make_private_folder(data_dir)
        write_private(data_dir / FILE, json.dumps(content).encode())
    except OSError as error:
        logging.getLogger(__name__).warning("the window's state can't be saved: %s", error)


def _parse_size(text: str) -> tuple[int, int] | None:
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found is not None else None


def parse_geometry(text: str) -> tuple[int, int, int, int] | None:
    """Tk's `WxH+X+Y` as (width, height, x, y); None if the text has another format."""
    found = _GEOMETRY.fullmatch(text)
    if found is None:
        return None
    width, height, x, y = map(int, found.groups())
    return width, height, x, y
