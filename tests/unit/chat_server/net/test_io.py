"""Sockets: no client's silence, slowness or nonsense reaches another one.

The acceptor, the I/O thread, TLS and the clients' sockets are real; the test plays the hub.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, TypeVar

import pytest

from chat_server.hub.queue import HubItem, HubQueue, Received
from chat_server.identity import load_identity
from chat_server.net import connection as connection_module
from chat_server.net import io_thread as io_module
from chat_server.net import send_queues as send_queues_module
from chat_server.net.acceptor import Acceptor, listen, readable_address
from chat_server.net.io_thread import IoThread
from chat_server.net.unauthenticated import UnauthenticatedConnections
from chat_server.rules import effects, inputs
from common.limits import PRESENCE
from common.protocol import messages
from common.protocol.codec import Arrival, ClientEnd, Phase, encode
from common.protocol.events import Event
from common.protocol.fast_encode import event_frame
from common.protocol.messages import ToClient, ToServer
from common.system.tls import client_context, server_context
from common.system.waker import Waker
from tests.events import cid_of, said

DEADLINE = 10.0
EPOCH = "e" * 32

Kind = TypeVar("Kind")


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the clients' side of TLS, made once."""
    return server_context(load_identity(Path(mkdtemp())).path), client_context()


class Client:
    """A client with a real connection; every wait of it ends after DEADLINE seconds."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.socket = raw if context is None else context.wrap_socket(raw)
        self.end = ClientEnd()
        self._messages: list[Arrival] = []

    def send(self, *commands: ToServer) -> None:
        """Say something, all in one write."""
        self.socket.sendall(b"".join(self.end.send(command) for command in commands))

    def hear(self) -> Arrival | None:
        """The next thing the server says; None when it has hung up."""
        while not self._messages:
            try:
                data = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                return None
            if not data:
                return None
            self._messages += self.end.receive(data)
        return self._messages.pop(0)

    def hear_all(self) -> list[Arrival]:
        """Everything until the server hangs up."""
        heard: list[Arrival] = []
        while (message := self.hear()) is not None:
            heard.append(message)
        return heard

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


SENT_BY_SOMEBODY_GONE: Final = {0: {0: 1}}
"""What makes a fan-out one of messages, and not of people who come."""


class Net:
    """An acceptor and an I/O thread with a hub that the test plays."""

    def __init__(self, *, tls: bool = True) -> None:
        server, client = contexts() if tls else (None, None)
        self._client: ssl.SSLContext | None = client
        self.hub = HubQueue()
        self._heard: deque[HubItem] = deque()
        self.io = IoThread(0, self.hub, server)
        listening = listen("127.0.0.1", 0)
        self.port: int = listening.getsockname()[1]
        self.acceptor = Acceptor(listening, [self.io])
        self.clients: list[Client] = []
        self.io.start()
        self.acceptor.start()

    def next(self, kind: type[Kind]) -> Kind:
        """The next thing of a kind that the hub is told; what comes before it is skipped."""
        while True:
            while self._heard:
                item = self._heard.popleft()
                if isinstance(item, kind):
                    return item
            # Waits as long as pytest lets a test take.
            self._heard.extend(self.hub.take())

    def told(self, kind: type[Kind]) -> Kind | None:
        """What the hub has been told of a kind by now, if anything; all else stays to be taken."""
        while not self.hub._queue.empty():
            self._heard.extend(self.hub.take())
        found = next((item for item in self._heard if isinstance(item, kind)), None)
        if found is not None:
            self._heard.remove(found)
        return found

    def connect(self) -> tuple[Client, int]:
        """A client that has shaken hands, and its connection's number."""
        client = Client(self.port, self._client)
        self.clients.append(client)
        return client, self.next(inputs.Opened).connection

    def sign_in(self, *capabilities: str) -> tuple[Client, int]:
        """A client that is somebody."""
        client, number = self.connect()
        client.send(messages.Hello(id=1, protocol=2, program="P", capabilities=capabilities))
        self.next(Received)
        welcome = messages.Welcome(re=1, protocol=2, program="S", server_name="Home", epoch=EPOCH)
        self.tell(number, welcome)
        assert client.hear() == welcome
        client.send(
            messages.SignIn(
                id=2, username="ada", token="1" * 64, device="Linux", installation="2" * 32
            )
        )
        self.next(Received)
        signed_in = messages.SignedIn(
            re=2, username="ada", display_name="Ada", session=EPOCH, role="member", mute=None
        )
        self.io.post(
            [effects.Admit(number, "ada", frozenset(capabilities)), effects.Tell(number, signed_in)]
        )
        assert isinstance(client.hear(), messages.SignedIn)
        return client, number

    def tell(self, number: int, message: ToClient) -> None:
        """The hub answers."""
        self.io.post([effects.Tell(number, message)])

    def ping(self, client: Client, number: int) -> None:
        """A whole way there and back."""
        client.send(messages.Ping(id=99))
        received = self.next(Received)
        assert received == Received(number, (messages.Ping(id=99),))
        self.tell(number, messages.Pong(re=99))
        assert client.hear() == messages.Pong(re=99)

    def stop(self) -> None:
        """End both threads."""
        for client in self.clients:
            client.close()
        self.acceptor.stop()
        self.io.stop()


