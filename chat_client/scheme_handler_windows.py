"""The handler of chat:// links on Windows: keys in the person's own part of the registry.

Written from its documents ("Registering an Application to a URI Scheme"), and never run.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any, Final

from chat_client.link_argument import OPEN_LINK
from chat_client.scheme_handler import Handler, Opens, SchemeHandlerError

if TYPE_CHECKING:
    from types import ModuleType

    from common.system.other_program import Launch

KEY: Final = r"Software\Classes\chat"
_COMMAND: Final = rf"{KEY}\shell\open\command"
_BRANCHES: Final = (_COMMAND, rf"{KEY}\shell\open", rf"{KEY}\shell", rf"{KEY}\DefaultIcon", KEY)
"""The keys, those in others first."""


class WindowsHandler:
    """The handler, of a copy of the program. `registry` is the module winreg."""

    def __init__(self, program: Launch, registry: ModuleType | Any | None = None) -> None:
        if registry is None:
            import winreg as registry  # type: ignore[no-redef,import-not-found,unused-ignore]  # Windows only
        self._program = program
        self._registry: Any = registry

    def find(self) -> Handler:
        """What opens links now. For all users there may be another one, which this one hides."""
        try:
            command = self._registry.QueryValue(self._registry.HKEY_CURRENT_USER, _COMMAND)
        except OSError:
            return Handler(Opens.NOTHING)
        if command == command_line(self._program):
            return Handler(Opens.THIS)
        return Handler(Opens.ANOTHER, str(command))

    def register(self) -> None:
        """Write the keys. Raises SchemeHandlerError."""
        if self._program.folder is not None:
            # It has to be started in its folder, which the registry can't say.
            raise SchemeHandlerError("That needs a built ChatClient; this one runs from source.")
        registry = self._registry
        values = (
            (KEY, "", "URL:Chat"),
            (KEY, "URL Protocol", ""),
            (rf"{KEY}\DefaultIcon", "", f"{self._program.command[0]},0"),
            (_COMMAND, "", command_line(self._program)),
        )
        try:
            for path, name, value in values:
                with registry.CreateKey(registry.HKEY_CURRENT_USER, path) as key:
                    registry.SetValueEx(key, name, 0, registry.REG_SZ, value)
        except OSError as error:
            raise SchemeHandlerError(f"The registry can’t be changed: {error}.") from error

    def unregister(self) -> None:
        """Delete the keys, unless they are another program's. Raises SchemeHandlerError."""
        if self.find().opens is not Opens.THIS:
            return
        try:
            for path in _BRANCHES:
                self._registry.DeleteKey(self._registry.HKEY_CURRENT_USER, path)
        except OSError as error:
            raise SchemeHandlerError(f"The registry can’t be changed: {error}.") from error


def command_line(program: Launch) -> str:
    """What Windows starts, with the link for %1.

    A quotation mark in a link begins another argument; so the link is behind the option after which
    nothing is taken for one.
    """
    return f'{subprocess.list2cmdline(program.command)} {OPEN_LINK} "%1"'
