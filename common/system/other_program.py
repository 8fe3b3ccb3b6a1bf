"""The other one of the two programs: where it is, and starting it.

Both come in one folder or one package, and each can start the other for somebody who has only
this one open.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from common.system.process import is_frozen, program_folder

if TYPE_CHECKING:
    import subprocess

_ROOT: Final = Path(__file__).resolve().parents[2]


class Launch(NamedTuple):
    """How to start it: the command, and the working directory if that matters."""

    command: tuple[str, ...]
    folder: Path | None = None


def find_program(name: str, package: str, command: str) -> Launch | None:
    """The program that came with this one, or the one on the PATH; None without any.

    `name` is its file's name in a bundle, `package` its Python package, `command` what the Debian
    package calls it.
    """
    if not is_frozen():
        if (_ROOT / package / "__main__.py").exists():
            return Launch((sys.executable, "-m", package), _ROOT)
    else:
        folder = program_folder()
        suffix = ".exe" if sys.platform == "win32" else ""
        for path in (folder / f"{name}{suffix}", folder / f"{name}.app/Contents/MacOS/{name}"):
            if path.is_file() and os.access(path, os.X_OK):
                return Launch((str(path),))
    found = shutil.which(command)
    return Launch((found,)) if found else None


def start_program(
    launch: Launch, arguments: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own: it outlives this program. Raises OSError.

    `environment` is added to this program's own. Poll the process: that reaps it when it has ended.
    """
    import subprocess  # it takes longer to import than the first window to show

    nothing = subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603  # our own program
        [*launch.command, *arguments],
        cwd=launch.folder,
        env={**os.environ, **(environment or {})},
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )
