"""People in a chat, by a window and without one, and a guest who has yet to join."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from chat_client.window.join.ways import Way
from tests.gui.client.guest import way
from tests.gui.harness import Host, Peer, Town, Window
from tests.gui.network import QuietNetwork, Told, advert_of


@pytest.fixture
def ada(town: Town, host: Host) -> Window:
    """A window that is connected."""
    return town.member(host, "Ada Lindqvist")


@pytest.fixture
def bruno(town: Town, host: Host, ada: Window) -> Peer:
    """Somebody else, whom the window knows."""
    peer = town.peer(host, "Bruno Okafor")
    ada.wait(lambda: "Bruno Okafor joined" in ada.said, "Bruno")
    return peer


@pytest.fixture
def network(town: Town, monkeypatch: pytest.MonkeyPatch) -> type[QuietNetwork]:
    """What is on the network of all windows; it is as before after the test."""

    class Network(QuietNetwork):
        finders: ClassVar[list[Told]] = []  # of this test alone

    del town  # it has a network of its own, which this one replaces
    monkeypatch.setattr("chat_client.window.screens.Network", Network)
    return Network


@pytest.fixture
def guest(town: Town, host: Host, network: type[QuietNetwork]) -> Window:
    """The window of somebody who has found one chat, whose name is Mira."""
    network.chats = [advert_of(host)]
    window = town.window()
    window.wait(lambda: way(window) is Way.CHAT, "the chat")
    window.wait(lambda: window.join.model.attempt.rule, "the server's word")
    window.type("Mira Novak", window.join.column.names.name.entry)
    return window


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a server of this computer says that it runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setattr("chat_client.local_server.data_folder", lambda _: folder)
    monkeypatch.setattr("chat_client.window.join.search._LOOK", 20)
    yield folder
    (folder / "running.json").unlink(missing_ok=True)
