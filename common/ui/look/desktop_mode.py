"""The desktop's preference for light or dark windows."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from common.ui.look.palette import Mode


def desktop_mode() -> Mode:
    """The mode that the desktop prefers; `light` where it has no preference.

    Reads a registry value (Windows), `defaults` (macOS, waits at most 0.5 s) or GTK's
    settings (Linux); it starts no desktop service and never raises.
    """
    probe = {"win32": _dark_windows, "darwin": _dark_macos}.get(sys.platform, _dark_gtk)
    with suppress(OSError, ValueError):
        return "dark" if probe() else "light"
    return "light"


def is_cheap() -> bool:
    """Whether asking is done in less than a millisecond, and so may be repeated."""
    return sys.platform != "darwin"


def _dark_windows() -> bool:
    dark = False
    if sys.platform == "win32":
        import winreg

        path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            dark = bool(winreg.QueryValueEx(key, "AppsUseLightTheme")[0] == 0)
    return dark


def _dark_macos() -> bool:
    import subprocess

    command = ["/usr/bin/defaults", "read", "-g", "AppleInterfaceStyle"]
    try:
        asked = subprocess.run(  # noqa: S603  # a constant command
            command, capture_output=True, timeout=0.5, check=False
        )
    except subprocess.SubprocessError:
        return False
    return asked.stdout.strip() == b"Dark"


def _dark_gtk() -> bool:
    named = os.environ.get("GTK_THEME", "")
    if named:
        return "dark" in named.lower()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for version in ("gtk-4.0", "gtk-3.0"):
        file = config / version / "settings.ini"
        if not file.is_file():
            continue
        for line in file.read_text("utf-8", "replace").splitlines():
            key, _, value = (part.strip().lower() for part in line.partition("="))
            if key == "gtk-application-prefer-dark-theme":
                return value in ("1", "true", "yes")
    return False
