"""The thread that asks the firewalls: one question at a time, and none after its end."""

from __future__ import annotations

import logging
import queue
import threading

import pytest

from chat_server.firewall_watch import FirewallWatch
from chat_server.headless import log_firewall
from chat_server.reachability import Finding
from common.domain.reasons import Reason

DEADLINE = 15.0


def test_a_watch_asks_when_it_is_told_to_and_coalesces() -> None:
    """Requests that come while it asks are one more time of asking, about the latest port."""
    asked: list[int] = []
    begun, go = threading.Event(), threading.Event()
    told: queue.SimpleQueue[tuple[Finding, ...]] = queue.SimpleQueue()

    def find(port: int) -> tuple[Finding, ...]:
        asked.append(port)
        begun.set()
        assert go.wait(DEADLINE)
        return (Finding(Reason("firewall_open", {"port": port}), "open"),)

    watch = FirewallWatch(told.put, find)
    watch.ask(1)
    assert begun.wait(DEADLINE)
    for port in (2, 3, 4):
        watch.ask(port)
    go.set()
    ports = [told.get(timeout=DEADLINE)[0].reason.params["port"] for _ in range(2)]
    watch.stop()
    assert ports == asked == [1, 4]


@pytest.mark.usefixtures("errors_logged")
def test_a_watch_that_fails_once_asks_again(caplog: pytest.LogCaptureFixture) -> None:
    """And says so in the log."""
    told: queue.SimpleQueue[tuple[Finding, ...]] = queue.SimpleQueue()
    failed = threading.Event()

    def find(port: int) -> tuple[Finding, ...]:
        if port == 1:
            failed.set()
            raise ZeroDivisionError
        return ()

    watch = FirewallWatch(told.put, find)
    watch.ask(1)
    assert failed.wait(DEADLINE)
    watch.ask(2)
    assert told.get(timeout=DEADLINE) == ()
    watch.stop()
    assert "the firewall can't be asked" in caplog.text


def test_a_watch_that_is_stopped_tells_nothing() -> None:
    """Neither what it is asking about nor what it is told to ask later."""
    begun, go = threading.Event(), threading.Event()
    told: list[object] = []

    def find(_: int) -> tuple[Finding, ...]:
        begun.set()
        assert go.wait(DEADLINE)
        return ()

    watch = FirewallWatch(told.append, find)
    watch.ask(1)
    assert begun.wait(DEADLINE)
    watch.stop()
    thread = watch._thread
    go.set()
    watch.ask(2)
    assert thread is not None
    thread.join(DEADLINE)
    assert told == []


def test_a_server_without_a_window_logs_what_the_firewall_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With the command; it is a warning only where the settings are known to keep others out."""
    found = (
        Finding(Reason("firewall_on", {"firewall": "ufw", "port": 1}), "unknown", "sudo ufw …"),
        Finding(Reason("firewall_closed", {"firewall": "firewalld", "port": 1}), "closed", "do it"),
    )
    with caplog.at_level(logging.INFO, "chat_server.headless"):
        log_firewall(found)
    (ufw, firewalld) = caplog.records
    assert (ufw.levelno, firewalld.levelno) == (logging.INFO, logging.WARNING)
    assert ufw.getMessage().endswith(": sudo ufw …")
    assert firewalld.getMessage().endswith(": do it")
