"""Every colour of the light and the dark mode, by its role.

Colours are `#rrggbb`. Text roles reach a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3)
on every surface they are used on, and what must be seen to use the window (field borders,
scrollbars, presence, focus) at least 3:1 (1.4.11); tests/gui/kit/test_palette.py checks it.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Mode = Literal["light", "dark"]
Surface = Literal["window", "sidebar", "card", "raised", "field"]
"""What a widget stands on; each is a field of `Palette` with that background."""
Tone = Literal["text", "muted", "link", "primary", "running", "danger", "warning"]
"""What a text or an icon says by its colour."""
PillTone = Literal["active", "away", "muted", "slow"]


class Ink(NamedTuple):
    """A text colour and the fill it stands on."""

    text: str
    fill: str


class Palette(NamedTuple):
    """One look. Fields are roles, not places: two roles may share a colour."""

    # surfaces
    window: str
    sidebar: str
    card: str
    raised: str
    """A card or button that stands out from the sidebar or the window."""
    field: str

    # lines
    border: str
    """Of cards, and between parts; decorative, so no contrast is required of it."""
    field_border: str
    """Border of an input field."""
    button_border: str
    hairline: str
    track: str
    """The empty part of a meter, and a switch that cannot be used now."""

    # text and icons
    text: str
    muted: str
    link: str
    running: str
    """Fill of what is running or online: the switch, presence, the reachable tick."""
    running_text: str
    warning: str

    # accent
    primary: str
    primary_hover: str
    primary_pressed: str
    on_primary: str
    accent: str
    """Lines and fills that carry no text: meter, chart, send icon."""
    focus: str
    """Ring around what has the keyboard, also on a selected row."""
    spark_fill: str

    # interaction
    hover: str
    """Fill of a row or raised button below the pointer."""
    sidebar_hover: str
    pressed: str
    selection: str
    sidebar_selection: str
    on_selection: str
    on_selection_muted: str
    on_selection_danger: str
    marked: str
    """Behind text that is selected."""
    on_marked: str
    disabled: str
    """Text of a disabled widget (WCAG requires no contrast of it)."""

    # danger is tinted, not solid
    danger: str
    danger_fill: str
    danger_hover: str
    danger_border: str

    # presence
    away: str
    offline: str

    scrollbar: str
    scrollbar_hover: str
    switch_on: str
    switch_off: str
    shadow: str
    """Background of a tooltip or a toast, in the colours of the other mode."""
    on_shadow: str

    # pills
    pill_active: Ink
    pill_away: Ink
    pill_muted: Ink
    pill_slow: Ink

    found: Ink
    """Words that were looked for, on whatever ground the message has."""

    def surface(self, name: Surface) -> str:
        """The background colour of that surface."""
        colour: str = getattr(self, name)
        return colour

    def tone(self, name: Tone) -> str:
        """The text or icon colour of that tone."""
        if name == "running":
            return self.running_text
        colour: str = getattr(self, name)
        return colour

    def pill(self, tone: PillTone) -> Ink:
        """Text and fill of a state pill."""
        ink: Ink = getattr(self, f"pill_{tone}")
        return ink


LIGHT: Final = Palette(
    window="#ffffff",
    sidebar="#f2f3f6",
    card="#f6f7fa",
    raised="#ffffff",
    field="#f4f5f8",
    border="#e1e3ea",
    field_border="#858995",
    button_border="#e1e3ea",
    hairline="#eceef3",
    track="#d0d4de",
    text="#1d1f25",
    muted="#646874",
    link="#2457d6",
    running="#2a9658",
    running_text="#1c7043",
    warning="#7a5200",
    primary="#3366ee",
    primary_hover="#2a5ae0",
    primary_pressed="#214dc8",
    on_primary="#ffffff",
    accent="#3366ee",
    focus="#2457d6",
    spark_fill="#e6edff",
    hover="#f6f7fa",
    sidebar_hover="#e9ebf1",
    pressed="#e9ebf1",
    selection="#e4ecff",
    sidebar_selection="#dfe8ff",
    on_selection="#1d1f25",
    on_selection_muted="#4d5263",
    on_selection_danger="#c2352e",
    marked="#3366ee",
    on_marked="#ffffff",
    disabled="#a9acb6",
    danger="#c2352e",
    danger_fill="#fdf1f0",
    danger_hover="#fbe5e3",
    danger_border="#efc4c1",
    away="#b27711",
    offline="#6b6f7b",
    scrollbar="#858995",
    scrollbar_hover="#6b6f7b",
    switch_on="#2a9658",
    switch_off="#858995",
    shadow="#26272d",
    on_shadow="#f2f3f6",
    pill_active=Ink("#1c7043", "#e3f4ea"),
    pill_away=Ink("#7a5200", "#fbf0d9"),
    pill_muted=Ink("#555a66", "#e7e9ef"),
    pill_slow=Ink("#b02a22", "#fbe5e3"),
    found=Ink("#1d1f25", "#ffcc33"),
)

DARK: Final = Palette(
    window="#26272d",
    sidebar="#1e1f24",
    card="#2f3138",
    raised="#2e3037",
    field="#2e3037",
    border="#3a3c44",
    field_border="#7a7e8a",
    button_border="#454852",
    hairline="#2f3138",
    track="#3a3c44",
    text="#e6e7ea",
    muted="#9a9ca6",
    link="#7aa7ff",
    running="#3fb96f",
    running_text="#7fd6a0",
    warning="#e9bd6a",
    primary="#3a66e0",
    primary_hover="#416de7",
    primary_pressed="#3058c8",
    on_primary="#ffffff",
    accent="#5b8cff",
    focus="#8ab0ff",
    spark_fill="#2d3a5c",
    hover="#2b2c33",
    sidebar_hover="#282a30",
    pressed="#3a3c44",
    selection="#2f4064",
    sidebar_selection="#34507f",
    on_selection="#ffffff",
    on_selection_muted="#c9d3e9",
    on_selection_danger="#f8a49e",
    marked="#5b8cff",
    on_marked="#16181d",
    disabled="#686b75",
    danger="#f2837c",
    danger_fill="#3a2a2d",
    danger_hover="#4a2b2b",
    danger_border="#6b3a3c",
    away="#e0a43a",
    offline="#a4a6b0",
    scrollbar="#7a7e8a",
    scrollbar_hover="#9a9ca6",
    switch_on="#2a9658",
    switch_off="#7a7e8a",
    shadow="#e6e7ea",
    on_shadow="#1d1f25",
    pill_active=Ink("#7fd6a0", "#22402f"),
    pill_away=Ink("#e9bd6a", "#44381f"),
    pill_muted=Ink("#b9bbc4", "#3a3c44"),
    pill_slow=Ink("#f29a94", "#4a2b2b"),
    found=Ink("#1d1f25", "#e0a83a"),
)

PALETTES: Final[dict[Mode, Palette]] = {"light": LIGHT, "dark": DARK}

AVATARS: Final = (
    "#be525b",
    "#a6662c",
    "#7c4a2d",
    "#74743a",
    "#398450",
    "#197f86",
    "#3d77bb",
    "#7665d3",
    "#8f3fc0",
    "#ae54a0",
    "#cf2468",
)
"""Backgrounds of white initials, each with a contrast of at least 4.5:1; the same in both modes.

In the order of hues on the colour wheel: neighbours are the most similar."""


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
