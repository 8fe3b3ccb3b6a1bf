"""A host who lost `server.pem` starts with a new one, and everybody keeps their account."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.accounts import Accounts, new_account
from chat_client.net.recognition import RecognitionError, is_known
from chat_client.state.account import Account
from common.domain.invite import Invite
from tests.process.harness import Client, House, Server


def renew(server: Server) -> Invite:
    """Stop the server, and start it without the file that has its key."""
    before = server.join
    assert server.stop() == 0
    (server.data_dir / "server.pem").unlink()
    server.start()
    assert server.join.fingerprint != before.fingerprint
    return server.join


def account_of(client: Client) -> Account:
    """The one account in somebody's data folder."""
    (account,) = Accounts(client.data_dir).all()
    return account


def usernames(client: Client) -> list[str]:
    """Everybody in the chat."""
    return [json.loads(line)["username"] for line in client.ask("people", "--json")]


def test_a_damaged_key_is_told_and_a_new_one_takes_no_name(house: House, server: Server) -> None:
    """The documented way out: remove the file, send the new invite; nobody is somebody new."""
    ada = house.client(server, "ada")
    ada.send("before")
    assert ada.listen("--count", "1").texts(1) == ["before"]
    token = account_of(ada).token

    assert server.stop() == 0
    pem = server.data_dir / "server.pem"
    pem.write_bytes(pem.read_bytes()[:100])
    refused = house.child(
        "refused server", ["chat_server", "--headless", "--data-dir", str(server.data_dir)]
    )
    assert refused.status() == 2
    assert "remove it to start with a new identity" in refused.err[-1]
    assert "the new invite" in refused.err[-1]
    pem.unlink()
    server.start()

    # With the old invite it is another server, and not a byte is sent to it.
    child = ada.run("send", "lost", "--timeout", "1")
    assert child.status() == 1
    assert "is not the server you joined" in child.err[-1]

    ada.invite = server.invite
    ada.send("after")
    account = account_of(ada)
    assert (account.username, account.token) == ("ada", token)
    assert account.invite == server.join
    assert usernames(ada) == ["ada"]
    # Her place in the room is kept, too: only what is new is heard.
    assert ada.listen("--count", "1").texts(1) == ["after"]
    # From now on, nothing is asked any more.
    ada.send("again")


def test_without_a_name_the_one_account_is_meant(house: House, server: Server) -> None:
    """The new link alone is enough for a script."""
    ada = house.client(server, "ada")
    ada.send("before")
    renew(server)
    arguments = ["chat_client", "send", "after", "--data-dir", str(ada.data_dir)]
    child = house.child("send", [*arguments, "--join", server.invite])
    assert child.status() == 0, child.transcript()
    assert account_of(ada).invite == server.join


def test_two_accounts_of_one_device_are_told_apart(house: House, server: Server) -> None:
    """Each by its name, and without one it has to be said which."""
    ada = house.client(server, "ada")
    ada.send("one")
    bea = Client(house, ada.data_dir, "bea", server.invite)
    bea.send("two")
    renew(server)
    ada.invite = bea.invite = server.invite
    arguments = ["chat_client", "people", "--data-dir", str(ada.data_dir)]
    child = house.child("people", [*arguments, "--join", server.invite])
    assert child.status() == 2
    assert "--name" in child.err[-1]
    bea.send("three")
    ada.send("four")
    assert usernames(ada) == ["ada", "bea"]


def test_another_chat_of_the_same_name_is_joined_as_somebody_new(house: House) -> None:
    """It does not know the device; what is kept of the first chat stays as it is."""
    first = house.server("--name", "Home", name="first")
    second = house.server("--name", "Home", name="second")
    ada = house.client(first, "ada")
    ada.send("here")
    before = account_of(ada)
    there = Client(house, ada.data_dir, "ada", second.invite)
    there.send("there")
    one, other = sorted(Accounts(ada.data_dir).all(), key=lambda a: a.invite != before.invite)
    assert one == before
    assert other.invite == second.join
    assert other.token != before.token
    ada.send("here again")


def test_whoever_pretends_to_be_the_chat_gets_no_token(house: House, server: Server) -> None:
    """With the chat's name and secret in its invite, and even with an account of that name."""
    ada = house.client(server, "ada")
    ada.send("here")
    account = account_of(ada)
    name = account.invite.server_name
    false = house.server("--name", name, name="false")
    eve = Client(house, house.folder / "eve", "ada", false.invite)
    eve.send("I am she")
    assert account_of(eve).token != account.token
    assert not is_known(account, false.join)
    assert is_known(account, server.join)


def test_no_answer_is_not_taken_for_no(house: House, server: Server) -> None:
    """An invite with a secret that is none: she is not joined as somebody new."""
    ada = house.client(server, "ada")
    ada.send("here")
    invite = replace(renew(server), secret="x" * 22)
    with pytest.raises(RecognitionError, match="no longer valid"):
        is_known(account_of(ada), invite)
    ada.invite = invite.link()
    child = ada.run("send", "lost")
    assert child.status() == 1
    assert "no longer valid" in child.err[-1]
    ada.invite = server.invite
    assert usernames(ada) == ["ada"]


def test_a_new_account_never_takes_anothers_folder(tmp_path: Path) -> None:
    """The name of a folder tells which identity the server had once."""
    accounts = Accounts(tmp_path)
    old, new = (
        Invite(("127.0.0.1",), 1, bytes([number]) * 32, str(number) * 22, f"Chat {number}")
        for number in (1, 2)
    )
    ada = new_account(old, "ada", "Ada").confirmed("ada", "Ada")
    accounts.save(ada)
    moved = ada.with_invite(new)
    accounts.save(moved)
    assert accounts.all() == [moved]
    other = accounts.new(old, "ada", "Ada")
    accounts.save(other)
    assert {account.token for account in accounts.all()} == {ada.token, other.token}
    assert accounts.folder(moved) != accounts.folder(other)
    assert accounts.find(old, "ada") == other
    assert accounts.find(new, "ada") == moved
