"""ChatClient's window, which is shown first and filled when everything else is loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chat_client.options import Options
from common.ui.program.program import Program
from common.ui.program.runner import run_program

if TYPE_CHECKING:
    from chat_client.window.screens import Screens
    from common.system.open_windows import WindowEntry

_LEAST: Final = 640, 560
_JOINING: Final = 760, 560
"""Initial size of the window, px at 96 dpi, while only the join screen is shown."""
TURN: Final = 2e-4
"""Seconds after which the core must release the GIL when the window waits for it.

Each call of Tk releases the GIL; while thousands of messages arrive, drawing one of them would
otherwise wait for Python's default of 5 ms repeatedly.
"""


def run(options: Options, data_dir: Path, entry: WindowEntry | None = None) -> int:
    """Show the window until it is closed. The exit status: 0, or 1 without a display.

    `entry` is the window's among those that are open.

    SIGTERM, SIGHUP and Ctrl+C close it as its close button does.
    """
    return run_program(
        "ChatClient",
        "chat-client",
        data_dir,
        lambda: make(options, data_dir, entry),
        options.log_level,
        no_display=1,
        advice="for scripts there are the verbs send, listen, rooms and people",
    )


def make(options: Options, data_dir: Path, entry: WindowEntry | None = None) -> Program[Screens]:
    """The window on the screen; its first screen follows. Raises TclError."""
    sys.setswitchinterval(TURN)

    def load() -> Callable[[Program[Screens]], Screens]:
        from chat_client.window.screens import Screens

        return lambda program: Screens(program, options, entry)

    known = any((data_dir / "accounts").glob("*/account.json"))
    first = None if known else _JOINING
    return Program("ChatClient", "chat-client", data_dir, _LEAST, options.theme, load, first)
