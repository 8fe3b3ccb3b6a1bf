"""Starting ChatClient from the host's window, so that it joins this chat by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from common.system.process import INVITE_VARIABLE, is_frozen, program_folder

_NAME: Final = "ChatClient"
_COMMAND: Final = "chat-client"
"""What the Debian package calls it."""


class Launch(NamedTuple):
    """How to start it: the command, and the working directory if that matters."""

    command: tuple[str, ...]
    folder: Path | None = None


def find_client() -> Launch | None:
    """The ChatClient that came with this ChatServer, or the one on the PATH; None without any."""
    if not is_frozen():
        root = Path(__file__).resolve().parents[2]
        if (root / "chat_client" / "__main__.py").exists():
            return Launch((sys.executable, "-m", "chat_client"), root)
    else:
        folder = program_folder()
        suffix = ".exe" if sys.platform == "win32" else ""
        for path in (folder / f"{_NAME}{suffix}", folder / f"{_NAME}.app/Contents/MacOS/{_NAME}"):
            if path.is_file() and os.access(path, os.X_OK):
                return Launch((str(path),))
    found = shutil.which(_COMMAND)
    return Launch((found,)) if found else None


class ClientProgram:
    """One ChatClient at a time, in a session of its own: it outlives the host's window.

    Poll `status`: that reaps a process that has ended.
    """

    def __init__(self, launch: Launch | None) -> None:
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def available(self) -> bool:
        """Whether there is a ChatClient to start."""
        return self._launch is not None

    @property
    def running(self) -> bool:
        """Whether the one that was started last is still running."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status of the one that was started last; None while it runs, or before."""
        return None if self._process is None else self._process.poll()

    def start(self, invite: str) -> None:
        """Start it; it joins under the name of the login, or signs in. Raises OSError.

        The invite is a secret: it goes in the environment, which others don't see in a list of
        processes, and which ChatClient takes it out of.
        """
        if self._launch is None:
            raise FileNotFoundError(f"there is no {_NAME} here")
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [*self._launch.command, "--login-name"],
            cwd=self._launch.folder,
            env={**os.environ, INVITE_VARIABLE: invite},
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
        )
