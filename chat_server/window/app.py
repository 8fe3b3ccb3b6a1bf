"""ChatServer's window, which is shown first and filled when everything else is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chat_server.options import Options
from common.ui.program.program import Program
from common.ui.program.runner import run_program

if TYPE_CHECKING:
    from chat_server.window.host import HostContents
    from common.system.open_windows import WindowEntry

_LEAST: Final = 820, 560
"""Minimum size of the window, px at 96 dpi."""


def run(options: Options, data_dir: Path, entry: WindowEntry | None = None) -> int:
    """Show the window until it is closed. The exit status: 0, or 2 if it could not be opened.

    `entry` is the window's among those that are open.

    SIGTERM, SIGHUP and Ctrl+C close it as its close button does.
    """
    return run_program(
        "ChatServer",
        "chat-server",
        data_dir,
        lambda: make(options, data_dir, entry),
        options.log_level,
        no_display=2,
        advice="without one, use --headless",
    )


def make(
    options: Options, data_dir: Path, entry: WindowEntry | None = None
) -> Program[HostContents]:
    """Open the window; the server starts once it is loaded. Raises TclError."""

    def load() -> Callable[[Program[HostContents]], HostContents]:
        from chat_server.window.host import HostContents

        return lambda program: HostContents(program, options, entry)

    return Program("ChatServer", "chat-server", data_dir, _LEAST, options.theme, load)
