"""Starting ChatServer from the join screen, for who finds no chat and would host one."""

from __future__ import annotations

import logging
import tkinter as tk
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from common.system.other_program import Launch, find_program, start_program

if TYPE_CHECKING:
    import subprocess

log = logging.getLogger(__name__)

_LOOK: Final = 200
"""Milliseconds between two looks whether it has ended."""
_started: Final[list[subprocess.Popen[bytes]]] = []
"""Kept for as long as this program runs, as they outlive the screen that started them."""
PATIENCE: Final = 30_000
"""Milliseconds after which it is not waited for any longer."""


def find_server() -> Launch | None:
    """The ChatServer that came with this ChatClient, or the one on the PATH; None without any."""
    return find_program("ChatServer", "chat_server", "chat-server")


class Hosting:
    """One start of ChatServer. `on_change()` when it was started, and when it failed.

    It has succeeded when its chat is found; then call `stop`. The program outlives this one.
    """

    def __init__(
        self, root: tk.Misc, launch: Launch | None, on_change: Callable[[], object]
    ) -> None:
        self._root, self._launch, self._on_change = root, launch, on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: str | None = None
        self._waited = 0
        self.problem = ""
        """Why it did not start, as a sentence."""

    @property
    def available(self) -> bool:
        """Whether there is a ChatServer to start."""
        return self._launch is not None

    @property
    def started(self) -> bool:
        """Whether it was started from here, and has not failed."""
        return self._process is not None and not self.problem

    @property
    def starting(self) -> bool:
        """Whether it was started, and its chat is not there yet."""
        return self._timer is not None

    def start(self) -> None:
        """Start it, unless that is under way."""
        if self._launch is None or self.starting:
            return
        self.problem, self._waited = "", 0
        try:
            self._process = start_program(self._launch)
            _started.append(self._process)
        except OSError as error:
            self.problem = f"ChatServer can't be started: {error.strerror or error}."
        else:
            self._timer = self._root.after(_LOOK, self._look)
        self._on_change()

    def stop(self) -> None:
        """Wait for it no longer: its chat is there, or nobody looks any more."""
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        self._waited += _LOOK
        status = self._process.poll() if self._process is not None else None
        if status == 0:
            # A second start only raises the window that is open.
            self.problem = (
                "ChatServer is open on this computer already, and its chat is stopped: start it "
                "with the switch in its window."
            )
        elif status is not None:
            log.warning("ChatServer ended with status %d before its chat was there", status)
            self.problem = (
                "ChatServer was closed before its chat was open. “Host here” starts it once more."
            )
        elif self._waited >= PATIENCE:
            self.problem = "ChatServer is open, but its chat can't be found."
        else:
            self._timer = self._root.after(_LOOK, self._look)
            return
        self._on_change()
