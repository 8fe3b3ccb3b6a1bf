"""Every command and every other input: who handles it, and all that has to be so before.

The gates stand here and nowhere else: a handler may take its command as valid (the models checked
its form), in its time (common.protocol) and allowed. It returns effects; a refusal is one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from chat_server.rules import admission, connections, conversation, inputs, renaming
from chat_server.rules.permissions import Role, role_of
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, refuse
from common import messages


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table: what carries a command out, and what is asked before.

    `role` is the least that the session needs. `room` gives the room that its account has to be
    in. What `writes` is done within a transaction, and refused if that fails; `cids` gives the ids
    of events that it will look up, so that those of a batch can be looked up at once.
    """

    # What each function takes is the key's own type, which a mapping can't say: hence Any.
    handler: Callable[[World, Session, Any, int], Outcome]
    role: Role
    writes: bool = False
    room: Callable[[Any], str] | None = None
    cids: Callable[[Any], tuple[str, ...]] | None = None


def _cids_of_send(send: messages.Send) -> tuple[str, ...]:
    return (send.cid,) if send.after is None else (send.cid, send.after)


COMMANDS: Final[Mapping[type, Command]] = {
    messages.Hello: Command(admission.hello, Role.STRANGER),
    messages.Recognize: Command(admission.recognize, Role.STRANGER),
    messages.Join: Command(admission.join, Role.STRANGER, writes=True),
    messages.SignIn: Command(admission.sign_in, Role.STRANGER),
    messages.Ping: Command(connections.ping, Role.STRANGER),
    messages.ListPeople: Command(admission.list_people, Role.MEMBER),
    messages.ListOnline: Command(admission.list_online, Role.MEMBER),
    messages.ListRooms: Command(conversation.list_rooms, Role.MEMBER),
    messages.Sync: Command(conversation.sync, Role.MEMBER),
    messages.Send: Command(conversation.send, Role.MEMBER, writes=True, cids=_cids_of_send),
}
if set(COMMANDS) != set(get_args(messages.ToServer)):
    raise TypeError("a command of the protocol has no row in the table, or a row no command")


@dataclass(frozen=True, slots=True)
class InputRow:
    """What handles an input. If it writes, `failed` tells what follows when that fails."""

    handler: Callable[[World, Any, int], Outcome]
    failed: Callable[[Any, str], Outcome] | None = None


INPUTS: Final[Mapping[type, InputRow]] = {
    inputs.Opened: InputRow(connections.opened),
    inputs.Closed: InputRow(connections.closed),
    inputs.FellBehind: InputRow(connections.fell_behind),
    inputs.Drained: InputRow(connections.drained),
    inputs.PageRead: InputRow(connections.page_read),
    inputs.PageFailed: InputRow(connections.page_failed),
    inputs.Traffic: InputRow(connections.traffic),
    inputs.Terminate: InputRow(connections.terminate),
    inputs.Rename: InputRow(renaming.rename, renaming.rename_failed),
    inputs.CloseEverything: InputRow(connections.close_everything),
}
if set(INPUTS) != set(get_args(inputs.Input)):
    raise TypeError("an input has no row in the table, or a row no input")


def handle_command(world: World, session: Session, command: messages.ToServer, now: int) -> Outcome:
    """What a client's command leads to. `now` is in milliseconds since 1970-01-01 UTC."""
    row = COMMANDS[type(command)]
    if role_of(world, session) < row.role:
        return refuse(session, command, "not_allowed", "you may not do that")
    if row.room is not None and world.room_of(session, row.room(command)) is None:
        return refuse(session, command, "no_such_room", "you are in no such room", "room")
    return row.handler(world, session, command, now)


def handle_input(world: World, happening: inputs.Input, now: int) -> Outcome:
    """What any other input leads to."""
    return INPUTS[type(happening)].handler(world, happening, now)
