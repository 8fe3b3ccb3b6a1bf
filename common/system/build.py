"""Which build of Chat this is: for `--version`, logs and crash reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from common import __version__

FILE = "build.json"
"""In a bundle, beside the code: `commit` (short hash) and `date` (ISO 8601), made when it is
built."""


def version_line(program: str) -> str:
    """One line, such as ``ChatClient 0.1.0 (commit 1a2b3c4, 2026-11-23, linux, Python 3.11.7)``."""
    bundled = getattr(sys, "_MEIPASS", None)
    which = _commit_of_bundle(Path(bundled)) if bundled else f"{_commit_of_source()}, from source"
    python = "{}.{}.{}".format(*sys.version_info)
    return f"{program} {__version__} ({which}, {sys.platform}, Python {python})"


def _commit_of_bundle(folder: Path) -> str:
    try:
        content = json.loads((folder / FILE).read_bytes())
        return f"commit {content['commit']}, {content['date']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "of an unknown commit"


def _commit_of_source() -> str:
    """The commit according to git; a copy without a repository, or no git, is no error."""
    import subprocess

    command = ["git", "describe", "--always", "--dirty=, changed", "--exclude=*"]
    try:
        done = subprocess.run(  # noqa: S603  # a constant command
            command,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "of an unknown commit"
    return f"commit {done.stdout.strip()}"
