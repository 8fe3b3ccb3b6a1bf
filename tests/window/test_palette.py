"""Text can be read on everything it is put on, in both looks."""

from __future__ import annotations

import pytest

from window.palette import AVATARS, PALETTES, Ink, Mode, Palette, contrast

READABLE = 4.5


def _pairs(p: Palette) -> dict[str, Ink]:
    surfaces = {name: p.surface(name) for name in ("window", "sidebar", "card", "raised", "field")}
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
        "mention": Ink(p.text, p.mention),
        "hover": Ink(p.text, p.hover),
        "sidebar hover": Ink(p.text, p.sidebar_hover),
        "tooltip": Ink(p.on_shadow, p.shadow),
        "active": p.pill_active,
        "away": p.pill_away,
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


@pytest.mark.parametrize("ground", AVATARS)
def test_white_initials_contrast(ground: str) -> None:
    """White initials can be read on every avatar colour."""
    assert contrast("#ffffff", ground) >= READABLE


def test_contrast_of_black_and_white() -> None:
    """The formula gives WCAG's own extremes, whichever comes first."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
