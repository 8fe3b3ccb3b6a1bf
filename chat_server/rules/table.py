"""Every command and every other input, each with the one function that handles it.

A handler may take its command as valid: the models checked its form (common.messages) and
the protocol its time (common.protocol). It returns effects; a refusal is one of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from chat_server.rules import admission, connections, conversation, inputs, renaming
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World
from common import messages

# What each function takes as its command or input is the key's own type, which a mapping
# can't say: hence Any.
_COMMANDS: Final[Mapping[type, Callable[[World, Session, Any, int], Outcome]]] = {
    messages.Hello: admission.hello,
    messages.Recognize: admission.recognize,
    messages.Join: admission.join,
    messages.SignIn: admission.sign_in,
    messages.ListPeople: admission.list_people,
    messages.ListOnline: admission.list_online,
    messages.Sync: conversation.sync,
    messages.Send: conversation.send,
    messages.ListRooms: conversation.list_rooms,
    messages.Ping: connections.ping,
}
_INPUTS: Final[Mapping[type, Callable[[World, Any, int], Outcome]]] = {
    inputs.Opened: connections.opened,
    inputs.Closed: connections.closed,
    inputs.FellBehind: connections.fell_behind,
    inputs.Drained: connections.drained,
    inputs.PageRead: connections.page_read,
    inputs.PageFailed: connections.page_failed,
    inputs.Traffic: connections.traffic,
    inputs.Terminate: connections.terminate,
    inputs.Rename: renaming.rename,
    inputs.CloseEverything: connections.close_everything,
}
WRITING: Final = (messages.Join, messages.Send)
"""The commands that write to the log: a failed commit refuses these and no others."""


def handle_command(world: World, session: Session, command: messages.ToServer, now: int) -> Outcome:
    """What a client's command leads to. `now` is in milliseconds since 1970-01-01 UTC."""
    return _COMMANDS[type(command)](world, session, command, now)


def handle_input(world: World, happening: inputs.Input, now: int) -> Outcome:
    """What any other input leads to."""
    return _INPUTS[type(happening)](world, happening, now)
