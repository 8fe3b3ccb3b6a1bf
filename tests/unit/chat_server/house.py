"""A server's rules over a real log, driven by hand: what came of each command and input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from chat_server.net.endpoints.frames import FramesEndpoint
from chat_server.rules import inputs
from chat_server.rules.commands import handle_command, handle_input, is_refusal
from chat_server.rules.effects import (
    After,
    Answer,
    Disconnect,
    Fanout,
    Publish,
    Show,
    Tell,
    TellAccount,
    TellEveryone,
)
from chat_server.rules.sessions import Session
from chat_server.rules.world import Outcome, ServerFacts, World
from chat_server.store.sqlite.store import SqliteStore
from common import limits
from common.domain.invite import Place
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.frames import FrameDecoder
from common.protocol.messages import Message, ToClient, to_client
from tests.events import cid_of, send

SECRET = "s" * 22
FINGERPRINT = bytes(range(32))
"""Of the certificate that the server would have."""
NOW = 1_700_000_000_000

Kind = TypeVar("Kind")


def link(facts: ServerFacts, username: str) -> str:
    """An invite's link as the server makes it."""
    place = Place(("127.0.0.1",), 12345, FINGERPRINT, facts.name)
    return place.invite(facts.secret, username).link()


class House:
    """A world with one room, and the numbers to drive it with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = SqliteStore(path)
        with self.log.transaction():
            self.log.set_meta("invite_secret", SECRET)
            self.log.invite_secret(NOW)
            facts = ServerFacts("Home", "ChatServer", self.log.epoch(), SECRET, FINGERPRINT)
            directory = self.log.load()
            if GENERAL not in directory.rooms:
                directory.add_room(self.log.add_room(GENERAL, 0))
        self.world = World(facts, self.log, directory, link=link)
        self._connections = itertools.count(1)
        self._requests = itertools.count(1)
        self._cids = itertools.count(1)
        self.now = NOW
        """Stands still until a test moves it."""

    def close(self) -> None:
        """Let go of the database."""
        self.log.close()

    def request(self) -> int:
        """A new request id."""
        return next(self._requests)

    def cid(self) -> str:
        """A new message id."""
        return cid_of(next(self._cids))

    def connect(self, address: str = "192.0.2.1") -> Session:
        """A new connection that has not said who it is."""
        number = next(self._connections)
        self.happen(inputs.Opened(number, address))
        session = self.world.sessions.get(number)
        assert session is not None
        return session

    def host(self) -> Session:
        """A session of the host's own computer."""
        number = -next(self._connections)
        self.happen(inputs.Opened(number, "this computer", is_host=True))
        session = self.world.sessions.get(number)
        assert session is not None
        return session

    def follow(self, outcome: Outcome) -> Outcome:
        """What follows once that is stored."""
        return [effect for after in all_of(outcome, After) for effect in self.happen(after.item)]

    def do(self, session: Session, command: messages.ToServer) -> Outcome:
        """What a command leads to, committed."""
        with self.log.transaction():
            outcome = handle_command(self.world, session, command, self.now)
        self.world.directory.commit()
        return answered(outcome)

    def happen(self, item: inputs.Input) -> Outcome:
        """What another input leads to."""
        return handle_input(self.world, item, self.now)

    def join_command(self, name: str, **fields: str | None) -> messages.Join:
        """A lawful join; `fields` make it less so."""
        given = {
            "secret": SECRET,
            "username": name,
            "display_name": name.title(),
            "token": token(name),
            "device": "Linux",
            "installation": installation(name),
            **fields,
        }
        return messages.Join.model_validate({"id": self.request(), **given})

    def join(self, name: str, **fields: str | None) -> Session:
        """A new account's first session; `fields` are those of its `join`."""
        session = self.connect()
        self.do(session, self.join_command(name, **fields))
        assert session.username == name
        return session

    def sign_in_command(self, name: str, resume: str | None = None) -> messages.SignIn:
        """Somebody comes back."""
        return messages.SignIn(
            id=self.request(),
            username=name,
            token=token(name),
            device="Linux",
            installation=installation(name),
            resume=resume,
        )

    def sign_in(self, name: str, resume: str | None = None) -> tuple[Session, Outcome]:
        """One more session of an account."""
        session = self.connect()
        return session, self.do(session, self.sign_in_command(name, resume))

    def say(
        self,
        session: Session,
        text: str,
        room: str = GENERAL,
        cid: str = "",
        after: str | None = None,
    ) -> Outcome:
        """What a message leads to."""
        command = send(self.request(), text, room=room, cid=cid or self.cid(), after=after)
        return self.do(session, command)

    def sync(
        self, session: Session, positions: dict[str, int], last: Mapping[str, str] | None = None
    ) -> tuple[messages.Synced, Outcome]:
        """What naming positions is answered with, and all that it leads to."""
        command = messages.Sync(id=self.request(), positions=positions, last=dict(last or {}))
        outcome = self.do(session, command)
        (synced,) = told(outcome, session)
        assert isinstance(synced, messages.Synced)
        return synced, outcome

    def cid_at(self, seq: int, room: str = GENERAL) -> str:
        """The id of an event that is in the log."""
        return self.log.cids([(self.world.directory.rooms[room], seq)])[room]

    def stored(self, room: str = GENERAL) -> list[tuple[int, str, str, str]]:
        """The room's log on the disk: seq, kind, sender, text."""
        return list(
            self.log._connection.execute(
                "SELECT seq, kind, username, coalesce(json_extract(body, '$.text'), '') FROM events"
                " JOIN rooms ON rooms.number = events.room"
                " JOIN accounts ON accounts.number = events.sender"
                " WHERE rooms.room = ? ORDER BY seq",
                (room,),
            )
        )


