"""Buttons: rounded, with a hover, a pressed, a disabled and a focused look."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final, Literal, NamedTuple

from common.ui.look.cards import MIDDLE
from common.ui.look.fonts import Role
from common.ui.look.icons import IconName
from common.ui.look.palette import Palette, Surface
from common.ui.look.theme import Theme, surface_of

Variant = Literal["primary", "secondary", "chosen", "danger", "quiet", "link"]
"""`quiet` has no box until it is hovered (icon buttons); `link` looks like a link;
`chosen` is the selected one of several `secondary` buttons."""

RADIUS: Final = 8
RINGED: Final = "user1"
"""The ttk state of a button that shows a focus ring."""


class _Look(NamedTuple):
    """Colours of a variant; an empty fill or border is not drawn."""

    text: str
    icon: str
    fill: str
    hover: str
    pressed: str
    border: str
    focus: str


class _Shape(NamedTuple):
    """What a style of buttons depends on besides its colours."""

    height: int
    font: Role
    text: bool
    align: Literal["centre", "left"]


def _look(variant: Variant, palette: Palette, behind: Surface) -> _Look:
    p = palette
    hover = p.sidebar_hover if behind == "sidebar" else p.hover
    match variant:
        case "primary":
            return _Look(
                p.on_primary,
                p.on_primary,
                p.primary,
                p.primary_hover,
                p.primary_pressed,
                p.primary,
                p.text,
            )
        case "secondary":
            return _Look(p.text, p.muted, p.raised, p.hover, p.pressed, p.button_border, p.focus)
        case "chosen":
            return _Look(
                p.on_selection, p.on_selection, p.selection, p.selection, p.selection,
                p.focus, p.focus,
            )  # fmt: skip
        case "danger":
            return _Look(
                p.danger,
                p.danger,
                p.danger_fill,
                p.danger_hover,
                p.danger_border,
                p.danger_border,
                p.danger,
            )
        case "quiet":
            return _Look(
                p.text,
                p.muted,
                "",
                p.pressed if hover == p.hover else hover,
                p.pressed,
                "",
                p.focus,
            )
        case "link":
            return _Look(p.link, p.link, "", "", "", "", p.focus)


class Button(ttk.Button):
    """A button with text, an icon, or both. Space and Return press it, Tab reaches it.

    A click does not move the focus: Space typed after it must not press the button again.

    `height` is px at 96 dpi; the width follows the text unless the geometry manager
    stretches it, and then `align` says where its text is. `command` is not called while disabled.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        text: str = "",
        command: Callable[[], object] | None = None,
        *,
        variant: Variant = "secondary",
        icon: IconName | None = None,
        height: int = 34,
        font: Role | None = None,
        icon_size: int = 16,
        align: Literal["centre", "left"] = "centre",
    ) -> None:
        super().__init__(parent, text=text, cursor="hand2" if variant == "link" else "")
        if command is not None:
            self.configure(command=command)
        self._theme, self._variant, self._icon = theme, variant, icon
        self._height, self._icon_size, self._align = height, icon_size, align
        self._font: Role = font or ("body_bold" if variant == "primary" else "body")
        theme.focus.watch(self, lambda on: self.state([RINGED if on else f"!{RINGED}"]))
        self.bind("<Return>", self._press)
        self.bind("<KP_Enter>", self._press)
        self.bind("<Button-1>", self._pressed)
        theme.subscribe(self, self._paint)

    @property
    def enabled(self) -> bool:
        """Whether it can be pressed."""
        return not self.instate(["disabled"])

    @enabled.setter
    def enabled(self, on: bool) -> None:
        # One that is held down as it is disabled must not go off when it is enabled again.
        self.state(["!disabled"] if on else ["disabled", "!pressed"])

    def set(
        self,
        text: str | None = None,
        icon: IconName | None = None,
        variant: Variant | None = None,
    ) -> None:
        """Change the text, the icon or the variant; `None` leaves it as it is."""
        if variant is not None:
            self._variant = variant
        if text is not None:
            self.configure(text=text)
        if icon is not None:
            self._icon = icon
        self._paint()

    def _pressed(self, _event: tk.Event[tk.Misc]) -> str:
        if self.enabled:
            self.state(["pressed"])
        return "break"  # ttk would move the focus

    def _press(self, _event: tk.Event[tk.Misc]) -> str:
        self.invoke()
        return "break"

    def _paint(self) -> None:
        theme = self._theme
        behind = surface_of(self.master)
        text = bool(self.cget("text"))
        shape = _Shape(self._height, self._font, text, self._align)
        style = _style(theme, self._variant, behind, shape)
        self.configure(style=style)
        if self._icon is None:
            self.configure(image="")
            return
        gap = 7 if text else 0
        ink = _look(self._variant, theme.palette, behind).icon
        normal = theme.icon(self._icon, ink, self._icon_size, gap=gap)
        off = theme.icon(self._icon, theme.palette.disabled, self._icon_size, gap=gap)
        # Through a dict, as typeshed knows no state-dependent images: (normal, state, image).
        compound = "left" if text else "image"
        self.configure({"image": (normal, "disabled", off), "compound": compound})