@pytest.fixture(params=[True, False], ids=["tls", "plaintext"])
def net(request: pytest.FixtureRequest) -> Iterator[Net]:
    """Running threads, with encryption and without."""
    made = Net(tls=request.param)
    yield made
    made.stop()


@pytest.fixture
def encrypted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    """Running threads with TLS that look at their clocks often."""
    monkeypatch.setattr(io_module, "TICK", 0.01)
    made = Net()
    yield made
    made.stop()


def event(seq: int, text: str = "hello") -> bytes:
    """The frame of an event."""
    return event_frame(spoken(seq, text))


def spoken(seq: int, text: str = "hello") -> Event:
    """Something that somebody said."""
    return said(seq, "bob", text)


def ack(request: int, seq: int) -> messages.Ack:
    """The acknowledgement of what was `spoken`."""
    sent_at = spoken(seq).sent_at
    return messages.Ack(re=request, room="general", seq=seq, cid=cid_of(seq), sent_at=sent_at)


def fanout(*events: Event, acks: dict[int, dict[int, int]] | None = None) -> effects.Fanout:
    """New events of the general room."""
    return effects.Fanout("general", events, acks or {})


def test_a_conversation(net: Net) -> None:
    """Commands arrive in one piece and in order; answers, too; then the client leaves."""
    client, number = net.sign_in()
    net.ping(client, number)
    client.send(*(messages.Ping(id=each) for each in range(1, 50)))
    got: list[ToServer] = []
    while len(got) < 49:
        got += net.next(Received).commands
    assert [command.id for command in got] == list(range(1, 50))
    client.close()
    assert net.next(inputs.Closed) == inputs.Closed(number, "left")


def test_what_was_sent_before_hanging_up_counts(net: Net) -> None:
    """A message and then the end: the hub gets both, in this order."""
    client, number = net.sign_in()
    client.send(messages.Ping(id=5))
    client.close()
    assert net.next(Received).commands == (messages.Ping(id=5),)
    assert net.next(inputs.Closed).connection == number


def test_half_a_frame_is_waited_for(net: Net) -> None:
    """One byte at a time is a frame in the end; meanwhile others are served."""
    slow, slow_number = net.sign_in()
    quick, quick_number = net.sign_in()
    frame = slow.end.send(messages.Ping(id=7))
    for place in range(len(frame) - 1):
        slow.socket.sendall(frame[place : place + 1])
    net.ping(quick, quick_number)
    slow.socket.sendall(frame[-1:])
    assert net.next(Received) == Received(slow_number, (messages.Ping(id=7),))


def test_a_bad_header_gets_a_reason_and_the_end(net: Net) -> None:
    """The error, a goodbye, and the line is closed; others do not notice."""
    bad, number = net.sign_in()
    good, good_number = net.sign_in()
    bad.socket.sendall(b"\0\0\0\0" + b"x" * 100_000)
    error, goodbye = bad.hear_all()
    assert isinstance(error, messages.Error)
    assert isinstance(goodbye, messages.Goodbye)
    assert (error.code, goodbye.code) == ("malformed", "violation")
    assert net.next(inputs.Closed).connection == number
    net.ping(good, good_number)


