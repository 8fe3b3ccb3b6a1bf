"""Who was away hears what was missed: all of it, once, first, and in order."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from chat_client.cache.cache import Cache
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from common.domain.names import GENERAL
from common.protocol.events import MESSAGE, Event
from common.protocol.ids import new_cid
from tests.process.harness import DEADLINE, ROOT, Client, House, Server
from tests.process.wire import Session


def text_of(line: str) -> str:
    """What was said in an event, as `listen --json` prints it; "" where nothing was."""
    return str(json.loads(line)["body"].get("text", ""))


def test_after_an_absence_exactly_what_was_missed_is_heard_first(
    house: House, server: Server
) -> None:
    """A listener ends, others talk, the same data folder listens again: nothing twice."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        first = ada.listen("--count", "2")
        assert [first.event().sender for _ in range(2)] == ["ben", "ada"]
        ben.say_all("1", "2")
        assert first.status() == 0
        assert [event.text for event in first.heard] == ["", "", "1", "2"]
        ben.say_all("3", "4", "5")
        second = ada.listen()
        assert second.texts(3) == ["3", "4", "5"]
        ben.say_all("6")
        assert second.texts(1) == ["6"]
        assert [event.seq for event in second.heard] == [5, 6, 7, 8]


def test_count_leaves_the_next_message_for_the_next_time(house: House, server: Server) -> None:
    """With more waiting than was asked for, the rest stays unheard."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all(*(str(number) for number in range(10)))
        heard = [text_of(line) for line in ada.ask("listen", "--json", "--count", "4")]
        assert heard == ["", "0", "1", "2", "3"]
        heard = [text_of(line) for line in ada.ask("listen", "--json", "--count", "1")]
        assert heard == ["4"]
        rest = ada.listen()
        assert rest.texts(5) == ["5", "6", "7", "8", "9"]
        assert [event.seq for event in rest.heard][:5] == [7, 8, 9, 10, 11]


def test_a_new_account_hears_the_whole_room(house: House, server: Server) -> None:
    """From its first event, of people it never met, to its own joining."""
    with Session(server.join, "ben") as ben:
        ben.say_all(*(f"line {number}" for number in range(50)))
    heard = house.client(server, "ada").listen()
    events = [heard.event() for _ in range(52)]
    assert [event.seq for event in events] == list(range(1, 53))
    assert [event.text for event in events[1:51]] == [f"line {number}" for number in range(50)]
    assert (events[-1].kind, events[-1].sender) == ("join", "ada")


def test_after_begins_where_it_says_and_keeps_no_place(house: House, server: Server) -> None:
    """`--after SEQ` shows what follows; the ordinary listener has heard nothing by it."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("1", "2", "3")
        for after, expected in (("3", ["3", ""]), ("0", ["", "1", "2", "3", ""])):
            listener = ada.listen("--after", after)
            assert [listener.event().text for _ in expected] == expected
            listener.close()
        ahead = ada.listen("--after", "5")
        live = ada.listen()
        assert live.texts(3) == ["1", "2", "3"]
        ben.say_all("4")
        assert ahead.event().text == "4"
        assert live.texts(1) == ["4"]


