"""Pop-up menus in the colours of the theme."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from common.ui.look.theme import Theme

_ITEM: Final = 28
"""Height of an item, px at 96 dpi."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line of a menu; an item without a label is a separator."""

    label: str = ""
    command: Callable[[], object] | None = None
    danger: bool = False
    enabled: bool = True


def build_menu(parent: tk.Misc, theme: Theme, items: Sequence[MenuItem]) -> tk.Menu:
    """A menu of these items, not yet shown; it is destroyed with `parent`."""
    palette = theme.palette
    menu = tk.Menu(
        parent,
        tearoff=False,
        font=theme.fonts["body"],
        background=palette.raised,
        disabledforeground=palette.disabled,
        relief="flat",
        borderwidth=theme.px(1),
        # The chosen item's border would be drawn in relief.
        activeborderwidth=0,
    )
    # Tk has no options for it: a transparent image sets the height and the space at the left.
    space = theme.images.space(theme.px(10), theme.px(_ITEM))
    for item in items:
        if not item.label:
            menu.add_separator()
            continue
        menu.add_command(
            label=item.label,
            command=item.command or (lambda: None),
            state="normal" if item.enabled else "disabled",
            image=space,
            compound="left",
            accelerator="  ",
            foreground=palette.danger if item.danger else palette.text,
            activebackground=palette.selection,
            activeforeground=palette.on_selection_danger if item.danger else palette.on_selection,
        )
    if menu.tk.call("tk", "windowingsystem") == "x11":
        _draw_border(menu, theme)
        _colour_the_chosen(menu)
    return menu


def _draw_border(menu: tk.Menu, theme: Theme) -> None:
    """Draw the border as frames along the edges: Tk has no option for its colour."""
    one = theme.px(1)
    for x, y, anchor, size in (
        (0, 0, "nw", {"relwidth": 1, "height": one}),
        (0, 1, "sw", {"relwidth": 1, "height": one}),
        (0, 0, "nw", {"relheight": 1, "width": one}),
        (1, 0, "ne", {"relheight": 1, "width": one}),
    ):
        strip = tk.Frame(menu, background=theme.palette.field_border, borderwidth=0)
        strip.place(relx=x, rely=y, anchor=anchor, **size)  # type: ignore[arg-type]


def _colour_the_chosen(menu: tk.Menu) -> None:
    """Show the active item by its background.

    With `tk_strictMotif`, which `common.ui.widgets.keys` sets for texts, Tk shows it by a relief.
    It is switched off while the menu is open, as no text gets keys then.
    """
    before = menu.tk.call("set", "tk_strictMotif")
    for event, value in (("<Map>", 0), ("<Unmap>", before), ("<Destroy>", before)):
        menu.bind(event, partial(_set_strict, menu, value), add="+")


def _set_strict(menu: tk.Menu, value: object, _event: tk.Event[tk.Misc]) -> None:
    menu.tk.call("set", "tk_strictMotif", value)
    # With it, Tk gives a menu that goes the cursor back that it kept at the press; which it did
    # not do without. The error would come between closing the menu and doing what was chosen.
    menu.tk.call("set", "::tk::Priv(cursor)", "")


def popup(
    parent: tk.Misc,
    theme: Theme,
    items: Sequence[MenuItem],
    x: int,
    y: int,
    *,
    above: bool = False,
) -> None:
    """Show a menu at screen coordinates; it is destroyed when it is closed.

    With `above` it ends at `y`, so that it does not come to lie under the pointer at the bottom of
    the screen, where a second click would choose something.
    """
    menu = build_menu(parent, theme, items)
    if above:
        menu.update_idletasks()
        y = max(0, y - menu.winfo_reqheight())
    # Only after the command of the chosen item has run, which comes after <Unmap>.
    menu.bind("<Unmap>", lambda _: menu.after(200, menu.destroy), add="+")
    menu.tk_popup(x, y)
