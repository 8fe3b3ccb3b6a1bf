"""Slow mode: members of a room may send one message there in so many seconds."""

from chat_server.rules.effects import TellEveryone
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, done, refuse
from common.domain.names import direct_members
from common.protocol.messages import RoomChanged, SetSlowMode


def set_slow_mode(world: World, session: Session, command: SetSlowMode, _now: int) -> Outcome:
    """Store the interval and push it to the room, which is a public one."""
    room = world.directory.rooms.get(command.room)
    if room is None or not (session.is_host or session.username in room.members):
        params = {"room": command.room}
        return refuse(session, command, "no_such_room", "room", params=params)
    if direct_members(room.room) is not None:
        return refuse(session, command, "not_allowed", "room")
    outcome: Outcome = [done(session, command)]
    if command.seconds != room.slow:
        world.store.set_slow(room, command.seconds)
        world.directory.set_slow(room, command.seconds)
        # A public room is on everybody's list.
        outcome.append(TellEveryone(RoomChanged(room=world.room(room.room))))
    return outcome
