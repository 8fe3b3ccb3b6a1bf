"""Errors of Tk's own scripts fail a test."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable


def watch_scripts(root: tk.Tk, report: Callable[[str], object]) -> None:
    """Report them, such as that of a callback for a widget that is gone.

    Tk has a dialog for them, which nobody in a test would notice.
    """

    def failed(_message: str, options: object) -> None:
        report(str(root.tk.call("dict", "get", options, "-errorinfo")))

    root.tk.eval('proc ::failed {name args} {if {[info commands $name] ne ""} {$name {*}$args}}')
    root.tk.call("interp", "bgerror", "", ("::failed", root.register(failed)))
