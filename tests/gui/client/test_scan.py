"""Trying every address of this network, by a click where nothing was found."""

from __future__ import annotations

import pytest

from chat_client.state.discovery import FoundChat
from chat_client.window.join.search import Search
from chat_client.window.join.ways import Way
from common.domain.reasons import Reason
from tests.gui.harness import Host, Town, Window
from tests.gui.network import QuietNetwork, advert_of

WHY = (Reason("nobody_answers"),)


@pytest.fixture
def lost(
    town: Town, network: type[QuietNetwork], monkeypatch: pytest.MonkeyPatch
) -> Window:  # fmt: skip
    """A window that finds nothing, and says why."""
    monkeypatch.setattr("chat_client.window.join.search.PATIENCE", 1)
    network.reasons, network.scans = WHY, []
    network.far = None
    window = town.window()
    window.wait(lambda: search(window).causes, "the causes")
    window.settle()
    return window


def search(window: Window) -> Search:
    """What looks for chats."""
    return window.join.model.search


def far(host: Host) -> FoundChat:
    """A chat as it is found at an address: nothing is known of it but its certificate."""
    invite = host.invite
    assert invite.fingerprint is not None
    return FoundChat(invite.fingerprint, "127.0.0.1", ("127.0.0.1",), invite.port, 0.0)


def causes(window: Window) -> str:
    """What is said of why nothing was found."""
    return str(window.join.column.searching.causes.cget("text"))


def can_scan(window: Window) -> bool:
    """Whether it is offered."""
    return bool(window.join.column.searching.scan.winfo_manager())


def click(window: Window, network: type[QuietNetwork]) -> None:
    """Click on it: it is under way."""
    window.wait(lambda: can_scan(window), "the offer")
    window.click(window.join.column.searching.scan)
    window.wait(lambda: network.scans, "the scan")
    assert search(window).scanning
    assert not can_scan(window)
    assert "Trying every address" in str(window.join.column.searching._doing.cget("text"))


def test_nothing_is_tried_unasked(lost: Window, network: type[QuietNetwork]) -> None:
    """Only by a click; and what came of it is said, until something is found."""
    assert can_scan(lost)
    assert network.scans == []
    click(lost, network)
    network.scans[-1]((), 253)
    lost.wait(lambda: not search(lost).scanning, "the end")
    lost.settle()
    said = "None of the 253 addresses around this computer has a chat on port 12345."
    assert causes(lost).endswith(said)
    assert "no other device answers here" in causes(lost).lower()
    assert can_scan(lost)


def test_what_is_found_so_is_listed_and_joined(
    lost: Window, network: type[QuietNetwork], host: Host
) -> None:
    """As any other chat; it is called as its server says once that is known."""
    click(lost, network)
    network.scans[-1]([far(host)], None)
    lost.wait(lambda: lost.join.way is Way.CHAT, "the chat")
    lost.wait(lambda: lost.join.list.listing.found[0].name == "Harbour Team", "its name")
    assert str(lost.join.column.heading.title.cget("text")) == "Harbour Team"
    network.scans[-1]([far(host)], 253)
    lost.wait(lambda: not search(lost).scanning, "the end")
    assert lost.join.way is Way.CHAT
    assert [each.name for each in lost.join.list.listing.found] == ["Harbour Team"]
    assert lost.join.chosen is not None
    assert not lost.join.chosen.gone


def test_what_is_announced_as_well_goes_by_its_goodbye(
    lost: Window, network: type[QuietNetwork], host: Host
) -> None:
    """The announcement came late: its end is heard, and the address is not left in the list."""
    click(lost, network)
    network.scans[-1]([far(host)], 253)
    rows = lost.join.list.rows
    lost.wait(rows.order, "the chat")
    network.finders[-1].tell([advert_of(host)])
    network.finders[-1].tell([])
    lost.wait(lambda: not rows.order(), "its end")
    # Another scan finds it again, if there is nothing left but that.
    lost.join.turn(Way.SEARCH)
    search(lost).scan()
    lost.wait(lambda: len(network.scans) == 2, "the scan")
    network.scans[-1]([far(host)], 253)
    lost.wait(rows.order, "the chat again")


def test_without_a_network_it_is_not_offered(lost: Window, network: type[QuietNetwork]) -> None:
    """There is nothing to be tried."""
    network.reasons = (Reason("no_network"),)
    search(lost)._lose_patience()
    lost.wait(lambda: not can_scan(lost), "the offer to go")


def test_it_ends_with_the_screen(lost: Window, network: type[QuietNetwork]) -> None:
    """Nothing goes on behind a closed window."""
    click(lost, network)
    (running,) = [each for each in search(lost)._parts._running if each is network.running[-1]]
    lost.close()
    assert not running.running