def test_bad_commands_are_forgiven_up_to_a_point(net: Net) -> None:
    """Each is answered with its error; too many at once end the connection."""
    client, _ = net.sign_in()
    bad = encode(messages.Ping.model_construct(id=0))
    client.socket.sendall(bad)
    error = client.hear()
    assert isinstance(error, messages.Error)
    assert error.field == "id"
    client.socket.sendall(bad * 30)
    *errors, goodbye = client.hear_all()
    assert 5 < len(errors) < 30
    assert isinstance(goodbye, messages.Goodbye)
    assert goodbye.code == "violation"


def test_a_log_line_holds_nothing_a_client_chose(
    net: Net, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a forged second line nor a secret gets into the host's log."""
    client, _ = net.connect()
    client.socket.sendall(b'\0\0\0\x2aJ{"type":"ping","id":1,"a\\nERROR geheim":1}')
    assert isinstance(client.hear(), messages.Error)
    (record,) = [each for each in caplog.records if each.name.startswith("chat_server")]
    assert "\n" not in record.getMessage()
    assert "geheim" not in record.getMessage()


def test_a_fan_out_reaches_the_live_ones(net: Net) -> None:
    """Members that are live get the frames, the sender its acks in their places, nobody else."""
    sender, sender_number = net.sign_in()
    member, member_number = net.sign_in()
    other, other_number = net.sign_in()
    live = [effects.GoLive(number, "general") for number in (sender_number, member_number)]
    new = fanout(spoken(1), spoken(2), spoken(3), acks={sender_number: {1: 5}})
    net.io.post([*live, new])
    heard = [member.hear() for _ in range(3)]
    assert [each.seq for each in heard if isinstance(each, Event)] == [1, 2, 3]
    mine = [sender.hear() for _ in range(3)]
    assert mine[1] == ack(5, 2)
    assert [each.seq for each in (mine[0], mine[2]) if isinstance(each, Event)] == [1, 3]
    net.ping(other, other_number)


def test_a_sender_that_is_not_live_gets_its_answer_only(net: Net) -> None:
    """The others' events come to it from the log in their time."""
    sender, number = net.sign_in()
    net.io.post([fanout(spoken(1), spoken(2), acks={number: {1: 5}})])
    assert sender.hear() == ack(5, 2)
    net.ping(sender, number)


def test_news_of_people_are_for_those_who_are_in(net: Net) -> None:
    """Not for strangers, and not for the one they are about."""
    stranger, stranger_number = net.connect()
    one, one_number = net.sign_in()
    two, two_number = net.sign_in()
    person = messages.Person(username="bob", display_name="Bob", role="member", change=1)
    changed = messages.PersonChanged(person=person)
    net.io.post([effects.TellEveryone(changed, but=one_number)])
    assert two.hear() == changed
    net.ping(one, one_number)
    stranger.send(messages.Hello(id=1, protocol=2, program="P"))
    net.next(Received)
    welcome = messages.Welcome(re=1, protocol=2, program="S", server_name="Home", epoch=EPOCH)
    net.tell(stranger_number, welcome)
    assert stranger.hear() == welcome
    assert two_number != one_number


def test_who_comes_and_goes_is_told_to_those_who_want_to_know(net: Net) -> None:
    """A script that names no such capability is woken by nobody's coming; after who is new."""
    quiet, quiet_number = net.sign_in()
    other, other_number = net.sign_in("other")
    one, one_number = net.sign_in(PRESENCE)
    two, two_number = net.sign_in("other", PRESENCE)
    bob = messages.Person(username="bob", display_name="Bob", role="member", change=1)
    new = messages.PersonChanged(person=bob)
    came = messages.PresenceChanged(username="bob", online=True)
    went = messages.PresenceChanged(username="bob", online=False)
    net.io.post(
        [
            effects.TellEveryone(came, but=one_number, capability=PRESENCE),
            effects.TellEveryone(new, but=one_number),
            effects.TellEveryone(went, capability=PRESENCE),
        ]
    )
    assert [two.hear() for _ in range(3)] == [new, came, went]
    assert one.hear() == went
    assert (quiet.hear(), other.hear()) == (new, new)
    for client, number in (
        (quiet, quiet_number),
        (other, other_number),
        (one, one_number),
        (two, two_number),
    ):
        net.ping(client, number)


def test_a_slow_reader_falls_behind_and_is_told_when_it_has_read(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses its queue, not its place; it alone is concerned; then the hub may go on."""
    monkeypatch.setattr(send_queues_module, "SEND_QUEUE_LIMIT", 200_000)
    slow, slow_number = net.sign_in()
    quick, quick_number = net.sign_in()
    net.io.post([effects.GoLive(n, "general") for n in (slow_number, quick_number)])
    behind: inputs.FellBehind | None = None
    seq = 0
    while behind is None:
        batch = [spoken(seq + place, "x" * 16000) for place in range(1, 9)]
        net.io.post([fanout(*batch, acks=SENT_BY_SOMEBODY_GONE)])
        for _ in batch:
            seq += 1
            heard = quick.hear()
            assert isinstance(heard, Event)
            assert heard.seq == seq
        behind = net.told(inputs.FellBehind)
        assert seq < 10_000, "nothing fills this outbox"
    assert (behind.connection, behind.room) == (slow_number, "general")
    net.io.post([fanout(spoken(seq + 1))])
    got = [slow.hear() for _ in range(behind.after)]
    assert [each.seq for each in got if isinstance(each, Event)] == list(range(1, behind.after + 1))
    assert net.next(inputs.Drained) == inputs.Drained(slow_number)
    # A page, and live again: what the stream brings next is what the hub says.
    net.io.leave_page(slow_number, 1, event(behind.after + 1))
    net.io.post(
        [
            effects.WritePage(slow_number, 1),
            effects.GoLive(slow_number, "general"),
        ]
    )
    page = slow.hear()
    assert isinstance(page, Event)
    assert page.seq == behind.after + 1
    assert net.next(inputs.Drained) == inputs.Drained(slow_number, 1)


def test_who_leaves_answers_unread_is_left_unread(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands beyond the bound wait in the client's own socket until there are answers."""
    monkeypatch.setattr(connection_module, "UNANSWERED_LIMIT", 3)
    pushy, number = net.sign_in()
    polite, polite_number = net.sign_in()
    pushy.send(*(messages.Ping(id=each) for each in (1, 2, 3)))
    got: list[ToServer] = []
    while len(got) < 3:
        got += net.next(Received).commands
    pushy.send(messages.Ping(id=4))
    for _ in range(3):
        # `ping` fails if the hub is told anything else in between.
        net.ping(polite, polite_number)
    net.io.post([effects.Tell(number, messages.Pong(re=each)) for each in (1, 2, 3)])
    assert net.next(Received) == Received(number, (messages.Ping(id=4),))


def test_effects_for_those_who_left_are_dropped(net: Net) -> None:
    """The hub may not know yet; numbers are never used twice."""
    gone, number = net.sign_in()
    gone.close()
    net.next(inputs.Closed)
    goodbye = messages.Goodbye(code="terminated", params={})
    net.io.leave_page(number, 1, event(1))
    net.io.post(
        [
            effects.Tell(number, messages.Pong(re=1)),
            effects.TellAccount("ada", messages.Pong(re=1)),
            effects.GoLive(number, "general"),
            effects.WritePage(number, 1),
            effects.WriteEvents(number, (spoken(1),)),
            effects.Disconnect(number, goodbye),
            fanout(spoken(1), acks={number: {0: 1}}),
        ]
    )
    client, other = net.sign_in()
    assert other != number
    net.ping(client, other)


def test_much_news_is_one_write_for_each(net: Net) -> None:
    """All of it, in its order, but for one's own; also when it comes behind other news at once."""
    one, one_number = net.sign_in()
    two, _ = net.sign_in()
    changed = [
        messages.PersonChanged(
            person=messages.Person(username=f"p{n}", display_name="P", role="member", change=n)
        )
        for n in range(50)
    ]
    tell = [
        effects.TellEveryone(each, but=one_number if n % 5 else None)
        for n, each in enumerate(changed)
    ]
    net.io.post(list(tell[:20]))
    net.io.post(list(tell[20:]))
    assert [two.hear() for _ in changed] == changed
    assert [one.hear() for _ in changed[::5]] == changed[::5]
    net.ping(one, one_number)


def test_an_ended_connection_hears_why_after_all_else(net: Net) -> None:
    """What waits is written first, the goodbye last, then the line is shut."""
    client, number = net.sign_in()
    goodbye = messages.Goodbye(code="terminated", params={"reason": "Enough."})
    net.io.post(
        [
            effects.Tell(number, messages.Pong(re=1)),
            effects.Disconnect(number, goodbye),
            effects.Tell(number, messages.Pong(re=2)),
        ]
    )
    assert client.hear_all() == [messages.Pong(re=1), goodbye]
    assert client.end.phase is Phase.CLOSED
    assert net.next(inputs.Closed) == inputs.Closed(number, "terminated")


def test_our_own_mistake_ends_that_connection_alone(
    net: Net, errors_logged: pytest.LogCaptureFixture
) -> None:
    """A reply that the protocol does not allow is logged, never sent."""
    client, number = net.connect()
    other, other_number = net.sign_in()
    net.tell(number, messages.Pong(re=1))
    heard = client.hear_all()
    assert [type(each) for each in heard] in ([], [messages.Goodbye])
    assert net.next(inputs.Closed).connection == number
    net.ping(other, other_number)
    assert any("out of order" in record.getMessage() for record in errors_logged.records)


def test_those_who_only_connect_hold_up_nobody(encrypted: Net) -> None:
    """Half-open handshakes wait by themselves while others come in and talk."""
    silent = [
        socket.create_connection(("127.0.0.1", encrypted.port), timeout=DEADLINE) for _ in range(20)
    ]
    for each in silent[:5]:
        each.sendall(b"\x16\x03\x01\x02")  # The beginning of a ClientHello.
    client, number = encrypted.sign_in()
    encrypted.ping(client, number)
    for each in silent:
        each.close()


def test_a_flood_makes_room_for_those_who_come_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of too many strangers the silent ones go, oldest first; whoever speaks is served."""
    monkeypatch.setattr(
        io_module, "UnauthenticatedConnections", lambda: UnauthenticatedConnections(10)
    )
    flooded = Net()
    member, number = flooded.sign_in()
    silent = [
        socket.create_connection(("127.0.0.1", flooded.port), timeout=DEADLINE) for _ in range(30)
    ]
    assert [each.recv(1) for each in silent[:20]] == [b""] * 20
    unauthenticated, newcomer_number = flooded.sign_in()
    flooded.ping(unauthenticated, newcomer_number)
    flooded.ping(member, number)
    for each in silent:
        each.close()
    flooded.stop()


def test_no_handshake_is_waited_for_for_ever(
    encrypted: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its deadline an unfinished one is closed."""
    monkeypatch.setattr(connection_module, "HANDSHAKE_DEADLINE", 0.05)
    with socket.create_connection(("127.0.0.1", encrypted.port), timeout=DEADLINE) as silent:
        assert silent.recv(1) == b""


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 99])
def test_who_speaks_no_tls_is_dropped(encrypted: Net, greeting: bytes) -> None:
    """A browser or a port scan ends by itself and nobody else notices."""
    with socket.create_connection(("127.0.0.1", encrypted.port), timeout=DEADLINE) as other:
        other.sendall(greeting)
        try:
            while other.recv(100):
                pass
        except ConnectionError:
            pass
    client, number = encrypted.sign_in()
    encrypted.ping(client, number)


