"""Connections as the host's window knows them, and the rows of their table."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from chat_server.window.formats import (
    clock_text,
    handle_text,
    size_text,
)
from chat_server.window.model import ClientRow


@dataclass(frozen=True, slots=True)
class Client:
    """A connection as known from the events."""

    connection: int
    name: str
    username: str
    device: str
    address: str
    since: int
    received: int = 0
    sent: int = 0
    slow: bool = False
    account: str = ""
    """The username as received, which may not be safe to show."""

    @property
    def handle(self) -> str:
        """`@username`, unless it equals the name."""
        return handle_text(self.name, self.username)

    def matches(self, wanted: str) -> bool:
        """Whether one of the texts contains `wanted`, which is case-folded."""
        texts = (self.name, self.username, self.device, self.address)
        return any(wanted in text.casefold() for text in texts)


def _address_order(address: str) -> str:
    """A text that sorts addresses by number, IPv4 first: 192.0.2.9 before 192.0.2.10."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return f"{parsed.version}{parsed.packed.hex()}"


def client_row(client: Client, now: int, *, is_moderator: bool, muted: str) -> ClientRow:
    """The row of a connection; `muted` is until when, as text."""
    return ClientRow(
        connection=client.connection,
        name=client.name,
        username=client.username,
        device=client.device,
        address=client.address,
        since_text=clock_text(client.since, now),
        received_text=size_text(client.received),
        sent_text=size_text(client.sent),
        slow=client.slow,
        address_order=_address_order(client.address),
        since=client.since,
        received=client.received,
        sent=client.sent,
        is_moderator=is_moderator,
        muted=muted,
    )
