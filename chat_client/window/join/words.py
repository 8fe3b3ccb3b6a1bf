"""What the join screen says of where a chat is, and of what did not work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_client.state.attempts import Attempt, Failure, worth_telling
from chat_client.state.status import WRONG_SERVER, Status
from chat_client.status_text import describe_attempt
from common.domain.invite import Place
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence
from common.limits import DEFAULT_PORT
from common.ui.widgets.safe_text import safe

_MOST_TOLD: Final = 3
"""Addresses of which it is told what came of them: more would not fit."""


def where_of(place: Place) -> str:
    """Where a chat is, for who looks at it."""
    port = "" if place.port == DEFAULT_PORT else f", port {place.port}"
    return f"at {safe(place.hosts[0])}{port}"


def tried(status: Status) -> str:
    """What went wrong; and if no connection was made, where the server was looked for, and why."""
    return tried_text(status.reason, status.attempts)


def tried_text(reason: Reason, attempts: Sequence[Attempt]) -> str:
    """The same for a reason and its attempts."""
    told = worth_telling(attempts)
    if reason.code in WRONG_SERVER:
        told = [attempt for attempt in told if attempt.failure is Failure.WRONG_SERVER]
    lines = [f"{safe(describe_attempt(attempt))}." for attempt in told[:_MOST_TOLD]]
    if len(told) > _MOST_TOLD:
        lines.append(f"{len(told) - _MOST_TOLD} more addresses led nowhere.")
    return "\n".join([safe(whole_sentence(reason)), *lines])
