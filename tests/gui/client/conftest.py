"""Two people who are in a chat: one by a window, one without."""

from __future__ import annotations

import pytest

from tests.gui.harness import Host, Peer, Town, Window


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
