"""Trust is the fingerprint in the invite, and nothing else."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from chat_server.identity import load_identity
from common.system.tls import client_context, fingerprint, pinned, server_context


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a TLS connection, shaken hands in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_server = server.wrap_bio(to_server, to_client, server_side=True)
    at_client = client.wrap_bio(to_client, to_server)
    for _ in range(4):
        for end in (at_client, at_server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return at_server, at_client


def test_a_pin_holds_for_its_own_certificate_only(tmp_path: Path) -> None:
    """The server of the invite is recognised, another one is not, and all is TLS 1.3."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, other = load_identity(tmp_path / "a"), load_identity(tmp_path / "b")
    at_server, at_client = handshake(server_context(ours.path), client_context())
    assert at_client.version() == at_server.version() == "TLSv1.3"
    assert pinned(at_client, ours.fingerprint)  # type: ignore[arg-type]  # reads the same certificate
    assert not pinned(at_client, other.fingerprint)  # type: ignore[arg-type]
    assert not pinned(at_client, b"")  # type: ignore[arg-type]
    certificate = at_client.getpeercert(binary_form=True)
    assert certificate is not None
    assert fingerprint(certificate) == ours.fingerprint == hashlib.sha256(certificate).digest()


@pytest.mark.parametrize("older", ["client", "server"])
def test_older_tls_is_refused(tmp_path: Path, older: str) -> None:
    """Whoever speaks TLS 1.2 at most gets no connection, whichever end it is."""
    server, client = server_context(load_identity(tmp_path).path), client_context()
    old = client if older == "client" else server
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        handshake(server, client)
