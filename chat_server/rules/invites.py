"""Invites: the standing one, others with a role, a bound and an end, and those for devices."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from math import ceil
from operator import attrgetter
from typing import Final

from chat_server.rules import inputs
from chat_server.rules.effects import After, Answer
from chat_server.rules.issued_invites import (
    STANDING,
    InviteKind,
    IssuedInvite,
    secret_hash,
)
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import InviteRenewed, InvitesChanged
from chat_server.rules.world import Outcome, World, done, no_such_person, refuse
from common import limits
from common.domain.names import fold_username
from common.domain.reasons import Params
from common.protocol import messages

MOST_INVITES: Final = 1000
"""Links that may be valid at once."""
MOST_UNUSED: Final = 64
"""Invites for the spoken code that may be valid at once. Each is used as soon as it is issued; who
proves the code over and over gives up their former ones."""
ROLES: Final = {"member": Role.MEMBER, "moderator": Role.MODERATOR}


def show_invite(world: World, session: Session, command: messages.ShowInvite, _now: int) -> Outcome:
    """Reply with the standing invite's link."""
    return [_standing_link(world, session, command)]


def new_invite(world: World, session: Session, command: messages.NewInvite, now: int) -> Outcome:
    """Make a new standing link; the old one becomes invalid."""
    return [*renew_invite(world, now), _standing_link(world, session, command)]


def renew_invite(world: World, now: int) -> Outcome:
    """Replace the standing secret: the old link becomes invalid, accounts are not affected."""
    secret = secrets.token_urlsafe(16)
    world.store.set_meta("invite_secret", secret)
    before = world.directory.invites.get(STANDING)
    if before is not None:
        change(world, replace(before, secret_hash=secret_hash(secret), created=now, uses=0))
    world.directory.undo.note(partial(setattr, world, "facts", world.facts))
    world.facts = replace(world.facts, secret=secret)
    return [InviteRenewed(), InvitesChanged()]


def create_invite(
    world: World, session: Session, command: messages.CreateInvite, now: int
) -> Outcome:
    """Make an invite for newcomers; only the host makes one for moderators."""
    if not session.is_host:
        if not world.facts.moderators_invite:
            return refuse(session, command, "not_allowed")
        if command.role != "member":
            return refuse(session, command, "not_allowed", "role")
        wait = world.invite_limit.ask(session.username or "", now / 1000)
        if wait:
            return _too_soon(session, command, wait)
    links = (each for each in world.directory.invites if each.kind is InviteKind.LINK)
    if sum(each.ended(now) is None for each in links) >= MOST_INVITES:
        return refuse(session, command, "too_many_invites", params={"most": MOST_INVITES})
    invite, secret = issue(
        world,
        InviteKind.LINK,
        now,
        by=session.username,
        role=ROLES[command.role],
        note=command.note,
        expires=None if command.expires_in is None else now + command.expires_in,
        most_uses=command.uses,
    )
    return [_created(world, session, command, invite, secret), InvitesChanged()]


def add_device(world: World, session: Session, command: messages.AddDevice, now: int) -> Outcome:
    """Make an invite for one more device of an account: one's own, or for the host anybody's."""
    username = owner_named(session, command)
    if username is None:
        return refuse(session, command, "not_allowed", "username")
    if world.directory.living(username) is None:
        return no_such_person(session, command, username)
    if not session.is_host:
        wait = world.device_invite_limit.ask(username, now / 1000)
        if wait:
            return _too_soon(session, command, wait)
    # One at a time: a link that was lost on its way, or was made by mistake, is of no use to
    # anybody. They are deleted, so that no member can fill the list.
    for each in world.directory.invites:
        if each.username == username and each.ended(now) is None:
            _remove(world, each)
    invite, secret = issue(
        world,
        InviteKind.DEVICE,
        now,
        by=session.username,
        username=username,
        expires=now + limits.DEVICE_INVITE_LIFE,
        most_uses=1,
    )
    return [_created(world, session, command, invite, secret), InvitesChanged()]


def issue_for_code(
    world: World, now: int, *, username: str | None, expires: int
) -> tuple[IssuedInvite, str]:
    """`issue` an invite for one use to who proved to know the spoken code."""
    valid = [
        each
        for each in world.directory.invites
        if each.kind is InviteKind.CODE and each.ended(now) is None
    ]
    valid.sort(key=attrgetter("number"))
    for each in valid[: max(0, len(valid) + 1 - MOST_UNUSED)]:
        _remove(world, each)
    return issue(world, InviteKind.CODE, now, username=username, expires=expires, most_uses=1)


def issue(
    world: World,
    kind: InviteKind,
    now: int,
    *,
    by: str | None = None,
    role: Role = Role.MEMBER,
    username: str | None = None,
    note: str = "",
    expires: int | None = None,
    most_uses: int | None = None,
) -> tuple[IssuedInvite, str]:
    """Store a new invite; returns it and its secret, which is not kept anywhere."""
    secret = secrets.token_urlsafe(16)
    invite = world.store.add_invite(
        IssuedInvite(
            number=0,
            secret_hash=secret_hash(secret),
            kind=kind,
            created=now,
            by=by,
            role=role,
            username=username,
            note=note,
            expires=expires,
            most_uses=most_uses,
        )
    )
    world.directory.put_invite(invite)
    return invite, secret


