"""Which program this computer opens chat:// links with, and making it this copy of ChatClient.

The Debian package brings a desktop entry, and on macOS the application says what it opens. A
folder, a single file and the source have this, which changes something only when the person asks
for it: on Linux the person's own desktop entry (chat_client/scheme_handler_xdg.py), on Windows the
person's part of the registry (chat_client/scheme_handler_windows.py).
"""

from __future__ import annotations

import sys
from enum import Enum, auto
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from chat_client.options import Options
from common.system.other_program import Launch
from common.system.process import is_frozen

_SOURCE: Final = Path(__file__).resolve().parents[1]


class Opens(Enum):
    """What opens links: this copy, another program, or nothing.

    `INSTALLED` is this copy, which the system knows without any doing of the person's.
    """

    THIS = auto()
    INSTALLED = auto()
    ANOTHER = auto()
    NOTHING = auto()


class Handler(NamedTuple):
    """What opens links; `name` is another program's, as its desktop entry has it, or its path."""

    opens: Opens
    name: str = ""


class SchemeHandlerError(Exception):
    """It can't be changed; the text says why, for a person."""


class SchemeHandler(Protocol):
    """The links' handler on one system."""

    def find(self) -> Handler:
        """What opens links now."""

    def register(self) -> None:
        """Have this copy open them. Raises SchemeHandlerError."""

    def unregister(self) -> None:
        """Undo `register`. Raises SchemeHandlerError."""


def own_launch(options: Options) -> Launch:
    """This copy, with the data folder and the profile that it was started with."""
    command = [sys.executable]
    folder = None
    if not is_frozen():
        command += ["-m", "chat_client"]
        folder = _SOURCE
    if options.data_dir is not None:
        command += ["--data-dir", str(options.data_dir.absolute())]
    if options.profile is not None:
        command += ["--profile", options.profile]
    return Launch(tuple(command), folder)


def scheme_handler(options: Options) -> SchemeHandler | None:
    """The handler of this system; None where nothing can be chosen, as on macOS."""
    if sys.platform == "win32":
        from chat_client.scheme_handler_windows import WindowsHandler

        return WindowsHandler(own_launch(options))
    if sys.platform == "darwin":
        return None
    from chat_client.mime_apps import environment_folders
    from chat_client.scheme_handler_xdg import XdgHandler

    return XdgHandler(own_launch(options), environment_folders())
