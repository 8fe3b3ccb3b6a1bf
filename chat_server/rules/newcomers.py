"""The names that newcomers may take: free, not like another one, and not the chat's own."""

from functools import partial

from chat_server.rules.effects import Tell
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, refuse
from common.domain.display_names import clean_display_name
from common.domain.names import (
    NameRefusedError,
    claim_username,
    fold_username,
    free_username,
    spelling,
)
from common.domain.reasons import Params
from common.protocol import messages

Newcomer = messages.Join | messages.Knock


def is_taken(world: World, command: Newcomer, username: str, now: int) -> bool:
    """Whether an account, or another device that asks to join, has this username or one like it."""
    return world.directory.is_taken(username) or world.requests.reserves(
        username, command.installation, now
    )


def refuse_taken(world: World, session: Session, command: Newcomer, now: int) -> Outcome:
    """The refusal of a username that is taken, with one that is free."""
    username = fold_username(command.username)
    free = free_username(username, lambda name: is_taken(world, command, name, now))
    code: messages.ErrorCode = "name_taken"
    if username not in world.directory.accounts and world.directory.is_taken(username):
        code = "name_alike"
    params: Params = {"username": username} | ({"suggestion": free} if free else {})
    return refuse(session, command, code, "username", params=params)


def refuse_names(world: World, session: Session, command: messages.Knock, now: int) -> Outcome:
    """The refusal of the names that somebody asks for; nothing if a `join` could have them."""
    username = fold_username(command.username)
    if is_taken(world, command, username, now):
        return refuse_taken(world, session, command, now)
    field = "username"
    try:
        claim_username(username)
        field = "display_name"
        clean_display_name(command.display_name, world.facts.name)
    except NameRefusedError as error:
        return refuse_name(session, command, field, error)
    return []


def end_requests(
    world: World, session: Session, command: messages.Join | messages.SignIn, now: int
) -> Outcome:
    """Who is in asks no longer: on this connection, or for this name by another of this device."""
    outcome: Outcome = []
    name = spelling(fold_username(command.username))
    for request in world.requests:
        is_own = request.connection == session.connection
        if is_own or (
            request.installation == command.installation and spelling(request.username) == name
        ):
            outcome += world.no_longer_asks(request.connection, "joined", now)
            if isinstance(command, messages.Join):  # which may turn out not to be stored
                world.directory.undo.note(partial(world.asks_again, request))
            if not is_own:
                expired = messages.KnockAnswered(code="expired")
                outcome.append(Tell(request.connection, expired))
    return outcome


def refuse_name(
    session: Session, command: Newcomer, field: str, error: NameRefusedError
) -> Outcome:
    """The refusal of a name for its form."""
    why = {"why": error.reason.code, **error.reason.params}
    return refuse(session, command, "name_refused", field, params=why)
