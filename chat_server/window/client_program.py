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
        self._process = start_program(self._launch, ("--login-name",), {INVITE_VARIABLE: invite})
