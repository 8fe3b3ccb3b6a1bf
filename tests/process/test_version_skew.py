"""Programs of different versions: each ignores what the other may send and it doesn't know.

The older client is this one, with a scripted newer server; the older server is this one, with
scripted newer clients.
"""

import json
import queue
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from chat_client.accounts import new_account
from chat_client.cache.cache import Cache
from chat_client.core import Core
from chat_client.state import news
from chat_client.state.outbox_message import OutboxState
from chat_client.state.status import Link
from common.domain.invite import Invite, parse_invite
from common.domain.names import GENERAL
from common.limits import FRAME_JSON
from common.protocol.frames import FrameDecoder, encode_frame
from tests.events import message
from tests.process.harness import DEADLINE, Client, House, Server
from tests.process.newer import (
    ANNEX,
    CLUB,
    LOG,
    REACTION,
    REWRITTEN,
    NewerServer,
    a_newer_server,
)
from tests.process.stranger import Line, RefusedError, Stranger, new_cid, read_link

KNOWN: tuple[dict[str, Any], ...] = (
    {},
    {"text": "hello"},
    REACTION,
    REWRITTEN,
    {},
    {"text": "goodbye"},
)
"""The bodies of the newer server's log as this client has them: in full what it doesn't know."""
AFTER = 1500
"""Milliseconds; more than the longest first pause of a client that is told nothing."""


@pytest.fixture
def newer() -> Iterator[NewerServer]:
    """A server of a later version."""
    with a_newer_server() as server:
        yield server


@pytest.fixture
def ada(house: House, newer: NewerServer) -> Client:
    """A person with its invite and the client of this version."""
    return Client(house, house.folder / "ada", "ada", newer.invite)


# --- this client and a newer server -----------------------------------------------------------


def test_a_listener_prints_what_it_does_not_know_in_full(ada: Client, newer: NewerServer) -> None:
    """Each event once, in its place, also with what a newer version puts into a known kind."""
    listener = ada.listen("--count", "2")
    heard = [json.loads(listener.line()) for _ in LOG]
    assert listener.status() == 0, listener.transcript()
    fields = ["room", "seq", "kind", "sender", "sent_at", "cid", "body"]
    assert [list(each) for each in heard] == [fields] * len(LOG)
    assert heard == [{name: event[name] for name in fields} for event in LOG]
    assert newer.connections == 1
    more = {1: {"through": "the window"}, 2: {"text": "hello", "mood": "good"}}
    assert kept_raw(ada.data_dir) == {**more, 3: REACTION, 4: REWRITTEN, 5: {}}
    again = ada.listen("--count", "1", "--timeout", "1")
    newer.begin_closing.append(
        {"type": "goodbye", "code": "terminated", "params": {"reason": "No more."}}
    )
    assert again.status() == 1
    assert again.out == []  # It was all heard, also what was not understood.
    (last,) = [each for each in newer.commands if each["type"] == "sync"][1:]
    assert (last["positions"], last["last"]) == ({GENERAL: 6}, {GENERAL: LOG[-1]["cid"]})


def kept_raw(data_dir: Path) -> dict[int, Any]:
    """By place, the bodies that a client keeps for a newer one, as they came."""
    (cache,) = data_dir.glob("accounts/*/cache.db")
    with closing(sqlite3.connect(cache)) as database:
        rows = database.execute("SELECT seq, came FROM events WHERE came IS NOT NULL")
        return {seq: json.loads(came) for seq, came in rows}


def test_a_person_is_told_that_there_is_more(ada: Client) -> None:
    """Without JSON a line for each thing says that a newer program is needed to see it."""
    lines = [line.partition(" ben")[2] for line in ada.ask("listen", "--count", "2")]
    more = " did something that only a newer ChatClient can show"
    assert lines == [" joined", ": hello", more, more, more, ": goodbye"]


def test_lists_leave_out_what_is_not_known(ada: Client) -> None:
    """People and rooms, of whatever kind."""
    people = [json.loads(line) for line in ada.ask("people", "--json")]
    assert people == [
        {"username": "ada", "display_name": "Ada", "role": "friend", "online": True},
        {"username": "ben", "display_name": "Ben", "role": "friend", "online": True},
    ]
    assert ada.ask("rooms") == [ANNEX, CLUB, GENERAL]


