"""Changing the text size, by the keyboard and on the page "Looks"."""

from __future__ import annotations

from typing import Any, Final

from common.system.looks import TEXT_SIZES
from common.system.settings_store import SettingsStore
from common.ui.look.theme import Theme
from common.ui.widgets.keys import LARGER, SMALLER, USUAL_SIZE

TEXT_SIZE_KEYS: Final = ((LARGER, 1), (SMALLER, -1), (USUAL_SIZE, 0))
"""Virtual events of the keyboard, and their steps of the text size."""


def offered_text_sizes(theme: Theme) -> list[int]:
    """The text sizes that fit this screen, in per cent of the default."""
    return [size for size in TEXT_SIZES if theme.fitting(size) == size]


def change_text_size(store: SettingsStore[Any], theme: Theme, step: int) -> None:
    """Store the next larger (1) or smaller (-1) of the offered text sizes, or the default (0)."""
    now = theme.fitting(store.settings.looks.text_size)
    larger = [size for size in offered_text_sizes(theme) if size > now]
    smaller = [size for size in TEXT_SIZES if size < now]
    sizes = {1: larger[:1], -1: smaller[-1:], 0: [100]}[step]
    for size in sizes:
        if size != now:
            store.set("looks", "text_size", value=size)
