"""Pushes to everyone, above all presence: gathered during a turn, then coalesced per connection."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PresenceBatch:
    """Frames in their order, joined once; each connection gets a slice of that buffer.

    When a thousand sign in during one turn, each gets the pushes about all after it. A list of
    frames for each would be n² / 2 references to join; byte ranges cut out of one buffer are n.
    """

    _frames: list[bytes] = field(default_factory=list)
    _size: int = 0
    _begins: dict[int, int] = field(default_factory=dict)
    """From which byte on, for connections that signed in while the batch was gathered."""
    _own: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By connection, the byte ranges that it does not get: pushes about itself."""
    _joined: bytes = b""

    def __bool__(self) -> bool:
        return self._size > 0

    def add(self, frame: bytes, but: int | None) -> None:
        """Add a push for everyone, but for the connection `but` if that is given."""
        end = self._size + len(frame)
        if but is not None:
            self._own.setdefault(but, []).append((self._size, end))
        self._frames.append(frame)
        self._size = end

    def begin(self, connection: int) -> None:
        """A connection signed in: it gets only what is added from now on."""
        self._begins[connection] = self._size

    def of(self, connection: int) -> bytes:
        """The bytes for one connection; the same object for all who get everything."""
        if len(self._joined) < self._size:
            self._joined = b"".join(self._frames)
        begin = self._begins.get(connection, 0)
        told = []
        for first, end in self._own.get(connection, ()):
            if first >= begin:
                told.append(self._joined[begin:first])
                begin = end
        return b"".join((*told, self._joined[begin:])) if told else self._joined[begin:]
