"""Authentication: greeting, joining with an invite, signing in with a device's token; presence."""

import secrets
from bisect import bisect
from collections.abc import Callable
from functools import partial
from itertools import islice
from math import ceil
from operator import itemgetter
from typing import Final

from chat_server.rate_limit import TokenBuckets
from chat_server.rules import devices, invites, joining, newcomers
from chat_server.rules.conversation import publish_join
from chat_server.rules.directory import Device
from chat_server.rules.effects import Admit, Answer, Disconnect, Show, Tell, TellEveryone
from chat_server.rules.issued_invites import InviteKind, IssuedInvite
from chat_server.rules.people import deletion_params
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import sanction_params
from chat_server.rules.sessions import Session
from chat_server.rules.view import (
    ClientDisconnected,
    ClientRefused,
    ClientSignedIn,
    DevicesChanged,
    InvitesChanged,
)
from chat_server.rules.world import Outcome, World, presence, refuse, refuse_name
from common import limits
from common.domain.display_names import clean_display_name
from common.domain.names import (
    GENERAL,
    NameRefusedError,
    claim_username,
    fold_username,
)
from common.domain.reasons import Params
from common.protocol import messages
from common.protocol.recognition import device_key, proof

CAPABILITIES: Final = frozenset({limits.PRESENCE})


def hello(world: World, session: Session, command: messages.Hello, now: int) -> Outcome:
    """Reply with version and capabilities; a client of an older protocol gets `version`."""
    if command.protocol < limits.PROTOCOL_VERSION:
        error = messages.VersionError(
            re=command.id,
            code="version",
            params={"protocol": limits.PROTOCOL_VERSION},
            field="protocol",
            retryable=False,
        )
        return [Tell(session.connection, error), _shown(session, "", "version", now)]

    session.capabilities = CAPABILITIES.intersection(command.capabilities)

    def welcome() -> messages.Welcome:
        session.server_name = world.facts.name
        return messages.Welcome(
            re=command.id,
            protocol=limits.PROTOCOL_VERSION,
            capabilities=tuple(sorted(CAPABILITIES)),
            program=world.facts.program,
            server_name=world.facts.name,
            epoch=world.facts.epoch,
            time=now,
            joining=world.facts.joining,
        )

    return [Answer(session.connection, command.id, welcome)]


def recognize(world: World, session: Session, command: messages.Recognize, now: int) -> Outcome:
    """Prove knowledge of an account's devices, by an HMAC (RFC 2104) for each of them.

    It requires the secret of an invite, as `join` does, which is not used up by that: the reply
    reveals whether the account exists.
    """
    if command.secret is None:
        if not joining.needs_no_invite(world, session):
            return _keep_out(session, command, now, "invite_needed", "secret")
    else:
        invite = world.directory.invites.of_secret(command.secret)
        if invite is None or invite.ended(now):
            return _keep_out(session, command, now, "bad_secret", "secret")
    username = fold_username(command.username)
    fingerprint = world.facts.fingerprint
    devices = world.directory.devices_of.get(username, ()) if fingerprint else ()
    keys = list(devices)[: limits.PROOFS]
    proofs = tuple(proof(key, fingerprint, command.nonce, username) for key in keys)
    return [Tell(session.connection, messages.Recognized(re=command.id, proofs=proofs))]


