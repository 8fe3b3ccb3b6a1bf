"""What is told about one mistake of the program: to the person, and to whoever mends it."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.logs import harmless, redact

LONGEST: Final = 24_000
"""Characters of a traceback that are shown and copied; of a longer one, both ends."""

_GO_ON: Final = (
    "{} made a mistake, and that part of it did not work. Nothing that was sent is lost. "
    "You can go on; if something looks wrong, close it and start it again."
)
_FATAL: Final = (
    "{} made a mistake and can no longer work properly. Nothing that was sent is lost. "
    "Close it and start it again."
)


@dataclass(frozen=True, slots=True)
class CrashReport:
    """One mistake. After a `fatal` one the program can't go on; `trace` is the traceback.

    `version` is one line that says which build it is (`common.build.version_line`).
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
        """What helps to find the mistake, free of secrets and of the person's folder."""
        import platform

        named = self.version.startswith(self.program)
        return "\n".join(
            (
                self.version if named else f"{self.program} {self.version}",
                platform.platform(),
                f"Python {platform.python_version()}{self.tk and f', Tk {self.tk}'}",
                f"{self.when}, thread {harmless(self.thread)}",
                "",
                _shortened(_without_home(redact(harmless(self.trace)))).rstrip(),
            )
        )

    def message(self) -> str:
        """What it means for the person."""
        return (_FATAL if self.fatal else _GO_ON).format(self.program)


def _without_home(text: str) -> str:
    """`text` with `~` for the person's folder, as that has their name."""
    try:
        home = str(Path.home())
    except RuntimeError:  # nobody knows it
        return text
    if home == Path(home).anchor:
        return text
    # In a string's repr, Windows' separators stand twice.
    for way in {home, home.replace("\\", "\\\\"), Path(home).as_posix()}:
        text = re.sub(rf"(?<![\w.-]){re.escape(way)}(?![\w.-])", "~", text, flags=re.IGNORECASE)
    return text


def _shortened(trace: str) -> str:
    """At most `LONGEST` characters of it; what raised stands at its end."""
    if len(trace) <= LONGEST:
        return trace
    return f"{trace[: LONGEST // 4]}\n  […]\n{trace[-LONGEST * 3 // 4 :]}"
