"""Pages of the log as frames, for clients that catch up, and a cache of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from chat_server.store.store import Reader
from common.protocol.fast_encode import event_frame

PAGE_BYTES: Final = 128 * 1024
"""A page ends with the event that reaches this: about 600 short messages."""
PAGE_EVENTS: Final = 512
"""It also ends with an event whose `seq` is a multiple of this.

So the pages of those who began in different places become the same ones.
"""
KEPT_PAGES: Final = 16
"""Full pages that a worker caches: after a restart, many clients catch up on the same ones."""

_FIRST_ROWS: Final = 8
"""Events of the first read: if they are long, a page may hold no more."""
_ROWS_AT_ONCE: Final = 64
"""Maximum number of events per read, to bound the memory."""


class Page(NamedTuple):
    """Consecutive events of a room."""

    frames: bytes
    """Empty if there are none."""
    last: int
    """The last event's `seq`; without any, the one before the page."""
    whole: bool
    """Whether it is full, and does not end with the log: then it never changes."""


class Pages:
    """Makes pages, and caches full ones. For one thread.

    Every method raises StoreFailedError.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._kept: dict[tuple[str, int], Page] = {}
        """An LRU cache of full pages. The log is append-only: they never change."""

    def page_of(
        self, rooms: Sequence[tuple[str, int]]
    ) -> tuple[bytes, tuple[tuple[str, int], ...]]:
        """One page of what follows in several rooms, and the last place in each that is in it."""
        frames: list[bytes] = []
        lasts: list[tuple[str, int]] = []
        size = 0
        for room, after in rooms:
            page = self.page(room, after)
            frames.append(page.frames)
            lasts.append((room, page.last))
            size += len(page.frames)
            if size >= PAGE_BYTES:
                break
        return b"".join(frames), tuple(lasts)

    def page(self, room: str, after: int) -> Page:
        """The events that follow `after`."""
        key = (room, after)
        page = self._kept.pop(key, None) or self._read(room, after)
        if page.whole:
            self._kept[key] = page
            if len(self._kept) > KEPT_PAGES:
                del self._kept[next(iter(self._kept))]
        return page

    def _read(self, room: str, after: int) -> Page:
        frames: list[bytes] = []
        size = 0
        last = after
        count = _FIRST_ROWS
        while True:
            events = self.reader.after(room, last, count)
            for event in events:
                frames.append(event_frame(event))
                size += len(frames[-1])
                last = event.seq
                if size >= PAGE_BYTES or last % PAGE_EVENTS == 0:
                    return Page(b"".join(frames), last, whole=True)
            if len(events) < count:
                return Page(b"".join(frames), last, whole=False)
            # About as many as the page will take.
            count = max(1, min(_ROWS_AT_ONCE, (PAGE_BYTES - size) * len(frames) // size))

    def close(self) -> None:
        """Let go of the reader."""
        self.reader.close()
