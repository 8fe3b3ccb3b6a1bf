"""The log of both programs: on the terminal and in a private file, free of secrets.

The file is `log.txt`; at 1 MiB it is rotated to `log.txt.1`. A log that can't be written is
reported once on standard error and never stops the program.

In the file, records of the same kind (logger, level and unformatted message) are rate-limited and
coalesced: the next record that is written says how many were left out. So nobody can push
everything else out of the log by repeating one event.
"""

import contextlib
import copy
import faulthandler
import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from common.system.private_files import NO_LINK, PRIVATE_FILE, make_private_folder

FILE: Final = "log.txt"
LIMIT: Final = 1 << 20
"""Size in bytes after which the file is rotated; the record that reaches it is still in it."""
OLDER: Final = 3
"""Number of rotated files, `log.txt.1` being the newest."""
PATIENCE: Final = 1 << 16
"""Bytes to append to a full file before a failed rotation is retried."""

BURST: Final = 100
"""Rate limit: burst of records of one kind."""
PAUSE: Final = 10.0
"""Seconds after which one more record of that kind is written."""
KINDS: Final = 256
"""Maximum number of kinds with a token bucket; the least recently used is evicted."""

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# What ends a line, moves the cursor or turns the text round, and what UTF-8 can't say.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# In a link, a call's arguments or JSON: the value ends at an ampersand, white space or a quote.
_SECRET = re.compile(r"""(secret(?:=|\\*["']\s*:\s*)b?\\*["']?)[^&\s"']+""", re.IGNORECASE)
_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{64,}(?![0-9a-f])", re.IGNORECASE)
# A spoken code, of its alphabet: capitals, which no code of an error or a goodbye has.
_SPOKEN = re.compile(
    r"""(code(?:=|\\*["']\s*:\s*)\\*["']?)[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4}(?!\w)"""
)
# Pydantic's errors quote the invalid input: a message's text, or a part of a token.
_QUOTED = re.compile(r"(input_value=).*?(, input_type=|\n|$)")


def start_logging(level: str, folder: Path | None) -> Path | None:
    """Log records of at least `level` on standard error and, with a folder, in its `log.txt`.

    Returns that file's path. The file is created with the first record. A second call replaces
    the first.
    """
    root = logging.getLogger()
    _native.end()
    for former in [each for each in root.handlers if isinstance(each, _Terminal | _LogFile)]:
        root.removeHandler(former)
        former.close()
    path = None if folder is None else folder / FILE
    for handler in (_Terminal(), *(() if path is None else (_LogFile(path),))):
        handler.setFormatter(_Formatter(_FORMAT))
        root.addHandler(handler)
    root.setLevel(level.upper())
    # At debug it tells of every chunk of every picture.
    logging.getLogger("PIL").setLevel(logging.INFO)
    return path


def watch_for_native_crashes(path: Path) -> None:
    """Append every thread's stack to the log at `path` when a fatal signal ends the process.

    Call it after `start_logging`, from the same thread. It does nothing where the file can't be
    opened, or where faulthandler is active already (`python -X faulthandler`).
    """
    _native.begin(path)


def redact(text: str) -> str:
    """`text` with an ellipsis for each invite's secret, each spoken code and each token.

    A token is anything of 64 hexadecimal digits, as an exception may name it by itself.
    """
    text = _SPOKEN.sub(r"\1…", _SECRET.sub(r"\1…", text))
    return _TOKEN.sub("…", _QUOTED.sub(r"\1…\2", text))


def escape_control(text: str) -> str:
    """`text` with its control characters escaped, all but the newline."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Formatter(logging.Formatter):
    """One line for each record, with the traceback indented below, so that none can be forged."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = _message(record)
        record.asctime = self.formatTime(record)
        text = escape_control(self.formatMessage(record)).replace("\n", r"\n")
        # Not the text that another handler's formatter has left in the record.
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        if record.stack_info:
            text += "\n" + self.formatStack(record.stack_info)
        return redact(escape_control(text).replace("\n", "\n  "))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # whatever is wrong with it: logging would print it unredacted
        return f"{record.msg} {record.args!r}"


