"""The server asks for the open files that it may have."""

from __future__ import annotations

import sys

import pytest

from chat_server.net.descriptors import allow_connections

if sys.platform == "win32":
    pytest.skip("sockets are no files there", allow_module_level=True)

import resource


def test_more_open_files_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the system gives for the asking, and no fewer than there were."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 512), most))
        monkeypatch.setattr("chat_server.net.descriptors.ENOUGH", 600)
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (600, most)
        monkeypatch.setattr("chat_server.net.descriptors.ENOUGH", 550)
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (600, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
