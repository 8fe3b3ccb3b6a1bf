"""The audit log: what was done to people and to the chat. It only grows."""

from chat_server.rules.effects import Query, ReadAudit
from chat_server.rules.permissions import name_of_actor
from chat_server.rules.sessions import Session
from chat_server.rules.view import Audited
from chat_server.rules.world import Outcome, World
from common import limits, messages


def note(world: World, session: Session, command: messages.ToServer, now: int) -> Audited:
    """Write down what is done, in the transaction that does it; the host's window tells it, too."""
    fields = command.model_dump(exclude={"id", "type"}, exclude_none=True)
    by = name_of_actor(session)
    world.store.add_audit(now, by, command.type, fields)
    return Audited(by, command.type, fields, now)


def list_audit(_world: World, session: Session, command: messages.ListAudit, _now: int) -> Outcome:
    """A page of it, the newest first."""
    query = ReadAudit(command.before, limits.PAGE_AUDIT)
    return [Query(session.connection, command.id, query)]
