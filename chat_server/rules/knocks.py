"""Commands about requests to join (knocks): a guest asks, the host compares digits and answers."""

import secrets
from functools import partial

from chat_server.rules import inputs
from chat_server.rules.codes import INVITE_LIFE, too_fast
from chat_server.rules.effects import Answer, MayWait, Tell
from chat_server.rules.invites import ROLES, issue
from chat_server.rules.issued_invites import InviteKind
from chat_server.rules.join_requests import BUSY_FOR, LIFE, JoinRequest, Opening
from chat_server.rules.lookalikes import lookalikes
from chat_server.rules.moderation import ban_device_of
from chat_server.rules.newcomers import refuse_names
from chat_server.rules.sanctions import sanction_params
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientRefused, InvitesChanged, KnockArrived, KnockEnded
from chat_server.rules.world import Outcome, World, done, refuse
from common.domain.display_names import clean_display_name
from common.domain.names import fold_username
from common.protocol import messages
from common.protocol.joining_proofs import NONCE_BYTES, commitment, knock_digits


def knock(world: World, session: Session, command: messages.Knock, now: int) -> Outcome:
    """Somebody asks to join: reply with the commitment to a nonce, if the host may be asked."""
    if world.requests.is_asking(session.connection):
        return refuse(session, command, "out_of_order", params={"phase": "asking"})
    if world.facts.joining == "invite":
        return refuse(session, command, "invite_needed")
    banned = world.directory.sanctions.ban_of(now, "", command.installation)
    if banned is not None:
        told = ClientRefused(session.address, fold_username(command.username), "banned", now)
        return [*refuse(session, command, "banned", params=sanction_params(banned)), told]
    wait = world.requests.held(session.address, command.installation, now)
    if wait:
        params: dict[str, str | int] = {"why": "asked_before", "minutes": -(-wait // 60_000)}
        return refuse(session, command, "rate_limited", retry_after=wait, params=params)
    refused = (
        _no_room(world, session, command, now)
        or _many_tries(world, session, command, now)
        or refuse_names(world, session, command, now)
    )
    if refused:
        return refused
    nonce = secrets.token_bytes(NONCE_BYTES)
    world.requests.open(session.connection, Opening(command, nonce))
    committed = messages.KnockCommitted(re=command.id, commitment=commitment(nonce).hex())
    return [Tell(session.connection, committed)]


def knock_open(world: World, session: Session, command: messages.KnockOpen, now: int) -> Outcome:
    """Show the request to the host, and the server's nonce to the guest: both see the digits."""
    opening = world.requests.take_opening(session.connection)
    if opening is None:
        return refuse(session, command, "out_of_order", params={"phase": "identifying"})
    # Others may have asked, or have joined, since the check before.
    asked = opening.command.model_copy(update={"id": command.id})
    refused = _no_room(world, session, asked, now) or refuse_names(world, session, asked, now)
    if refused:
        return refused
    wait = world.requests.may_show(session.address, now)
    if wait:
        return too_fast(session, command, wait)
    outcome: Outcome = []
    former = world.requests.of_device(asked.installation)
    if former is not None:
        # This device again, before it was noticed that its former connection is dead.
        outcome += _expire(world, former, "replaced", now)
    elif world.requests.is_full:
        displaced = world.requests.giving_way(session.address, now)
        if displaced is not None:
            outcome += _displace(world, displaced, now)
    digits = knock_digits(world.facts.fingerprint, bytes.fromhex(command.nonce), opening.nonce)
    request = JoinRequest(
        number=world.requests.next_number(),
        connection=session.connection,
        username=fold_username(asked.username),
        display_name=clean_display_name(asked.display_name, world.facts.name),
        device=asked.device,
        installation=asked.installation,
        address=session.address,
        digits=digits,
        since=now,
    )
    world.requests.add(request)
    (alike,) = lookalikes([request], world.requests, world.directory.accounts)
    shown = messages.KnockShown(re=command.id, nonce=opening.nonce.hex())
    return [
        *outcome,
        Tell(session.connection, shown),
        MayWait(session.connection, LIFE / 1000),
        KnockArrived(
            request=request.number,
            username=request.username,
            display_name=request.display_name,
            device=request.device,
            address=request.address,
            digits=request.digits,
            since=request.since,
            members_alike=alike.members,
            also_asks=bool(alike.requests),
        ),
    ]


def withdraw(world: World, session: Session, command: messages.Withdraw, now: int) -> Outcome:
    """The guest asks no longer. Harmless without a request."""
    return [*world.no_longer_asks(session.connection, "withdrawn", now), done(session, command)]


def wait_ended(world: World, item: inputs.WaitEnded, now: int) -> Outcome:
    """A request was not answered for too long."""
    request = world.requests.of_connection(item.connection)
    if request is None:
        return []
    return _expire(world, request, "expired", now)


def list_requests(
    world: World, session: Session, command: messages.ListRequests, _now: int
) -> Outcome:
    """Reply with the requests that wait."""

    def requests() -> messages.Requests:
        waiting = tuple(world.requests)
        alike = lookalikes(waiting, waiting, world.directory.accounts)
        return messages.Requests(
            re=command.id,
            requests=tuple(
                messages.JoinRequest(
                    request=each.number,
                    username=each.username,
                    display_name=each.display_name,
                    device=each.device,
                    address=each.address,
                    digits=each.digits,
                    since=each.since,
                    members_alike=others.members,
                    requests_alike=others.requests,
                )
                for each, others in zip(waiting, alike, strict=True)
            ),
        )

    return [Answer(session.connection, command.id, requests)]


def admit(world: World, session: Session, command: messages.Admit, now: int) -> Outcome:
    """Let somebody in: their client gets the secret of an invite for one use."""
    request = world.requests.get(command.request)
    if request is None:
        return refuse(session, command, "no_such_request", "request")
    _, secret = issue(
        world,
        InviteKind.KNOCK,
        now,
        role=ROLES[command.role],
        expires=now + INVITE_LIFE,
        most_uses=1,
    )
    return [
        *_take(world, request, "admitted", now),
        _answer(request, "admitted", secret),
        InvitesChanged(),
        done(session, command),
    ]


def deny(world: World, session: Session, command: messages.Deny, now: int) -> Outcome:
    """Refuse a request; with `block` ban its device, too.

    A device that moderators or the host use as well is not banned, as with all bans.
    """
    request = world.requests.get(command.request)
    if request is None:
        return refuse(session, command, "no_such_request", "request")
    note = None
    if command.block and not ban_device_of(world, session, request, now):
        note = "shared_device"
    code = "blocked" if command.block else "refused"
    # What is held for long is in the list of bans, where it can be lifted.
    world.requests.hold(request, now, blocked=command.block and note is None)
    return [
        *_take(world, request, code, now),
        _answer(request, code),
        done(session, command, note),
    ]


def _take(world: World, request: JoinRequest, code: str, now: int) -> Outcome:
    """End a request by a command that writes: it waits again if that can't be stored."""
    if code == "admitted":
        world.requests.admitted(request, now)
    else:
        world.requests.answered(request, now)
    world.directory.undo.note(partial(world.asks_again, request))
    return [MayWait(request.connection, None), KnockEnded(request.number, code, now)]


def _many_tries(world: World, session: Session, command: messages.Knock, now: int) -> Outcome:
    """The refusal of one name more than an address may try; nothing if it may."""
    wait = world.requests.may_try(session.address, now)
    return too_fast(session, command, wait) if wait else []


def _expire(world: World, request: JoinRequest, why: str, now: int) -> Outcome:
    return [*world.no_longer_asks(request.connection, why, now), _answer(request, "expired")]


def _displace(world: World, request: JoinRequest, now: int) -> Outcome:
    """End a request for another one: its guest hears why and may ask again, the host sees it."""
    why = "displaced"
    told = ClientRefused(request.address, request.username, why, now)
    return [*world.no_longer_asks(request.connection, why, now), _answer(request, why), told]


def _answer(request: JoinRequest, code: str, secret: str | None = None) -> Tell:
    return Tell(request.connection, messages.KnockAnswered(code=code, secret=secret))


def _no_room(world: World, session: Session, command: messages.Knock, now: int) -> Outcome:
    """The refusal of one request more than may wait; one that replaces its former one is none."""
    waiting = world.requests
    if waiting.of_device(command.installation) is not None:
        return []
    if not waiting.has_many(session.address) and not (
        waiting.is_full and waiting.giving_way(session.address, now) is None
    ):
        return []
    params = {"why": "many_asking"}
    return refuse(session, command, "busy", retry_after=BUSY_FOR, params=params)