def join(world: World, session: Session, command: messages.Join, now: int) -> Outcome:
    """Claim a username, or add a device to the account that the invite is bound to.

    Idempotent by the token, so a client that lost the reply can repeat it.
    """
    username = fold_username(command.username)
    key = device_key(command.token)
    device = world.directory.devices.get(key)
    known = device is not None and device.username == username
    banned = _ban(world, username if known else "", command.installation, now)
    if banned is not None:
        return _keep_out(session, command, now, "banned", params=banned)
    # The token before the secret: the account exists, even if the invite was changed or used up
    # meanwhile.
    if known:
        return _admit(world, session, command, username, now)
    try:
        invite = _invite(world, session, command, username, now)
        is_bound = invite is not None and invite.username is not None
        is_invited = invite is not None
        is_taken = not is_bound and newcomers.is_taken(
            world, command, username, now, invited=is_invited
        )
        _check_token(device, username, is_taken=is_taken)
    except _RefusedError as refused:
        params = refused.params or None
        return _keep_out(session, command, now, refused.code, refused.field, params=params)
    if is_taken:
        return newcomers.refuse_taken(world, session, command, now, invited=is_invited)
    if invite is not None and is_bound:
        return _make_device(world, session, command, invite, now)
    return _make_account(world, session, command, invite, now)


