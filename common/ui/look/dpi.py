"""The scale of this screen: screen pixels for one pixel at 96 dpi.

On X11 it comes from the first of these that is set:

1. The resource `Xft.dpi`, which desktops set to the scale that a person has chosen (KDE, Xfce,
   Cinnamon, MATE, GNOME on X11 and for programs under XWayland).
2. `GDK_SCALE`, which people set by hand for GTK's programs.
3. The size in millimetres that the X server reports.
"""

from __future__ import annotations

import os
import sys
import tkinter as tk
from contextlib import suppress
from functools import cache
from typing import Final

MOST: Final = 4.0
"""The largest scale: a screen that reports more has a wrong size in its EDID."""
_DOTS: Final = 48.0, 96 * 2 * MOST
"""Lowest and highest resolution in dpi that is taken as valid."""


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
    """Screen pixels for one pixel at 96 dpi: 1.0, 1.25, 1.5, … up to `MOST`.

    Steps of a quarter, as Windows offers: X servers report a resolution of 100 dpi or so
    for any ordinary screen, and following that would put every hairline between pixels.
    """
    system = root.tk.call("tk", "windowingsystem")
    if system == "aqua":
        return 1.0  # macOS scales whole windows itself
    wanted = 0.0
    if system == "x11":
        wanted = (_xft_dpi(root) or 0.0) / 96 or _gdk_scale()
    wanted = wanted or root.winfo_fpixels("1i") / 96
    return min(MOST, max(1.0, round(wanted * 4) / 4))


def set_font_scaling(root: tk.Misc, scale: float) -> None:
    """Make a font size of -N mean N screen pixels, and points follow `scale` where they can.

    Tk on X11 turns pixels into points with `tk scaling`, and Xft turns the points back with
    `Xft.dpi`: unless both are the same, fonts grow and everything else does not.
    """
    dots = _xft_dpi(root) if root.tk.call("tk", "windowingsystem") == "x11" else None
    root.tk.call("tk", "scaling", (dots or 96 * scale) / 72)


def _gdk_scale() -> float:
    """`GDK_SCALE`, a whole number; 0 where there is none."""
    asked = os.environ.get("GDK_SCALE", "")
    return float(asked) if asked.isdecimal() and len(asked) < 3 else 0.0


def _xft_dpi(root: tk.Misc) -> float | None:
    """The resource `Xft.dpi`; None where it is not set or not a valid resolution.

    Read as libXft reads it. Tk can't: its option database drops, while it is loaded, whatever is
    not for a program of its own name. `xrdb` would be a process to start, and is not always
    installed.
    """
    found: bytes | None = None
    with suppress(OSError, AttributeError):
        found = _ask_xlib(str(root.winfo_screen()))
    try:
        dots = float(found or b"")
    except ValueError:
        return None
    low, high = _DOTS
    return dots if low <= dots <= high else None


@cache
def _ask_xlib(display: str) -> bytes | None:
    """Xlib's answer for `Xft.dpi`. Raises OSError or AttributeError where Xlib is not usable.

    Cached for each display, as libXft does: a window keeps the scale it was opened with.
    """
    import ctypes

    # By its soname: Tk has loaded it already, and `find_library` would run a program.
    xlib = ctypes.CDLL("libX11.so.6")
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    xlib.XOpenDisplay.restype, xlib.XOpenDisplay.argtypes = pointer, [text]
    xlib.XGetDefault.restype, xlib.XGetDefault.argtypes = text, [pointer, text, text]
    xlib.XCloseDisplay.argtypes = [pointer]
    # A connection of its own, as Tk does not expose its `Display`.
    connection = xlib.XOpenDisplay(display.encode())
    if not connection:
        return None
    try:
        # The bytes are copied at the return, before the connection that owns them is closed.
        answer: bytes | None = xlib.XGetDefault(connection, b"Xft", b"dpi")
        return answer
    finally:
        xlib.XCloseDisplay(connection)
