"""The report on one uncaught exception, for the person and for whoever fixes it."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.system.logs import escape_control, redact

LONGEST: Final = 24_000
"""Characters of a traceback that are shown and copied; of a longer one, both ends."""

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
    """One uncaught exception; after a `fatal` one the program must end. `trace` is its traceback.

    `version` is one line that says which build it is (`common.system.build.version_line`).
    `thread` is the name of the thread it happened in, `when` is UTC, `tk` Tk's patch level.
    """

    program: str
    version: str
    log: Path | None
    fatal: bool
    trace: str
    thread: str = field(default_factory=lambda: threading.current_thread().name)
    when: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
    tk: str = ""

    def details(self) -> str:
        """What helps to find the error, free of secrets and of the person's folder."""
        import platform

        trace = _without_home(redact(escape_control(self.trace))).rstrip()
        if len(trace) > LONGEST:  # what raised stands at its end
            trace = f"{trace[: LONGEST // 4]}\n  […]\n{trace[-LONGEST * 3 // 4 :]}"
        named = self.version.startswith(self.program)
        return (
            f"{self.version if named else f'{self.program} {self.version}'}\n"
            f"{platform.platform()}\n"
            f"Python {platform.python_version()}{self.tk and f', Tk {self.tk}'}\n"
            f"{self.when}, thread {escape_control(self.thread)}\n\n{trace}"
        )

    def message(self) -> str:
        """What the person reads first: what the error means for them."""
        return (_FATAL if self.fatal else _GO_ON).format(self.program)


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
