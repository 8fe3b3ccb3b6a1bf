"""Sending events to rooms, delivery (`sync`), history, and the list of rooms."""

from bisect import bisect
from collections.abc import Collection
from functools import partial
from math import ceil

from chat_server.rate_limit import cost
from chat_server.rules.directory import Account, RoomLog
from chat_server.rules.effects import Answer, Publish, Query, ReadHistory, Tell, TellAccount
from chat_server.rules.message_limits import LEAST_RATE_WAIT
from chat_server.rules.roles import Role
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, World, no_such_person, refuse
from chat_server.store.store import StoreFailedError
from common import limits
from common.domain.names import GENERAL, direct_members, direct_partner
from common.domain.reasons import Params
from common.protocol import messages
from common.protocol.events import ACCOUNT_DELETED, JOIN, KEPT, REMOVED, Event
from common.protocol.fast_encode import canonical
from common.protocol.ids import new_cid


def sync(world: World, session: Session, command: messages.Sync, _now: int) -> Outcome:
    """Start delivery in the named rooms, but for those that are refused."""
    refused: dict[str, str] = {}
    compared: list[tuple[RoomLog, int]] = []
    for room, after in command.positions.items():
        log = world.room_of(session, room)
        if log is None:
            refused[room] = "no_such_room"
        elif after > log.head:
            refused[room] = "position_ahead"
        elif room in command.last:
            compared.append((log, after))
    try:
        refused |= dict.fromkeys(_diverged_rooms(world, command, compared), "position_ahead")
    except StoreFailedError:
        return refuse(session, command, "internal", params={"why": "unreadable"})
    begun = {room: after for room, after in command.positions.items() if room not in refused}
    skipped: list[str] = []
    if command.most is not None:
        stored = {room: world.directory.rooms[room].stored for room in begun}
        skipped = [room for room, after in begun.items() if stored[room] - after > command.most]
        begun |= {room: stored[room] for room in skipped}

    def synced() -> messages.Synced:
        # Of a skipped room, where delivery starts. An uncommitted event of this batch may
        # be rolled back, and its `seq` given to another one.
        heads = {room: begun[room] if room in skipped else world.head(room) for room in begun}
        return messages.Synced(re=command.id, heads=heads, skipped=tuple(skipped), refused=refused)

    outcome: Outcome = [Answer(session.connection, command.id, synced)]
    for room, after in begun.items():
        outcome += world.delivery.start(session, room, after)
    return outcome


def history(world: World, session: Session, command: messages.History, _now: int) -> Outcome:
    """Request a page of history from a query worker. The command table has checked the room."""
    query = ReadHistory(
        room=command.room,
        head=world.directory.rooms[command.room].stored,
        before=command.before,
        after=command.after,
        around=command.around,
        at=command.at,
        count=command.count,
    )
    return [Query(session.connection, command.id, query)]


def _diverged_rooms(
    world: World, command: messages.Sync, compared: Collection[tuple[RoomLog, int]]
) -> list[str]:
    """The rooms in which a client's copy differs from the log. Raises StoreFailedError.

    That happens after a backup was restored, with its epoch, and the log has grown beyond the
    client's position since. Only committed events are compared: clients have no others.
    """
    cids = world.store.cids(compared) if compared else {}
    return [log.room for log, _ in compared if cids.get(log.room) != command.last[log.room]]


def send(world: World, session: Session, command: messages.Send, now: int) -> Outcome:
    """Store and publish an event. A repeated one (same `cid`) gets its first reply again."""
    sender = world.account(session)
    outcome: Outcome = []
    if command.after is not None and _too_early(world, sender, command.cid, command.after):
        return refuse(session, command, "too_early", "after")
    room = world.room_of(session, command.room)
    if room is None or _partner_left(world, sender, room):
        room, outcome = _begin_direct(world, session, command, sender, now)
        if room is None:
            return outcome
    rate, bucket, moment = world.message_limits, (room.room, sender.username), world.moment
    full_at = rate.full_at.get(bucket, 0.0)
    if room.slow or full_at > moment + rate.most:
        refusal = _too_fast(world, session, command, sender, room)
        if refusal is not None:
            return refusal
    seq, kind, body = room.head + 1, command.kind, command.body
    event = Event(room.room, seq, kind, sender.username, now, command.cid, body)
    said = world.store.append(room, event, sender)
    if said is not None:
        return _deduplicated(session, command, said)
    world.directory.advance(room)
    if rate.interval:
        tokens = cost(command) * rate.interval
        if full_at > moment:
            rate.full_at[bucket] = full_at + tokens
        else:
            rate.begin(bucket, moment + tokens, moment)
    if room.slow and sender.role < Role.MODERATOR:
        _note_slow(world, room, sender)
    outcome.append(Publish(event, session.connection, command.id))
    return outcome


def _begin_direct(
    world: World, session: Session, command: messages.Send, sender: Account, now: int
) -> tuple[RoomLog | None, Outcome]:
    """Open the direct room of its first message, and tell both; or None, and the outcome instead.

    That is a refusal, or the first ack.
    """
    # Perhaps a repetition of an event in a room of which the sender was a member then.
    said = world.store.find(sender, command.cid)
    if said is not None:
        return None, _deduplicated(session, command, said)
    members = _direct_accounts(world, sender, command.room)
    if members is None:
        return None, _no_room(world, session, command, sender)
    wait = ceil(1000 * world.direct_room_limit.ask(sender.username, now / 1000))
    if wait:
        why = {"why": "many_conversations"}
        code: messages.ErrorCode = "rate_limited"
        return None, refuse(session, command, code, "room", retry_after=wait, params=why)
    room = _open_direct(world, command.room, members, now)
    return room, _room_added(world, room)


