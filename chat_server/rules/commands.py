"""The table of commands and inputs: the handler of each, and every gate before it.

The gates are here and nowhere else: a handler may assume that its command is valid (the models
check it), expected in this phase (common.protocol.codec) and permitted. It returns effects; a
refusal is one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from chat_server.rules import (
    admission,
    audit_log,
    codes,
    connections,
    conversation,
    devices,
    inputs,
    invites,
    joining,
    knocks,
    moderation,
    people,
    renaming,
    server_status,
    slow_mode,
)
from chat_server.rules.effects import Tell
from chat_server.rules.permissions import role_of
from chat_server.rules.roles import Role
from chat_server.rules.sanctions import sanction_params
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientRefused
from chat_server.rules.world import Outcome, World, refuse
from common.protocol import messages
from common.protocol.events import MESSAGE


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table: the handler of a command, and the gates before it.

    `role` is the least role that the session needs, and `kind_role` the least for the kind of event
    that a command adds. With `own` it needs an account, which a host has not. `room` gives the room
    of which the account must be a member. A muted account is refused if the command `speaks`. A
    command that `writes` runs within a transaction, and gets a retryable error if that fails; one
    that is `audited` is logged in the same transaction, if there is something to change. `cids`
    gives the ids to look up for deduplication, so that one query serves a batch. `again` gives the
    first reply to a command that is stored already: it is sent before any refusal (idempotence).
    """

    # Each function takes the type of its key, which a mapping's type can't express: hence Any.
    handler: Callable[[World, Session, Any, int], Outcome]
    role: Role
    kind_role: Callable[[Any], Role] | None = None
    own: bool = False
    speaks: bool = False
    writes: bool = False
    audited: bool = False
    room: Callable[[Any], str] | None = None
    cids: Callable[[Any], tuple[str, ...]] | None = None
    again: Callable[[World, Session, Any], Outcome | None] | None = None


def _cids_of_send(send: messages.Send) -> tuple[str, ...]:
    return (send.cid,) if send.after is None else (send.cid, send.after)


SENDERS: Final[Mapping[str, Role]] = {MESSAGE: Role.MEMBER}
"""The least role that `send` needs, by the kind of event that is sent."""
if set(SENDERS) != messages.SENDABLE:
    raise TypeError("a kind of event that can be sent has no role here, or a role no such kind")


COMMANDS: Final[Mapping[type, Command]] = {
    messages.Hello: Command(admission.hello, Role.UNAUTHENTICATED),
    messages.Recognize: Command(admission.recognize, Role.UNAUTHENTICATED),
    messages.Join: Command(admission.join, Role.UNAUTHENTICATED, own=True, writes=True),
    messages.SignIn: Command(admission.sign_in, Role.UNAUTHENTICATED, own=True),
    messages.Ping: Command(connections.ping, Role.UNAUTHENTICATED),
    messages.ListPeople: Command(admission.list_people, Role.MEMBER),
    messages.ListOnline: Command(admission.list_online, Role.MEMBER),
    messages.ListRooms: Command(conversation.list_rooms, Role.MEMBER, own=True),
    messages.Sync: Command(conversation.sync, Role.MEMBER, own=True),
    messages.History: Command(
        conversation.history, Role.MEMBER, own=True, room=lambda history: history.room
    ),
    messages.Send: Command(
        conversation.send,
        Role.MEMBER,
        kind_role=lambda send: SENDERS[send.kind],
        own=True,
        speaks=True,
        writes=True,
        cids=_cids_of_send,
        again=conversation.send_again,
    ),
    messages.RenameMe: Command(people.rename_me, Role.MEMBER, own=True, speaks=True, writes=True),
    messages.DeleteMe: Command(people.delete_me, Role.MEMBER, own=True, writes=True, audited=True),
    messages.Terminate: Command(moderation.terminate, Role.MODERATOR, writes=True, audited=True),
    messages.Ban: Command(moderation.ban, Role.MODERATOR, writes=True, audited=True),
    messages.Unban: Command(moderation.unban, Role.MODERATOR, writes=True, audited=True),
    messages.MutePerson: Command(moderation.mute, Role.MODERATOR, writes=True, audited=True),
    messages.Unmute: Command(moderation.unmute, Role.MODERATOR, writes=True, audited=True),
    messages.ListSanctions: Command(moderation.list_sanctions, Role.MODERATOR),
    messages.SetRole: Command(moderation.set_role, Role.HOST, writes=True, audited=True),
    messages.DeleteAccount: Command(people.delete_account, Role.HOST, writes=True, audited=True),
    messages.SetSlowMode: Command(
        slow_mode.set_slow_mode, Role.MODERATOR, writes=True, audited=True
    ),
    messages.RenameChat: Command(renaming.rename, Role.HOST, writes=True, audited=True),
    messages.ShowInvite: Command(invites.show_invite, Role.HOST),
    messages.NewInvite: Command(invites.new_invite, Role.HOST, writes=True, audited=True),
    messages.AskStatus: Command(server_status.status, Role.HOST),
    messages.ListClients: Command(moderation.list_clients, Role.HOST),
    messages.ListAudit: Command(audit_log.list_audit, Role.HOST),
    messages.CreateInvite: Command(
        invites.create_invite, Role.MODERATOR, writes=True, audited=True
    ),
    messages.AddDevice: Command(invites.add_device, Role.MEMBER, writes=True, audited=True),
    messages.ListInvites: Command(invites.list_invites, Role.MEMBER),
    messages.RevokeInvite: Command(invites.revoke_invite, Role.MEMBER, writes=True, audited=True),
    messages.SetJoining: Command(joining.set_joining, Role.HOST, writes=True, audited=True),
    messages.AskJoining: Command(joining.ask_joining, Role.MODERATOR),
    messages.ListDevices: Command(devices.list_devices, Role.MEMBER),
    messages.RemoveDevice: Command(devices.remove_device, Role.MEMBER, writes=True, audited=True),
    messages.CodeStart: Command(codes.code_start, Role.UNAUTHENTICATED, own=True),
    messages.CodeProof: Command(codes.code_proof, Role.UNAUTHENTICATED, own=True, writes=True),
    messages.Knock: Command(knocks.knock, Role.UNAUTHENTICATED, own=True),
    messages.KnockOpen: Command(knocks.knock_open, Role.UNAUTHENTICATED, own=True),
    messages.Withdraw: Command(knocks.withdraw, Role.UNAUTHENTICATED, own=True),
    messages.ListRequests: Command(knocks.list_requests, Role.HOST),
    messages.Admit: Command(knocks.admit, Role.HOST, writes=True, audited=True),
    messages.Deny: Command(knocks.deny, Role.HOST, writes=True, audited=True),
    messages.ShowCode: Command(codes.show_code, Role.HOST),
    messages.EndCode: Command(codes.end_code, Role.HOST),
}
if set(COMMANDS) != set(get_args(messages.ToServer)):
    raise TypeError("a command of the protocol has no row in the table, or a row no command")


