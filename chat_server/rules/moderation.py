"""Moderation, by moderators and the host: ending connections, bans, mutes, roles."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from chat_server.rules import inputs, invites
from chat_server.rules.effects import After, Answer, Tell, TellAccount, TellEveryone
from chat_server.rules.join_requests import JoinRequest
from chat_server.rules.permissions import may_act_on, name_of_actor
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import Sanction, SanctionKind, sanction_params
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, done, no_such_person, refuse
from common import limits
from common.domain.names import fold_username
from common.protocol import messages


class _RefusedError(Exception):
    """The command is refused; `outcome` has the reply."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def terminate(world: World, session: Session, command: messages.Terminate, _now: int) -> Outcome:
    """End a connection, or all of a person's."""
    try:
        ended = _targets(world, session, command, command.connection, command.username)
    except _RefusedError as refused:
        return refused.outcome
    goodbye = messages.Goodbye(code="terminated", params={"reason": command.reason})
    return [world.end(ended, goodbye, "terminated"), done(session, command)]


def ban(world: World, session: Session, command: messages.Ban, now: int) -> Outcome:
    """Ban a person with all their devices, or the device behind a connection.

    Banning a person renews the invite: they may know the link.
    """
    if _is_past(command.until, now):
        return refuse(session, command, "time_past", "until")
    try:
        ended = _targets(world, session, command, command.connection, command.username)
    except _RefusedError as refused:
        return refused.outcome
    installations = {each.installation for each in ended}
    username, device, note = None, None, None
    outcome: Outcome = []
    if command.username is not None:
        username = fold_username(command.username)
        installations |= world.directory.installations.get(username, set())
        shared = _shared(world, installations, username)
        if shared:
            installations -= shared
            note = "shared_device"
        outcome += [*invites.renew_invite(world, now), *invites.revoke_of(world, username, now)]
    else:
        device = _device_of(ended[0].device, ended[0].username or "")
        if ended[0].installation in world.own_installations():
            return refuse(session, command, "not_allowed", "connection")
    # Other accounts from the same installations are disconnected, too: they could not reconnect.
    known = {each.connection for each in ended}
    there = [each for each in world.sessions if each.installation in installations]
    ended = [*ended, *(each for each in there if each.username and each.connection not in known)]
    sanction = Sanction(
        number=0,
        kind=SanctionKind.BAN,
        username=username,
        installations=frozenset(installations),
        device=device,
        until=command.until,
        reason=command.reason,
        by=name_of_actor(session),
        at=now,
    )
    _sanction(world, sanction)
    goodbye = messages.Goodbye(code="banned", params=sanction_params(sanction))
    outcome += _end_requests(world, installations, now)
    return [*outcome, world.end(ended, goodbye, "banned"), done(session, command, note)]


def ban_device_of(world: World, session: Session, request: JoinRequest, now: int) -> bool:
    """Ban the device of somebody who asks to join. False if moderators or the host use it, too."""
    if _shared(world, {request.installation}, ""):
        return False
    _sanction(
        world,
        Sanction(
            number=0,
            kind=SanctionKind.BAN,
            username=None,
            installations=frozenset({request.installation}),
            device=_device_of(request.device, request.username),
            until=None,
            reason="",
            by=name_of_actor(session),
            at=now,
        ),
    )
    return True


def unban(world: World, session: Session, command: messages.Unban, now: int) -> Outcome:
    """Lift all bans of a person and their devices, or one ban by its number."""
    try:
        if command.username is None:
            lifted = _one_ban(world, session, command)
        else:
            username = fold_username(command.username)
            _person(world, session, command, username)
            lifted = world.directory.sanctions.about(SanctionKind.BAN, username)
    except _RefusedError as refused:
        return refused.outcome
    if not any(each.holds(now) for each in lifted):
        field = "number" if command.username is None else "username"
        return refuse(session, command, "no_such_sanction", field)
    _lift(world, lifted)
    for each in lifted:
        world.requests.release(each.installations)
    return [done(session, command)]


