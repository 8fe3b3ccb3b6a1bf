"""What the host's window says of a firewall."""

from __future__ import annotations

import tkinter as tk

import pytest

from chat_server.firewall_watch import FirewallWatch
from chat_server.reachability import Finding
from chat_server.window import host as host_module
from common.domain.reasons import Reason
from tests.gui.host.conftest import Open
from tests.gui.host.joining import go


def test_what_a_firewall_says_is_shown_and_asked_again(
    open_host: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its command; again when the host comes back from the terminal."""
    closed = Reason("firewall_closed", {"firewall": "firewalld", "port": 1})
    says = [Finding(closed, "closed", "sudo open-it")]
    monkeypatch.setattr(host_module, "is_loopback", lambda _: False)  # this one does have a network
    monkeypatch.setattr(host_module, "FIREWALL_PAUSE", 0)
    monkeypatch.setattr(
        host_module, "FirewallWatch", lambda tell: FirewallWatch(tell, lambda _: tuple(says))
    )
    host = open_host("--name", "Harbour Team").up()
    page = go(host)
    host.wait(lambda: page.facts.copies, "the command")
    host.sees("has no opening")
    host.click(page.facts.copies[0])
    assert host.root.clipboard_get() == "sudo open-it"
    says[:] = [Finding(Reason("firewall_open", {"firewall": "firewalld", "port": 1}), "open")]
    terminal = tk.Tk()
    try:
        terminal.update()
        terminal.focus_force()
        host.wait(lambda: not host.app.notifications.attention.has_keyboard, "the keyboard to go")
        host.root.focus_force()
        host.sees("lets others connect")
        assert not page.facts.copies
    finally:
        terminal.destroy()
