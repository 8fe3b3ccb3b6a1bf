"""What everyone is told of people: gathered during a turn, then put together for each."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PresenceBatch:
    """Frames in their order, joined once: what somebody gets of them is cut out of that.

    In a crowd a thousand come in one turn, and each gets the news of all who come after it.
    """

    _frames: list[bytes] = field(default_factory=list)
    _size: int = 0
    _begins: dict[int, int] = field(default_factory=dict)
    """From which byte on, for those who came in since the news began."""
    _own: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """The bytes that somebody is not told: where they begin and end."""
    _joined: bytes = b""

    def __bool__(self) -> bool:
        return self._size > 0

    def add(self, frame: bytes, but: int | None) -> None:
        """To be told to everyone but one connection, if it is given."""
        end = self._size + len(frame)
        if but is not None:
            self._own.setdefault(but, []).append((self._size, end))
        self._frames.append(frame)
        self._size = end

    def begin(self, connection: int) -> None:
        """A connection came in: what was added before this is none to it."""
        self._begins[connection] = self._size

    def of(self, connection: int) -> bytes:
        """What this connection is told: the same object to all who are told everything."""
        if len(self._joined) < self._size:
            self._joined = b"".join(self._frames)
        begin = self._begins.get(connection, 0)
        told = []
        for first, end in self._own.get(connection, ()):
            if first >= begin:
                told.append(self._joined[begin:first])
                begin = end
        return b"".join((*told, self._joined[begin:])) if told else self._joined[begin:]
