"""What a running server tells about itself follows every change, wherever it is told."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_server import address_watch, invite_publisher, service
from chat_server.address_watch import AddressWatch
from chat_server.invite_publisher import InvitePublisher
from chat_server.options import parse_options
from chat_server.ready_file import Running, write_ready_file
from chat_server.service import RUNNING_FILE, Server
from common.domain.invite import Invite, parse_invite

INVITE = Invite(("192.0.2.7", "127.0.0.1"), 4000, b"f" * 32, "s" * 22, "Home")
EPOCH = "0" * 32


def told(path: Path) -> Any:
    """What a ready file has."""
    return json.loads(path.read_bytes())


def test_a_change_is_in_every_file_and_in_the_invite(tmp_path: Path) -> None:
    """Addresses and name, each alone or both; who is told later than the files sees them true."""
    seen: list[tuple[Running, Any]] = []
    ready, here = tmp_path / "ready.json", tmp_path / "running.json"
    made = InvitePublisher(INVITE, EPOCH, lambda now: seen.append((now, told(ready))))
    made.add_file(ready)
    made.add_file(here)
    assert parse_invite(told(here)["invite"]) == INVITE
    made.update(addresses=("198.51.100.2", "fe80::2"))
    made.update(name="Our home")
    made.update(name="Home", addresses=INVITE.hosts)
    assert [running.name for running, _ in seen] == ["Home", "Our home", "Home"]
    assert [running.addresses[0] for running, _ in seen] == [
        *("198.51.100.2", "198.51.100.2", "192.0.2.7"),
    ]
    for running, content in seen:
        assert content["invite"] == running.invite
        assert parse_invite(running.invite).hosts == running.addresses
        assert parse_invite(running.invite).server_name == running.name
        assert parse_invite(running.invite).secret == INVITE.secret
    assert told(ready) == told(here)
    assert made.running == seen[-1][0]


def test_what_is_the_same_is_not_told_and_not_written(tmp_path: Path) -> None:
    """The watch comes by every second."""
    seen: list[Running] = []
    made = InvitePublisher(INVITE, EPOCH, seen.append)
    made.add_file(tmp_path / "ready.json")
    before = (tmp_path / "ready.json").stat()
    made.update(addresses=INVITE.hosts)
    made.update(name=INVITE.server_name)
    made.update()
    assert (tmp_path / "ready.json").stat() == before
    assert seen == []


def test_a_file_that_can_not_be_replaced_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk is said once, hinders nobody else, and leaves no old address for ever."""
    seen: list[Running] = []
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    made = InvitePublisher(INVITE, EPOCH, seen.append)
    made.add_file(bad)
    made.add_file(good)

    def fail(path: Path, running: Running) -> None:
        if path == bad:
            raise OSError(28, "No space left on device")
        write_ready_file(path, running)

    monkeypatch.setattr(invite_publisher, "write_ready_file", fail)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            made.update(addresses=("198.51.100.2",))
    assert len(caplog.records) == len(seen) == 1
    assert told(good)["addresses"] == ["198.51.100.2"]
    assert told(bad)["addresses"] == list(INVITE.hosts)
    monkeypatch.undo()
    made.update(addresses=("198.51.100.2",))
    assert told(bad) == told(good)
    assert len(seen) == 1


def test_a_file_that_was_taken_away_does_not_come_back(tmp_path: Path) -> None:
    """Removing is harmless when repeated, and a change after it writes nothing."""
    made = InvitePublisher(INVITE, EPOCH, lambda _: None)
    path = tmp_path / "ready.json"
    made.add_file(path)
    for _ in range(2):
        made.remove_file(path)
        made.update(name="Else")
        assert not path.exists()


def test_the_watch_survives_a_look_that_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so once, looks again, and tells nothing after `stop`."""
    monkeypatch.setattr(address_watch, "LOOK", 0.001)
    looks: Iterator[tuple[str, ...] | None] = iter([(), None, None, None, ("192.0.2.1",)])
    done = threading.Event()
    seen: list[tuple[str, ...]] = []

    def ask() -> tuple[str, ...]:
        found = next(looks, ("192.0.2.1",))
        if found is None:
            raise OSError("no")
        return found

    def tell(found: tuple[str, ...]) -> None:
        seen.append(found)
        if found:
            done.set()

    watch = AddressWatch(ask, tell)
    watch.start()
    assert done.wait(10)
    watch.stop()
    count = len(seen)
    watch.stop()
    assert seen[:2] == [(), ("192.0.2.1",)]
    assert len(seen) == count
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives this computer another address, of which servers learn within a moment."""
    at = ["192.0.2.1"]
    monkeypatch.setattr(address_watch, "LOOK", 0.005)
    monkeypatch.setattr(service, "reachable_addresses", lambda *_: (at[0], "127.0.0.1"))
    return lambda address: at.__setitem__(0, address)


def test_a_running_server_follows_its_computer(
    tmp_path: Path, moving: Callable[[str], None]
) -> None:
    """Its facts, both files and the front end have the new address; afterwards no file is left."""
    folder, ready = tmp_path / "data", tmp_path / "ready.json"
    seen: list[Running] = []
    came = threading.Event()

    def changed(now: Running) -> None:
        seen.append(now)
        came.set()

    options = parse_options(["--headless", "--port", "0"])
    server = Server(options, folder, lambda _: None, changed)
    before = threading.active_count()
    first = server.start()
    try:
        server.publish_to(ready)
        assert first.addresses == ("192.0.2.1", "127.0.0.1")
        moving("192.0.2.2")
        assert came.wait(10)
        now = server.running
        assert now is not None
        assert seen == [now]
        assert now.addresses == ("192.0.2.2", "127.0.0.1")
        assert parse_invite(now.invite).hosts == now.addresses
        assert told(ready)["invite"] == told(folder / RUNNING_FILE)["invite"] == now.invite
    finally:
        server.stop()
    assert server.running is None
    assert not ready.exists()
    assert not (folder / RUNNING_FILE).exists()
    assert threading.active_count() == before
