"""Pop-up menus in the house look."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from window.theme import Theme


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line of a menu; an item without a label is a separator."""

    label: str = ""
    command: Callable[[], object] | None = None
    danger: bool = False
    enabled: bool = True


def build_menu(parent: tk.Misc, theme: Theme, items: Sequence[MenuItem]) -> tk.Menu:
    """A menu of these items, not yet shown; it goes away with `parent`."""
    palette = theme.palette
    menu = tk.Menu(
        parent,
        tearoff=False,
        font=theme.fonts["body"],
        background=palette.raised,
        foreground=palette.text,
        activebackground=palette.selection,
        activeforeground=palette.on_selection,
        disabledforeground=palette.disabled,
        relief="flat",
        borderwidth=theme.px(4),
        activeborderwidth=theme.px(3),
    )
    for item in items:
        if not item.label:
            menu.add_separator()
            continue
        menu.add_command(
            label=item.label,
            command=item.command or (lambda: None),
            state="normal" if item.enabled else "disabled",
            foreground=palette.danger if item.danger else palette.text,
            activeforeground=palette.on_selection_danger if item.danger else palette.on_selection,
        )
    return menu


def popup(parent: tk.Misc, theme: Theme, items: Sequence[MenuItem], x: int, y: int) -> None:
    """Show a menu at screen coordinates; it is destroyed once something was chosen."""
    menu = build_menu(parent, theme, items)
    # Not before the chosen command has run, which comes after <Unmap>.
    menu.bind("<Unmap>", lambda _: menu.after(200, menu.destroy))
    menu.tk_popup(x, y)
