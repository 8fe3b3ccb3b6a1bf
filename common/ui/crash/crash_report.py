"""What is told about one uncaught exception: to the person, and to whoever mends it."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.system.logs import escape_control, redact

_GO_ON: Final = (
    "An error occurred in {}, and what it was doing did not work. Nothing that was sent is lost. "
    "You can go on; if something looks wrong, close it and start it again."
)
_FATAL: Final = (
    "An error occurred in {}, and it can no longer work properly. Nothing that was sent is lost. "
    "Close it and start it again."
)


@dataclass(frozen=True, slots=True)
class CrashReport:
    """One uncaught exception; after a `fatal` one the program can't go on. `trace`: its traceback.

    `version` is one line that says which build it is (`common.system.build.version_line`).
    `thread` is the name of the thread it happened in, `when` is UTC.
    """

    program: str
    version: str
    log: Path | None
    fatal: bool
    trace: str
    thread: str = field(default_factory=lambda: threading.current_thread().name)
    when: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))

    def message(self) -> str:
        """What it means for the person, and where more is."""
        said = (_FATAL if self.fatal else _GO_ON).format(self.program)
        if self.log is None:
            return said
        return f"{said} It is written down in {escape_control(str(self.log))}"

    def details(self) -> str:
        """What helps to find the error, free of secrets and of the person's folder."""
        import platform

        tk = getattr(sys.modules.get("tkinter"), "TkVersion", "not loaded")
        text = (
            f"{self.version}\n{platform.platform()}\nPython {platform.python_version()}, Tk {tk}\n"
            f"{self.when}, thread {self.thread}\n\n{self.trace}"
        )
        return _without_home(redact(escape_control(text))).rstrip()


def _without_home(text: str) -> str:
    """`text` with `~` for the person's folder, as that has their name."""
    try:
        home = Path.home()
    except RuntimeError:  # nobody knows it
        return text
    if home == Path(home.anchor):
        return text
    # In a string's repr, Windows' separators stand twice.
    for way in {str(home), str(home).replace("\\", "\\\\"), home.as_posix()}:
        text = re.sub(rf"(?<![\w.-]){re.escape(way)}(?![\w.-])", "~", text, flags=re.IGNORECASE)
    return text