INPUTS: Final[Mapping[type, Callable[[World, Any, int], Outcome]]] = {
    inputs.Opened: connections.opened,
    inputs.Closed: connections.closed,
    inputs.WaitEnded: knocks.wait_ended,
    inputs.FellBehind: connections.fell_behind,
    inputs.Drained: connections.drained,
    inputs.PageRead: connections.page_read,
    inputs.PageFailed: connections.page_failed,
    inputs.Traffic: connections.traffic,
    inputs.EndSessions: connections.end_sessions,
    inputs.PurgeSanctions: moderation.purge,
    inputs.SaveSeen: devices.save_seen,
    inputs.EraseMessages: people.erase,
    inputs.QueryDone: connections.query_done,
    inputs.CloseEverything: connections.close_everything,
}
"""The handler of each input. Only those of `inputs.HOUSEKEEPING` write."""
if set(INPUTS) != set(get_args(inputs.Input)):
    raise TypeError("an input has no row in the table, or a row no input")


def handle_command(world: World, session: Session, command: messages.ToServer, now: int) -> Outcome:
    """The outcome of a client's command. `now` is in milliseconds since 1970-01-01 UTC."""
    if session.ending:
        # Else somebody banned could still ban others, and a device that was signed out make an
        # invite: what they had sent already comes before the end of their connection.
        return refuse(session, command, "busy", params={"why": "session_ends"})
    row = COMMANDS[type(command)]
    role = role_of(world, session)
    if role < row.role or (row.own and role is Role.HOST):
        return refuse(session, command, "not_allowed")
    if row.kind_role is not None and role < row.kind_role(command):
        again = _again(row, world, session, command)
        return again or refuse(session, command, "not_allowed", "kind")
    if row.speaks and session.username is not None:
        muted = world.directory.sanctions.mute_of(now, session.username)
        if muted is not None:
            again = _again(row, world, session, command)
            return again or refuse(session, command, "muted", params=sanction_params(muted))
    if row.room is not None and world.room_of(session, row.room(command)) is None:
        params = {"room": row.room(command)}
        return refuse(session, command, "no_such_room", "room", params=params)
    is_audited = row.audited and not audit_log.changes_nothing(world, command, now)
    about = audit_log.whom(world, session, command) if is_audited else {}
    outcome = row.handler(world, session, command, now)
    if is_audited and not is_refusal(outcome):
        outcome = [*outcome, audit_log.note(world, session, command, about, now)]
    return outcome


def _again(
    row: Command, world: World, session: Session, command: messages.ToServer
) -> Outcome | None:
    """The first reply to what was stored before it came to be refused."""
    return None if row.again is None else row.again(world, session, command)


def is_refusal(outcome: Outcome) -> bool:
    """Whether an outcome is one error and nothing else, but for the host being shown that."""
    return (
        bool(outcome)
        and isinstance(outcome[0], Tell)
        and isinstance(outcome[0].message, messages.Error)
        and all(isinstance(effect, ClientRefused) for effect in outcome[1:])
    )


def handle_input(world: World, item: inputs.Input, now: int) -> Outcome:
    """The outcome of any other input. `now` is in milliseconds since 1970-01-01 UTC."""
    return INPUTS[type(item)](world, item, now)
