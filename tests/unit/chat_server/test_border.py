"""The border between the hub and those who serve connections: nothing but plain data crosses it.

A real server, in which each thing that is handed over is a copy made of bytes, as if hub, I/O
thread and workers were processes of their own. Everything that can cross does.
"""

from __future__ import annotations

import pickle
import pickletools
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar, get_args

import pytest

from chat_client.net.joining import JoinConnection
from chat_client.options import Name
from chat_client.state.joining import Connected, Digits, Refused, Waiting
from chat_server import ctl
from chat_server.hub.queue import HubItem, HubQueue
from chat_server.net import io_thread as io_module
from chat_server.net import query_workers as readers_module
from chat_server.net import send_queues as send_queues_module
from chat_server.net.endpoints.local import LocalEndpoint
from chat_server.net.io_thread import IoThread
from chat_server.net.pages import Pages
from chat_server.net.query_workers import Job, Readers
from chat_server.options import parse_options
from chat_server.rules import effects
from chat_server.service import Server
from common.domain.invite import Invite, parse_invite
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.events import Event
from tests.process.wire import Session

DEADLINE = 10.0

Plain = TypeVar("Plain")
Ask = Callable[[Callable[[int], messages.ToServer]], messages.ToClient]


class Border:
    """Whatever crosses is written down, and handed over as a copy that knows nothing of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.to_hub: set[type] = set()
        self.to_io: set[type] = set()
        self.to_readers: set[type] = set()
        self.to_host: set[type] = set()
        post, newcomers = HubQueue.post, HubQueue.post_unauthenticated
        to_io, to_readers = IoThread.post, Readers.post
        to_host = LocalEndpoint.carry_out

        def post_hub(hub: HubQueue, *items: HubItem) -> None:
            post(hub, *(_crossed(each, self.to_hub) for each in items))

        def post_unauthenticated(hub: HubQueue, items: Sequence[HubItem]) -> None:
            newcomers(hub, [_crossed(each, self.to_hub) for each in items])

        def post_io(io: IoThread, batch: list[effects.IoEffect]) -> None:
            to_io(io, [_crossed(each, self.to_io) for each in batch])

        def post_readers(readers: Readers, job: Job) -> None:
            to_readers(readers, _crossed(job, self.to_readers))

        def carry_out(local: LocalEndpoint, effect: effects.ToOne) -> None:
            to_host(local, _crossed(effect, self.to_host))

        monkeypatch.setattr(HubQueue, "post", post_hub)
        monkeypatch.setattr(HubQueue, "post_unauthenticated", post_unauthenticated)
        monkeypatch.setattr(IoThread, "post", post_io)
        monkeypatch.setattr(Readers, "post", post_readers)
        monkeypatch.setattr(LocalEndpoint, "carry_out", carry_out)


def _crossed(item: Plain, kinds: set[type]) -> Plain:
    """What is left of something on the other side."""
    kinds.add(type(item))
    data = pickle.dumps(item)
    # Events and messages, never bytes of some protocol.
    assert not [code.name for code, *_ in pickletools.genops(data) if "BYTES" in code.name], item
    copy: Plain = pickle.loads(data)  # noqa: S301 (made a line above)
    assert copy == item
    return copy


@pytest.fixture
def border(monkeypatch: pytest.MonkeyPatch) -> Border:
    """The border of every server of this process, watched."""
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    monkeypatch.setattr(io_module, "TICK", 0.01)
    return Border(monkeypatch)


@pytest.fixture
def server(border: Border, tmp_path: Path) -> Iterator[Server]:
    """A server behind that border."""
    assert border.to_hub == set()
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0"])
    made = Server(options, tmp_path, lambda _: None)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def invite(server: Server) -> Invite:
    """The way in."""
    assert server.running is not None
    return parse_invite(server.running.invite)


@pytest.fixture
def ask(server: Server) -> Ask:
    """How the host asks for something, and what is answered."""
    session = server.host_session()
    replies: queue.SimpleQueue[messages.ToClient] = queue.SimpleQueue()

    def asked(command: Callable[[int], messages.ToServer]) -> messages.ToClient:
        session.ask(command, replies.put)
        return replies.get(timeout=DEADLINE)

    return asked


def converse(ada: Session, bob: Session) -> None:
    """Rooms, events that are at hand, answers of workers."""
    ada.follow()
    ada.say("hello, bob")
    acknowledged = ada.expect(messages.Ack)
    assert acknowledged.seq == 3
    bob.follow()
    assert bob.say_all("hello, ada", "who is there?")[1].seq == 5
    bob.say("psst", "dm:ada:bob")
    assert ada.expect(messages.RoomAdded).room.room == "dm:ada:bob"
    bob.expect(messages.Ack)
    assert [event.seq for event in bob.events if event.room == GENERAL] == [1, 2, 3]
    ada.command(messages.History, room=GENERAL, count=10)
    page = ada.expect(messages.HistoryPage)
    assert [event.seq for event in page.events] == [1, 2, 3, 4, 5]


def moderate(ask: Ask, ada: Session, bob: Session, data_dir: Path) -> None:
    """Roles, mutes, the ends of connections; by the host, a moderator and a command line."""
    role = ask(lambda n: messages.SetRole(id=n, username="ada", role="moderator"))
    assert isinstance(role, messages.Done)
    ada.command(messages.MutePerson, username="bob", until=None, reason="enough")
    assert bob.expect(messages.MuteChanged).mute == messages.Mute(until=None, reason="enough")
    ada.expect(messages.Done)
    audit = ask(lambda n: messages.ListAudit(id=n))
    assert isinstance(audit, messages.Audit)
    assert [entry.action for entry in audit.entries] == ["mute", "set_role"]
    assert ctl.main(["rename", "Garden", "--data-dir", str(data_dir)]) == 0
    ada.expect(messages.ServerChanged)


def catch_up(server: Server, ada: Session, invite: Invite, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the log, behind the others for a moment, and from a log that can't be read."""
    server._world.delivery.forget_tails()
    with Session(invite, "cem") as cem:
        assert cem.follow() == 6
        while len(cem.events) < 6:
            cem.events.append(cem.expect(Event))
        with monkeypatch.context() as full:
            full.setattr(send_queues_module, "SEND_QUEUE_LIMIT", 150)  # less than an event
            ada.say_all("too much")
            late = cem.expect(Event)
            assert (late.seq, late.text) == (7, "too much")
    with Session(invite, "dan") as dan, monkeypatch.context() as unreadable:
        server._world.delivery.forget_tails()
        unreadable.setattr(Pages, "page_of", lambda *_: 1 // 0)
        dan.follow()
        assert dan.expect_goodbye().params == {"why": "unreadable"}


def knock(invite: Invite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody asks to join, and nobody answers for a moment that is all there is."""
    monkeypatch.setattr("chat_server.rules.knocks.LIFE", 1)
    news: queue.SimpleQueue[object] = queue.SimpleQueue()
    with closing(JoinConnection(invite.place, lambda _: "9" * 32, news.put)) as joining:
        joining.knock(Name("gus", "Gus"))
        told = [type(news.get(timeout=DEADLINE)) for _ in range(4)]
    assert told == [Connected, Digits, Waiting, Refused]


def test_all_that_crosses_is_plain_data(
    border: Border,
    server: Server,
    invite: Invite,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    errors_logged: pytest.LogCaptureFixture,
) -> None:
    """A conversation, history, moderation, ctl and trouble: every kind crosses, as a copy."""
    with Session(invite, "ada") as ada, Session(invite, "bob") as bob:
        converse(ada, bob)
        moderate(ask, ada, bob, tmp_path)
        knock(invite, monkeypatch)
        catch_up(server, ada, invite, monkeypatch)
        # As the last: with a person the devices are banned, and here all have the same.
        assert ctl.main(["ban", "bob", "--data-dir", str(tmp_path)]) == 0
        assert bob.expect_goodbye().code == "banned"
        ada.command(messages.DeleteMe, messages="remove")
        assert ada.expect_goodbye().code == "account_deleted"
    server.stop()
    assert border.to_hub == set(get_args(HubItem))
    assert border.to_io == set(get_args(effects.IoEffect))
    assert border.to_readers == set(get_args(Job))
    assert effects.Tell in border.to_host
    assert [record.name for record in errors_logged.records if record.exc_info] == [
        readers_module.__name__
    ]
