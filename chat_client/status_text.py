"""The state of the connection as text, for the window and for the command line."""

from typing import Final

from chat_client.state.attempts import Attempt, Failure
from chat_client.state.status import STORAGE, Link, Status
from common.domain.reasons import Reason
from common.domain.sentences import sentence, whole_sentence

_CLAUSES: Final = {
    Failure.WRONG_SERVER: "is another server than the one of the invite",
    Failure.NO_TLS: "answers on port {port}, but not as a ChatServer",
    Failure.BROKE_OFF: "ended the connection before it had shown who it is",
    Failure.REFUSED: "refused: no ChatServer is open there on port {port}, or a firewall is there",
    Failure.TIMED_OUT: "did not answer in time: a firewall may be in the way",
    Failure.NO_HOST: "can't be found: it is switched off, or a firewall is in the way",
    Failure.NO_ROUTE: "is on a network that this computer is not on",
    Failure.NO_NAME: "is a name that is not known here",
    Failure.FAILED: "could not be tried: {detail}",
}


_LONG: Final = 120
"""Seconds from which minutes are told, and minutes from which hours are."""


def describe_attempt(attempt: Attempt) -> str:
    """A clause for people that begins with the address as in the invite."""
    clause = _CLAUSES[attempt.failure].format(port=attempt.port, detail=attempt.detail)
    return f"{attempt.address} {clause}"


def refusal_text(reason: Reason) -> str:
    """A line for people: why what they asked for was not done, or may not have been."""
    return (
        whole_sentence(reason) if reason.code == "unanswered" else f"Not done: {sentence(reason)}"
    )


def describe(status: Status, waiting: int, now: float) -> str:
    """One line for people: the state of the connection, and the number of messages that wait.

    Where the connection has ended for good, a banner has the whole reason, which may be of any
    length, and this line only says so.
    """
    line = _describe(status, now)
    if waiting:
        line += f" · {waiting} message{'s' if waiting > 1 else ''} waiting"
    return line


def _describe(status: Status, now: float) -> str:
    match status.link:
        case Link.CONNECTING:
            return "Connecting…"
        case Link.ONLINE:
            return "Connected"
        case Link.PAUSED:
            what = "trying again" if status.code in STORAGE else "reconnecting"
            wait = _duration(status.retry_at - now)
            return f"{whole_sentence(status.reason).rstrip('.')} · {what} in {wait}"
        case Link.SIGNED_OUT:
            return "Signed out"
        case Link.REFUSED | Link.STOPPED:
            return "Not connected"


def _duration(seconds: float) -> str:
    """A time to wait, in a unit in which it is a number of few digits."""
    if seconds < _LONG:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < _LONG else f"{round(seconds / 3600)} h"
