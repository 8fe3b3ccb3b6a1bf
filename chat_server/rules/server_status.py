"""The status of the server, for the host."""

from chat_server.rules.effects import Answer
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World
from common.protocol import messages


def status(world: World, session: Session, command: messages.AskStatus, _now: int) -> Outcome:
    """Reply with the server's status."""

    def make() -> messages.ServerStatus:
        directory = world.directory
        return messages.ServerStatus(
            re=command.id,
            server_name=world.facts.name,
            program=world.facts.program,
            since=world.since,
            accounts=sum(not each.former for each in directory.accounts.values()),
            online=len(world.sessions.usernames()),
            connections=sum(each.username is not None for each in world.sessions),
            rooms=len(directory.rooms),
            trouble=world.trouble or None,
        )

    return [Answer(session.connection, command.id, make)]