def _style(theme: Theme, variant: Variant, behind: Surface, shape: _Shape) -> str:
    height, font, text, align = shape
    name = f"{variant}-{behind}-{height}-{font}-{text:d}-{align}.Kit.TButton"
    stick = {"centre": "", "left": "w"}[align] if text else "nsew"

    def define(style: ttk.Style) -> None:
        look = _look(variant, theme.palette, behind)
        element, least = f"{name}.box", 2 * theme.px(RADIUS)
        normal, *others = _boxes(theme, look, behind)
        style.element_create(
            element,
            "image",
            normal[1],
            *others,
            border=theme.px(RADIUS),
            sticky="nsew",
            width=least,
            height=least,
            padding=0,
        )
        style.layout(
            name,
            [
                (
                    element,
                    {
                        "sticky": "nsew",
                        "children": [
                            (
                                "Button.padding",
                                {
                                    "sticky": "nsew",
                                    "children": [("Button.label", {"sticky": stick})],
                                },
                            )
                        ],
                    },
                ),
            ],
        )
        style.configure(
            name,
            background=theme.palette.surface(behind),
            foreground=look.text,
            font=theme.fonts[font],
            padding=_padding(theme, variant, height, font, text),
            anchor="w" if align == "left" else "center",
            borderwidth=0,
            relief="flat",
            shiftrelief=0,
            space=0,
        )
        style.map(
            name,
            foreground=[("disabled", theme.palette.disabled)],
            background=[],
            relief=[],
        )

    return theme.style(name, define)


def _padding(
    theme: Theme, variant: Variant, height: int, font: Role, text: bool
) -> tuple[int, int, int, int]:
    """Space left, above, right and below the label that makes the button `height` tall."""
    inner = max(theme.fonts.line(font), theme.px(16)) if text else theme.px(16)
    spare = max(0, theme.px(height) - inner)
    top = spare // 2
    across = theme.px(4 if variant == "link" else 13) if text else top
    return across, top, across, spare - top


def _boxes(theme: Theme, look: _Look, behind: Surface) -> list[tuple[str, tk.PhotoImage]]:
    """State and picture, the normal one first; of the others ttk takes the first that fits."""
    palette, radius, one = theme.palette, theme.px(RADIUS), theme.px(1)
    size = 2 * radius + MIDDLE
    ground = palette.surface(behind)

    def box(fill: str, border: str, line: int = one) -> tk.PhotoImage:
        face = fill or ground
        return theme.images.rounded(size, size, radius, face, border or face, line)

    thick = max(2, theme.px(2))
    idle = look.fill and palette.pressed
    hover_border = look.hover if look.fill == look.border else look.border
    return [
        ("", box(look.fill, look.border)),
        ("disabled", box(idle, look.border and palette.button_border)),
        ("pressed", box(look.pressed, look.border and look.pressed)),
        (RINGED, box(look.fill, look.focus, thick)),
        ("active", box(look.hover, hover_border)),
    ]
