"""What is said: sending to rooms and people, and following the rooms' logs."""

from chat_server.rules.directory import Account, RoomLog, StoredEvent
from chat_server.rules.effects import Publish, Tell
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, refuse
from common import limits, messages
from common.names import direct_members, direct_partner
from common.protocol import encode


def sync(world: World, session: Session, command: messages.Sync, _now: int) -> Outcome:
    """Start delivery in the named rooms; all of them or, if one is wrong, none."""
    heads: dict[str, int] = {}
    for room, after in command.positions.items():
        log = world.room_of(session, room)
        if log is None:
            why = f"you are in no room {room}"
            return refuse(session, command, "no_such_room", why, f"positions.{room}")
        if after > log.head:
            why = f"{room} ends at {log.head}; your copy is of another time of this server"
            return refuse(session, command, "position_ahead", why, f"positions.{room}")
        heads[room] = log.head
    outcome: Outcome = [Tell(session.connection, messages.Synced(re=command.id, heads=heads))]
    for room, after in command.positions.items():
        outcome += world.delivery.start(session, room, after)
    return outcome


def send(world: World, session: Session, command: messages.Send, now: int) -> Outcome:
    """Store a message once and publish it; a repeated one gets its first answer."""
    sender = world.account(session)
    said = world.log.find(sender, command.cid)
    if said is not None:
        if (said.room, said.text) != (command.room, command.text):
            why = "another message was already sent under this cid"
            return refuse(session, command, "cid_reused", why, "cid")
        return [Tell(session.connection, _ack(command.id, said))]
    outcome: Outcome = []
    room = world.room_of(session, command.room)
    if room is None:
        members = _direct_accounts(world, sender, command.room)
        if members is None:
            code, why = _why_no_room(world, sender, command.room)
            return refuse(session, command, code, why, "room")
        room = _open_direct(world, command.room, members, now)
        outcome += _room_added(world, room)
    event = StoredEvent(
        room.room, room.head + 1, "message", sender.username, command.text, now, command.cid
    )
    outcome.append(publish(world, event, sender, session, command.id))
    return outcome


def list_rooms(world: World, session: Session, command: messages.ListRooms, _now: int) -> Outcome:
    """A page of the rooms the account is in, in order of their ids."""
    after = command.after or ""
    mine = world.directory.rooms_of.get(session.username or "", set())
    following = sorted(room for room in mine if room > after)
    reply = messages.Rooms(
        re=command.id,
        rooms=tuple(
            messages.Room(room=room, head=world.head(room))
            for room in following[: limits.PAGE_ROOMS]
        ),
        more=len(following) > limits.PAGE_ROOMS,
    )
    return [Tell(session.connection, reply)]


def publish(
    world: World,
    event: StoredEvent,
    sender: Account,
    session: Session | None = None,
    request: int = 0,
) -> Publish:
    """Write an event to its room's log; the frames go out after the commit."""
    room = world.directory.rooms[event.room]
    world.log.append(room, event, sender)
    room.head = event.seq
    if session is None:
        return Publish(event.room, event.seq, event_frame(event), None, b"")
    ack = encode(_ack(request, event))
    return Publish(event.room, event.seq, event_frame(event), session.connection, ack)


def event_frame(event: StoredEvent) -> bytes:
    """The frame of an event, the same bytes for everyone who gets it."""
    # The log holds what the models let in: checking it again would cost every catch-up.
    return encode(
        messages.Event.model_construct(
            room=event.room,
            seq=event.seq,
            kind=event.kind,
            sender=event.sender,
            text=event.text,
            sent_at=event.sent_at,
            cid=event.cid,
        )
    )


def _direct_accounts(world: World, sender: Account, room: str) -> list[Account] | None:
    """The two people of a direct room's id, if the sender is one of them and both exist."""
    usernames = direct_members(room)
    # Only the sorted pair is an id, or the same two people could have two conversations.
    if usernames is None or sender.username not in usernames or usernames[0] >= usernames[1]:
        return None
    accounts = [world.directory.accounts.get(username) for username in usernames]
    return [account for account in accounts if account] if all(accounts) else None


def _why_no_room(world: World, sender: Account, room: str) -> tuple[messages.ErrorCode, str]:
    """What is wrong with the room of a message: its sender may have mistyped a name."""
    other = direct_partner(room, sender.username)
    if other is None:
        return "no_such_room", f"there is no room {room} that you are in"
    if other not in world.directory.accounts:
        return "no_such_person", f"nobody here is called {other}"
    return "no_such_room", "a direct room names two people, in alphabetical order"


def _open_direct(world: World, room_id: str, members: list[Account], now: int) -> RoomLog:
    with world.log.atomic():
        room = world.log.add_room(room_id, now)
        for account in members:
            world.log.add_member(room, account)
    world.directory.rooms[room_id] = room
    for account in members:
        world.directory.enter(room, account.username)
    return room


def _room_added(world: World, room: RoomLog) -> Outcome:
    added = messages.RoomAdded(room=messages.Room(room=room.room, head=room.head))
    return [
        Tell(session.connection, added)
        for username in sorted(room.members)
        for session in world.sessions.of(username)
    ]


def _ack(request: int, event: StoredEvent) -> messages.Ack:
    # Only messages are acknowledged, and every message has its cid.
    cid = event.cid or ""
    return messages.Ack.model_construct(
        re=request, room=event.room, seq=event.seq, cid=cid, sent_at=event.sent_at
    )
