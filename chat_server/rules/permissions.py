"""Who may do what: the roles, each of which may do all that those before it may."""

from enum import IntEnum

from chat_server.rules.sessions import Session
from chat_server.rules.world import World


class Role(IntEnum):
    """Of a session."""

    STRANGER = 0
    """It has not signed in."""
    MEMBER = 1
    MODERATOR = 2
    HOST = 3
    """It has no account: it is the host's window, or a command line on the host's computer."""


def role_of(world: World, session: Session) -> Role:
    """The role of a session now."""
    account = world.account_of(session)
    return Role.STRANGER if account is None else Role.MEMBER