@pytest.mark.parametrize(
    ("deadline", "signed_in"), [("SIGN_IN_DEADLINE", False), ("SILENCE_DEADLINE", True)]
)
def test_silence_ends_with_a_goodbye(
    encrypted: Net, monkeypatch: pytest.MonkeyPatch, deadline: str, signed_in: bool
) -> None:
    """Who does not come in, or says nothing any more, is told so and let go."""
    client, number = encrypted.sign_in() if signed_in else encrypted.connect()
    monkeypatch.setattr(connection_module, deadline, 0.05)
    (goodbye,) = client.hear_all()
    assert isinstance(goodbye, messages.Goodbye)
    assert goodbye.code == "timeout"
    assert encrypted.next(inputs.Closed).connection == number


def test_who_waits_for_the_host_stays_until_that_is_over(
    encrypted: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub is told when it has waited enough; the usual deadline follows."""
    client, number = encrypted.connect()
    client.send(messages.Hello(id=1, protocol=2, program="P"))
    encrypted.next(Received)
    encrypted.io.post([effects.MayWait(number, 0.2)])
    welcome = messages.Welcome(re=1, protocol=2, program="S", server_name="Home", epoch=EPOCH)
    encrypted.tell(number, welcome)
    assert client.hear() == welcome, "so that it is known to wait by now"
    monkeypatch.setattr(connection_module, "SIGN_IN_DEADLINE", 0.01)
    ended: list[HubItem] = []
    while not ended or not isinstance(ended[-1], inputs.Closed):
        ended += encrypted.hub.take()
    assert ended == [inputs.WaitEnded(number), inputs.Closed(number, "timeout")]
    (goodbye,) = client.hear_all()
    assert isinstance(goodbye, messages.Goodbye)
    assert goodbye.params == {"why": "no_sign_in"}


def test_traffic_is_counted(encrypted: Net) -> None:
    """The host sees how much went each way."""
    client, number = encrypted.sign_in()
    encrypted.ping(client, number)
    received, sent = encrypted.next(inputs.Traffic).totals[number]
    assert received > 50
    assert sent > 50


def test_stopping_says_goodbye_and_ends_every_thread() -> None:
    """Those who are in, those who are not yet, and half-open ones: nobody holds it up."""
    before = threading.active_count()
    net = Net()
    member, _ = net.sign_in()
    stranger, _ = net.connect()
    half = socket.create_connection(("127.0.0.1", net.port), timeout=DEADLINE)
    heard: list[Arrival] = []

    def listen_to_the_end(client: Client) -> None:
        heard.extend(client.hear_all())
        client.close()

    readers = [
        threading.Thread(target=listen_to_the_end, args=(client,)) for client in (member, stranger)
    ]
    for reader in readers:
        reader.start()
    net.acceptor.stop()
    net.io.stop()
    for reader in readers:
        reader.join()
    half.close()
    goodbyes = [each.code for each in heard if isinstance(each, messages.Goodbye)]
    assert goodbyes == ["server_closing"] * 2
    net.stop()
    net.stop()
    assert threading.active_count() == before
    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.1", net.port), timeout=DEADLINE)


def test_listening_on_a_busy_port_is_an_error() -> None:
    """Two servers do not share a port without knowing it."""
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])


def test_listening_everywhere_takes_ipv4_clients() -> None:
    """With IPv6 or without it on this computer."""
    with listen(None, 0) as everywhere:
        port = everywhere.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE):
            accepted, peer = everywhere.accept()
            accepted.close()
    assert readable_address(peer[0]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "shown"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("::ffff:1", "::ffff:1")],
)
def test_addresses_are_shown_as_people_know_them(address: str, shown: str) -> None:
    """A dual-stack socket's way of writing IPv4 is undone, and nothing else."""
    assert readable_address(address) == shown


def test_every_wake_up_arrives() -> None:
    """Again and again, many at once, and after the end it is harmless."""
    waker = Waker()
    waker.receiver.settimeout(DEADLINE)
    for _ in range(1000):
        for _ in range(3):
            waker.wake()
        assert waker.receiver.recv(1, socket.MSG_PEEK)
        waker.clear()
    waker.close()
    waker.wake()
