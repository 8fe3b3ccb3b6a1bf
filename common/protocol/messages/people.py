"""Accounts as everyone sees them, and presence: who is online."""

from typing import Annotated, Literal

from pydantic import (
    Field,
)

from common import limits
from common.protocol.messages.base import (
    Change,
    Code,
    Command,
    DisplayName,
    FromServer,
    Reply,
    ToldUsername,
    Username,
)

FateOfMessages = Literal["keep", "remove"]
"""What becomes of the messages of an account that is deleted."""


class ListPeople(Command):
    """Asks for the accounts that changed after `since`, in the order of their last changes."""

    type: Literal["list_people"] = "list_people"
    since: Change = 0


class ListOnline(Command):
    """Asks for the usernames of who is online, in their order, after the one named."""

    type: Literal["list_online"] = "list_online"
    after: Username | None = None


class RenameMe(Command):
    """Changes the display name of one's own account; the answer is `done`."""

    type: Literal["rename_me"] = "rename_me"
    display_name: DisplayName


class DeleteMe(Command):
    """Deletes one's own account; the answer is `done`, and then comes the goodbye.

    The account's messages are kept, or they are removed, which goes on after the answer.
    """

    type: Literal["delete_me"] = "delete_me"
    messages: FateOfMessages


class DeleteAccount(Command):
    """Deletes somebody's account, as `delete_me` does with one's own."""

    type: Literal["delete_account"] = "delete_account"
    username: Username
    messages: FateOfMessages


class Person(FromServer):
    """An account as everyone sees it, and its last change; `role` is `member` or `moderator`.

    `former` tells that the account was deleted, and `erased` that its messages were removed, too.
    """

    username: ToldUsername
    display_name: DisplayName
    role: Code
    change: Change
    former: bool = False
    erased: bool = False


class People(Reply):
    """The accounts that changed after `since`; `more` says that others follow the last.

    If the server does not know the number that was asked with, it begins with all: `since` is 0.
    """

    type: Literal["people"] = "people"
    since: Change
    people: Annotated[tuple[Person, ...], Field(max_length=limits.PAGE_PEOPLE)]
    more: bool


class Online(Reply):
    """A page of usernames; `more` says that another one follows the last."""

    type: Literal["online"] = "online"
    online: Annotated[tuple[ToldUsername, ...], Field(max_length=limits.PAGE_ONLINE)]
    more: bool


class PersonChanged(FromServer):
    """Somebody is new or changed; replaces what was known of them."""

    type: Literal["person"] = "person"
    person: Person


class PresenceChanged(FromServer):
    """Somebody is online now, or is not; told to those who named the capability `presence`."""

    type: Literal["presence"] = "presence"
    username: ToldUsername
    online: bool
