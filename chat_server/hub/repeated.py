"""Deduplicates tracebacks in the log: each internal error has its traceback once."""

import logging
from typing import Final

MOST: Final = 100
"""Different errors that are remembered; those beyond them are logged in full each time."""


class Repeated(logging.Filter):
    """Drops the traceback of an error that was raised on the same lines of code before.

    A client that gets `internal` retries, and many clients may send what leads to it: tracebacks
    would rotate everything else out of the log.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[object, ...]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """True always; a repeated error is shortened to one line."""
        if not isinstance(record.exc_info, tuple) or record.exc_info[1] is None:
            return True
        error, place = record.exc_info[1], record.exc_info[2]
        way: list[tuple[str, int]] = []
        while place is not None:
            way.append((place.tb_frame.f_code.co_filename, place.tb_lineno))
            place = place.tb_next
        error_id = (record.msg, type(error), *way)
        if error_id in self._seen:
            record.msg = f"{record.getMessage()}, again: {type(error).__name__}: {error}"
            record.args = record.exc_info = None
        elif len(self._seen) < MOST:
            self._seen.add(error_id)
        return True
