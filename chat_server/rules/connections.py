"""Inputs about connections: opened, closed, fallen behind, drained; and keepalive (`ping`)."""

from chat_server.rules import inputs
from chat_server.rules.effects import Disconnect, Tell
from chat_server.rules.sessions import Session
from chat_server.rules.view import ClientDisconnected, ClientSlow, TrafficChanged
from chat_server.rules.world import Outcome, World
from common.protocol.messages import Goodbye, Ping, Pong, refusal

_STOPPED = Goodbye(code="server_closing", params={})


def opened(world: World, item: inputs.Opened, now: int) -> Outcome:
    """A connection is open: it has a session, unauthenticated until it signs in."""
    session = Session(item.connection, item.address, now, is_host=item.is_host)
    world.sessions.open(session)
    return []


def ping(_world: World, session: Session, command: Ping, _now: int) -> Outcome:
    """Keepalive: answer a `ping`."""
    return [Tell(session.connection, Pong(re=command.id))]


def closed(world: World, item: inputs.Closed, now: int) -> Outcome:
    """The I/O thread closed a connection, or the peer did."""
    return world.leave(item.connection, item.why, now)


def fell_behind(world: World, item: inputs.FellBehind, _now: int) -> Outcome:
    """A client reads more slowly than events arrive: it falls back from live to catching up."""
    session = world.sessions.get(item.connection)
    if session is None:
        return []
    world.delivery.fell_behind(session, item.room, item.after)
    session.slow = True
    return [ClientSlow(session.connection, slow=True)]


def drained(world: World, item: inputs.Drained, _now: int) -> Outcome:
    """A client's send queue has space again: go on with the next page."""
    session = world.sessions.get(item.connection)
    if session is None:
        return []
    effects = world.delivery.drained(session, item.brought)
    if effects is None:
        return []
    if session.cursors:
        return [*effects]
    session.slow = False
    return [*effects, ClientSlow(session.connection, slow=False)]


def page_read(world: World, item: inputs.PageRead, _now: int) -> Outcome:
    """A query worker has read a page of a room's log."""
    session = world.sessions.get(item.connection)
    return [] if session is None else [*world.delivery.page(session, item)]


def page_failed(world: World, item: inputs.PageFailed, now: int) -> Outcome:
    """The log can't be read: disconnect, so that the client retries with backoff."""
    if world.sessions.get(item.connection) is None:
        return []
    goodbye = Goodbye(code="internal", params={"why": "unreadable"})
    return [
        Disconnect(item.connection, goodbye),
        *world.leave(item.connection, "unreadable", now),
    ]


def query_done(world: World, item: inputs.QueryDone, _now: int) -> Outcome:
    """A query worker has read the reply to a command, or could not."""
    session = world.sessions.get(item.connection)
    if session is None:
        return []
    answer = item.answer
    if answer is None:
        answer = refusal("internal", re=item.re, params={"why": "unreadable"})
    return [Tell(session.connection, answer)]


def traffic(world: World, item: inputs.Traffic, _now: int) -> Outcome:
    """New byte counts of connections."""
    for connection, total in item.totals.items():
        session = world.sessions.get(connection)
        if session is not None:
            session.traffic = total
    return [TrafficChanged(item.totals)]


def end_sessions(world: World, item: inputs.EndSessions, now: int) -> Outcome:
    """Disconnect these sessions, now that the reason (a ban, a termination) is committed."""
    outcome: Outcome = []
    for connection in item.connections:
        if world.sessions.get(connection) is not None:
            outcome.append(Disconnect(connection, item.goodbye))
            outcome += world.leave(connection, item.why, now)
    return outcome


def close_everything(world: World, _: inputs.CloseEverything, now: int) -> Outcome:
    """The server shuts down: disconnect everyone, without pushing presence."""
    outcome: Outcome = []
    for session in world.sessions:
        outcome.append(Disconnect(session.connection, _STOPPED))
        left, _was_last = world.sessions.close(session.connection)
        if left is not None and left.username is not None:
            world.seen(left, now)
            outcome.append(ClientDisconnected(session.connection, "server_closing", now))
    return outcome
