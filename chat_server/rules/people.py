"""People's accounts: changing the display name, deleting an account, removing its messages.

The row of a deleted account stays: its username remains taken, so that nobody can pass for whom
they knew, and its events keep their sender. Of the person, nothing else does.

Removing the messages takes many transactions, while the chat goes on. From the first of them on,
which deletes the account, no page shows their texts: readers leave them out (`store.Reader`), tails
and cached pages are dropped, and clients are told by an event in each room, and by the list of
people where they missed that event.
"""

from dataclasses import replace
from math import ceil

from chat_server.rules import inputs
from chat_server.rules.conversation import publish_deletion
from chat_server.rules.directory import Account
from chat_server.rules.effects import After, ForgetPages, TellEveryone
from chat_server.rules.invites import revoke_of_deleted
from chat_server.rules.permissions import name_of_actor
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.view import AccountDeleted, PersonRenamed
from chat_server.rules.world import Outcome, World, done, no_such_person, refuse, refuse_name
from common.domain.display_names import clean_display_name
from common.domain.names import FORMER_MEMBER, NameRefusedError, fold_username
from common.domain.reasons import Params
from common.protocol import messages
from common.protocol.events import KEPT, REMOVED


def rename_me(world: World, session: Session, command: messages.RenameMe, now: int) -> Outcome:
    """Store another display name, and push it to everyone, the account's own devices included."""
    account = world.account(session)
    try:
        name = clean_display_name(command.display_name, world.facts.name)
    except NameRefusedError as error:
        return refuse_name(session, command, "display_name", error)
    if name == account.display_name:
        return [done(session, command)]
    wait = world.rename_limit.ask(account.username, now / 1000)
    if wait:
        params: Params = {"why": "many_names", "minutes": ceil(wait / 60)}
        wait_ms = ceil(1000 * wait)
        return refuse(session, command, "rate_limited", retry_after=wait_ms, params=params)
    changed = replace(account, display_name=name, change=world.directory.next_change())
    world.store.change_account(changed)
    world.directory.change_account(changed)
    return [
        TellEveryone(messages.PersonChanged(person=world.person(account.username))),
        PersonRenamed(account.username, name, account.display_name, now),
        done(session, command),
    ]


def delete_me(world: World, session: Session, command: messages.DeleteMe, now: int) -> Outcome:
    """Delete the account of this session."""
    outcome = _delete(world, session, world.account(session), command.messages, now)
    return [*outcome, done(session, command)]


def delete_account(
    world: World, session: Session, command: messages.DeleteAccount, now: int
) -> Outcome:
    """Delete somebody's account."""
    account = world.directory.living(fold_username(command.username))
    if account is None:
        return no_such_person(session, command, command.username)
    outcome = _delete(world, session, account, command.messages, now)
    return [*outcome, done(session, command)]


def erase(world: World, _item: inputs.EraseMessages, _now: int) -> Outcome:
    """Remove some messages of a deleted account: a step of many, each a transaction of its own."""
    directory = world.directory
    for username, after in directory.erasing.items():
        reached = world.store.erase(directory.accounts[username], after)
        directory.move_erasing(username, reached)
        break
    return [After(inputs.EraseMessages())] if directory.erasing else []


def _delete(
    world: World,
    session: Session,
    account: Account,
    fate: messages.FateOfMessages,
    now: int,
) -> Outcome:
    username = account.username
    deleted = replace(
        account,
        display_name=FORMER_MEMBER,
        role=Role.MEMBER,
        change=world.directory.next_change(),
        former=True,
        erased=fate == "remove",
    )
    with world.store.atomic():
        world.store.delete_account(deleted, now)
        published = publish_deletion(world, deleted, now)
        revoked = revoke_of_deleted(world, username, now)
    world.directory.change_account(deleted)
    ended = tuple(world.sessions.of(username))
    goodbye = messages.Goodbye(code="account_deleted", params=deletion_params(deleted))
    outcome: Outcome = [
        *published,
        *revoked,
        TellEveryone(messages.PersonChanged(person=world.person(username))),
        AccountDeleted(username, account.display_name, name_of_actor(session), deleted.erased, now),
        world.end(ended, goodbye, "account_deleted"),
    ]
    if deleted.erased:
        world.directory.move_erasing(username, 0)
        outcome += [ForgetPages(), After(inputs.EraseMessages())]
    return outcome


def deletion_params(account: Account) -> dict[str, str | int]:
    """What a device of a deleted account is told: what became of the account's messages."""
    return {"messages": REMOVED if account.erased else KEPT}