def test_after_a_place_that_is_not_yet_reached(house: House, server: Server) -> None:
    """A place beyond the room's end: what comes is heard from there on, nothing earlier."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("2", "3")
        listener = ada.listen("--after", "6", "--count", "1")
        with Session(server.join, "cleo") as cleo:
            cleo.follow()
            cleo.hear("3")
            while not any(event.sender == "ada" for event in cleo.events):
                cleo.hear("")  # Both joined: their places are 4 and 5 in either order.
            ben.say_all("6", "7")
        assert listener.message().text == "7"
        assert listener.status() == 0
        assert len(listener.heard) == 1


def test_only_one_listener_keeps_the_place_of_an_account(house: House, server: Server) -> None:
    """A second `listen` on a data folder is refused with what to do; `--after` may."""
    ada = house.client(server, "ada")
    first = ada.listen()
    assert first.event().kind == "join"
    (kept,) = ada.data_dir.glob("accounts/*/account.json")
    before = kept.read_bytes()
    elsewhere = Client(house, ada.data_dir, "ada", server.invite.replace("127.0.0.1", "localhost"))
    assert elsewhere.invite != ada.invite
    second = elsewhere.listen()
    assert second.status() == 1
    assert "another ChatClient listens as ada" in second.err[0]
    assert kept.read_bytes() == before, "its invite is the first one's affair"
    beside = ada.listen("--after", "0", "--count", "1")
    ada.send("hello")
    assert first.texts(1) == beside.texts(1) == ["hello"]
    assert beside.status() == 0


@pytest.mark.parametrize("life", ["stopped", "killed"])
def test_a_restarted_server_knows_everything(house: House, server: Server, life: str) -> None:
    """Accounts, invite, fingerprint, messages: all is there, under the same link."""
    ada = house.client(server, "ada")
    ada.send("before")
    invite = server.invite
    if life == "stopped":
        assert server.stop() == 0
    else:
        server.kill()
    server.start()
    assert server.invite == invite
    ada.send("after")
    with Session(server.join, "ben") as ben:
        assert [event.text for event in ben.everything()] == ["", "before", "after", ""]


@pytest.mark.parametrize("grown", [0, 1, 5])
def test_a_database_that_was_copied_back_is_told_from_what_it_was(
    house: House, server: Server, grown: int
) -> None:
    """Nobody has to say so: who comes back ends with exactly the server's log.

    Ben goes on talking on the restored server while Ada is away, until the room is as long as it
    was for her and longer; the epoch in it is the same.
    """
    ada, ben = house.client(server, "ada"), house.client(server, "ben")
    listener = ada.listen("--count", "4")
    ben.ask("send", "--lines", stdin="1\n2\n")
    assert listener.texts(2) == ["1", "2"]
    assert server.stop() == 0
    database = server.data_dir / "chat.db"
    backup = database.read_bytes()
    server.start()
    ben.ask("send", "--lines", stdin="gone 3\ngone 4\n")
    assert listener.texts(2) == ["gone 3", "gone 4"]
    assert listener.status() == 0
    assert server.stop() == 0
    database.write_bytes(backup)
    server.start()
    said = [f"instead {number}" for number in range(2 + grown)]
    ben.ask("send", "--lines", stdin="".join(f"{text}\n" for text in said))
    again = ada.listen("--count", str(2 + len(said) + 1))
    assert again.texts(2 + len(said)) == ["1", "2", *said]
    ben.send("live")
    assert again.texts(1) == ["live"]
    assert again.status() == 0
    assert server.stop() == 0
    assert kept(ada) == logged(server)


def logged(server: Server) -> list[tuple[object, ...]]:
    """Every event of the general room, as the server has it."""
    with closing(sqlite3.connect(server.data_dir / "chat.db")) as database:
        return database.execute(
            "SELECT seq, kind, username, coalesce(body ->> 'text', ''), sent_at, cid FROM events"
            " JOIN rooms ON rooms.number = events.room"
            " JOIN accounts ON accounts.number = events.sender"
            " WHERE rooms.room = 'general' ORDER BY seq"
        ).fetchall()


def kept(client: Client) -> list[tuple[object, ...]]:
    """The same, as a client has it."""
    (cache,) = client.data_dir.glob("accounts/*/cache.db")
    with closing(sqlite3.connect(cache)) as database:
        return database.execute(
            "SELECT seq, kind, sender, text, sent_at, cid FROM events"
            " WHERE room = 'general' ORDER BY seq"
        ).fetchall()


def test_a_reader_that_goes_away(house: House, server: Server) -> None:
    """`listen | head -1`: status 1 without a word, and what nobody read is heard next time."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("read", "not read")
        with subprocess.Popen(
            [sys.executable, "-m", *ada.arguments("listen", "--after", "1")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as piped:
            try:
                assert piped.stdout is not None
                assert piped.stderr is not None
                assert piped.stdout.readline().endswith("ben: read\n")
                piped.stdout.close()
                ben.say_all("nobody reads this")
                assert piped.wait(DEADLINE) == 1
                assert piped.stderr.read() == ""
            finally:
                piped.kill()
        assert ada.listen().texts(3) == ["read", "not read", "nobody reads this"]


def say_much(server: Server, sender: str, count: int) -> None:
    """Have many messages in the room of everyone, numbered by their places."""
    assert server.stop() == 0
    with closing(SqliteStore(server.data_dir / "chat.db")) as store, store.transaction():
        directory = store.load()
        room = directory.rooms[GENERAL]
        for seq in range(room.head + 1, room.head + 1 + count):
            body = {"text": f"#{seq}"}
            said = Event(GENERAL, seq, MESSAGE, sender, 1_767_225_600_000 + seq, new_cid(), body)
            store.append(room, said, directory.accounts[sender])
            room.head = seq
    server.start()


def test_a_listener_gets_all_of_a_long_room_and_of_a_long_absence(
    house: House, server: Server
) -> None:
    """It does not begin at the newest page, as a window does: no place is left out, or twice."""
    with Session(server.join, "ben"):
        pass
    say_much(server, "ben", 3000)
    ada = house.client(server, "ada")
    first = ada.listen("--count", "3000")
    assert first.status() == 0
    assert [event.seq for event in first.heard] == [*range(1, 3002)]
    say_much(server, "ben", 1500)
    second = ada.listen("--count", "1500")
    assert second.status() == 0
    assert [event.seq for event in second.heard] == [*range(3002, 4503)]
    heard = [json.loads(line)["seq"] for line in ada.ask("listen", "--json", "--after", "200",
                                                         "--count", "4000")]  # fmt: skip
    assert heard == [*range(201, 4202)]


def test_a_listener_goes_on_after_the_newest_that_a_window_has(
    house: House, server: Server
) -> None:
    """The window left a gap in the copy they share; what was said since comes without one."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("1")
        ada.ask("listen", "--json", "--count", "1")
    say_much(server, "ben", 1000)
    (path,) = ada.data_dir.glob("accounts/*/cache.db")
    with closing(SqliteReader(server.data_dir / "chat.db")) as log:
        page = log.after(GENERAL, 900, 200)
    head = page[-1].seq
    with closing(Cache(path)) as cache, cache.transaction():
        assert cache.position(GENERAL) < 900
        cache.add_past(page, head)
    listener = ada.listen()
    with Session(server.join, "cleo") as cleo:
        cleo.say_all("2", "3")
    assert listener.texts(2) == ["2", "3"]
    assert [event.seq for event in listener.heard] == [head + 1, head + 2, head + 3]