def _too_fast(
    world: World, session: Session, command: messages.Send, sender: Account, room: RoomLog
) -> Outcome | None:
    """The refusal of a message that comes too soon, or its first ack if it is stored; or None."""
    username, moment = sender.username, world.moment
    rate_wait = world.message_limits.wait(room.room, username, moment)
    slow_wait = 0.0
    if room.slow and sender.role < Role.MODERATOR:
        slow_wait = world.message_limits.slow_wait(room.room, username, room.slow, moment)
    if not rate_wait and not slow_wait:
        return None
    again = send_again(world, session, command)
    if again is not None:
        return again
    if slow_wait >= rate_wait:
        params: Params = {"room": room.room, "seconds": room.slow}
        code: messages.ErrorCode = "slow_mode"
    else:
        params, code = {"room": room.room, "why": "many_messages"}, "rate_limited"
        rate_wait = max(rate_wait, LEAST_RATE_WAIT)
    retry_after = ceil(1000 * max(rate_wait, slow_wait))
    return refuse(session, command, code, "room", retry_after=retry_after, params=params)


def _note_slow(world: World, room: RoomLog, sender: Account) -> None:
    before = world.message_limits.slow_sent(room.room, sender.username, world.moment)
    undo = partial(world.message_limits.undo_slow_sent, room.room, sender.username, before)
    world.directory.undo.note(undo)


def _too_early(world: World, sender: Account, cid: str, after: str) -> bool:
    """Whether the event that has to precede this one is not stored, nor this one already."""
    find = world.store.find
    return find(sender, after) is None and find(sender, cid) is None


def send_again(world: World, session: Session, command: messages.Send) -> Outcome | None:
    """The first reply to an event that is stored; None if it is not.

    It applies whatever refuses the command now, as it was accepted before. Raises StoreFailedError.
    """
    sender = world.account_of(session)
    said = None if sender is None else world.store.find(sender, command.cid)
    return None if said is None else _deduplicated(session, command, said)


def _deduplicated(session: Session, command: messages.Send, said: Event) -> Outcome:
    """The first ack again (idempotence), or `cid_reused` if its `cid` is another event's."""
    same = (said.room, said.kind) == (command.room, command.kind)
    if not same or canonical(said.body) != canonical(command.body):
        return refuse(session, command, "cid_reused", "cid")
    ack = messages.Ack(
        re=command.id, room=said.room, seq=said.seq, cid=command.cid, sent_at=said.sent_at
    )
    return [Tell(session.connection, ack)]


def list_rooms(world: World, session: Session, command: messages.ListRooms, _now: int) -> Outcome:
    """A page of the account's rooms, in order of their ids."""
    username = session.username or ""

    def rooms() -> messages.Rooms:
        mine = world.directory.rooms_of.get(username, [])
        first = bisect(mine, command.after or "")
        page = mine[first : first + limits.PAGE_ROOMS]
        return messages.Rooms(
            re=command.id,
            rooms=tuple(map(world.room, page)),
            more=first + len(page) < len(mine),
        )

    return [Answer(session.connection, command.id, rooms)]


def publish_join(world: World, account: Account, now: int) -> Publish:
    """Append a `join` event to the public room; it is published after the commit."""
    room = world.directory.rooms[GENERAL]
    event = Event(GENERAL, room.head + 1, JOIN, account.username, now, new_cid(), {})
    world.store.append(room, event, account)
    world.directory.advance(room)
    return Publish(event)


def publish_deletion(world: World, account: Account, now: int) -> list[Publish]:
    """Append to each room of a deleted account that it is; published after the commit."""
    published: list[Publish] = []
    body = {"messages": REMOVED if account.erased else KEPT}
    for name in world.directory.rooms_of.get(account.username, ()):
        room = world.directory.rooms[name]
        seq, sender = room.head + 1, account.username
        event = Event(name, seq, ACCOUNT_DELETED, sender, now, new_cid(), body)
        world.store.append(room, event, account)
        world.directory.advance(room)
        published.append(Publish(event))
    return published


def _partner_left(world: World, sender: Account, room: RoomLog) -> bool:
    """Whether it is a direct room whose other account was deleted: nobody would read it."""
    other = direct_partner(room.room, sender.username)
    return other is not None and world.directory.accounts[other].former


def _direct_accounts(world: World, sender: Account, room: str) -> list[Account] | None:
    """The two accounts of a direct room's id; None unless both exist and the sender is one."""
    usernames = direct_members(room)
    # Only the sorted pair is a valid id: otherwise two people could have two direct rooms.
    if usernames is None or sender.username not in usernames or usernames[0] >= usernames[1]:
        return None
    accounts = [world.directory.living(username) for username in usernames]
    there = [account for account in accounts if account is not None]
    return there if len(there) == len(usernames) else None


def _no_room(world: World, session: Session, command: messages.Send, sender: Account) -> Outcome:
    """Refuse an unknown room; of a direct room, name the unknown person."""
    other = direct_partner(command.room, sender.username)
    account = world.directory.accounts.get(other or "")
    if account is not None and account.former:
        return refuse(session, command, "former_member", "room")
    if other is not None and account is None:
        return no_such_person(session, command, other, "room")
    return refuse(session, command, "no_such_room", "room", params={"room": command.room})


def _open_direct(world: World, room_id: str, members: list[Account], now: int) -> RoomLog:
    with world.store.atomic():
        room = world.store.add_room(room_id, now)
        for account in members:
            world.store.add_member(room, account)
    world.directory.add_room(room)
    for account in members:
        world.directory.enter(room, account.username)
    return room


def _room_added(world: World, room: RoomLog) -> Outcome:
    added = messages.RoomAdded(room=world.room(room.room))
    return [TellAccount(username, added) for username in sorted(room.members)]
