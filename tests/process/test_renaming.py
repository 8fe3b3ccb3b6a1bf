"""The host gives the chat another name while people are in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat_server.options import parse_options
from chat_server.service import Server
from common.domain.invite import parse_invite
from common.protocol.messages import Done, RenameChat
from tests.process.harness import Client, House, ask_as_host, wait_until


def kept_name(client: Client) -> str:
    """What the chat is called in the client's own account."""
    files = [*client.data_dir.glob("accounts/*/account.json")]
    return parse_invite(json.loads(files[0].read_bytes())["invite"]).server_name if files else ""


def test_two_programs_learn_the_new_name(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both keep it without coming back, and an invite with the old name still lets in."""
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0", "--name", "Home"])
    server = Server(options, tmp_path / "server", lambda _: None)
    link = server.start().invite
    try:
        clients = [Client(house, tmp_path / name, name, link) for name in ("ada", "bruno")]
        for client in clients:
            client.listen()
        wait_until(lambda: [*map(kept_name, clients)] == ["Home"] * 2, "both to be in")
        reply = ask_as_host(
            server, lambda number: RenameChat(id=number, name="Home, Garden & Cellar")
        )
        assert isinstance(reply, Done)
        wait_until(
            lambda: [*map(kept_name, clients)] == ["Home, Garden & Cellar"] * 2, "the new name"
        )
        late = Client(house, tmp_path / "chen", "chen", link)
        late.send("the old link works")
        assert kept_name(late) == "Home, Garden & Cellar"
    finally:
        server.stop()
    again = Server(options._replace(name=None), tmp_path / "server", lambda _: None)
    assert again.start().name == "Home, Garden & Cellar"
    again.stop()