def test_an_unknown_error_does_what_its_fields_say(ada: Client, newer: NewerServer) -> None:
    """One that may pass is waited for, as long as the server asks; another is final."""
    wait = {"code": "room_is_asleep", "retryable": True, "retry_after": AFTER}
    newer.refusals = [{**wait, "params": {"who": "everybody"}}]
    ada.send("good morning")
    first, second = newer.when("send")
    assert second - first >= AFTER / 1000
    newer.refusals = [{"code": "too_loud", "retryable": False, "params": {"why": "people"}}]
    refused = ada.run("send", "GOOD MORNING")
    assert refused.status() == 1
    assert "the server says “too loud”" in refused.err[-1]
    assert len(newer.when("send")) == 3


def test_an_unknown_goodbye_is_final(ada: Client, newer: NewerServer) -> None:
    """The client says the reason and does not come back, whatever else it is told."""
    newer.begin_closing = [
        {"type": "goodbye", "code": "on_holiday", "params": {}, "retry_after": 1, "until": 7}
    ]
    listener = ada.listen()
    assert listener.status() == 1
    assert "on holiday" in listener.err[-1]
    assert newer.connections == 1


def test_a_client_comes_back_when_it_was_told_to(ada: Client, newer: NewerServer) -> None:
    """Not before `retry_after` has passed."""
    newer.begin_closing = [
        {"type": "goodbye", "code": "server_closing", "params": {}, "retry_after": AFTER}
    ]
    listener = ada.listen("--count", "2")
    assert listener.status() == 0, listener.transcript()
    left, back = newer.when("sync")[0], newer.when("hello")[1]
    assert back - left >= AFTER / 1000


def test_the_core_of_the_window_goes_on(newer: NewerServer) -> None:
    """Rooms of all kinds, news of all types: it stays on one connection and can still talk."""
    told: queue.SimpleQueue[news.News] = queue.SimpleQueue()

    def tell(items: Sequence[news.News]) -> None:
        for item in items:
            told.put(item)

    core = Core(new_account(parse_invite(newer.invite), "ada", "Ada"), Cache(None), tell)
    core.start()
    try:
        seen = until(told, lambda item: isinstance(item, news.EventsAdded) and item.room == GENERAL)
        core.send(GENERAL, *message("I am old"))
        seen += until(
            told,
            lambda item: isinstance(item, news.OutboxChanged) and item.state is OutboxState.SENT,
        )
    finally:
        core.stop()
    rooms = {item.room for item in seen if isinstance(item, news.RoomSeen)}
    assert rooms == {ANNEX, CLUB, GENERAL}
    added = [event for item in seen if isinstance(item, news.EventsAdded) for event in item.events]
    general = [event for event in added if event.room == GENERAL]
    assert [event.body for event in general] == [*KNOWN, {"text": "I am old"}]
    assert [event.known for event in general] == [True, True, False, False, False, True, True]
    assert [event.known for event in added if event.room == CLUB] == [False]
    assert news.PresenceSeen("ben", online=True) in seen
    links = [item.status.link for item in seen if isinstance(item, news.StatusChanged)]
    assert Link.PAUSED not in links
    assert links[-1] is Link.ONLINE
    assert newer.connections == 1
    hello = newer.commands[0]
    assert (hello["type"], hello["protocol"], hello["capabilities"]) == ("hello", 2, ["presence"])


def until(
    told: "queue.SimpleQueue[news.News]", wanted: Callable[[news.News], object]
) -> list[news.News]:
    """All news up to the first that is wanted."""
    seen: list[news.News] = []
    while not seen or not wanted(seen[-1]):
        seen.append(told.get(timeout=DEADLINE))
    return seen


def test_an_older_server_is_told_of(house: House) -> None:
    """Word for word what a server of version 1 answers: the client says so, and stays away."""
    said = (
        b'{"type":"welcome","re":1,"protocol":1,"capabilities":[],"program":"ChatServer 0.1.0",'
        b'"server_name":"Yesterday","epoch":"5b0e6f3c9d1a48b7a2c4e6f801234567"}'
    )
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        decoder = FrameDecoder(FRAME_JSON)
                        while data := connection.recv(65536):
                            for frame in decoder.frames(data):
                                heard.append(bytes(frame))
                                connection.sendall(encode_frame(said))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        invite = Invite(("127.0.0.1",), port, None, "k" * 22, "Yesterday").link()
        client = Client(house, house.folder / "ada", "ada", invite)
        for _ in range(2):
            child = client.run("listen")
            assert child.status() == 1, child.transcript()
            assert "the host needs a newer ChatServer" in child.err[-1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE)
    assert [json.loads(each)["type"] for each in heard] == ["hello", "hello"]