def token(name: str) -> str:
    """A device's token, made of a name."""
    return name.encode().hex().ljust(64, "0")[:64]


def installation(name: str) -> str:
    """The installation that somebody uses, made of a name."""
    return token(name)[:32]


def answered(outcome: Outcome) -> Outcome:
    """With what is made after the commit, as the hub makes it."""
    made: Outcome = []
    for effect in outcome:
        if isinstance(effect, Answer):
            made.append(Tell(effect.connection, effect.make()))
        else:
            made.append(effect.make() if isinstance(effect, Show) else effect)
    return made


def only(outcome: Outcome, kind: type[Kind]) -> Kind:
    """The one effect of a kind."""
    (found,) = all_of(outcome, kind)
    return found


def all_of(outcome: Outcome, kind: type[Kind]) -> list[Kind]:
    """The effects of a kind, in order."""
    return [effect for effect in outcome if isinstance(effect, kind)]


def listed(room: str, head: int) -> messages.Room:
    """A room as its members see it."""
    kind = "public" if room == GENERAL else "direct"
    return messages.Room(room=room, kind=kind, title=None, head=head)


def told(outcome: Outcome, session: Session) -> list[Message]:
    """What one connection is told by its number or its account's name."""
    said: list[Message] = []
    for effect in outcome:
        if isinstance(effect, TellAccount):
            said += [effect.message] if effect.username == session.username else []
        elif isinstance(effect, Tell | Disconnect) and effect.connection == session.connection:
            said.append(effect.message if isinstance(effect, Tell) else effect.goodbye)
    return said


def refused(outcome: Outcome, session: Session) -> messages.Error:
    """The refusal that is all a command led to."""
    assert is_refusal(outcome)
    (error,) = told(outcome, session)
    assert isinstance(error, messages.Error)
    return error


def presence(outcome: Outcome) -> list[tuple[str, bool]]:
    """Who came online or went offline, as those are told who want to know."""
    found: list[tuple[str, bool]] = []
    for effect in all_of(outcome, TellEveryone):
        if isinstance(effect.message, messages.PresenceChanged):
            assert effect.capability == limits.PRESENCE
            found.append((effect.message.username, effect.message.online))
    return found


def newcomers(outcome: Outcome) -> list[messages.Person]:
    """The accounts that everyone is told of."""
    found: list[messages.Person] = []
    for effect in all_of(outcome, TellEveryone):
        if isinstance(effect.message, messages.PersonChanged):
            assert not effect.capability
            found.append(effect.message.person)
    return found


def acked(outcome: Outcome) -> messages.Ack:
    """The acknowledgement of a message, whether new or repeated."""
    for effect in outcome:
        if isinstance(effect, Publish) and effect.sender is not None:
            (ack,) = acks_in(Fanout("", (effect.event,), {0: {0: effect.re}}), 0)
            break
        if isinstance(effect, Tell) and isinstance(effect.message, messages.Ack):
            ack = effect.message
            break
    else:
        raise AssertionError(outcome)
    assert isinstance(ack, messages.Ack)
    return ack


def acks_in(fanout: Fanout, connection: int) -> list[ToClient]:
    """The acknowledgements that a connection gets, as its client reads them."""
    acks = fanout.acks.get(connection, {})
    own = FramesEndpoint().batch(fanout.events).own(acks, live=False)
    return list(understood(own))


def understood(frames: bytes) -> Iterator[ToClient]:
    """Frames as a client reads them."""
    decoder = FrameDecoder(1 << 20)
    for frame in decoder.frames(frames):
        yield to_client().validate_json(frame)
    assert not decoder.partial


def seqs(frames: bytes) -> list[int]:
    """The places of the events in some frames."""
    return [
        message.seq
        for message in understood(frames)
        if isinstance(message, messages.EventMessage | messages.Ack)
    ]
