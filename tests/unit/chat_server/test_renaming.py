"""The chat's name: what it may be, and that a change is stored before anybody is told of it."""

from __future__ import annotations

import queue
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chat_server import service
from chat_server.chat_name import clean_chat_name, name_by_computer
from chat_server.hub.queue import Received
from chat_server.options import parse_options
from chat_server.ready_file import Running as Facts
from chat_server.rules import effects
from chat_server.rules.effects import TellEveryone
from chat_server.rules.view import Renamed
from chat_server.service import RUNNING_FILE, Server
from common.domain.invite import parse_invite
from common.domain.names import NameRefusedError
from common.domain.sentences import sentence
from common.protocol import messages
from common.protocol.messages.base import ServerName
from tests.unit.chat_server.house import NOW, House, all_of, only, refused, told
from tests.unit.chat_server.test_hub import Running, answers, failing_commit, locked


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Home", "Home"),
        ("  Home \t &\n Garden ", "Home & Garden"),
        ("Zu\u0308rich", "Zürich"),
        ("東京", "東京"),
        ("a" * 64, "a" * 64),
        ("Family 👩‍👩‍👧 ❤️", "Family 👩‍👩‍👧 ❤️"),
        ("Chat", "Chat"),
    ],
)
def test_a_name_is_cleaned(given: str, name: str) -> None:
    """One line with single spaces, composed, and emoji whole."""
    assert clean_chat_name(given) == name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "visible character"),
        (" \u3000 ", "visible character"),
        ("\u2800", "visible character"),
        ("\u3164\u3164", "visible character"),
        ("\u0301", "visible character"),
        ("a" * 65, "at most 64"),
        ("Home\u202e", "U\\+202E RIGHT-TO-LEFT OVERRIDE"),
        ("Ho\u200dme", "U\\+200D ZERO WIDTH JOINER"),
        ("Home\u200d", "U\\+200D"),
        ("\u200dHome", "U\\+200D"),
        ("Home\x07", "U\\+0007"),
        ("Home\ud800", "U\\+D800"),
    ],
)
def test_a_name_that_cant_be_is_refused(given: str, said: str) -> None:
    """With a reason that names the character."""
    with pytest.raises(NameRefusedError) as raised:
        clean_chat_name(given)
    assert re.search(said, sentence(raised.value.reason))
    with pytest.raises(SystemExit):
        parse_options(["--name", given])


@pytest.mark.parametrize(
    ("computer", "name"),
    [
        ("gärtner-pc", "gärtner-pc"),
        ("Ada's „PC“ 😀", "Ada's „PC“ 😀"),
        ("x" * 253, "x" * 64),
        ("", "Chat"),
        ("\udcff\udcfebad", "bad"),  # bytes that are no UTF-8
        ("a\nb\x1b[31m", "a b [31m"),
        ("\u202eevil", "evil"),
        ("\x00\x00", "Chat"),
    ],
)
def test_a_chat_is_called_like_its_computer(computer: str, name: str) -> None:
    """Whatever that is: a name that can't be sent would keep everybody out."""
    assert name_by_computer(computer) == name


@given_any(st.text(st.characters(), max_size=100))
def test_any_computer_has_a_name_for_its_chat(computer: str) -> None:
    """One that the host could have chosen, and that fits into a message."""
    name = name_by_computer(computer)
    assert clean_chat_name(name) == name
    assert TypeAdapter(ServerName).validate_python(name) == name


