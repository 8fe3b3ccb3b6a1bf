"""The names that newcomers may take: free, not like another one, and not the chat's own."""

from functools import partial

from chat_server.rules.effects import Tell
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, refuse, refuse_name
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


def is_taken(
    world: World, command: Newcomer, username: str, now: int, *, invited: bool = False
) -> bool:
    """Whether an account, or another device that asks to join, has this username or one like it.

    Whoever is `invited` need not give way to those who only ask.
    """
    return world.directory.is_taken(username) or world.requests.reserves(
        username, command.installation, now, invited=invited
    )


def refuse_taken(
    world: World, session: Session, command: Newcomer, now: int, *, invited: bool = False
) -> Outcome:
    """The refusal of a username that is taken, with one that is free."""
    username = fold_username(command.username)
    free = free_username(
        username, lambda name: is_taken(world, command, name, now, invited=invited)
    )
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
    """Who is in asks no longer on this connection, and nobody on another one for this name."""
    outcome: Outcome = []
    name = spelling(fold_username(command.username))
    for request in world.requests:
        is_own = request.connection == session.connection
        if is_own or spelling(request.username) == name:
            is_mine = request.installation == command.installation
            why = "joined" if is_own or is_mine else "taken"
            outcome += world.no_longer_asks(request.connection, why, now)
            if isinstance(command, messages.Join):  # which may turn out not to be stored
                world.directory.undo.note(partial(world.asks_again, request))
            if not is_own:
                code = "expired" if is_mine else "taken"
                outcome.append(Tell(request.connection, messages.KnockAnswered(code=code)))
    return outcome
