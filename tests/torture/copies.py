"""Which of the server's histories a client's copy is of: followed through its records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.torture.epochs import wire_name
from tests.torture.record import (
    Admitted,
    Began,
    CacheReset,
    Connected,
    Record,
    Records,
    Synced,
    Welcomed,
)


class Copy:
    """Take a client's records in their order; then `of` and `server` name histories."""

    def __init__(self) -> None:
        self.of: str | None = None
        """What the client's copy is of; None before there is one."""
        self.server: str | None = None
        """What the server of the present connection has; None before it said so."""

    def take(self, record: Record) -> None:
        """The next record."""
        match record:
            case Began():
                if wire_name(self.of) != record.epoch:
                    # If it was killed having started over, and before it could say so.
                    over = wire_name(self.server) == record.epoch
                    self.of = self.server if over else record.epoch
                self.server = None
            case Connected():
                self.server = None
            case Welcomed():
                self.server = record.epoch
                if self.of is None:
                    self.of = record.epoch
            case CacheReset():
                self.of = self.server
            case Synced() if wire_name(self.of) == wire_name(self.server):
                # The server has found what is here in its own log.
                self.of = self.server
            case _:
                pass

    @property
    def doubtful(self) -> bool:
        """Whether the copy is of an earlier history of the same epoch: it may have to go."""
        return self.of != self.server and wire_name(self.of) == wire_name(self.server)


@dataclass(frozen=True, slots=True)
class PlacedRecords:
    """A client's records, each `Welcomed` with the history that the server really had.

    `sessions` tells it by the session that it admitted the client to then. Of a connection that
    ended before that, as when somebody is banned, it says nothing of any history and is left out:
    the name that the server gave it may be that of several.
    """

    records: Records
    sessions: Mapping[str, str]

    def __iter__(self) -> Iterator[Record]:
        waiting: list[Record] = []
        """A `Welcomed`, and what came after it."""
        for record in self.records:
            if isinstance(record, Admitted) and waiting:
                name = self.sessions.get(record.session)
                welcomed, *rest = waiting
                if name is not None and isinstance(welcomed, Welcomed):
                    welcomed = replace(welcomed, epoch=name)
                yield from (welcomed, *rest, record)
                waiting = []
            elif isinstance(record, Welcomed | Began | Connected):
                yield from waiting[1:]
                waiting = [record] if isinstance(record, Welcomed) else []
                if not waiting:
                    yield record
            elif waiting:
                waiting.append(record)
            else:
                yield record
        yield from waiting[1:]
