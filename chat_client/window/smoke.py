"""ChatClient's smoke test: its store, its encryption and its window, on this computer."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path
from typing import Final

from chat_client.accounts import Accounts, new_account
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.net.connector import connect
from chat_client.net.loopback import Echo
from chat_client.options import Options
from chat_client.window.app import make
from chat_client.window.main_screen import MainScreen
from common.desktop.smoke import look_at_desktop
from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.protocol.events import MESSAGE
from common.system.smoke import every_module, look_at_names, run_checks
from common.ui.program import smoke

_TEXT: Final = "Can you read this? \N{SMILING FACE WITH SUNGLASSES}"


def run() -> int:
    """Make all checks. The exit status, 0; if one failed, the process ends with 1."""
    return run_checks(
        "ChatClient",
        [
            every_module("chat_client", "common"),
            ("names", look_at_names),
            ("desktop", look_at_desktop),
            ("store", _look_at_store),
            ("encryption", _look_at_encryption),
            ("window", _look_at_window),
        ],
    )


def _look_at_store(folder: Path) -> str:
    cache = Cache(folder / "cache.db")
    with cache.transaction():
        cache.add_room(GENERAL)
        cache.outbox.add(GENERAL, "0" * 16, MESSAGE, {"text": _TEXT}, 0)
    reader = CacheReader(folder / "cache.db")
    try:
        kept = [out.text for out in reader.outbox(GENERAL)]
    finally:
        reader.close()
        cache.close()
    if kept != [_TEXT]:
        raise RuntimeError(f"read {kept!r} back")
    return "a message was kept and read again"


def _look_at_encryption(_: Path) -> str:
    with Echo() as echo:
        outcome = connect(echo.invite)
        if isinstance(outcome, Exception):
            raise outcome
        with outcome.socket as connection:
            connection.settimeout(smoke.PATIENCE)
            connection.sendall(_TEXT.encode())
            if connection.recv(4096) != _TEXT.encode():
                raise RuntimeError("what came back is not what was sent")
            return f"{getattr(connection, 'version', lambda: 'no TLS')()}, to itself and back"


def _look_at_window(folder: Path) -> str:
    """Write a message with an emoji to a server that is away; it waits, and is shown."""
    nowhere = Invite(("127.0.0.1",), 1, bytes(32), "A" * 22, "Nowhere")
    Accounts(folder).save(new_account(nowhere, "ada", "Ada").confirmed("ada", "Ada"))
    program = make(Options(), folder)
    root = program.root
    smoke.fill(program)
    screen = program.filled.screen
    if not isinstance(screen, MainScreen):
        raise TypeError(f"the window shows {screen!r}")
    screen.composer.set_draft(_TEXT)
    screen.composer.submit()
    list_ = screen.transcript.text

    def shown() -> bool:
        return "Can you read this?" in list_.get("1.0", "end") and _pictures(list_) >= 2

    smoke.wait(root, shown, "the message and its emoji")
    pictures = smoke.look_at_pictures(program.theme)
    size = f"{root.winfo_width()}×{root.winfo_height()}"
    smoke.close(program)
    return f"{size}, {program.theme.mode}, {pictures}"


def _pictures(text: tk.Text) -> int:
    return len(text.dump("1.0", "end", image=True))