class _Terminal(logging.Handler):
    """The current standard error: None without a console, another one in a test."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _say(self.format(record))
        except Exception:  # noqa: BLE001  # an argument may fail in any way when it is shown
            self.handleError(record)


class RecordCoalescer:
    """Coalesces repeated records; the next one that is written tells how many were left out.

    A token bucket for each kind of record. Records of level DEBUG are never left out.
    `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], tuple[float, float, int]] = {}
        """By kind: tokens, the time of the last refill, and the number of records left out."""

    def pick(self, record: logging.LogRecord) -> logging.LogRecord | None:
        """The record, with a note if others were left out before it; None to leave it out."""
        if record.levelno <= logging.DEBUG:
            return record
        now = self._clock()
        kind = (record.name, record.levelno, str(record.msg))
        left, since, dropped = self._kinds.pop(kind, (float(BURST), now, 0))
        left = min(float(BURST), left + (now - since) / PAUSE)
        if left < 1:
            self._kinds[kind] = (left, now, dropped + 1)
            return None
        self._kinds[kind] = (left - 1, now, 0)
        if len(self._kinds) > KINDS:
            del self._kinds[next(iter(self._kinds))]
        if not dropped:
            return record
        noted = copy.copy(record)
        noted.msg = f"{_message(record)} ({dropped} more of this kind were left out before)"
        noted.args = None
        return noted


class _Unbuffered:
    """An unbuffered stream for a handler: a line that could not be written is not retried."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        """Write all of it. Raises OSError."""
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def flush(self) -> None:
        """Nothing is buffered."""

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the file. Raises OSError."""
        os.close(self._descriptor)


class _LogFile(logging.FileHandler):
    """The log's file, rotated; not logging.handlers', whose import costs as much as a window.

    Two programs may have it open: neither loses a record, though one may rotate early.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self._path = path
        self._full = LIMIT
        self._said = False
        self._coalescer = RecordCoalescer()

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record, in a new file if this one is full."""
        try:
            picked = self._coalescer.pick(record)
            if picked is None:
                return
            record = picked
            if self.stream is None:
                self.stream = self._open()
            if os.fstat(self.stream.fileno()).st_size >= self._full:
                self._rotate(self.stream)
            super().emit(record)
        except Exception:  # noqa: BLE001  # the program goes on, whatever fails in its log
            self.handleError(record)

    def close(self) -> None:
        """Close the file; records that could not be written are lost."""
        try:
            super().close()
        except OSError as error:
            self._complain("written", error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say once what hinders. The next record opens the file anew, as its disk may be back."""
        del record
        self._complain("written", sys.exc_info()[1])
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()

    def _open(self) -> io.TextIOWrapper:
        if make_private_folder(self._path.parent):
            _say(f"the folder {self._path.parent} was open to others; it is closed to them now")
        # What StreamHandler needs of a stream, and no more.
        return cast("io.TextIOWrapper", _Unbuffered(_open_private(self._path)))

    def _rotate(self, stream: io.TextIOWrapper) -> None:
        """Rotate the file; if it can't be renamed, go on writing to it."""
        self.stream = None
        _native.let_go()
        try:
            stream.close()
            # Otherwise another program has just done it.
            if self._path.stat().st_size >= LIMIT:
                self._shift()
        except OSError as error:
            self._complain("rotated", error)
        self.stream = self._open()
        _native.take_up()
        size = self._path.stat().st_size
        self._full = LIMIT if size < LIMIT else size + PATIENCE

    def _shift(self) -> None:
        name = self._path.name
        files = [self._path, *(self._path.with_name(f"{name}.{n + 1}") for n in range(OLDER))]
        # Only up to the first gap. A failed rotation leaves one, and trying again fills it:
        # the older files are not pushed out one by one while the newest can't be moved.
        gap = next((at for at, file in enumerate(files) if not file.exists()), OLDER)
        for at in range(gap, 0, -1):
            files[at - 1].replace(files[at])

    def _complain(self, what: str, error: BaseException | None) -> None:
        if not self._said:
            self._said = True
            _say(redact(escape_control(f"the log {self._path} can't be {what}: {error}")))


class _NativeCrashes:
    """faulthandler's own descriptor of the log, which stays open when logging shuts down.

    It writes to a descriptor's number. So it is disabled before that is closed, or a crash would be
    written into whatever file gets the number next.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._descriptor: int | None = None

    def begin(self, path: Path) -> None:
        self.let_go()
        self._path = None if faulthandler.is_enabled() else path
        self.take_up()

    def end(self) -> None:
        self.let_go()
        self._path = None

    def take_up(self) -> None:
        """Open the file, if crashes are to be logged: initially, and after each rotation."""
        if self._path is None:
            return
        with contextlib.suppress(OSError, RuntimeError):
            make_private_folder(self._path.parent)
            self._descriptor = _open_private(self._path)
            faulthandler.enable(self._descriptor)

    def let_go(self) -> None:
        """Close the file: Windows can't rename an open one."""
        if self._descriptor is not None:
            faulthandler.disable()
            os.close(self._descriptor)
            self._descriptor = None


_native: Final = _NativeCrashes()


def _open_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_LINK, PRIVATE_FILE)


def _say(line: str) -> None:
    """Print a line on standard error, if there is one."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # a broken pipe, a closed terminal
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
