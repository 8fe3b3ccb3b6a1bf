"""What the banner and the header say about the connection, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from chat_client.state.status import STORAGE, WRONG_SERVER, Link, Status
from chat_client.status_text import describe
from chat_client.window.overview import PRESENCE_TEXT, Overview
from common.domain.names import direct_partner
from common.domain.reasons import Reason
from common.domain.sentences import sentence, whole_sentence
from common.ui.look.palette import PillTone
from common.ui.widgets.safe_text import safe

_LATER: Final = "What you write is kept and sent later."


_NEW_INVITE_HELPS: Final = WRONG_SERVER | {
    *("not_recognized", "for_newcomers"),
    *("bad_secret", "invite_expired", "invite_used", "invite_needed", "ask_first"),
}
"""Codes of a refusal that an invite mends, another one than before."""
_CORE_ENDED: Final = frozenset({"internal_error", "ended"})
"""Codes after which nothing tries anything any more, until the account is opened anew."""

Deed = Literal["connect", "leave", "come_back", "reopen"]


class Offer(NamedTuple):
    """What can be done with a click.

    Connect, go to the join screen, come back there into this chat, or open the account anew.
    """

    label: str
    does: Deed = "connect"


class Notice(NamedTuple):
    """What a banner shows."""

    text: str
    tone: PillTone
    offer: Offer | None = None


def notice_of(status: Status, now: int) -> Notice | None:
    """What the banner says about a connection that is not there; `now` by the server's clock.

    None while there is one, and while it is being made.
    """
    text = reason_text(status.reason)
    if status.code == "banned":
        offer = None if holds(status.reason, now) else Offer("Sign in again")
        return Notice(text, "slow", offer)
    match status.link:
        case Link.ONLINE | Link.CONNECTING:
            return None
        case Link.PAUSED if status.code in STORAGE:
            text += " What you write stays in its field until it can be kept."
            return Notice(text, "slow", Offer("Try now"))
        case Link.PAUSED:
            return Notice(f"{text} {_LATER}", "away", Offer("Try now"))
        case Link.SIGNED_OUT:
            return Notice(_why_signed_out(status.reason), "slow", Offer("Sign in again"))
        case Link.REFUSED | Link.STOPPED:
            return Notice(text, "slow", _way_back(status))


def _way_back(status: Status) -> Offer:
    if status.code == "account_deleted":
        return Offer("Go to another chat", "leave")
    if status.code in _CORE_ENDED:
        return Offer("Open it again", "reopen")
    if status.code in _NEW_INVITE_HELPS:
        return Offer("Join again", "come_back")
    return Offer("Try again")


def notice_of_delay(why: Reason) -> Notice:
    """What the banner says when a connected server takes no message for now."""
    return Notice(f"{reason_text(why)} {_LATER}", "away")


def reason_text(reason: Reason) -> str:
    """A reason in words, shown harmlessly: some of them may be a host's."""
    return safe(whole_sentence(reason))


def _why_signed_out(reason: Reason) -> str:
    if reason.code == "terminated":
        return reason_text(reason)  # It says so itself.
    return f"You were signed out: {safe(sentence(reason).rstrip('.'))}."


def holds(reason: Reason, now: int) -> bool:
    """Whether what it tells of has not ended by itself."""
    until = reason.params.get("until")
    return not isinstance(until, int) or now < until


def next_end(reasons: Iterable[Reason], now: int) -> int | None:
    """Milliseconds until the first of what these tell of ends by itself; None if none does."""
    ends = [reason.params.get("until") for reason in reasons]
    return min((end - now for end in ends if isinstance(end, int) and end > now), default=None)


def status_line(status: Status, waiting: int, overview: Overview, room: str, *, now: float) -> str:
    """The line beside a room's name; `now` is on the monotonic clock.

    Its parts are divided by " · ", those that matter most last.
    """
    line = describe(status, waiting, now)
    if status.link is Link.ONLINE:
        partner = direct_partner(room, overview.me)
        if partner is None:
            count = overview.count_members(room)
            line = f"{count} member{'s' if count != 1 else ''} · {line}"
        else:
            # Whose is which must be plain: the other one may be away while we are connected.
            presence = PRESENCE_TEXT[overview.presence(partner)]
            if partner in overview.former:
                presence = "No longer here"
            line = f"{presence} · you are {line[0].lower()}{line[1:]}"
    return safe(line)
