"""Starting ChatClient from the host's window, so that it joins this chat by itself."""

from __future__ import annotations

import subprocess
from typing import Final

from common.system.other_program import Launch, find_program, start_program
from common.system.process import INVITE_VARIABLE

_NAME: Final = "ChatClient"


def find_client() -> Launch | None:
    """The ChatClient that came with this ChatServer, or the one on the PATH; None without any."""
    return find_program(_NAME, "chat_client", "chat-client")


class ClientProgram:
    """ChatClient, in a session of its own: it outlives the host's window.

    Started again while its window is open, it raises that one, and ends. Poll `running`: that reaps
    the processes that have ended.
    """

    def __init__(self, launch: Launch | None) -> None:
        self._launch = launch
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def available(self) -> bool:
        """Whether there is a ChatClient to start."""
        return self._launch is not None

    @property
    def running(self) -> bool:
        """Whether one that was started is still running."""
        return None in [process.poll() for process in self._processes]

    @property
    def status(self) -> int | None:
        """The exit status of one that failed, or else 0; None while one runs, or before."""
        codes = [process.poll() for process in self._processes]
        if not codes or None in codes:
            return None
        return next((code for code in codes if code), 0)

    def start(self, invite: str) -> None:
        """Start it; it joins under the name of the login, or signs in. Raises OSError.

        The invite is a secret: it goes in the environment, which others don't see in a list of
        processes, and which ChatClient takes it out of.
        """
        if self._launch is None:
            raise FileNotFoundError(f"there is no {_NAME} here")
        self._processes = [process for process in self._processes if process.poll() is None]
        more = {INVITE_VARIABLE: invite}
        self._processes.append(start_program(self._launch, ("--login-name",), more))
