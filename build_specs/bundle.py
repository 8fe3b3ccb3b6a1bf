"""What the bundles of both programs have in common; each spec is one call of `bundle`.

PyInstaller runs the specs; `python3 dev.py build` runs PyInstaller, and hands over by environment
variables what a bundle is to know about itself:

CHAT_BUILD
    file that the program reads for ``--version`` (common/system/build.py); made by build.py.
CHAT_SIGNING_IDENTITY, CHAT_ENTITLEMENTS
    macOS: who signs, and the file of entitlements; without them the app is signed ad hoc.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

import PIL
from PyInstaller.building.api import COLLECT, EXE, PYZ
from PyInstaller.building.build_main import Analysis
from PyInstaller.building.osx import BUNDLE
from PyInstaller.config import CONF
from PyInstaller.utils.hooks import collect_data_files, collect_submodules

from build_specs.elf import forget_build_paths, is_elf


def is_other_format(module: str) -> bool:
    """Whether a module of Pillow is for a format of pictures that Chat does not use."""
    return module.endswith("ImagePlugin") and module != "PngImagePlugin"


HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent
ENTRY_POINTS: Final = {"ChatServer": "chat_server", "ChatClient": "chat_client"}
ICONS: Final = {"ChatServer": "chat-server", "ChatClient": "chat-client"}

NATIVE_NOTIFICATIONS: Final = sys.platform in {"win32", "darwin"}
"""Whether notifications are the library desktop-notifier's (common/desktop/native.py)."""

OTHER_SYSTEMS: Final = {"windows", "macos", "unix", "ios", "android", "_android"} - {
    {"win32": "windows", "darwin": "macos"}.get(sys.platform, "unix")
}
"""The modules of platformdirs that are not for this system."""

EXCLUDED: Final = (
    # Developers' tools of the standard library, and readline, whose licence is the GPL.
    *("doctest", "lib2to3", "pdb", "pydoc", "readline", "tkinter.test", "unittest"),
    # One process is enough here; without it nothing can start the program a second time.
    "multiprocessing",
    # Nothing is pickled or traced, and no mail is written: metadata of packages only have its form.
    *("pickle", "_pickle", "tracemalloc", "pprint"),
    *("email.policy", "email.headerregistry", "email._header_value_parser", "email.contentmanager"),
    # Nothing we use needs to know how it was installed.
    *("distutils", "pip", "setuptools", "_distutils_hack"),
    # What pydantic has for developers, and its own former version.
    *("hypothesis", "mypy", "pydantic.mypy", "pydantic.v1", "pydantic.deprecated"),
    *("pydantic.color", "pydantic.experimental"),
    # Folders of data on other systems.
    *(f"platformdirs.{each}" for each in OTHER_SYSTEMS),
    # No terminal is drawn on, nothing is packed, and no module talks to the web.
    *("curses", "bz2", "lzma", "tarfile", "ftplib", "xmlrpc", "http.server", "wsgiref"),
    # Colour profiles, formulas on pictures, and the bridges to other toolkits.
    *("PIL.ImageCms", "PIL._imagingcms", "PIL._imagingmath", "PIL.ImageQt", "PIL.ImageTk"),
    # Formats that no screen shows. What can't be decoded can't be attacked, either.
    *(f"PIL.{each.name}" for each in iter_modules(PIL.__path__) if is_other_format(each.name)),
    *("PIL._avif", "PIL._webp", "defusedxml", "olefile"),
    # On Linux notifications go by jeepney, in an ordinary thread.
    *(() if NATIVE_NOTIFICATIONS else ("desktop_notifier", "dbus_fast", "asyncio", "xml")),
    *(("jeepney", "dbus_fast") if NATIVE_NOTIFICATIONS else ()),
    # What stands in for the C module where that is missing, and what random has for its own test.
    "statistics",
    *(("_pydecimal",) if find_spec("_decimal") else ()),
    # Jeepney's other ways of waiting for a bus, and its tests.
    *("trio", "jeepney.io.asyncio", "jeepney.io.trio", "jeepney.io.tests", "jeepney.tests"),
)
UNUSED_TCL: Final = (
    *("_tcl_data/tzdata", "_tcl_data/msgs", "_tcl_data/opt", "_tcl_data/http"),
    *("_tcl_data/tcl8", "_tcl_data/tclAppInit.c", "tcl8"),
    *("_tk_data/demos", "_tk_data/images", "_tk_data/msgs"),
    # Encodings that no locale has but on Windows, and on a Mac of long ago.
    *(() if sys.platform == "win32" else ("_tcl_data/encoding/cp9",)),
    *(() if sys.platform == "darwin" else ("_tcl_data/encoding/mac",)),
)
"""Time zones, translations of Tcl's own messages, demonstrations: nothing that the windows use."""