# --- this server and newer clients ------------------------------------------------------------


@pytest.fixture
def stranger(server: Server) -> Iterator[Stranger]:
    """Somebody with the invite of a server of this version, and a newer client."""
    stranger = Stranger(server.invite, "ada")
    try:
        yield stranger
    finally:
        stranger.hang_up()


def test_a_newer_client_is_let_in(stranger: Stranger) -> None:
    """With a version, capabilities and fields in `hello` that this server does not know."""
    welcome = stranger.connect(
        protocol=9,
        capabilities=["polls", "presence", "reactions.v3"],
        languages=["de", "en"],
        screen={"width": 3},
        presence=None,
    )
    assert (welcome["protocol"], welcome["capabilities"]) == (2, ["presence"])
    stranger.join()
    stranger.list_people()
    stranger.list_online()
    stranger.list_rooms()
    stranger.follow(*stranger.rooms)
    stranger.say(GENERAL, "from tomorrow")
    assert stranger.copy(GENERAL).texts == ["from tomorrow"]


def test_what_a_newer_client_asks_for_is_refused_alone(stranger: Stranger) -> None:
    """Each by what is wrong with it; nothing of it is stored, and the connection goes on."""
    stranger.come_in()
    said = {"room": GENERAL, "cid": new_cid()}
    text = {"text": "hello"}
    for command, fields, code, place in (
        ("send", {**said, "kind": "reaction", "body": {"emoji": "🎉"}}, "unknown_kind", "kind"),
        ("send", {**said, "kind": "join", "body": {}}, "unknown_kind", "kind"),
        ("send", {**said, "kind": "message", "body": text, "thread": 3}, "malformed", "thread"),
        ("send", {**said, "kind": "message", "body": {**text, "b": 1}}, "malformed", "body.b"),
        ("list_people", {"since": 0, "sort": "name"}, "malformed", "sort"),
        ("list_polls", {}, "unknown_type", None),
    ):
        with pytest.raises(RefusedError) as refused:
            stranger.ask(command, **fields)
        error = refused.value.error
        assert (error["code"], error["field"]) == (code, place)
        assert (error["retryable"], error["retry_after"]) == (False, None)
    stranger.post(stranger.write(GENERAL, "goes on"))
    stranger.until(lambda: not stranger.outbox)
    assert [event["seq"] for event in stranger.copy(GENERAL).events] == [1, 2]


def test_nothing_but_hello_is_open(stranger: Stranger) -> None:
    """A client that names more elsewhere would not know whether it was heard."""
    stranger.connect()
    with pytest.raises(RefusedError) as refused:
        stranger.ask(
            "join",
            secret=stranger.link.secret,
            username="ada",
            display_name="Ada",
            token=stranger.token,
            device="stranger",
            installation="0" * 32,
            pronouns="she",
        )
    assert (refused.value.code, refused.value.error["field"]) == ("malformed", "pronouns")
    stranger.join()


def test_an_older_client_is_told_to_update(server: Server) -> None:
    """It is refused by its version, and may say another one on the same connection."""
    line = Line(read_link(server.invite))
    try:
        # Word for word what the client of version 1 says, and all that it takes for an answer.
        hello = (
            '{"type":"hello","id":1,"protocol":1,"capabilities":[],"program":"ChatClient 0.1.0"}'
        )
        line.send(**json.loads(hello))
        error = line.receive()
        assert set(error) <= {
            "type", "re", "code", "message", "field", "retryable", "suggestion",
        }  # fmt: skip
        assert (error["type"], error["re"], error["code"]) == ("error", 1, "version")
        assert (error["field"], error["retryable"], error["suggestion"]) == (
            "protocol",
            False,
            None,
        )
        assert "needs a newer ChatClient" in error["message"]
        assert len(error["message"]) <= 500
        line.send(type="hello", id=2, protocol=2, program="Today")
        assert line.receive()["type"] == "welcome"
    finally:
        line.close()
