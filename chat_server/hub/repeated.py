"""Mistakes of the program in its log: each with its traceback once, however often it is made."""

import logging
from typing import Final

MOST: Final = 100
"""Different mistakes that are remembered; those beyond them are logged whole each time."""


class Repeated(logging.Filter):
    """Takes the traceback off what came to the same line of the program in the same way before.

    A client that gets `internal` tries again, and many clients may send what leads to it: that must
    not fill the log, where nothing else could be found then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[object, ...]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass, some of it shorter."""
        if not isinstance(record.exc_info, tuple) or record.exc_info[1] is None:
            return True
        error, place = record.exc_info[1], record.exc_info[2]
        way: list[tuple[str, int]] = []
        while place is not None:
            way.append((place.tb_frame.f_code.co_filename, place.tb_lineno))
            place = place.tb_next
        mistake = (record.msg, type(error), *way)
        if mistake in self._seen:
            record.msg = f"{record.getMessage()}, again: {type(error).__name__}: {error}"
            record.args = record.exc_info = None
        elif len(self._seen) < MOST:
            self._seen.add(mistake)
        return True
