"""The status of the server, for the host."""

from chat_server.rules.effects import Answer
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World
from common import limits
from common.protocol import messages


def status(world: World, session: Session, command: messages.AskStatus, _now: int) -> Outcome:
    """Reply with the server's status."""

    def make() -> messages.ServerStatus:
        directory = world.directory
        slow = sorted((each.room, each.slow) for each in directory.rooms.values() if each.slow)
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
            slow_rooms=tuple(
                messages.SlowRoom(room=room, slow=seconds)
                for room, seconds in slow[: limits.PAGE_ROOMS]
            ),
        )

    return [Answer(session.connection, command.id, make)]
