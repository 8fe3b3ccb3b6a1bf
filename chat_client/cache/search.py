"""Looking for words in what is kept of a room, the newest message first.

There is no index: it would cost each message that comes, for the few times that somebody looks
for one. SQLite goes through a million messages in half a second and needs no interpreter for it:
the window goes on. Only what it takes for a match, by letters of ASCII, is looked at in Python.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.database import connect_reader

log = logging.getLogger(__name__)

FOUND_AT_ONCE: Final = 500
"""Messages after which a search ends; the next one goes on before the last of them."""
NEWEST: Final = 2**62
"""Before this are all places of a room."""
_PORTION: Final = 5_000
"""Places looked at in one statement: so soon, in milliseconds, a search ends when it is told to."""
_MATCHING: Final = (
    "SELECT seq, text FROM events"
    " WHERE room = ? AND seq >= ? AND seq < ? AND kind = 'message' AND text LIKE ? ESCAPE '!'"
    " ORDER BY seq DESC"
)


@dataclass(frozen=True, slots=True)
class Found:
    """Places of a room, the newest first, that were found since the search last told of some.

    With `ended` it tells no more: everything was looked at; or, with `more`, enough was found;
    or it could not go on, and `problem` says why.
    """

    seqs: tuple[int, ...] = ()
    ended: bool = False
    more: bool = False
    problem: str = ""


class Search:
    """One search, on a thread of its own, for messages before a place that contain `words`.

    Upper and lower case are the same; `words` is not empty. `tell` is called on that thread, not
    after `stop` has returned, and with `ended` once unless it is stopped before.
    """

    def __init__(
        self, path: Path, room: str, words: str, before: int, tell: Callable[[Found], object]
    ) -> None:
        self._path, self._room, self._before = path, room, before
        self._words, self._pattern = words.casefold(), _pattern(words)
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search")
        self._thread.start()

    def stop(self) -> None:
        """Look no further; returns when the cache is let go of. Harmless when called again."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with closing(connect_reader(self._path)) as connection:
                self._look(connection)
        except sqlite3.Error as error:
            log.exception("the search failed")
            self._say(Found(ended=True, problem=str(error)))

    def _look(self, connection: sqlite3.Connection) -> None:
        first, last = connection.execute(
            "SELECT min(seq), max(seq) FROM events WHERE room = ?", (self._room,)
        ).fetchone()
        if first is None:
            self._say(Found(ended=True))
            return
        left = FOUND_AT_ONCE
        end = min(self._before, last + 1)
        while end > first and not self._stopped.is_set():
            begin = max(first, end - _PORTION)
            seqs = self._portion(connection, begin, end, left)
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
        with closing(
            connection.execute(_MATCHING, (self._room, begin, end, self._pattern))
        ) as rows:
            for seq, text in rows:
                if self._words in text.casefold():
                    seqs.append(seq)
                    if len(seqs) == most:
                        break
        return tuple(seqs)

    def _say(self, found: Found) -> None:
        if not self._stopped.is_set():
            self._tell(found)


def _pattern(words: str) -> str:
    """What every text with these words in it is like (SQLite, "The LIKE operator").

    LIKE knows both cases of ASCII letters only, and is four times as quick as a pattern that has
    those of all. Other letters stand for anything; looking at the text itself decides.
    """
    return f"%{''.join(map(_like, words))}%"


def _like(letter: str) -> str:
    if letter in "%_!":
        return f"!{letter}"
    cases = {letter, letter.lower(), letter.upper(), letter.casefold()}
    return letter if letter.isascii() or len(cases) == 1 else "%"
