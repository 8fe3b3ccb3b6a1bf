"""The handler of chat:// links on desktops of freedesktop.org, such as GNOME, KDE and Xfce.

A desktop entry says which program opens links, and mimeapps.list which entry the person wants. The
entry written here starts a script: xdg-open without a desktop neither changes to the entry's folder
nor understands quotation marks, so a program in a folder with a space in its name would not start.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from chat_client.desktop_entry import (
    ENTRY,
    ICON,
    WRITTEN_HERE,
    arguments_of,
    desktop_entry,
    read_entry,
    script,
)
from chat_client.key_file import read_lines, write_lines
from chat_client.mime_apps import Applications, Folders, choose, choose_no_more
from chat_client.scheme_handler import Handler, Opens, SchemeHandlerError
from common.system.other_program import Launch
from common.system.private_files import make_private_folder

SCRIPT: Final = "start.sh"
"""In the program's usual data folder: what the entry starts."""
_ICONS: Final = Path(__file__).resolve().parents[1] / "common" / "ui" / "assets" / "icons"
_ICON_SIZE: Final = 128
_UPDATER: Final = "update-desktop-database"
_UPDATING: Final = 10.0
"""Seconds after which the program that updates the desktop's cache is given up."""


class XdgHandler:
    """The handler, of a copy of the program, in folders."""

    def __init__(self, program: Launch, folders: Folders) -> None:
        self._program, self._folders = program, folders
        self._applications = Applications(folders)

    def find(self) -> Handler:
        """What opens links now, as far as files say it."""
        path = self._applications.default()
        if path is None:
            return Handler(Opens.NOTHING)
        if path == self._own and read_lines(path) == self._entry_lines() and self._is_script_own():
            return Handler(Opens.THIS)
        entry = read_entry(path)
        command = _program_of(entry.get("Exec", ""))
        this = Path(self._program.command[0]).resolve()
        if path != self._own and path.name == ENTRY and command == this:
            return Handler(Opens.INSTALLED)
        program = entry.get("TryExec") if _is_own(path) else str(command)
        where = f" in {Path(program).parent}" if path.name == ENTRY and program else ""
        return Handler(Opens.ANOTHER, entry.get("Name", path.stem) + where)

    def register(self) -> None:
        """Write the entry, and choose it. Raises SchemeHandlerError."""
        if any("\n" in word or "\r" in word for word in self._program.command):
            raise SchemeHandlerError("The name of this program’s folder has a line break in it.")
        try:
            self._write_entry()
            for path in self._applications.own_lists():
                write_lines(path, choose(read_lines(path), ENTRY))
        except OSError as error:
            raise SchemeHandlerError(_why(error)) from error
        self._update_cache()

    def unregister(self) -> None:
        """Delete the entry, and choose it no more. Raises SchemeHandlerError."""
        try:
            if _is_own(self._own):
                for path in (self._own, self._script, self._icon):
                    path.unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    _kept(self._own).replace(self._own)
            for path in self._applications.own_lists():
                if path.exists():
                    write_lines(path, choose_no_more(read_lines(path), ENTRY))
        except OSError as error:
            raise SchemeHandlerError(_why(error)) from error
        self._update_cache()

    @property
    def _own(self) -> Path:
        return self._folders.data / "applications" / ENTRY

    @property
    def _script(self) -> Path:
        return self._folders.data / "ChatClient" / SCRIPT

    def _is_script_own(self) -> bool:
        try:
            return read_lines(self._script) == script(self._program)
        except OSError:
            return False

    def _entry_lines(self) -> list[str]:
        start = "sh", str(self._script)
        return desktop_entry(start, self._program.command[0])

    @property
    def _icon(self) -> Path:
        size = f"{_ICON_SIZE}x{_ICON_SIZE}"
        return self._folders.data / "icons" / "hicolor" / size / "apps" / f"{ICON}.png"

    def _write_entry(self) -> None:
        path = self._own
        if path.exists() and not _is_own(path):
            path.replace(_kept(path))  # the person's own, which comes back later
        make_private_folder(self._script.parent)
        write_lines(self._script, script(self._program))
        # A copy: that of a single file is gone when the program ends.
        self._icon.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ICONS / f"{ICON}-{_ICON_SIZE}.png", self._icon)
        write_lines(path, self._entry_lines())

    def _update_cache(self) -> None:
        """Have the desktop notice it; some read only their cache."""
        tool = shutil.which(_UPDATER)
        if tool is None:
            return
        command = [tool, str(self._folders.data / "applications")]

        def run() -> None:
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(command, timeout=_UPDATING, check=False, capture_output=True)  # noqa: S603  # found on the PATH

        # Nobody waits for it: the list that was written counts without it.
        threading.Thread(target=run, name="desktop cache", daemon=True).start()


def _program_of(line: str) -> Path | None:
    """The program that a key Exec starts, without links; None if there is none."""
    words = arguments_of(line)
    found = shutil.which(words[0]) if words else None
    return Path(found).resolve() if found is not None else None


def _is_own(path: Path) -> bool:
    try:
        return WRITTEN_HERE in read_lines(path)
    except OSError:
        return False


def _kept(path: Path) -> Path:
    """Where an entry goes that was there before; no desktop reads that name."""
    return path.with_name(f"{path.name}.before")


def _why(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"It can’t be written. {where}{error.strerror or error}."
