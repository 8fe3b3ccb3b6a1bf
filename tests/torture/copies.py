"""Which of the server's histories a client's copy is of: followed through its records."""

from tests.torture.record import Began, Connected, Record, StartedOver, Welcomed


class Copy:
    """Take a client's records in their order; then `of` and `server` name epochs."""

    def __init__(self) -> None:
        self.of: str | None = None
        """What the client's copy is of; None before there is one."""
        self.server: str | None = None
        """What the server of the present connection has; None before it said so."""

    def take(self, record: Record) -> None:
        """The next record."""
        match record:
            case Began():
                # If it was killed having started over, and before it could say so.
                self.of = record.epoch
                self.server = None
            case Connected():
                self.server = None
            case Welcomed():
                self.server = record.epoch
                if self.of is None:
                    self.of = record.epoch
            case StartedOver():
                self.of = self.server
            case _:
                pass
