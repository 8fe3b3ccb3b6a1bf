"""The readers: threads that read the log for those who are catching up, and never write."""

import logging
import queue
import sqlite3
import threading
from pathlib import Path
from typing import Final

from chat_server.hub_queue import HubQueue
from chat_server.rules.effects import ReadPage
from chat_server.rules.inputs import PageFailed, PageRead
from chat_server.store.pages import PageReader

log = logging.getLogger(__name__)

READERS: Final = 2


class Readers:
    """A small pool. Its queue is bounded by its use: one page at a time for each session."""

    def __init__(self, path: Path, hub: HubQueue) -> None:
        self._path = path
        self._hub = hub
        self._jobs: queue.SimpleQueue[ReadPage | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"reader-{number}") for number in range(READERS)
        ]

    def start(self) -> None:
        """Start reading."""
        for thread in self._threads:
            thread.start()

    def post(self, job: ReadPage) -> None:
        """Have a page read; the hub gets it as PageRead. Never blocks."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Finish what was asked for and close the connections to the database."""
        started = [thread for thread in self._threads if thread.ident is not None]
        # One end for each, also for one that has ended: any of them may take any.
        for _ in started:
            self._jobs.put(None)
        for thread in started:
            thread.join()

    def _run(self) -> None:
        reader = PageReader(self._path)
        try:
            while (job := self._jobs.get()) is not None:
                self._read(reader, job)
        finally:
            reader.close()

    def _read(self, reader: PageReader, job: ReadPage) -> None:
        try:
            page = reader.page(job.room, job.after)
        except sqlite3.Error:
            log.exception("a page of %s could not be read", job.room)
            self._hub.post(PageFailed(job.connection))
        else:
            self._hub.post(PageRead(job.connection, job.room, page.frames, page.last))
