"""Permissions by role; each role includes those of the roles before it."""

from chat_server.rules.directory import Account
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import HOST
from chat_server.rules.world import World


def role_of(world: World, session: Session) -> Role:
    """The role of a session now."""
    if session.is_host:
        return Role.HOST
    account = world.account_of(session)
    return Role.UNAUTHENTICATED if account is None else account.role


def may_act_on(world: World, session: Session, account: Account) -> bool:
    """Whether a session may moderate an account: only one of a lower role.

    An account that joined from the host's own ChatClient is the host's alone to moderate.
    """
    role = role_of(world, session)
    if role is Role.HOST:
        return True
    return role > account.role and not world.is_of_host(account.username)


def name_of_actor(session: Session) -> str:
    """The name of the session's account, or of the host, for the audit log."""
    return session.username or HOST
