"""The location of a program's data folder."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path

from common.system.process import is_frozen, program_folder

PORTABLE = "data"
"""A folder of this name beside the bundled program makes it portable: its data is in there."""


def data_folder(program: str) -> Path:
    """The folder of `program`, ``ChatServer`` or ``ChatClient``; it need not exist yet.

    It is the user's local data folder of the platform, or a folder beside a portable program.
    """
    if is_frozen():
        portable = program_folder() / PORTABLE
        if portable.is_dir():
            return portable / program
    return user_data_path(program, appauthor=False)


def profile_folder(folder: Path, profile: str | None) -> Path:
    """The data folder of a profile within the program's folder; that itself without a profile."""
    return folder if profile is None else folder / "profiles" / profile
