"""What the log has of the hub's work at the level debug: types and numbers, no content."""

import logging
from collections.abc import Sequence

from chat_server.hub.batch import Applied
from chat_server.rules.effects import Tell
from chat_server.rules.world import Outcome, World
from common.protocol.debug_summaries import brief
from common.protocol.messages import Error

log = logging.getLogger(__name__)


def log_batch(world: World, applied: Sequence[Applied], commit_time: float) -> None:
    """Log each command and input with its result, and the batch; `commit_time` in seconds.

    It costs some 20 microseconds for a command: only for a log that takes it.
    """
    refused = 0
    commands = 0
    for entry in applied:
        if entry.asked is None:
            continue
        connection, asked = entry.asked
        session = world.sessions.get(connection)
        account = world.account_of(session) if session is not None else None
        number = "-" if account is None else account.number
        result = _result(entry.outcome)
        if hasattr(asked, "type"):
            commands += 1
            refused += result != "ok"
        log.debug("connection %d, account %s: %s -> %s", connection, number, brief(asked), result)
    if commands:
        milliseconds = commit_time * 1000
        log.debug("batch: %d commands, %d refused, commit %.2f ms", commands, refused, milliseconds)


def _result(outcome: Outcome) -> str:
    """The code of the error that it led to, or "ok"."""
    for effect in outcome:
        if isinstance(effect, Tell) and isinstance(effect.message, Error):
            return effect.message.code
    return "ok"