def test_a_server_starts_on_a_computer_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Linux a name may be bytes that are no text, which no store can keep."""
    monkeypatch.setattr(service, "gethostname", lambda: "\udcff\x1bHome")
    options = parse_options(["--headless", "--port", "0", "--host", "127.0.0.1"])
    server = Server(options, tmp_path, lambda _: None)
    try:
        assert parse_invite(server.start().invite).server_name == "Home"
    finally:
        server.stop()


def test_everyone_is_told_and_the_log_has_it(house: House) -> None:
    """The same name again is confirmed, and nobody is told anything."""
    house.join("ada")
    host = house.host()
    outcome = house.do(host, rename("Garden"))
    assert told(outcome, host) == [messages.Done(re=1)]
    assert only(outcome, Renamed) == Renamed("Garden", NOW)
    assert only(outcome, TellEveryone).message == messages.ServerChanged(server_name="Garden")
    with house.log.transaction():
        assert house.log.meta("name", "?") == "Garden"
    again = house.do(host, rename("Garden"))
    assert told(again, host) == [messages.Done(re=1)]
    assert only(again, Renamed) == Renamed("Garden", NOW)
    assert not all_of(again, TellEveryone)


def test_who_is_signing_in_meanwhile_is_told_then(house: House) -> None:
    """Between `welcome` and `signed_in` somebody is not everyone yet."""
    house.join("ada")
    session = house.connect()
    hello = messages.Hello(id=house.request(), protocol=2, program="S")
    (welcome,) = told(house.do(session, hello), session)
    assert isinstance(welcome, messages.Welcome)
    assert welcome.server_name == "Home"
    house.do(house.host(), rename("Garden"))
    signed_in, changed = told(house.do(session, house.sign_in_command("ada")), session)
    assert isinstance(signed_in, messages.SignedIn)
    assert changed == messages.ServerChanged(server_name="Garden")


def test_a_name_that_cant_be_is_refused_with_the_reason(house: House) -> None:
    """To the host, as data; the chat keeps its name."""
    host = house.host()
    error = refused(house.do(host, rename("Ho\u202eme")), host)
    assert (error.code, error.field, error.retryable) == ("name_refused", "name", False)
    assert error.params["why"] == "name_character"
    assert house.world.facts.name == "Home"


def rename(name: str) -> messages.RenameChat:
    """What the host asks."""
    return messages.RenameChat(id=1, name=name)


@pytest.fixture
def running(house: House) -> Iterator[Running]:
    """A hub of a house in which ada (1) is, a stranger (2) is connected, and the host is (-3)."""
    house.join("ada")
    house.connect()
    house.host()
    made = Running(house)
    yield made
    made.stop()


def hello(running: Running) -> messages.Hello:
    """What the stranger says first."""
    return messages.Hello(id=running.house.request(), protocol=2, program="S")


def welcomed(batch: list[effects.IoEffect]) -> str:
    """The name that the stranger is welcomed with."""
    (welcome,) = answers(batch, 2)
    assert isinstance(welcome, messages.Welcome)
    return welcome.server_name


@pytest.mark.parametrize("trouble", [locked, failing_commit])
@pytest.mark.usefixtures("errors_logged")
def test_a_name_that_cant_be_stored_is_nobodys(
    running: Running, trouble: Callable[[House], AbstractContextManager[None]]
) -> None:
    """The chat keeps its name, the host is told why, and no client hears of it."""
    with trouble(running.house):
        batch = running.batch(Received(-3, (rename("Garden"),)), Received(2, (hello(running),)))
        assert welcomed(batch) == "Home"
        assert not [each for each in batch if isinstance(each, effects.TellEveryone)]
    (answer,) = running.heard
    assert isinstance(answer, messages.Error)
    assert (answer.code, answer.re, answer.retryable) == ("busy", 1, True)
    assert not [event for event in running.shown if isinstance(event, Renamed)]
    disk = sqlite3.connect(running.house.path)
    assert disk.execute("SELECT value FROM meta WHERE key = 'name'").fetchall() == []
    disk.close()


def test_a_name_is_stored_before_it_is_told(running: Running) -> None:
    """Whoever is welcomed in the same batch hears the new one."""
    batch = running.batch(Received(-3, (rename("Garden"),)), Received(2, (hello(running),)))
    assert welcomed(batch) == "Garden"
    disk = sqlite3.connect(running.house.path)
    assert disk.execute("SELECT value FROM meta WHERE key = 'name'").fetchall() == [("Garden",)]
    disk.close()


def test_invites_and_files_have_the_new_name_at_once(tmp_path: Path) -> None:
    """The ready file, running.json and whoever shows the facts; the next start has it, too."""
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--name", "Home"])
    changes: list[Facts] = []
    changed = threading.Event()

    def note(facts: Facts) -> None:
        changes.append(facts)
        changed.set()

    server = Server(options, tmp_path, lambda _: None, note)
    before = parse_invite(server.start().invite)
    server.publish_to(tmp_path / "ready.json")
    replies: queue.SimpleQueue[messages.ToClient] = queue.SimpleQueue()
    server.host_session().ask(
        lambda number: messages.RenameChat(id=number, name="Garden"), replies.put
    )
    assert isinstance(replies.get(timeout=10), messages.Done)
    assert changed.wait(10)
    assert [facts.name for facts in changes] == ["Garden"]
    after = parse_invite(changes[0].invite)
    assert after.server_name == "Garden"
    assert (after.secret, after.fingerprint) == (before.secret, before.fingerprint)
    for file in ("ready.json", RUNNING_FILE):
        assert changes[0].invite in (tmp_path / file).read_text()
    server.stop()
    again = Server(options._replace(name=None), tmp_path, lambda _: None)
    assert again.start().name == "Garden"
    again.stop()
