"""The projects whose work is in the bundle without metadata of its own, and what may ship.

Each file of a bundle is known by its name or place; `build_specs/contents.py` looks it up here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PERMITTED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "Beerware", "BSD-2-Clause", "BSD-3-Clause", "FTL", "HPND"),
        *("HPND-sell-variant", "ISC", "libpng-2.0", "MIT", "MIT-0", "MIT-CMU", "MIT-open-group"),
        *("OFL-1.1", "PSF-2.0", "TCL", "Unicode-3.0", "X11", "Zlib", "blessing", "bzip2-1.0.6"),
        "X11-distribute-modifications-variant",
        # Asks for its own files' source alone, which is where the part's text says, unchanged.
        "MPL-2.0",
        # Their exceptions let a program that merely contains them have any licence.
        "GPL-2.0-or-later WITH Bootloader-exception",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        # "Distributable code", which programs may bring along.
        "LicenseRef-Microsoft-Visual-C-Runtime",
    }
)
"""Licences that may ship: SPDX identifiers, with their exception where they need one."""

NATIVE: Final = re.compile(r"\.(so(\.[\d.]+)?|dylib|dll|pyd)$", re.IGNORECASE)
"""What a library is called, on all systems."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What we know of a project whose files carry no metadata."""

    licence: str
    homepage: str
    libraries: str = ""
    """How its shared libraries are called on all systems, as a regular expression."""
    module: str = ""
    """The module that needs it: where no file of it is found, it is linked into Python."""
    own: bool = False
    """Comes with the interpreter or the sources, not with a package of the system."""


_X11: Final = "https://www.x.org"
_MICROSOFT: Final = "https://learn.microsoft.com/cpp/windows/redistributing-visual-cpp-files"
_BSDS: Final = "BSD-2-Clause AND BSD-3-Clause AND Beerware AND ISC"
UPSTREAM: Final[Mapping[str, Upstream]] = {
    "CPython": Upstream("PSF-2.0", "https://www.python.org", r"(lib)?python3[\d.]*", own=True),
    "PyInstaller bootloader": Upstream(
        "GPL-2.0-or-later WITH Bootloader-exception AND Apache-2.0",
        "https://pyinstaller.org",
        own=True,
    ),
    "Inter": Upstream("OFL-1.1", "https://rsms.me/inter", own=True),
    "Noto Color Emoji": Upstream("OFL-1.1", "https://github.com/googlefonts/noto-emoji", own=True),
    "AnyAscii": Upstream("ISC", "https://github.com/anyascii/anyascii", own=True),
    "Unicode data": Upstream("Unicode-3.0", "https://www.unicode.org", own=True),
    "OpenSSL": Upstream("Apache-2.0", "https://openssl.org", r"lib(ssl|crypto)", "ssl"),
    "SQLite": Upstream("blessing", "https://sqlite.org", r"(lib)?sqlite3", "sqlite3"),
    "Tcl": Upstream("TCL", "https://www.tcl-lang.org", r"(lib)?tcl\d[\d.]*t?", "tkinter"),
    "Tk": Upstream("TCL", "https://www.tcl-lang.org", r"(lib)?(tcl9)?tk\d[\d.]*t?", "tkinter"),
    # Debian's Python is linked to it; nothing here uses it.
    "BLT": Upstream("HPND AND TCL", "https://sourceforge.net/projects/wize", r"libBLT"),
    "libffi": Upstream("MIT", "https://sourceware.org/libffi", r"libffi", "ctypes"),
    "zlib": Upstream("Zlib", "https://zlib.net", r"libz|zlib1?", "zipfile"),
    "Expat": Upstream("MIT", "https://libexpat.github.io", r"libexpat"),
    "bzip2": Upstream("bzip2-1.0.6", "https://sourceware.org/bzip2", r"libbz2"),
    "XZ Utils": Upstream("0BSD", "https://tukaani.org/xz", r"liblzma"),
    "Brotli": Upstream("MIT", "https://brotli.org", r"libbrotli(common|dec)"),
    "FreeType": Upstream("FTL OR GPL-2.0-or-later", "https://freetype.org", r"libfreetype"),
    "Fontconfig": Upstream("HPND-sell-variant", "https://fontconfig.org", r"libfontconfig"),
    "libpng": Upstream("libpng-2.0", "http://www.libpng.org", r"libpng\d*"),
    "libbsd": Upstream(f"{_BSDS} AND MIT", "https://libbsd.freedesktop.org", r"libbsd"),
    "libmd": Upstream(_BSDS, "https://www.hadrons.org/software/libmd", r"libmd"),
    "libuuid": Upstream("BSD-3-Clause", "https://github.com/util-linux", r"libuuid"),
    "libX11": Upstream("MIT AND MIT-open-group AND HPND-sell-variant", _X11, r"libX11"),
    "libXau": Upstream("MIT-open-group", _X11, r"libXau"),
    "libxcb": Upstream("X11", _X11, r"libxcb(-[a-z]+)?"),
    "libXdmcp": Upstream("MIT-open-group", _X11, r"libXdmcp"),
    "libXext": Upstream("MIT AND MIT-open-group AND HPND AND X11", _X11, r"libXext"),
    "libXft": Upstream("HPND-sell-variant", _X11, r"libXft"),
    "libXrender": Upstream("HPND-sell-variant", _X11, r"libXrender"),
    "libXss": Upstream("X11", _X11, r"libXss"),
    "GCC runtime": Upstream(
        "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org", r"libgcc_s|libstdc\+\+"
    ),
    "Microsoft Visual C++ runtime": Upstream(
        "LicenseRef-Microsoft-Visual-C-Runtime",
        _MICROSOFT,
        r"(vcruntime|msvcp|concrt)140\w*|ucrtbase|api-ms-win-[a-z\d-]+",
    ),
    # Known, that the message can say more than their name.
    "GNU Readline": Upstream("GPL-3.0-or-later", "https://www.gnu.org", r"libreadline"),
    "GNU dbm": Upstream("GPL-3.0-or-later", "https://www.gnu.org", r"libgdbm(_compat)?"),
    "ncurses": Upstream(
        "X11-distribute-modifications-variant",
        "https://invisible-island.net/ncurses",
        r"lib(ncurses|tinfo|panel)w?",
    ),
}
_LIBRARIES: Final = tuple(
    # As in libssl.so.3, libcrypto-3-x64.dll, libtcl8.6.dylib.
    (
        re.compile(
            rf"({upstream.libraries})([-.]\d[\d.]*)?(-x64|-arm64)?{NATIVE.pattern}", re.IGNORECASE
        ),
        name,
    )
    for name, upstream in UPSTREAM.items()
    if upstream.libraries
)
DATA: Final = (
    (re.compile(r"_?tk_data/"), "Tk"),
    (re.compile(r"_?tcl(_data|\d+)/"), "Tcl"),
    (re.compile(r"common/assets/anyascii/"), "AnyAscii"),
    (re.compile(r"common/assets/unicode/"), "Unicode data"),
    (re.compile(r"common/ui/assets/fonts/"), "Inter"),
    (re.compile(r"common/ui/assets/emoji/"), "Noto Color Emoji"),
    (re.compile(r"base_library\.zip$|python3[\w.]*/|Python(\.framework/|$)"), "CPython"),
)
"""What is no library, by its place."""


def library_of(name: str) -> str | None:
    """The project that a library of this name is from; None if none is known."""
    return next((known for pattern, known in _LIBRARIES if pattern.fullmatch(name)), None)
