"""Where a program keeps its data."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path

from common.system.process import is_frozen, program_folder

PORTABLE = "data"
"""A folder of this name beside the bundled program makes it portable: its data is in there."""


def data_folder(program: str) -> Path:
    """The folder of `program`, ``ChatServer`` or ``ChatClient``; it need not exist yet.

    It is this person's and this computer's, in the place that the system has for such things;
    or it is beside the program, for one that is carried about.
    """
    if is_frozen():
        portable = program_folder() / PORTABLE
        if portable.is_dir():
            return portable / program
    return user_data_path(program, appauthor=False)


def profile_folder(folder: Path, profile: str | None) -> Path:
    """Where a further self of the person has its data, within the program's folder."""
    return folder if profile is None else folder / "profiles" / profile
