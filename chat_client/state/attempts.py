"""What came of each address of an invite, when none of them led to the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from common.domain.invite import is_loopback


class Failure(Enum):
    """Why an address did not lead to the server; the most telling first."""

    WRONG_SERVER = auto()
    """A server answered whose certificate is not the pinned one."""
    NO_TLS = auto()
    """Something answered that does not speak TLS 1.3."""
    BROKE_OFF = auto()
    """Something answered, and ended the connection before it had shown who it is."""
    REFUSED = auto()
    """The computer is there and nothing listens on the port, or a firewall says so."""
    TIMED_OUT = auto()
    """Nothing came back in time: a firewall that drops, a router between, a stopped program."""
    NO_HOST = auto()
    """The network says that no such computer is there: switched off, or kept apart."""
    NO_ROUTE = auto()
    """This computer has no network that leads there."""
    NO_NAME = auto()
    """No computer is known by the name."""
    FAILED = auto()
    """This computer's system refused, for the reason in `Attempt.detail`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address of the invite, as it stands there, and what came of it."""

    address: str
    port: int
    failure: Failure
    detail: str = ""


def is_wrong_server(attempts: Sequence[Attempt]) -> bool:
    """Whether another server stands in the place of the invite's.

    At a loopback address that is only this computer's own server, which says nothing of the one
    that the invite was made by elsewhere; unless the invite has no other addresses.
    """
    elsewhere = [attempt for attempt in attempts if not is_loopback(attempt.address)]
    return any(each.failure is Failure.WRONG_SERVER for each in elsewhere or attempts)


def worth_telling(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts without those that would only confuse, in the invite's order.

    A loopback address is in every invite, for clients on the server's own computer; and where an
    address can be reached at all, those of networks that this computer is not on say nothing.
    """
    elsewhere = [attempt for attempt in attempts if not is_loopback(attempt.address)]
    routed = [attempt for attempt in elsewhere if attempt.failure is not Failure.NO_ROUTE]
    return routed or elsewhere or list(attempts)
