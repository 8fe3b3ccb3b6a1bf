"""ChatServer's smoke test with its window: a guest joins, is shown, and is terminated."""

from __future__ import annotations

from pathlib import Path

from chat_server.smoke import checks, joined, options
from chat_server.window.app import make
from chat_server.window.model import ServerState
from common.system.smoke import run_checks
from common.ui.program import smoke


def run() -> int:
    """Make all checks. The exit status, 0; if one failed, the process ends with 1."""
    return run_checks("ChatServer", [*checks(), ("window", _look_at_window)])


def _look_at_window(folder: Path) -> str:
    program = make(options(), folder)
    root = program.root
    smoke.fill(program)
    host = program.filled
    smoke.wait(root, lambda: host.presenter.phase is not ServerState.STARTING, "the server")
    running = host.server_thread.running
    if running is None:
        raise RuntimeError("the server did not start")
    presenter = host.presenter
    with joined(running):
        smoke.wait(root, lambda: presenter.people == 1, "the guest in the list")
        [guest] = presenter.view(0).rows
        from common.protocol.messages import Terminate

        host.server_thread.ask(
            lambda number: Terminate(id=number, connection=guest.connection), lambda _: None
        )
        smoke.wait(root, lambda: not presenter.people, "the guest's end")
    pictures = smoke.look_at_pictures(program.theme)
    size = f"{root.winfo_width()}×{root.winfo_height()}"
    smoke.close(program)
    return f"{size}, {program.theme.mode}, {pictures}"
