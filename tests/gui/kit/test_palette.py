"""Text can be read, and what must be seen is, on everything it is put on, in both looks."""

from __future__ import annotations

import pytest

from common.ui.look.palette import AVATARS, PALETTES, Ink, Mode, Palette, contrast
from common.ui.widgets.switch import KNOB

READABLE = 4.5
VISIBLE = 3.0
SURFACES = "window", "sidebar", "card", "raised", "field"


def _pairs(p: Palette) -> dict[str, Ink]:
    surfaces = {name: getattr(p, name) for name in SURFACES}
    pairs = {
        f"{tone} on {name}": Ink(getattr(p, tone), ground)
        for name, ground in surfaces.items()
        for tone in ("text", "muted", "link", "running_text", "danger", "warning")
    }
    for band in ("selection", "sidebar_selection"):
        for tone in ("on_selection", "on_selection_muted"):
            pairs[f"{tone} on {band}"] = Ink(getattr(p, tone), getattr(p, band))
    return pairs | {
        "danger on selection": Ink(p.on_selection_danger, p.selection),
        "danger button": Ink(p.danger, p.danger_fill),
        "primary": Ink(p.on_primary, p.primary),
        "primary hover": Ink(p.on_primary, p.primary_hover),
        "primary pressed": Ink(p.on_primary, p.primary_pressed),
        # What mentions the reader stands on the ground of this pill, from edge to edge.
        "mentioned": Ink(p.text, p.pill_away.fill),
        "mention in it": Ink(p.link, p.pill_away.fill),
        "selected text": Ink(p.on_marked, p.marked),
        "hover": Ink(p.text, p.hover),
        "muted hover": Ink(p.muted, p.hover),
        "sidebar hover": Ink(p.text, p.sidebar_hover),
        "muted sidebar hover": Ink(p.muted, p.sidebar_hover),
        "tooltip": Ink(p.on_shadow, p.shadow),
        "active": p.pill_active,
        "away": p.pill_away,
        "found": p.found,
        "muted": p.pill_muted,
        "slow": p.pill_slow,
    }


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_contrasts(mode: Mode) -> None:
    """Every text role reaches 4.5:1 on each of its grounds."""
    poor = {
        name: round(contrast(*ink), 2)
        for name, ink in _pairs(PALETTES[mode]).items()
        if contrast(*ink) < READABLE
    }
    assert not poor


def _seen(p: Palette) -> dict[str, Ink]:
    """What one must see to use the window, without reading it."""
    bands = "hover", "sidebar_hover", "selection", "sidebar_selection"
    pairs = {
        f"{part} on {name}": Ink(getattr(p, part), getattr(p, name))
        for part, grounds in {
            "field_border": SURFACES,
            "scrollbar": SURFACES,
            "scrollbar_hover": SURFACES,
            "switch_on": SURFACES,
            "switch_off": SURFACES,
            "accent": SURFACES,
            "marked": SURFACES,
            "danger": SURFACES,
            "focus": (*SURFACES, *bands),
            "running": (*SURFACES, *bands),
            "away": (*SURFACES, *bands),
            "offline": (*SURFACES, *bands),
        }.items()
        for name in grounds
    }
    return pairs | {
        "knob on": Ink(KNOB, p.switch_on),
        "knob off": Ink(KNOB, p.switch_off),
        "focus around danger": Ink(p.danger, p.danger_fill),
        "focus around primary": Ink(p.text, p.primary if p.window == "#ffffff" else p.window),
    }


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_must_be_seen_contrasts(mode: Mode) -> None:
    """Borders of fields, scrollbars, switches, presence and focus reach 3:1 on their grounds."""
    poor = {
        name: round(contrast(*ink), 2)
        for name, ink in _seen(PALETTES[mode]).items()
        if contrast(*ink) < VISIBLE
    }
    assert not poor


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_was_found_is_seen_on_every_ground_of_a_message(mode: Mode) -> None:
    """On that of the list, of a mention, and of the message that was jumped to."""
    p = PALETTES[mode]
    for ground in (p.window, p.pill_away.fill, p.selection):
        assert contrast(p.found.fill, ground) > 1.25


@pytest.mark.parametrize("ground", AVATARS)
def test_white_initials_contrast(ground: str) -> None:
    """White initials can be read on every avatar colour."""
    assert contrast("#ffffff", ground) >= READABLE


def test_contrast_of_black_and_white() -> None:
    """The formula gives WCAG's own extremes, whichever comes first."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
