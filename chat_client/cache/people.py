"""The people of one account's server: their names and roles, and who is no member any more."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from chat_client.cache.erasure import Erasure
from chat_client.cache.meta import Meta
from chat_client.cache.rows import is_username, number, words
from common import limits

if TYPE_CHECKING:
    from common.protocol.messages import Person

_PEOPLE: Final = "people"
MODERATORS: Final = "moderators"
"""Key in `meta` of the moderators' usernames, separated by spaces."""


class PeopleTable:
    """The people. Its statements are part of the transaction that the cache has begun."""

    def __init__(self, connection: sqlite3.Connection, meta: Meta, erasure: Erasure) -> None:
        self._connection, self._meta, self._erasure = connection, meta, erasure

    def change(self) -> int:
        """The number of the last known change of the server's accounts; 0 for none.

        Also 0 if an older program, without roles, stored the people: then all are fetched again.
        """
        return 0 if self._meta.get(MODERATORS) is None else number(self._meta.get(_PEOPLE)) or 0

    def set_change(self, change: int) -> None:
        """Record that all changes up to this one are known."""
        self._meta.set(_PEOPLE, str(change))
        if self._meta.get(MODERATORS) is None:
            self._meta.set(MODERATORS, "")

    def usernames(self) -> set[str]:
        """The usernames of all known people."""
        return {username for (username,) in self._connection.execute("SELECT username FROM people")}

    def display_names(self) -> dict[str, str]:
        """Username → display name of all known people but former members."""
        rows = self._connection.execute(
            "SELECT username, display_name FROM people WHERE NOT former"
        )
        return {
            username: words(name, limits.DISPLAY_NAME_LENGTH)
            for username, name in rows
            if is_username(username)
        }

    def is_former(self, username: str) -> bool:
        """Whether somebody's account was deleted."""
        row = self._connection.execute(
            "SELECT 1 FROM people WHERE username = ? AND former", (username,)
        ).fetchone()
        return row is not None

    def display_name(self, username: str) -> str:
        """A person's display name; "" for an unknown username."""
        row = self._connection.execute(
            "SELECT display_name FROM people WHERE username = ?", (username,)
        ).fetchone()
        return "" if row is None else words(row[0], limits.DISPLAY_NAME_LENGTH)

    def forget(self) -> None:
        """Remove all people."""
        self._connection.execute("DELETE FROM people")
        self._erasure.forget()
        self._meta.set(MODERATORS, "")
        self.set_change(0)

    def add(self, person: Person) -> None:
        """Add a person, or update their name and role, and whether the account was deleted."""
        self._connection.execute(
            "INSERT INTO people (username, display_name, former) VALUES (?, ?, ?)"
            " ON CONFLICT (username) DO UPDATE SET display_name = excluded.display_name,"
            " former = excluded.former",
            (person.username, person.display_name, person.former),
        )
        if not person.erased:
            self._erasure.cancel(person.username)
        moderators = set((self._meta.get(MODERATORS) or "").split())
        is_one = person.role == "moderator"
        if is_one != (person.username in moderators):
            self._meta.set(MODERATORS, " ".join(sorted(moderators ^ {person.username})))
