"""Fonts: Inter, bundled and registered for this process only, in every size the windows use.

Inter (SIL Open Font License 1.1, assets/fonts/OFL.txt) is registered with the
platform's font system for this process; nothing is installed. Where that fails, the
platform's own interface font takes its place.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import tkinter as tk
import tkinter.font
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parents[1] / "assets" / "fonts"
NORMAL: Final = FOLDER / "Inter-Medium.otf"
BOLD: Final = FOLDER / "Inter-Bold.otf"

Role = Literal[
    "label", "label_bold", "body", "body_bold", "row", "row_bold", "field", "field_bold",
    "server", "title", "heading", "hero_title", "code", "hero",
]  # fmt: skip

_SIZES: Final[dict[Role, tuple[int, bool]]] = {
    "label": (9, False),
    "label_bold": (9, True),
    "body": (10, False),
    "body_bold": (10, True),
    "row": (11, False),
    "row_bold": (11, True),
    "field": (12, False),
    "field_bold": (12, True),
    "server": (13, True),
    "title": (14, True),
    "heading": (16, True),
    "hero_title": (20, True),
    "code": (18, True),
    "hero": (46, True),
}
"""Role → points at 96 dpi, and whether it is bold."""

_SYSTEM: Final = {"win32": "Segoe UI", "darwin": ".AppleSystemUIFont"}


def register() -> bool:
    """Make Inter usable by Tk in this process; call it before any of its fonts is created.

    True if both weights were registered; failures are logged at debug, never raised.
    """
    add: dict[str, Callable[[Path], bool]] = {"win32": _add_windows, "darwin": _add_macos}
    try:
        return all(add.get(sys.platform, _add_fontconfig)(path) for path in (NORMAL, BOLD))
    except (OSError, AttributeError) as error:
        log.debug("the bundled font cannot be used: %s", error)
        return False


def _add_fontconfig(path: Path) -> bool:
    # By its soname: `find_library` runs a program, which takes longer than all the rest.
    library = ctypes.CDLL("libfontconfig.so.1")
    add = library.FcConfigAppFontAddFile
    add.argtypes, add.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_int
    return bool(add(None, str(path).encode()))


def _add_windows(path: Path) -> bool:
    private = 0x10  # FR_PRIVATE: removed with the process, invisible to others
    gdi: ctypes.CDLL = ctypes.windll.gdi32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    return bool(gdi.AddFontResourceExW(str(path), private, 0))


def _add_macos(path: Path) -> bool:
    core = ctypes.CDLL("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation")
    text = ctypes.CDLL("/System/Library/Frameworks/CoreText.framework/CoreText")
    make, pointer = core.CFURLCreateFromFileSystemRepresentation, ctypes.c_void_p
    make.restype = pointer
    make.argtypes = [pointer, ctypes.c_char_p, ctypes.c_long, ctypes.c_bool]
    text.CTFontManagerRegisterFontsForURL.argtypes = [pointer, ctypes.c_uint32, pointer]
    text.CTFontManagerRegisterFontsForURL.restype = ctypes.c_bool
    raw = str(path).encode()
    url = make(None, raw, len(raw), False)
    try:
        return bool(text.CTFontManagerRegisterFontsForURL(url, 1, None))  # 1 = this process
    finally:
        core.CFRelease.argtypes = [pointer]
        core.CFRelease(url)


class Fonts:
    """The named fonts of one Tk interpreter, by role, created on first use.

    Sizes are whole screen pixels, by the same `scale` (screen pixels for one at 96 dpi) as
    shapes: points would follow the font system's own idea of the resolution. They mean pixels
    after `common.ui.look.dpi.set_font_scaling`.
    """

    def __init__(self, root: tk.Misc, scale: float) -> None:
        self._root, self._scale = root, scale
        self._fonts: dict[Role, tkinter.font.Font] = {}
        self._widths: dict[tuple[Role, str], int] = {}
        self.normal_family, self.bold_family = self._families()

    def __getitem__(self, role: Role) -> tkinter.font.Font:
        font = self._fonts.get(role)
        if font is None:
            bold = _SIZES[role][1]
            font = self._fonts[role] = tkinter.font.Font(
                root=self._root,
                name=f"chat_{role}",
                family=self.bold_family if bold else self.normal_family,
                size=-self.pixels(role),
                weight="bold" if bold else "normal",
            )
        return font

    def rescale(self, scale: float) -> None:
        """Give all of them another size, also on the screen."""
        self._scale = scale
        self._widths.clear()
        for role, font in self._fonts.items():
            font.configure(size=-self.pixels(role))

    def pixels(self, role: Role) -> int:
        """The size of a role's font in screen pixels."""
        return round(_SIZES[role][0] * 96 / 72 * self._scale)

    def width(self, role: Role, text: str) -> int:
        """Width of `text` in screen pixels. Cached: asking Tk costs 20 times as much."""
        key = (role, text)
        width = self._widths.get(key)
        if width is None:
            if len(self._widths) > 20_000:
                self._widths.clear()
            width = self._widths[key] = self[role].measure(text)
        return width

    def line(self, role: Role) -> int:
        """Height of a line in screen pixels."""
        return int(self[role].metrics("linespace"))

    def fit(self, role: Role, text: str, width: int) -> str:
        """`text`, shortened with an ellipsis to at most `width` screen pixels."""
        if self.width(role, text) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(role, text[:middle].rstrip() + "…") <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + "…" if low else ""

    def _families(self) -> tuple[str, str]:
        known = set(tkinter.font.families(self._root))
        if "Inter" in known:
            # GDI lists the medium weight as a family of its own; fontconfig and CoreText
            # find it as the nearest to normal within "Inter".
            medium = sys.platform == "win32" and "Inter Medium" in known
            return ("Inter Medium" if medium else "Inter"), "Inter"
        default = tkinter.font.nametofont("TkDefaultFont", root=self._root)
        family = _SYSTEM.get(sys.platform) or str(default.actual("family"))
        return family, family
