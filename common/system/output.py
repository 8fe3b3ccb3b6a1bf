"""Printing of commands: escaped for a terminal, with errors when standard output is closed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterable
from typing import Final

# Controls (C0, DEL, C1) but for the tab, line and paragraph separators, and what reorders the
# text that follows: embeddings, overrides and isolates (UAX #9). The marks LRM, RLM and ALM
# only place their neighbours, and right-to-left text needs them.
_HARMFUL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class OutputError(Exception):
    """Standard output can't be written.

    The text says why; it is empty when the reader of a pipe has closed it (EPIPE), which is normal.
    """


def printable(text: str) -> str:
    r"""`text` on one line of a terminal, what would command or reorder it escaped (``\x1b``)."""
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_lines(lines: Iterable[str]) -> None:
    """Print these lines and flush them. Raises OutputError.

    After an error, later output is discarded: otherwise Python would try to flush it at exit, and
    print an error on standard error.
    """
    try:
        for line in lines:
            print(line)  # noqa: T201  # this is where printing is done
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # no file at all, as under a test
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)
        # Windows says "invalid argument" of a pipe that was closed at its other end.
        gone = isinstance(error, BrokenPipeError) or (
            sys.platform == "win32" and error.errno == errno.EINVAL
        )
        why = "" if gone else f"the output can't be written: {error.strerror or error}"
        raise OutputError(why) from error
