"""Query workers: a pool of threads with read-only connections to the store.

A job is a page of the log for a client that catches up, or a query, whose reply is a message. A
page goes straight to the connection's I/O thread; the hub is told how far it reaches, and says when
it is to be written. So bulk data never passes through the one thread that serves everyone.
"""

import itertools
import logging
import queue
from collections.abc import Callable
from typing import Final, TypeAlias

from chat_server.hub.queue import HubQueue
from chat_server.net.pages import Pages
from chat_server.net.queries import answer
from chat_server.rules.effects import Query, ReadPage
from chat_server.rules.inputs import PageFailed, PageRead, QueryDone
from chat_server.store.store import Reader
from chat_server.thread_watch import Ended, ignore, watched

log = logging.getLogger(__name__)

READERS: Final = 2
Job: TypeAlias = ReadPage | Query
LeavePage: TypeAlias = Callable[[int, int, bytes], object]
"""Gets a connection's number, the page's number, and the page."""


class Readers:
    """A small pool. Its queue is bounded by its use: one page at a time for each session."""

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        hub: HubQueue,
        leave_page: LeavePage,
        ended: Ended = ignore,
    ) -> None:
        """`open_reader` opens the store for reading; it may raise StoreFailedError."""
        self._open_reader = open_reader
        self._leave_page = leave_page
        self._hub = hub
        self._numbers = itertools.count(1)
        self._generation = 0
        """How often the database was opened anew."""
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [watched(self._run, f"reader-{number}", ended) for number in range(READERS)]

    def start(self) -> None:
        """Start reading."""
        for thread in self._threads:
            thread.start()

    def post(self, job: Job) -> None:
        """Have something read; the hub gets what came of it. Never blocks."""
        self._jobs.put(job)

    def renew(self) -> None:
        """The database was reopened: readers have to reopen it, too, and drop cached pages."""
        self._generation += 1

    def stop(self) -> None:
        """Finish what was asked for and close the connections to the database."""
        started = [thread for thread in self._threads if thread.ident is not None]
        # One end for each, also for one that has ended: any of them may take any.
        for _ in started:
            self._jobs.put(None)
        for thread in started:
            thread.join()

    def _run(self) -> None:
        pages: Pages | None = None
        generation = self._generation
        while (job := self._jobs.get()) is not None:
            if pages is not None and generation != self._generation:
                pages.close()
                pages = None
            generation = self._generation
            done: PageRead | PageFailed | QueryDone
            try:
                pages = pages or Pages(self._open_reader())
                done = self._carry_out(job, pages)
            except Exception:
                # A disk that is away, or a bug of ours: reopen everything for the next job.
                log.exception("a %s could not be carried out", type(job).__name__)
                if pages is not None:
                    pages.close()
                    pages = None
                done = _failed(job)
            self._hub.post(done)
        if pages is not None:
            pages.close()

    def _carry_out(self, job: Job, pages: Pages) -> PageRead | QueryDone:
        if isinstance(job, Query):
            return QueryDone(job.connection, job.re, answer(job.query, job.re, pages.reader))
        frames, lasts = pages.page_of(job.rooms)
        if not frames:
            return PageRead(job.connection, None, lasts)
        number = next(self._numbers)
        # Before the hub is told, which then has it written.
        self._leave_page(job.connection, number, frames)
        return PageRead(job.connection, number, lasts)


def _failed(job: Job) -> PageFailed | QueryDone:
    if isinstance(job, ReadPage):
        return PageFailed(job.connection)
    return QueryDone(job.connection, job.re, None)