def list_invites(
    world: World, session: Session, command: messages.ListInvites, now: int
) -> Outcome:
    """A page of the invites; who is not the host gets those that concern them."""

    def invites() -> messages.Invites:
        mine = (
            each
            for each in world.directory.invites.before(command.before)
            if _concerns(session, each)
        )
        page = list(islice(mine, limits.PAGE_INVITES + 1))
        return messages.Invites(
            re=command.id,
            invites=tuple(_told(each, now) for each in page[: limits.PAGE_INVITES]),
            more=len(page) > limits.PAGE_INVITES,
        )

    outcome: Outcome = [Answer(session.connection, command.id, invites)]
    if any(each.is_forgotten(now) for each in world.directory.invites):
        outcome.append(After(inputs.PurgeSanctions()))
    return outcome


def revoke_invite(
    world: World, session: Session, command: messages.RevokeInvite, now: int
) -> Outcome:
    """End an invite; one that has ended stays as it is."""
    invite = world.directory.invites.get(command.number)
    if invite is None or not _concerns(session, invite):
        return refuse(session, command, "no_such_invite", "number")
    if invite.ended(now) is not None:
        return [done(session, command)]
    change(world, invite.revoked(now))
    return [done(session, command), InvitesChanged()]


def revoke_rights_of(world: World, username: str, now: int) -> Outcome:
    """End the invites by which somebody who is no longer a moderator could go on as one.

    Those for newcomers that they made, and those for moderators that they joined with: under
    another name they would be one again.
    """
    joined_with = _joined_with(world, username)
    return _revoke(
        world,
        now,
        lambda each: (
            (each.by == username and each.username is None)
            or (each.role is Role.MODERATOR and each.number in joined_with)
        ),
    )


def revoke_of(world: World, username: str, now: int) -> Outcome:
    """End the invites that an account made, those for its devices, and those it joined with.

    For somebody who is banned: they know these links.
    """
    joined_with = _joined_with(world, username) - {STANDING}
    return _revoke(
        world,
        now,
        lambda each: username in {each.by, each.username} or each.number in joined_with,
    )


def revoke_for_itself(world: World, username: str, now: int) -> Outcome:
    """End the invites for devices of an account that it has made itself."""
    return _revoke(world, now, lambda each: each.username == each.by == username)


def revoke_of_deleted(world: World, username: str, now: int) -> Outcome:
    """End the invites that a deleted account made, and those for its devices."""
    return _revoke(world, now, lambda each: username in {each.by, each.username})


def _revoke(world: World, now: int, concerned: Callable[[IssuedInvite], bool]) -> Outcome:
    """End those of the valid invites that are concerned."""
    ended = [each for each in world.directory.invites if not each.ended(now) and concerned(each)]
    for each in ended:
        change(world, each.revoked(now))
    return [InvitesChanged()] if ended else []


def use(world: World, invite: IssuedInvite, now: int) -> None:
    """Count one more use of an invite."""
    change(world, invite.used(now))


def change(world: World, invite: IssuedInvite) -> None:
    """Store an invite as it is now."""
    world.store.change_invite(invite)
    world.directory.put_invite(invite)


def purge(world: World, now: int) -> None:
    """Delete the invites that ended long ago."""
    for each in world.directory.invites:
        if each.is_forgotten(now):
            _remove(world, each)


def owner_named(
    session: Session, command: messages.AddDevice | messages.ListDevices | messages.RemoveDevice
) -> str | None:
    """Whose devices a command is about: one's own if nobody is named. None if it may not be."""
    if command.username is None:
        return session.username
    username = fold_username(command.username)
    return username if session.is_host or username == session.username else None


def _too_soon(
    session: Session, command: messages.CreateInvite | messages.AddDevice, wait: float
) -> Outcome:
    """An account has made too many: `wait` is in seconds."""
    params: Params = {"why": "many_invites", "minutes": ceil(wait / 60)}
    return refuse(session, command, "rate_limited", retry_after=ceil(1000 * wait), params=params)


def _remove(world: World, invite: IssuedInvite) -> None:
    world.store.remove_invite(invite)
    world.directory.remove_invite(invite)


def _joined_with(world: World, username: str) -> set[int | None]:
    """The invites that the devices of an account joined with."""
    directory = world.directory
    return {directory.devices[key].invite for key in directory.devices_of.get(username, ())}


def _concerns(session: Session, invite: IssuedInvite) -> bool:
    """Whether somebody may see and revoke an invite."""
    return session.is_host or session.username in {invite.by, invite.username}


def _created(
    world: World,
    session: Session,
    command: messages.CreateInvite | messages.AddDevice,
    invite: IssuedInvite,
    secret: str,
) -> Answer:
    def created() -> messages.InviteCreated:
        return messages.InviteCreated(
            re=command.id,
            number=invite.number,
            link=world.link(replace(world.facts, secret=secret), invite.username or ""),
            expires=invite.expires,
        )

    return Answer(session.connection, command.id, created)


def _told(invite: IssuedInvite, now: int) -> messages.InviteFacts:
    return messages.InviteFacts(
        number=invite.number,
        kind=invite.kind,
        by=invite.by,
        role=invite.role.name.lower(),
        username=invite.username,
        note=invite.note,
        created=invite.created,
        expires=invite.expires,
        uses=invite.uses,
        most_uses=invite.most_uses,
        ended=invite.ended(now),
    )


def _standing_link(
    world: World, session: Session, command: messages.ShowInvite | messages.NewInvite
) -> Answer:
    return Answer(
        session.connection,
        command.id,
        lambda: messages.InviteLink(re=command.id, link=world.link(world.facts, "")),
    )
