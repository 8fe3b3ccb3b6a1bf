"""The chat's own name, which the host may change while people are in it."""

from dataclasses import replace
from functools import partial

from chat_server.rules import inputs
from chat_server.rules.effects import TellEveryone
from chat_server.rules.view import Renamed, RenameFailed
from chat_server.rules.world import Outcome, World
from common.messages import ServerChanged


def rename(world: World, happening: inputs.Rename, now: int) -> Outcome:
    """Keep the name, and tell everyone. Whoever is in the midst of signing in is told then."""
    outcome: Outcome = [Renamed(happening.name, now)]
    if happening.name != world.facts.name:
        world.store.set_meta("name", happening.name)
        world.directory.undo.note(partial(setattr, world, "facts", world.facts))
        world.facts = replace(world.facts, name=happening.name)
        outcome.append(TellEveryone(ServerChanged(server_name=happening.name)))
    return outcome


def rename_failed(_happening: inputs.Rename, why: str) -> Outcome:
    """The name could not be stored: it stays as it was."""
    return [RenameFailed(why)]
