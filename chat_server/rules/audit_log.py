"""The audit log: moderation and changes of the chat itself. It is append-only."""

from collections.abc import Mapping

from chat_server.rules.devices import device_id
from chat_server.rules.effects import Query, ReadAudit
from chat_server.rules.invites import owner_named
from chat_server.rules.permissions import name_of_actor
from chat_server.rules.sessions import Session
from chat_server.rules.view import Audited
from chat_server.rules.world import Outcome, World
from common import limits
from common.protocol import messages


def whom(world: World, session: Session, command: messages.ToServer) -> dict[str, str]:
    """Who or what a command is about: it is resolved now, as it may be void later."""
    match command:
        case messages.AddDevice(username=None):
            return {"username": session.username or ""}
        case messages.RemoveDevice(device=device):
            return _device(world, session, command, device)
        case messages.RevokeInvite(number=number):
            invite = world.directory.invites.get(number)
            if invite is not None:
                about = {"kind": invite.kind, "username": invite.username, "note": invite.note}
                return {name: value for name, value in about.items() if value}
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


def _device(
    world: World, session: Session, command: messages.RemoveDevice, device: str
) -> dict[str, str]:
    username = owner_named(session, command) or ""
    names = [
        world.directory.devices[key].name
        for key in world.directory.devices_of.get(username, ())
        if device_id(key) == device
    ]
    return {"username": username, "name": ", ".join(names)}


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
