"""The checker's part for history on demand: each page is what was asked for, with no hole."""

from collections.abc import Iterator

from tests.torture.epochs import Epoch
from tests.torture.history import Client, History, Kind, Violation
from tests.torture.record import (
    Began,
    Connected,
    Filled,
    PageAsked,
    Paged,
    Parted,
    Record,
    Welcomed,
)
from tests.torture.views import compare


class Pages:
    """On each connection: what was asked for, as it is in the log, and nobody else's."""

    def __init__(self, client: Client, history: History) -> None:
        self._person = client.person
        self._device = client.device
        self._history = history
        self._epoch: Epoch | None = None
        self._asked: dict[int, PageAsked] = {}
        self._parted = False
        self._came: dict[str, tuple[int, int]] = {}
        """Of each room, the first and the last place of the page that came last."""

    def take(self, record: Record) -> Iterator[Violation]:
        """As a Judge."""
        match record:
            case Began() | Connected():
                self._epoch = None
                self._asked.clear()
                self._came.clear()
                self._parted = False
            case Welcomed():
                self._epoch = self._history.epoch(record.epoch)
            case Parted():
                self._parted = True
            case PageAsked():
                self._asked[record.number] = record
            case Paged():
                yield from self._arrive(record)
            case Filled():
                yield from self._fill(record)
            case _:
                pass

    def _arrive(self, page: Paged) -> Iterator[Violation]:
        for kind, detail in self._judge(page, self._asked.pop(page.number)):
            yield Violation(kind, self._device, page.room, page.upto, detail)
        for event in page.events:
            yield from compare(self._device, event, self._epoch)
        if page.events:
            self._came[page.room] = page.events[0].seq, page.events[-1].seq

    def _fill(self, filled: Filled) -> Iterator[Violation]:
        first, last = self._came.get(filled.room, (0, 0))
        # All of the page, but for what comes by itself.
        if filled.first != first or filled.last > last:
            detail = f"filled from {filled.first} to {filled.last} by a page of {first} to {last}"
            yield Violation(Kind.HOLE_IN_VIEW, self._device, filled.room, filled.first, detail)

    def finish(self) -> Iterator[Violation]:
        """As a Judge."""
        return iter(())

    def _judge(self, page: Paged, asked: PageAsked) -> Iterator[tuple[Kind, str]]:
        if self._parted:
            yield Kind.AFTER_GOODBYE, "a page"
        if self._epoch is None:
            return
        if self._person not in self._epoch.members.get(page.room, ()):
            yield Kind.OUTSIDER, "a page"
        if page.room != asked.room or page.upto > self._epoch.head(page.room):
            yield Kind.DISAGREES, "not the page that was asked for"
        places = [event.seq for event in page.events]
        first, last = (places[0], places[-1]) if places else (1, 0)
        if places != list(range(first, last + 1)):
            yield Kind.HOLE_ON_WIRE, f"in a page: {places}"
        if not _is_there(asked, first, last, page.upto):
            yield Kind.HOLE_ON_WIRE, f"a page from {first} to {last} for {asked}"
        if places and (page.older, page.newer) != (first > 1, last < page.upto):
            yield Kind.DISAGREES, "what is around a page"


def _is_there(asked: PageAsked, first: int, last: int, upto: int) -> bool:
    """Whether a page has what it was asked for: the rest follows from its having no hole."""
    if asked.around is not None or asked.when is not None:
        around = max(1, min(asked.around or first, upto))
        return first <= around <= last or not upto
    return last == min(upto, (asked.before or upto + 1) - 1)
