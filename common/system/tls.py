"""TLS 1.3 with a pinned certificate: the only trust is the fingerprint in the invite."""

import hashlib
import hmac
import ssl
from pathlib import Path


def fingerprint(certificate: bytes) -> bytes:
    """The SHA-256 of a certificate in DER, which an invite pins."""
    return hashlib.sha256(certificate).digest()


def server_context(identity: Path) -> ssl.SSLContext:
    """The server's context, from a PEM file with key and certificate. Raises OSError, SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Sessions are not resumed: a ticket would be two more records for every handshake.
    context.num_tickets = 0
    context.load_cert_chain(identity)
    return context


def client_context() -> ssl.SSLContext:
    """The client's context. It verifies no chain and no host name: `pinned` replaces both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def pinned(connection: ssl.SSLSocket, expected: bytes) -> bool:
    """Whether the peer has the expected certificate. Check it before sending a byte."""
    certificate = connection.getpeercert(binary_form=True)
    return certificate is not None and hmac.compare_digest(fingerprint(certificate), expected)