def mute(world: World, session: Session, command: messages.MutePerson, now: int) -> Outcome:
    """Mute a person: they can read but not write."""
    if _is_past(command.until, now):
        return refuse(session, command, "time_past", "until")
    username = fold_username(command.username)
    try:
        _person(world, session, command, username)
    except _RefusedError as refused:
        return refused.outcome
    _lift(world, world.directory.sanctions.about(SanctionKind.MUTE, username))
    _sanction(
        world,
        Sanction(
            number=0,
            kind=SanctionKind.MUTE,
            username=username,
            installations=frozenset(),
            device=None,
            until=command.until,
            reason=command.reason,
            by=name_of_actor(session),
            at=now,
        ),
    )
    told = messages.Mute(until=command.until, reason=command.reason)
    return [*_tell_of_mute(username, told), done(session, command)]


def unmute(world: World, session: Session, command: messages.Unmute, now: int) -> Outcome:
    """Lift a person's mute."""
    username = fold_username(command.username)
    try:
        _person(world, session, command, username)
    except _RefusedError as refused:
        return refused.outcome
    muted = world.directory.sanctions.mute_of(now, username)
    if muted is None:
        return refuse(session, command, "no_such_sanction", "username")
    _lift(world, world.directory.sanctions.about(SanctionKind.MUTE, username))
    return [*_tell_of_mute(username, None), done(session, command)]


def set_role(world: World, session: Session, command: messages.SetRole, now: int) -> Outcome:
    """Make a member a moderator, or the reverse."""
    account = world.directory.living(fold_username(command.username))
    if account is None:
        return no_such_person(session, command, command.username)
    role = Role.MODERATOR if command.role == "moderator" else Role.MEMBER
    if role is account.role:
        return [done(session, command)]
    changed = replace(account, role=role, change=world.directory.next_change())
    world.store.change_account(changed)
    world.directory.change_account(changed)
    # The links of a moderator are valid no longer than the right to make them.
    ended = [] if role is Role.MODERATOR else invites.revoke_rights_of(world, account.username, now)
    told = messages.PersonChanged(person=world.person(account.username))
    return [TellEveryone(told), done(session, command), *ended]


def list_clients(
    world: World, session: Session, command: messages.ListClients, _now: int
) -> Outcome:
    """A page of the connections that are signed in."""

    def clients() -> messages.Clients:
        after = (each for each in world.sessions if each.connection > command.after)
        found = sorted(
            (each for each in after if each.username is not None), key=lambda each: each.connection
        )
        page = found[: limits.PAGE_CLIENTS]
        return messages.Clients(
            re=command.id,
            clients=tuple(map(_client, page)),
            more=len(page) < len(found),
        )

    return [Answer(session.connection, command.id, clients)]


def list_sanctions(
    world: World, session: Session, command: messages.ListSanctions, now: int
) -> Outcome:
    """A page of the bans and mutes in force."""

    def sanctions() -> messages.Sanctions:
        found = world.directory.sanctions.after(command.after, now)
        page = list(islice(found, limits.PAGE_SANCTIONS + 1))
        return messages.Sanctions(
            re=command.id,
            sanctions=tuple(map(_told, page[: limits.PAGE_SANCTIONS])),
            more=len(page) > limits.PAGE_SANCTIONS,
        )

    outcome: Outcome = [Answer(session.connection, command.id, sanctions)]
    if world.directory.sanctions.ended(now):
        outcome.append(After(inputs.PurgeSanctions()))
    return outcome


def purge(world: World, _item: inputs.PurgeSanctions, now: int) -> Outcome:
    """Delete expired bans and mutes, and invites that ended long ago."""
    _lift(world, world.directory.sanctions.ended(now))
    invites.purge(world, now)
    return []


def _is_past(until: int | None, now: int) -> bool:
    """Whether that end is in the past already."""
    return until is not None and until <= now


