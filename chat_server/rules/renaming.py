"""The chat's own name, which the host may change while people are in it."""

from dataclasses import replace
from functools import partial

from chat_server.chat_name import clean_chat_name
from chat_server.rules.effects import TellEveryone
from chat_server.rules.sessions import Session
from chat_server.rules.view import Renamed
from chat_server.rules.world import Outcome, World, done, refuse_name
from common.domain.names import NameRefusedError
from common.protocol.messages import RenameChat, ServerChanged


def rename(world: World, session: Session, command: RenameChat, now: int) -> Outcome:
    """Store the name and push it to everyone; a client that is signing in gets it after that."""
    try:
        name = clean_chat_name(command.name)
    except NameRefusedError as error:
        return refuse_name(session, command, "name", error)
    outcome: Outcome = [done(session, command), Renamed(name, now)]
    if name != world.facts.name:
        world.store.set_meta("name", name)
        world.directory.undo.note(partial(setattr, world, "facts", world.facts))
        world.facts = replace(world.facts, name=name)
        outcome.append(TellEveryone(ServerChanged(server_name=name)))
    return outcome
