"""Full-text search in the cached messages of a room, the newest first.

There is no index (FTS5): each arriving message would pay for it, for the few times that somebody
searches. SQLite scans a million messages in half a second with the GIL released, so the window goes
on. Only candidates, by LIKE, are compared in Python.
"""

import logging
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from chat_client.cache.rows import tolerate
from common.domain.search_normalization import comparable, joins
from common.limits import MAX_INTEGER
from common.system.database import connect_reader

log = logging.getLogger(__name__)

FOUND_AT_ONCE: Final = 500
"""Maximum number of matches of one search; the next one continues before the last of them."""
NEWEST: Final = MAX_INTEGER + 1
"""Greater than the `seq` of any event."""
_PORTION: Final = 5_000
"""Rows scanned per statement, so that first results arrive early."""
_INTERRUPT: Final = 0.01
"""Seconds between attempts to interrupt a running query."""
_NEXT: Final = "SELECT max(seq) FROM events WHERE room = ? AND seq BETWEEN 1 AND ? - 1"
_MATCHING: Final = (
    "SELECT seq, text FROM events"
    " WHERE room = ? AND seq >= ? AND seq < ? AND kind = 'message' AND text LIKE ? ESCAPE '!'"
    " AND sender NOT IN (SELECT username FROM erased)"
    " ORDER BY seq DESC"
)


@dataclass(frozen=True, slots=True)
class Found:
    """Matches (`seq` of a room), the newest first, since the last report.

    The report with `ended` is the last one: everything was searched; or, with `more`, the maximum
    was reached; or the search failed, and `problem` says why.
    """

    seqs: tuple[int, ...] = ()
    ended: bool = False
    more: bool = False
    problem: str = ""


class Search:
    """One search, on a thread of its own, for messages before a place that contain `words`.

    `pattern` defines which texts match; `words` is not empty. `tell` is called on that thread, not
    after `stop` has returned, and once with `ended` unless it is stopped before.
    """

    def __init__(
        self, path: Path, room: str, words: str, before: int, tell: Callable[[Found], object]
    ) -> None:
        self._path, self._room, self._before = path, room, before
        self._pattern, self._like = pattern(words), _like(words)
        self._tell = tell
        self._connection: sqlite3.Connection | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search")
        self._thread.start()

    def stop(self) -> None:
        """Cancel the search; returns when the cache is closed. Idempotent."""
        self._stopped.set()
        while self._thread.is_alive():
            # Repeatedly, as an interrupt between two statements has no effect.
            if self._connection is not None:
                with suppress(sqlite3.ProgrammingError):  # closed: it is about to end
                    self._connection.interrupt()
            self._thread.join(_INTERRUPT)

    def _run(self) -> None:
        try:
            with closing(connect_reader(self._path)) as connection:
                tolerate(connection)
                self._connection = connection
                self._look(connection)
        except Exception as error:
            if not self._stopped.is_set():
                log.exception("the search failed")
                self._say(Found(ended=True, problem=str(error)))

    def _look(self, connection: sqlite3.Connection) -> None:
        left = FOUND_AT_ONCE
        end = self._before
        while not self._stopped.is_set():
            # From the next place there is: a gap, which only a damaged cache has, costs nothing.
            (newest,) = connection.execute(_NEXT, (self._room, end)).fetchone()
            if newest is None:
                break
            begin = max(1, newest + 1 - _PORTION)
            seqs = self._portion(connection, begin, newest + 1, left)
            left -= len(seqs)
            if not left:
                self._say(Found(seqs, ended=True, more=True))
                return
            if seqs:
                self._say(Found(seqs))
            end = begin
        self._say(Found(ended=True))

    def _portion(
        self, connection: sqlite3.Connection, begin: int, end: int, most: int
    ) -> tuple[int, ...]:
        """At most `most` of the places from `begin` up to `end`."""
        seqs: list[int] = []
        with closing(connection.execute(_MATCHING, (self._room, begin, end, self._like))) as rows:
            for seq, text in rows:
                valid = type(seq) is int and isinstance(text, str)
                if valid and self._pattern.search(comparable(text)):
                    seqs.append(seq)
                    if len(seqs) == most:
                        break
        return tuple(seqs)

    def _say(self, found: Found) -> None:
        if not self._stopped.is_set():
            self._tell(found)


def pattern(words: str) -> re.Pattern[str]:
    """The regular expression for `comparable` texts: these characters, ignoring case."""
    return re.compile(re.escape(comparable(words)), re.IGNORECASE)


def _like(words: str) -> str:
    """A LIKE pattern that every text with these words matches (SQLite, "The LIKE operator").

    A prefilter on the texts as they were sent: to normalize a million texts in Python takes
    seconds. It must never miss a match, hence the wildcards. LIKE knows both cases of ASCII letters
    only, and of those not the ones that have a third form (the dotless i, the long s, the sign for
    kelvins): the others may be anything. What may be written in several characters, may be any.
    """
    text = comparable(words)
    after = [*text[1:], ""]
    return f"%{''.join(map(_letter, text, after))}%"


def _letter(letter: str, after: str) -> str:
    if after and joins(after):
        return "%"  # The two may be one character.
    if letter.isascii():
        if letter in "%_!":
            return f"!{letter}"
        return "_" if letter in " iksIKS;`" else letter
    if joins(letter) or _is_composed(letter):
        return "%"
    plain = letter.lower() == letter.upper() and letter not in _twins()
    return letter if plain else "_"


def _is_composed(letter: str) -> bool:
    decomposed = unicodedata.decomposition(letter)
    return "\uac00" <= letter <= "\ud7a3" or (decomposed != "" and decomposed[0] != "<")


@cache
def _twins() -> frozenset[str]:
    """Characters with a canonical equivalent of one character (UAX #15), most of them ideographs.

    Without these, the prefilter misses a text that was sent with the equivalent.
    """
    singles = [*range(0x370, 0x390), *range(0x2100, 0x2400), *range(0xF900, 0xFB00)]
    singles += range(0x2F800, 0x2FA20)
    return frozenset(unicodedata.normalize("NFC", chr(code)) for code in singles) - frozenset(
        map(chr, singles)
    )
