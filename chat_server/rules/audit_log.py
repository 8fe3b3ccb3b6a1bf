"""The audit log: moderation and changes of the chat itself. It is append-only."""

from collections.abc import Mapping

from chat_server.rules.effects import Query, ReadAudit
from chat_server.rules.permissions import name_of_actor
from chat_server.rules.sessions import Session
from chat_server.rules.view import Audited
from chat_server.rules.world import Outcome, World
from common import limits
from common.protocol import messages


def whom(world: World, command: messages.ToServer) -> dict[str, str]:
    """Who is meant by a number in a command: it is resolved now, as it may be void later."""
    match command:
        case messages.Terminate(connection=int(number)) | messages.Ban(connection=int(number)):
            client = world.sessions.get(number)
            if client is not None and client.username is not None:
                return {"username": client.username, "device": client.device}
        case messages.Unban(number=int(number)):
            ban = world.directory.sanctions.get(number)
            if ban is not None:
                about = {"username": ban.username, "device": ban.device}
                return {name: value for name, value in about.items() if value is not None}
    return {}


def note(
    world: World,
    session: Session,
    command: messages.ToServer,
    about: Mapping[str, str],
    now: int,
) -> Audited:
    """Append to the audit log in the same transaction, and tell the host's window after it.

    `about` is what `whom` returned before the command was carried out.
    """
    fields = command.model_dump(exclude={"id", "type"}, exclude_none=True) | dict(about)
    by = name_of_actor(session)
    world.store.add_audit(now, by, command.type, fields)
    return Audited(by, command.type, fields, now)


def list_audit(_world: World, session: Session, command: messages.ListAudit, _now: int) -> Outcome:
    """A page of it, the newest first."""
    query = ReadAudit(command.before, limits.PAGE_AUDIT)
    return [Query(session.connection, command.id, query)]
