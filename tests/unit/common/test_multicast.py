"""Sockets for multicast DNS where another program has the port for itself."""

from __future__ import annotations

import errno
import logging
import socket

import pytest

from common.system import multicast
from common.system.interfaces import InterfaceAddress
from common.system.multicast import Link, Links


@pytest.mark.parametrize("asks", [True, False])
def test_a_port_that_is_taken_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, asks: bool
) -> None:
    """What failed is tried again at each look at the interfaces; and one may still ask."""
    taken = True

    def sock(_: Link, *, listens: bool) -> socket.socket:
        if listens and taken:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    there = [InterfaceAddress("192.0.2.1", 2, False, 24)]
    monkeypatch.setattr(multicast, "interface_addresses", lambda: there)
    monkeypatch.setattr(Link, "_socket", sock)
    caplog.set_level(logging.INFO)
    links = Links(asks=asks)
    try:
        assert [links.refresh() for _ in range(3)] == [asks, False, False]
        assert len(list(links)) == asks
        assert [record.levelname for record in caplog.records] == ["INFO" if asks else "WARNING"]
        taken = False
        assert links.refresh() is not asks
        assert len(list(links)) == 1
    finally:
        links.close()