def _shared(world: World, installations: Collection[str], username: str) -> set[str]:
    """The installations that a moderator but `username` uses, or that are the host's own.

    They are exempt from somebody else's ban, which would lock out the moderator or the host.
    """
    shared = set(installations).intersection(world.own_installations())
    for other, account in world.directory.accounts.items():
        if account.role is Role.MODERATOR and other != username:
            shared |= world.installations_of(other).intersection(installations)
    return shared


def _one_ban(world: World, session: Session, command: messages.Unban) -> list[Sanction]:
    """The ban of a number, or nothing. Raises _RefusedError."""
    found = world.directory.sanctions.get(command.number or 0)
    if found is None or found.kind is not SanctionKind.BAN:
        return []
    account = world.directory.accounts.get(found.username or "")
    if account is None:
        # A moderator may have come from that device, who would lift what the host has done to it.
        may_lift = session.is_host or not _shared(world, found.installations, "")
    else:
        may_lift = may_act_on(world, session, account)
    if not may_lift:
        raise _RefusedError(refuse(session, command, "not_allowed", "number"))
    return [found]


def _targets(
    world: World,
    session: Session,
    command: messages.Terminate | messages.Ban,
    connection: int | None,
    username: str | None,
) -> Sequence[Session]:
    """The sessions meant by a command. Raises _RefusedError.

    Connections are known to the host alone; a moderator could only guess their numbers.
    """
    if username is not None:
        username = fold_username(username)
        _person(world, session, command, username)
        return list(world.sessions.of(username))
    if not session.is_host:
        raise _RefusedError(refuse(session, command, "not_allowed", "connection"))
    client = world.sessions.get(connection or 0)
    if client is None or client.username is None:
        raise _RefusedError(refuse(session, command, "no_such_client", "connection"))
    _person(world, session, command, client.username)
    return [client]


def _person(world: World, session: Session, command: messages.Command, username: str) -> None:
    """The account that a command acts on. Raises _RefusedError if that is not permitted."""
    account = world.directory.accounts.get(username)
    if account is None:
        raise _RefusedError(no_such_person(session, command, username))
    if not may_act_on(world, session, account):
        raise _RefusedError(refuse(session, command, "not_allowed", "username"))


def _end_requests(world: World, installations: Collection[str], now: int) -> Outcome:
    """End the requests to join of banned devices: who is let in from one could not join."""
    outcome: Outcome = []
    for request in world.requests:
        if request.installation in installations:
            outcome += world.no_longer_asks(request.connection, "blocked", now)
            world.directory.undo.note(partial(world.asks_again, request))
            outcome.append(Tell(request.connection, messages.KnockAnswered(code="blocked")))
    return outcome


def _device_of(device: str, username: str) -> str:
    """What a banned device is listed as: many are called the same, so it says whose it was."""
    whose = f" of @{username}"
    return device[: limits.PROGRAM_LENGTH - len(whose)].rstrip() + whose


def _sanction(world: World, sanction: Sanction) -> None:
    world.directory.add_sanction(world.store.add_sanction(sanction))


def _lift(world: World, sanctions: Iterable[Sanction]) -> None:
    for sanction in list(sanctions):
        world.store.remove_sanction(sanction)
        world.directory.remove_sanction(sanction)


def _tell_of_mute(username: str, mute: messages.Mute | None) -> Outcome:
    return [TellAccount(username, messages.MuteChanged(mute=mute))]


def _client(session: Session) -> messages.ClientFacts:
    received, sent = session.traffic
    return messages.ClientFacts(
        connection=session.connection,
        username=session.username or "",
        device=session.device,
        address=session.address,
        since=session.since,
        bytes_in=received,
        bytes_out=sent,
        slow=session.slow,
    )


def _told(sanction: Sanction) -> messages.Sanction:
    return messages.Sanction(
        number=sanction.number,
        kind=sanction.kind,
        username=sanction.username,
        device=sanction.device,
        until=sanction.until,
        reason=sanction.reason,
        by=sanction.by,
        at=sanction.at,
    )
