"""Sessions: what the rules know of each connection, and which accounts are online."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Session:
    """One connection and, once authenticated, its account.

    `cursors` holds the rooms this session is being caught up in, with the last `seq` handed
    to it; a room in `live` gets its events as they are published.
    """

    connection: int
    address: str
    since: int
    is_host: bool = False
    """A session of the host's window or of ctl: it has no account."""
    username: str | None = None
    device: str = ""
    installation: str = ""
    traffic: tuple[int, int] = (0, 0)
    """Bytes received and sent, as of the last `Traffic`."""
    slow: bool = False
    device_key: bytes = b""
    key: str = ""
    """The session's name for `resume`."""
    capabilities: frozenset[str] = frozenset()
    """The capabilities beyond the protocol's version that both ends have."""
    server_name: str = ""
    """The chat's name as it was sent last."""
    cursors: dict[str, int] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    reading: bool = False
    """A page is being read by a worker."""
    brought: int = 0
    """Pages sent to the I/O thread so far; `Drained` names the last that was written."""
    ending: bool = False
    """It ends as soon as what ends it is stored; nothing that comes from it is taken any more."""
    writing: bool = False
    """The send queue is full or has a page in it, until `Drained` (back-pressure)."""


class Sessions:
    """Every connection by number, and the admitted ones by account."""

    def __init__(self) -> None:
        self._by_connection: dict[int, Session] = {}
        self._by_username: dict[str, set[int]] = {}

    def open(self, session: Session) -> None:
        """Add the session of a new connection."""
        self._by_connection[session.connection] = session

    def admit(self, session: Session, username: str) -> bool:
        """Bind a session to an account. True when the account was offline before."""
        session.username = username
        mine = self._by_username.setdefault(username, set())
        mine.add(session.connection)
        return len(mine) == 1

    def undo_admit(self, session: Session) -> None:
        """Undo `admit`, whose account was rolled back: the connection is unauthenticated again."""
        still_there, _ = self.close(session.connection)
        session.username = None
        if still_there is not None:
            self.open(session)

    def close(self, connection: int) -> tuple[Session | None, bool]:
        """Remove a session. Returns it (None if unknown), and whether its account went offline."""
        session = self._by_connection.pop(connection, None)
        if session is None or session.username is None:
            return session, False
        mine = self._by_username[session.username]
        mine.discard(connection)
        if mine:
            return session, False
        del self._by_username[session.username]
        return session, True

    def get(self, connection: int) -> Session | None:
        """The session of a connection; None if it has ended."""
        return self._by_connection.get(connection)

    def of(self, username: str) -> Iterator[Session]:
        """The sessions of an account."""
        for connection in sorted(self._by_username.get(username, ())):
            yield self._by_connection[connection]

    def usernames(self) -> list[str]:
        """The usernames of all accounts that have a session, sorted."""
        return sorted(self._by_username)

    def online(self, username: str) -> bool:
        """Whether an account has a session (presence)."""
        return username in self._by_username

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._by_connection.values()))
