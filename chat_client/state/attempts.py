"""The outcome of each address of an invite, when none of them led to the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from common.domain.invite import is_loopback


class Failure(Enum):
    """Why an address did not lead to the server; the most informative first."""

    WRONG_SERVER = auto()
    """A server answered with another certificate than the pinned one."""
    NO_TLS = auto()
    """Something answered that does not speak TLS 1.3."""
    BROKE_OFF = auto()
    """Something answered, and closed the connection during the handshake."""
    REFUSED = auto()
    """Connection refused: nothing listens on the port of that computer, or a firewall rejects."""
    TIMED_OUT = auto()
    """No answer in time: a firewall that drops packets, a router between, a stopped program."""
    NO_HOST = auto()
    """Host unreachable: switched off, or isolated by the network."""
    NO_ROUTE = auto()
    """Network unreachable: this computer has no route to it."""
    NO_NAME = auto()
    """The host name can't be resolved."""
    FAILED = auto()
    """Any other error of this computer's system: see `Attempt.detail`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address as it is in the invite, and the outcome.

    `here` is whether it is an address of this computer, too, such as that of a bridge for
    containers, which is the same on many computers.
    """

    address: str
    port: int
    failure: Failure
    detail: str = ""
    here: bool = False


def is_wrong_server(attempts: Sequence[Attempt]) -> bool:
    """Whether another server answers in place of the invite's.

    At an address of this computer that is only its own server, which says nothing about the server
    of the invite on another computer; unless the invite has no other addresses.
    """
    elsewhere = _elsewhere(attempts)
    return any(each.failure is Failure.WRONG_SERVER for each in elsewhere or attempts)


def worth_telling(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts that are worth showing to a person, in the invite's order.

    Left out are this computer's own addresses, as the loopback address is in every invite for
    clients on the server's own computer, and unreachable networks if any other address could be
    reached.
    """
    elsewhere = _elsewhere(attempts)
    routed = [attempt for attempt in elsewhere if attempt.failure is not Failure.NO_ROUTE]
    return routed or elsewhere or list(attempts)


def _elsewhere(attempts: Sequence[Attempt]) -> list[Attempt]:
    return [each for each in attempts if not (each.here or is_loopback(each.address))]
