"""The roles of accounts and sessions."""

from enum import IntEnum


class Role(IntEnum):
    """A role; each includes the permissions of those before it."""

    UNAUTHENTICATED = 0
    """Has not signed in yet."""
    MEMBER = 1
    MODERATOR = 2
    HOST = 3
    """The host's window, or a command line on the host's computer: it has no account."""