class _RefusedError(Exception):
    """A join is refused: the error's code, field and parameters."""

    def __init__(
        self, code: messages.ErrorCode, field: str = "secret", params: Params | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.field, self.params = code, field, params or {}


_ENDED: Final[dict[str, messages.ErrorCode]] = {
    "used": "invite_used",
    "expired": "invite_expired",
    "revoked": "bad_secret",
}
"""Why an invite is not valid → the code of the refusal."""


def _invite(
    world: World, session: Session, command: messages.Join, username: str, now: int
) -> IssuedInvite | None:
    """The valid invite that a client joins with; None where it needs none. Raises _RefusedError."""
    if command.secret is None:
        if joining.needs_no_invite(world, session):
            return None
        raise _RefusedError("invite_needed")
    invite = world.directory.invites.of_secret(command.secret)
    ended = "revoked" if invite is None else invite.ended(now)
    if invite is None or ended is not None:
        raise _RefusedError(_ENDED[ended or "revoked"])
    if invite.username is None:
        if not joining.may_use(world, invite):
            raise _RefusedError("ask_first")
        return invite
    if invite.username != username:
        raise _RefusedError("bad_secret")
    banned = _ban(world, username, command.installation, now)
    if banned is not None:
        raise _RefusedError("banned", "username", banned)
    if len(world.directory.devices_of.get(username, ())) >= limits.DEVICES:
        params: Params = {"username": username, "most": limits.DEVICES}
        raise _RefusedError("too_many_devices", "username", params)
    return invite


def _ban(world: World, username: str, installation: str, now: int) -> dict[str, str | int] | None:
    """The parameters of the ban of an account or an installation; None if there is none."""
    banned = world.directory.sanctions.ban_of(now, username, installation)
    return None if banned is None else sanction_params(banned)


def _check_token(device: Device | None, username: str, *, is_taken: bool) -> None:
    """Raise _RefusedError if the token is that of a device of another account."""
    if device is not None and not is_taken:
        raise _RefusedError("not_recognized", "token", {"username": username})


def _new_device(command: messages.Join, username: str, number: int | None, now: int) -> Device:
    return Device(
        username=username,
        installation=command.installation,
        name=command.device,
        created=now,
        invite=number,
        last_seen=now,
    )


def _make_device(
    world: World, session: Session, command: messages.Join, invite: IssuedInvite, now: int
) -> Outcome:
    """Add a device to the account that the invite is bound to."""
    username = invite.username or ""
    key = device_key(command.token)
    device = _new_device(command, username, invite.number, now)
    with world.store.atomic():
        world.store.add_device(world.directory.accounts[username], key, device)
        invites.use(world, invite, now)
    world.directory.add_device(key, device)
    world.directory.undo.note(partial(world.sessions.undo_admit, session))
    admitted = _admit(world, session, command, username, now)
    told = devices.tell_of(world, session, now)
    return [*admitted, *told, DevicesChanged(username), InvitesChanged()]


def _make_account(
    world: World, session: Session, command: messages.Join, invite: IssuedInvite | None, now: int
) -> Outcome:
    username = fold_username(command.username)
    field = "username"
    try:
        claim_username(username)
        field = "display_name"
        display_name = clean_display_name(command.display_name, world.facts.name)
    except NameRefusedError as error:
        return refuse_name(session, command, field, error)
    number = None if invite is None else invite.number
    wait = _wait_to_join(world, session, invite)
    if wait:
        # No matter for the host: it may be a class whose link was just shown to everybody.
        params: Params = {"why": "many_joins"}
        return refuse(session, command, "rate_limited", retry_after=wait, params=params)
    general = world.directory.rooms[GENERAL]
    change = world.directory.next_change()
    key = device_key(command.token)
    device = _new_device(command, username, number, now)
    role = Role.MEMBER if invite is None else invite.role
    with world.store.atomic():
        account = world.store.add_account(username, display_name, change, now, role)
        world.store.add_device(account, key, device)
        world.store.add_member(general, account)
        published = publish_join(world, account, now)
        if invite is not None:
            invites.use(world, invite, now)
    world.directory.add_account(account)
    world.directory.add_device(key, device)
    world.directory.enter(general, username)
    world.directory.undo.note(partial(world.sessions.undo_admit, session))
    admitted = _admit(world, session, command, username, now, new=True)
    return [*admitted, published, InvitesChanged()]


def _wait_to_join(world: World, session: Session, invite: IssuedInvite | None) -> int:
    """Take a token for a new account by an invite, or without one; or the milliseconds to wait.

    Whoever got hold of a link could otherwise fill the chat with accounts in no time, and so could
    whoever is on this network where no invite is needed, or has the spoken code. A computer has as
    many addresses as it likes: so without an invite there are two limits.
    """
    asked: list[tuple[TokenBuckets, str]] = []
    if invite is None:
        asked.append((world.open_join_limit, session.address))
    if world.join_limit is not None:
        asked.append((world.join_limit, _way_in(invite)))
    taken: list[Callable[[], object]] = []
    for limit, key in asked:
        wait = limit.ask(key, world.moment)
        if wait:
            for give_back in taken:
                give_back()
            return ceil(1000 * wait)
        taken.append(partial(limit.give_back, key))
    for give_back in taken:
        world.directory.undo.note(give_back)
    return 0


def _way_in(invite: IssuedInvite | None) -> str:
    """By what somebody joins, for the limit: all who have the code have an invite of their own."""
    if invite is None:
        return "open"
    return invite.kind if invite.kind is InviteKind.CODE else str(invite.number)


def sign_in(world: World, session: Session, command: messages.SignIn, now: int) -> Outcome:
    """Sign in with a device's token, and close the session that this one resumes."""
    username = fold_username(command.username)
    key = device_key(command.token)
    device = world.directory.devices.get(key)
    if device is None or device.username != username:
        params: Params = {"username": username}
        return _keep_out(session, command, now, "not_recognized", params=params)
    banned = _ban(world, username, command.installation, now)
    if banned is not None:
        return _keep_out(session, command, now, "banned", params=banned)
    outcome: Outcome = []
    was_online = world.sessions.online(username)
    for old in tuple(world.sessions.of(username)):
        if old.key == command.resume and old.device_key == key:
            # Fenced before the new session starts: no command still on the way from the old
            # connection may be stored after those of the new one.
            goodbye = messages.Goodbye(code="replaced", params={})
            outcome.append(Disconnect(old.connection, goodbye))
            outcome.append(ClientDisconnected(old.connection, "replaced", now))
            world.sessions.close(old.connection)
    admitted = _admit(world, session, command, username, now)
    if was_online:
        # The account stayed online: no presence is pushed.
        admitted = [effect for effect in admitted if not isinstance(effect, TellEveryone)]
    return outcome + admitted


def list_people(world: World, session: Session, command: messages.ListPeople, _: int) -> Outcome:
    """A page of accounts changed after `since`, or of all if `since` is unknown (epoch)."""

    def people() -> messages.People:
        changes = world.directory.changes
        since = command.since if world.directory.was_change(command.since) else 0
        first = bisect(changes, since, key=itemgetter(0))
        page: list[messages.Person] = []
        size = 0
        for _, username in islice(changes, first, first + limits.PAGE_PEOPLE):
            page.append(world.person(username))
            size += len(page[-1].__pydantic_serializer__.to_json(page[-1]))
            if size >= limits.PAGE_PEOPLE_BYTES:
                break
        more = first + len(page) < len(changes)
        return messages.People(re=command.id, since=since, people=tuple(page), more=more)

    return [Answer(session.connection, command.id, people)]


def list_online(world: World, session: Session, command: messages.ListOnline, _: int) -> Outcome:
    """A page of the usernames that are online, in order."""
    after = "" if command.after is None else command.after.lower()

    def online() -> messages.Online:
        usernames = world.sessions.usernames()
        first = bisect(usernames, after)
        page = usernames[first : first + limits.PAGE_ONLINE]
        more = first + len(page) < len(usernames)
        return messages.Online(re=command.id, online=tuple(page), more=more)

    return [Answer(session.connection, command.id, online)]


def _keep_out(
    session: Session,
    command: messages.Join | messages.SignIn | messages.Recognize,
    now: int,
    code: messages.ErrorCode,
    field: str | None = None,
    *,
    params: Params | None = None,
) -> Outcome:
    """Refuse a client that has no right to sign in, and report it to the host."""
    shown = _shown(session, fold_username(command.username), code, now)
    return [*refuse(session, command, code, field, params=params), shown]


def _shown(session: Session, username: str, code: str, now: int) -> ClientRefused:
    return ClientRefused(session.address, username, code, now)


def _admit(
    world: World,
    session: Session,
    command: messages.Join | messages.SignIn,
    username: str,
    now: int,
    *,
    new: bool = False,
) -> Outcome:
    account = world.directory.accounts[username]
    if account.former:
        # Its devices are told so, and what they have to do with their copies.
        params = deletion_params(account)
        return _keep_out(session, command, now, "account_deleted", params=params)
    session.key = secrets.token_hex(16)
    session.device = command.device
    session.installation = command.installation
    session.device_key = device_key(command.token)
    came_online = world.sessions.admit(session, username)
    world.seen(session, now)
    key = session.key

    # Made after the commit: a mute or a role of the same batch may be rolled back.
    def signed_in() -> messages.SignedIn:
        muted = world.directory.sanctions.mute_of(now, username)
        present = world.directory.accounts.get(username, account)
        return messages.SignedIn(
            re=command.id,
            username=username,
            display_name=account.display_name,
            session=key,
            role=present.role.name.lower(),
            mute=None if muted is None else messages.Mute(until=muted.until, reason=muted.reason),
        )

    def appeared() -> ClientSignedIn:
        muted = world.directory.sanctions.mute_of(now, username)
        present = world.directory.accounts.get(username, account)
        return ClientSignedIn(
            connection=session.connection,
            username=username,
            display_name=account.display_name,
            address=session.address,
            device=session.device,
            since=now,
            new_account=new,
            is_moderator=present.role is Role.MODERATOR,
            is_muted=muted is not None,
            muted_until=None if muted is None else muted.until,
        )

    outcome: Outcome = [
        *newcomers.end_requests(world, session, command, now),
        Admit(session.connection, username, session.capabilities),
        Answer(session.connection, command.id, signed_in),
        Show(appeared),
    ]
    if session.server_name not in {"", world.facts.name}:
        # Renamed after `hello`: this connection was not signed in, so it was sent no push.
        outcome.append(Answer(session.connection, command.id, lambda: _server(world)))
    if new:
        changed = messages.PersonChanged(person=world.person(username))
        outcome.append(TellEveryone(changed, but=session.connection))
    if came_online:
        outcome.append(presence(username, online=True, but=session.connection))
    return outcome


def _server(world: World) -> messages.ServerChanged:
    return messages.ServerChanged(server_name=world.facts.name)
