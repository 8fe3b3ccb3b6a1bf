"""How large a pixel at 96 dpi is on this screen."""

from __future__ import annotations

import os
import sys
import tkinter as tk


def make_aware() -> None:
    """Tell Windows that this process draws at the screen's own resolution.

    Call it before the first `tk.Tk()`; later calls have no effect on open windows.
    Does nothing on other systems, nor where the call is missing (before Windows 8.1).
    """
    if sys.platform == "win32":
        import ctypes

        try:
            # 1 = system aware: Tk 8.6 cannot follow a window from screen to screen.
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
        except (AttributeError, OSError) as error:
            import logging

            logging.getLogger(__name__).debug("no DPI awareness: %s", error)


def scale_of(root: tk.Misc) -> float:
    """Screen pixels for one pixel at 96 dpi: 1.0, 1.25, 1.5, … up to 4.0.

    Steps of a quarter, as Windows offers: X servers report a resolution of 100 dpi or so
    for any ordinary screen, and following that would put every hairline between pixels.
    """
    if root.tk.call("tk", "windowingsystem") == "aqua":
        return 1.0  # macOS scales whole windows itself
    dots: float = root.winfo_fpixels("1i")
    wanted = dots / 96
    if sys.platform == "linux":
        desktop = os.environ.get("GDK_SCALE", "")
        wanted = max(wanted, int(desktop) if desktop.isdecimal() else 0)
    return min(4.0, max(1.0, round(wanted * 4) / 4))
