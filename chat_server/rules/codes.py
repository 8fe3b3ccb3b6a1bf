"""Commands about the spoken code: guests prove to know it, the host shows and ends it."""

from functools import partial
from math import ceil
from typing import Final

from chat_server.rules.effects import Tell
from chat_server.rules.invites import issue_for_code
from chat_server.rules.sessions import Session
from chat_server.rules.spoken_codes import MOST_WRONG, LiveCode, OpenExchange
from chat_server.rules.view import ClientRefused, CodeChanged, InvitesChanged
from chat_server.rules.world import Outcome, World, done, no_such_person, refuse
from common.domain.names import fold_username
from common.protocol import messages
from common.protocol.cpace import CPaceError, Role
from common.protocol.joining_proofs import code_exchange

INVITE_LIFE: Final = 3600 * 1000
"""Milliseconds for which the invite is valid that a guest gets for the right code, or when the host
lets them in: they use it at once, but for a name that is taken."""


def code_start(world: World, session: Session, command: messages.CodeStart, now: int) -> Outcome:
    """Reply with the server's share, from which nothing can be learnt about the code."""
    live = world.codes.live(now)
    if live is None:
        return refuse(session, command, "no_code")
    if live.username is None and world.facts.joining == "ask":
        return refuse(session, command, "ask_first")
    paused = world.codes.wrong.wait(session.address, now)
    if paused:
        return _paused(session, command, paused)
    wait = world.codes.may_start(session.address, now)
    if wait:
        return too_fast(session, command, wait)
    exchange = code_exchange(
        Role.RESPONDER,
        live.code,
        world.facts.fingerprint,
        bytes.fromhex(command.sid),
        world.multiply,
    )
    try:
        exchange.agree(bytes.fromhex(command.share))
    except CPaceError:
        return refuse(session, command, "malformed", "share", params={"why": "share"})
    world.codes.begin(session.connection, OpenExchange(exchange, live, session.address))
    share = messages.CodeShare(re=command.id, share=exchange.share.hex())
    return [Tell(session.connection, share)]


def code_proof(world: World, session: Session, command: messages.CodeProof, now: int) -> Outcome:
    """Judge a guest's code. If it is right, reply with the secret of an invite for one use.

    Nothing is counted before this: whoever hangs up after `code_start` has learnt nothing. And
    nothing is told about the code before the guest has shown to know it.
    """
    begun = world.codes.take(session.connection)
    if begun is None:
        # It was never begun, or gave way to others.
        return too_fast(session, command, 0)
    paused = world.codes.wrong.wait(session.address, now)
    if paused:
        return _paused(session, command, paused)
    live = world.codes.live(now)
    if live is None or live is not begun.code:
        # It ended meanwhile, perhaps for too many wrong ones: so this one is not judged.
        return refuse(session, command, "no_code")
    if not begun.exchange.confirms(bytes.fromhex(command.tag)):
        return _wrong(world, session, command, live, now)
    world.codes.wrong.succeeded(session.address)
    world.directory.undo.note(partial(_begin_again, world, session, begun))
    outcome: Outcome = []
    if live.username is not None:
        if world.directory.living(live.username) is None:
            world.codes.end()
            return [*refuse(session, command, "no_code"), CodeChanged("ended", now)]
        # For one device: it ends, unless the invite can't be stored.
        world.codes.end()
        world.directory.undo.note(partial(world.codes.put_back, live))
        outcome.append(CodeChanged("used", now))
    _, secret = issue_for_code(world, now, username=live.username, expires=now + INVITE_LIFE)
    invited = messages.Invited(
        re=command.id, tag=begun.exchange.tag().hex(), secret=secret, username=live.username
    )
    return [Tell(session.connection, invited), InvitesChanged(), *outcome]


def _begin_again(world: World, session: Session, begun: OpenExchange) -> None:
    """The invite could not be stored: the same proof may be sent again."""
    if world.sessions.get(session.connection) is session:
        world.codes.begin(session.connection, begun)


def show_code(world: World, session: Session, command: messages.ShowCode, now: int) -> Outcome:
    """Reply with the code; if there is none, or one for something else, with a new one."""
    username = None if command.username is None else fold_username(command.username)
    if username is not None and world.directory.living(username) is None:
        return no_such_person(session, command, username)
    live, is_new = world.codes.show(username, now)
    shown = messages.ShownCode(re=command.id, code=live.code, expires=live.expires)
    outcome: Outcome = [Tell(session.connection, shown)]
    return [*outcome, CodeChanged("shown", now, username)] if is_new else outcome


def end_code(world: World, session: Session, command: messages.EndCode, now: int) -> Outcome:
    """End the code; harmless without one."""
    outcome: Outcome = [done(session, command)]
    return [*outcome, CodeChanged("ended", now)] if world.codes.end() else outcome


def _wrong(
    world: World, session: Session, command: messages.CodeProof, live: LiveCode, now: int
) -> Outcome:
    """A wrong code: count it, and renew the code after many."""
    world.codes.wrong.failed(session.address, now)
    live.wrong += 1
    left = world.codes.wrong.left(session.address, now)
    if world.codes.wrong.wait(session.address, now):
        left = 0
    outcome = refuse(session, command, "bad_code", "tag", params={"left": left})
    outcome.append(ClientRefused(session.address, "", "bad_code", now))
    if live.wrong >= MOST_WRONG:
        world.codes.renew(live.username, now)
        outcome.append(CodeChanged("guessed", now, live.username))
    return outcome


def too_fast(session: Session, command: messages.Command, wait: int) -> Outcome:
    """The refusal of somebody who tries too often; `wait` is in milliseconds.

    It says how long: before joining nothing is tried again by itself.
    """
    params: dict[str, str | int] = {"why": "too_fast", "seconds": max(1, ceil(wait / 1000))}
    return refuse(session, command, "rate_limited", retry_after=wait, params=params)


def _paused(session: Session, command: messages.Command, wait: int) -> Outcome:
    params: dict[str, str | int] = {"why": "codes_paused", "minutes": -(-wait // 60_000)}
    return refuse(session, command, "rate_limited", retry_after=wait, params=params)
