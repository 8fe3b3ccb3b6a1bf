"""What is said reaches everyone it is for, once and in order, and nobody else."""

import json

from common.protocol import messages
from common.protocol.events import Event
from common.protocol.messages import Ack, Synced
from tests.process.harness import House, Server
from tests.process.wire import Session


def test_a_message_reaches_every_listener_once_and_in_order(house: House, server: Server) -> None:
    """Three people listen; one of them speaks with `send`; all hear it, the speaker too.

    `send` is a session of its own, so the speaker's listener is another of her sessions.
    """
    listeners = [house.client(server, name).listen() for name in ("ada", "ben", "cleo")]
    for listener in listeners:
        assert listener.event().kind == "join"
    speaker = house.client(server, "ada")
    texts = [f"message {number}" for number in range(5)]
    speaker.ask("send", "--lines", stdin="\n".join(texts) + "\n")
    speaker.send("the end 🎉 – ünïcödé")
    expected = [*texts, "the end 🎉 – ünïcödé"]
    for listener in listeners:
        assert listener.texts(6) == expected
        seqs = [event.seq for event in listener.heard]
        assert seqs == list(range(1, 3 + 6 + 1))
        assert {event.sender for event in listener.heard if event.is_message} == {"ada"}


def test_the_sending_session_gets_an_acknowledgement_and_no_event(server: Server) -> None:
    """The same account's other session, and everyone else's, get the event."""
    with (
        Session(server.join, "ada") as speaking,
        Session(server.join, "ada", speaking.token) as other,
        Session(server.join, "ben") as ben,
    ):
        for session in (speaking, other, ben):
            session.everything()
            session.settle()  # From here on it gets what is new as it is published.
            session.events.clear()
        cid = speaking.say("hello")
        ack = speaking.expect(Ack)
        assert ack.cid == cid
        for session in (other, ben):
            event = session.expect(Event)
            assert (event.text, event.seq, event.cid) == ("hello", ack.seq, cid)
        ben.say("answer")
        ben.expect(Ack)
        answer = speaking.expect(Event)
        assert (answer.text, answer.seq) == ("answer", ack.seq + 1)
        for session in (speaking, other, ben):
            session.settle()
        assert [speaking.events, ben.events] == [[], []]
        assert [event.text for event in other.events] == ["answer"]


def test_a_repeated_send_gets_its_first_answer_and_no_second_event(server: Server) -> None:
    """The same `cid` again: the same place in the room; with another text: refused."""
    with Session(server.join, "ada") as ada, Session(server.join, "ben") as ben:
        ben.follow()
        cid = ada.say("once")
        first = ada.expect(Ack)
        ada.say("once", cid=cid)
        again = ada.expect(Ack)
        assert (again.seq, again.sent_at) == (first.seq, first.sent_at)
        ada.say("something else", cid=cid)
        refused = ada.message()
        assert isinstance(refused, messages.Error)
        assert (refused.code, refused.retryable) == ("cid_reused", False)
        ada.say("last")
        ben.hear("last")
        assert [event.text for event in ben.events if event.is_message] == ["once", "last"]


def test_a_direct_message_is_between_two(house: House, server: Server) -> None:
    """A third person hears nothing of it and does not see the room."""
    ada, ben, cleo = (house.client(server, name) for name in ("ada", "ben", "cleo"))
    listeners = [client.listen() for client in (ada, ben, cleo)]
    for listener in listeners:
        assert listener.event().kind == "join"
    private = ben.listen("--room", "@ada", "--after", "0")
    ada.send("for your eyes", "--room", "@ben")
    said = private.message()
    assert (said.text, said.sender, said.room) == ("for your eyes", "ada", "dm:ada:ben")
    ben.send("and yours", "--room", "@Ada")
    ada.send("for everyone")
    assert private.texts(1) == ["and yours"]
    for listener in listeners:
        assert listener.texts(1) == ["for everyone"]
        assert {event.room for event in listener.heard} == {"general"}
    assert ada.ask("rooms") == ["@ben", "general"]
    assert ben.ask("rooms") == ["@ada", "general"]
    assert cleo.ask("rooms") == ["general"]
    rooms = [json.loads(line) for line in ada.ask("rooms", "--json")]
    assert rooms == [
        {"room": "dm:ada:ben", "address": "@ben"},
        {"room": "general", "address": "general"},
    ]


def test_a_third_person_cannot_reach_into_a_direct_room(server: Server) -> None:
    """Neither by following it nor by sending to it under its id."""
    with (
        Session(server.join, "ada") as ada,
        Session(server.join, "ben"),
        Session(server.join, "cleo") as cleo,
    ):
        ada.say("secret", "dm:ada:ben")
        ada.expect(Ack)
        cleo.command(messages.Sync, positions={"dm:ada:ben": 0})
        synced = cleo.expect(Synced)
        assert (synced.heads, synced.refused) == ({}, {"dm:ada:ben": "no_such_room"})
        cleo.say("let me in", "dm:ada:ben")
        error = cleo.message()
        assert isinstance(error, messages.Error)
        assert error.code == "no_such_room"
        cleo.settle()
        assert cleo.events == []


def test_an_unknown_person_or_room_is_refused(house: House, server: Server) -> None:
    """With status 1 and the name that nobody has; nothing is made."""
    ada = house.client(server, "ada")
    ada.send("hello")
    tries = [
        (ada.run("send", "--room", "@nobody", "hello?"), "nobody here is called nobody"),
        (ada.run("send", "--room", "attic", "hello?"), "there is no room attic"),
        (ada.run("listen", "--room", "@nobody", "--after", "0"), "nobody here is called nobody"),
        (ada.run("listen", "--room", "attic", "--after", "0"), "you are in no room attic"),
    ]
    for child, why in tries:
        assert child.status() == 1, child.transcript()
        assert len(child.err) == 1, child.transcript()
        assert why in child.err[0], child.transcript()
    assert ada.ask("rooms") == ["general"]


def test_people_tells_who_is_there(house: House, server: Server) -> None:
    """Everyone by username, with the display name, the role, and whether they are connected."""
    ada = house.client(server, "ada")
    ada.send("hello")
    ben = house.client(server, "Ben Ångström")
    assert [ben.listen().event().sender for _ in range(1)] == ["ada"]
    people = [json.loads(line) for line in ada.ask("people", "--json")]
    assert people == [
        {"username": "ada", "display_name": "ada", "role": "member", "online": True},
        {
            "username": "ben.angstrom",
            "display_name": "Ben Ångström",
            "role": "member",
            "online": True,
        },
    ]
    assert ben.ask("people") == [
        "ada\tada\toffline",
        "ben.angstrom\tBen Ångström\tonline",
    ]


def test_plaintext_on_loopback(house: House) -> None:
    """Without TLS, for tests: the invite says so by its scheme, and everything works."""
    server = house.server("--plaintext")
    assert server.invite.startswith("chat+plaintext://127.0.0.1:")
    assert not (server.data_dir / "server.pem").exists()
    listener = house.client(server, "ada").listen("--count", "2")
    assert listener.event().kind == "join"
    ben = house.client(server, "ben")
    ben.send("in the open")
    ben.send("twice")
    assert listener.texts(2) == ["in the open", "twice"]
    assert listener.status() == 0
    with Session(server.join, "cleo") as cleo:
        assert [event.text for event in cleo.everything()][-2:] == ["twice", ""]
