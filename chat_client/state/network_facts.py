"""Why no chat was found, from facts about this computer and its network."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from chat_client.state.attempts import Attempt, Failure
from common.domain.reasons import Reason

CAUSES: Final = frozenset(
    {
        *("no_network", "vpn_on", "asks_nobody"),
        *("nobody_hosts", "only_router_answers", "nobody_answers"),
        *("found_refused", "found_dropped", "found_elsewhere", "found_other"),
    }
)
"""The codes of all reasons that are made here, but for `unreachable`."""


class Router(Enum):
    """What became of a connection to the router of this network."""

    NONE = auto()
    """This network has no router, or it is not known."""
    ANSWERS = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What was found out, without a packet beyond the link.

    `has_network` is whether there is an address besides loopback ones, `by_vpn` whether a tunnel
    takes this computer's traffic. `asks` is whether a question could be sent; if not, `error` is
    what the system says. `answers` is the number of devices that answered, but for the router.
    """

    has_network: bool
    by_vpn: bool = False
    asks: bool = True
    error: str = ""
    answers: int = 0
    router: Router = Router.NONE


def causes(facts: NetworkFacts) -> tuple[Reason, ...]:
    """The likely causes, the most certain first; each names one thing to do.

    Where two causes look the same from here, the reason names both.
    """
    if not facts.has_network:
        return (Reason("no_network"),)
    found = [Reason("vpn_on")] if facts.by_vpn else []
    if not facts.asks:
        return (*found, Reason("asks_nobody", {"cause": facts.error}))
    if facts.answers:
        found.append(Reason("nobody_hosts"))
    elif facts.router is Router.ANSWERS:
        found.append(Reason("only_router_answers"))
    else:
        found.append(Reason("nobody_answers"))
    return tuple(found)


_CODES: Final = {
    # Its advert was forged, or another server has its address now.
    Failure.WRONG_SERVER: "found_other",
    Failure.REFUSED: "found_refused",
    Failure.BROKE_OFF: "found_refused",
    Failure.TIMED_OUT: "found_dropped",
    # What a firewall's reject looks like, and a computer that went off the network just now.
    Failure.NO_HOST: "found_dropped",
    Failure.NO_ROUTE: "found_elsewhere",
}


def why_not_reached(name: str, attempts: Sequence[Attempt]) -> Reason:
    """Why a chat that was found can't be reached: it is known to be there, so less can be wrong.

    `name` is the chat's, `attempts` are what became of its addresses, one at least.
    """
    worst = min(attempts, key=lambda attempt: attempt.failure.value)
    code = _CODES.get(worst.failure)
    if code is None:
        return Reason("unreachable")
    return Reason(code, {"name": name, "address": worst.address, "port": worst.port})