def bundle(name: str) -> None:
    """Make the program's folder and its single file; on macOS the application."""
    analysis = Analysis(
        [str(HERE / "start" / f"{name}.py")],
        pathex=[str(SOURCE)],
        datas=_data(),
        hiddenimports=_hidden(ENTRY_POINTS[name]),
        excludes=list(EXCLUDED),
        noarchive=False,
        optimize=0,  # asserts and docstrings stay: what users run is what was tested
    )
    analysis.datas = [entry for entry in analysis.datas if not _unused(entry[0])]
    analysis.binaries = [_mended(entry) for entry in analysis.binaries if not _idle(entry[0])]
    pyz = PYZ(analysis.pure)
    pyz.dependencies = [_mended(entry) for entry in pyz.dependencies]
    look = _look(name)
    program = EXE(pyz, analysis.scripts, [], exclude_binaries=True, name=name, **look)
    folder = COLLECT(
        program, analysis.binaries, analysis.datas, name=f"{name}.folder", strip=look["strip"]
    )
    if sys.platform == "darwin":
        _application(name, folder)
    else:
        EXE(pyz, analysis.scripts, analysis.binaries, analysis.datas, name=name, **look)


def _data() -> list[tuple[str, str]]:
    """Pictures, fonts and tables with their licences, and what build this is."""
    found = [
        (str(path), str(path.parent.relative_to(SOURCE)))
        for assets in ("common/assets", "common/ui/assets")
        for path in sorted((SOURCE / assets).rglob("*"))
        if path.is_file()
    ]
    if NATIVE_NOTIFICATIONS:
        found += collect_data_files("desktop_notifier")  # it opens a picture when it is imported
    return [*found, (os.environ["CHAT_BUILD"], ".")]


def _hidden(package: str) -> list[str]:
    """All of our own modules, as many are imported late, and what others load by its name."""
    packages = [package, "common"]
    if NATIVE_NOTIFICATIONS:
        packages += (
            ["desktop_notifier", "winrt"] if sys.platform == "win32" else ["desktop_notifier"]
        )
    return [name for each in packages for name in collect_submodules(each)]


def _unused(destination: str) -> bool:
    return Path(destination).as_posix().startswith(UNUSED_TCL)


def _idle(destination: str) -> bool:
    """Whether a library serves only libxcb, which is left to the system with all it needs."""
    return destination in {"libXau.so.6", "libXdmcp.so.6", "libbsd.so.0", "libmd.so.0"}


def _mended(entry: tuple[str, str, str]) -> tuple[str, str, str]:
    """The library without the folders in which it would look for others on this machine."""
    destination, source, kind = entry
    if not sys.platform.startswith("linux") or not is_elf(Path(source)):
        return entry
    copy = Path(CONF["workpath"]) / "mended" / destination
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, copy)
    forget_build_paths(copy)
    return destination, str(copy), kind


def _look(name: str) -> dict[str, Any]:
    """Settings of the executable: no console, its icon, and what each system wants to know."""
    look: dict[str, Any] = {
        "console": False,
        "upx": False,  # a packed program crashed
        # Not elsewhere: it breaks the signatures of macOS, and Windows has nothing to strip.
        "strip": sys.platform.startswith("linux") and shutil.which("strip") is not None,
        # A window program's own crash dialog says more than the bootloader's.
        "disable_windowed_traceback": False,
        "codesign_identity": os.environ.get("CHAT_SIGNING_IDENTITY"),
        "entitlements_file": os.environ.get("CHAT_ENTITLEMENTS"),
    }
    if sys.platform == "win32":
        from build_specs.windows import version_resource

        look["icon"] = str(HERE / f"{ICONS[name]}.ico")
        look["manifest"] = (HERE / "windows.manifest").read_text("utf-8")
        look["version"] = version_resource(name)
    return look


_LINKS: Final[dict[str, Any]] = {
    "CFBundleURLTypes": [
        {
            "CFBundleURLName": "lan.chat.invite",
            "CFBundleURLSchemes": ["chat"],
            "CFBundleTypeRole": "Viewer",
        }
    ]
}
"""macOS: that the application opens invite links, which it gets by ::tk::mac::LaunchURL."""


def _application(name: str, folder: COLLECT) -> None:
    """macOS: what is double-clicked, with the words its system shows to people."""
    from common import __version__

    BUNDLE(
        folder,
        name=f"{name}.app",
        icon=str(HERE / f"{ICONS[name]}.icns"),
        bundle_identifier=f"lan.chat.{name}",
        version=__version__,
        info_plist={
            "CFBundleDisplayName": name,
            "LSApplicationCategoryType": "public.app-category.social-networking",
            "LSMinimumSystemVersion": "11.0",
            "NSHighResolutionCapable": True,
            "NSHumanReadableCopyright": "MIT licence",
            "NSLocalNetworkUsageDescription": (
                "Chat talks to the people on your own network, and to nobody else."
            ),
            # Without these, macOS 15 lets no question about them out (common/domain/dns_sd.py).
            "NSBonjourServices": ["_lan-chat._tcp", "_services._dns-sd._udp"],
            **(_LINKS if name == "ChatClient" else {}),
        },
    )
