"""`listen --mentions`: who is meant is told, wherever it was said, and of nothing else."""

from __future__ import annotations

from tests.process.harness import House, Server
from tests.process.wire import Session


def test_mentions_come_from_every_room(house: House, server: Server) -> None:
    """Those of before one listened, too; each once, and never one's own."""
    ada = house.client(server, "ada")
    ada.send("I am @ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("hello", "hello @ada", "ask @adam")
        house.client(server, "cleo").send("direct, @Ada", "--room", "@ada")
        first = ada.listen("--mentions", "--count", "2")
        assert sorted(first.texts(2)) == ["direct, @Ada", "hello @ada"]
        assert first.status() == 0
        assert len(first.out) == 2
        second = ada.listen("--mentions", "--count", "1")
        ben.say_all("nothing", "@ada!")
        assert second.texts(1) == ["@ada!"]
        assert second.status() == 0


def test_mentions_of_one_room(house: House, server: Server) -> None:
    """A place is one in that room. What was passed over is heard."""
    ada, ben = house.client(server, "ada"), house.client(server, "ben")
    ada.send("hello")
    ben.send("for @ada alone", "--room", "@ada")
    ben.send("for @ada and all")
    assert ada.listen("--mentions", "--after", "0", "--room", "general").texts(1) == [
        "for @ada and all"
    ]
    listening = ada.run("listen", "--mentions", "--room", "@ben", "--count", "1")
    assert listening.line().endswith(" ben: for @ada alone")
    assert listening.status() == 0
    everywhere = ada.run("listen", "--mentions", "--count", "2")
    assert everywhere.line().endswith(" general ben: for @ada and all")
    ben.send("nothing for her")
    ben.send("@ada again")
    assert everywhere.status() == 0
    ben.send("news")
    assert ada.listen("--count", "1").texts(1) == ["news"]


def test_a_place_of_no_room(house: House, server: Server) -> None:
    """There are many rooms, and a place in each."""
    child = house.client(server, "ada").run("listen", "--mentions", "--after", "7")
    assert child.status() == 2
    assert child.err == ["ChatClient: --after is a place in one room; say which with --room"]
