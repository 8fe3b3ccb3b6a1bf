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


def changes_nothing(world: World, command: messages.ToServer, now: int) -> bool:
    """Whether all is as a member wants it: nothing is logged of that.

    Else members could fill the log, by ending an invite of theirs that has ended long ago. What
    only moderators and the host may do is logged each time.
    """
    if not isinstance(command, messages.RevokeInvite):
        return False
    invite = world.directory.invites.get(command.number)
    return invite is not None and invite.ended(now) is not None


def whom(world: World, session: Session, command: messages.ToServer) -> dict[str, str]:
    """Who or what a command is about: it is resolved now, as it may be void later."""
    about: dict[str, str] = {}
    match command:
        case messages.AddDevice(username=None):
            about = {"username": session.username or ""}
        case messages.RemoveDevice(device=device):
            about = _device(world, session, command, device)
        case messages.RevokeInvite(number=number):
            about = _invite(world, number)
        case messages.Terminate(connection=int(number)) | messages.Ban(connection=int(number)):
            about = _client(world, number)
        case messages.Admit(request=number) | messages.Deny(request=number):
            about = _request(world, number)
        case messages.Unban(number=int(number)):
            about = _ban(world, number)
    return about


def _invite(world: World, number: int) -> dict[str, str]:
    invite = world.directory.invites.get(number)
    if invite is None:
        return {}
    about = {"kind": invite.kind, "username": invite.username, "note": invite.note}
    return {name: value for name, value in about.items() if value}


def _client(world: World, number: int) -> dict[str, str]:
    client = world.sessions.get(number)
    if client is None or client.username is None:
        return {}
    return {"username": client.username, "device": client.device}


def _request(world: World, number: int) -> dict[str, str]:
    request = world.requests.get(number)
    return {} if request is None else {"username": request.username, "device": request.device}


def _ban(world: World, number: int) -> dict[str, str]:
    ban = world.directory.sanctions.get(number)
    about = {} if ban is None else {"username": ban.username, "device": ban.device}
    return {name: value for name, value in about.items() if value is not None}


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
    if isinstance(command, messages.CreateInvite | messages.AddDevice):
        # By which it is revoked, and is in the list.
        fields["number"] = next(world.directory.invites.before(None)).number
    by = name_of_actor(session)
    world.store.add_audit(now, by, command.type, fields)
    return Audited(by, command.type, fields, now)


def list_audit(_world: World, session: Session, command: messages.ListAudit, _now: int) -> Outcome:
    """A page of it, the newest first."""
    query = ReadAudit(command.before, limits.PAGE_AUDIT)
    return [Query(session.connection, command.id, query)]
