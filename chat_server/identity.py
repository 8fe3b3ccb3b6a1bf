"""The server's own key and certificate, made at its first start and kept in one file."""

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.system.private_files import write_private
from common.system.tls import fingerprint

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


class IdentityError(Exception):
    """The identity can't be used; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The PEM file with key and certificate, and the fingerprint that clients pin."""

    path: Path
    fingerprint: bytes


def load_identity(folder: Path) -> Identity:
    """The identity in `folder`, created if there is none. Raises IdentityError, OSError."""
    path = folder / "server.pem"
    if not path.exists():
        # One file, written atomically: a crash leaves no key without its certificate.
        write_private(path, _make())
    try:
        _, begin, rest = path.read_text("ascii").partition(_BEGIN)
        certificate = ssl.PEM_cert_to_DER_cert(begin + rest)
    except ValueError as error:
        raise damaged(path) from error
    return Identity(path, fingerprint(certificate))


def damaged(path: Path) -> IdentityError:
    """The error for an identity that can't be used.

    It is never replaced automatically: to every client, a new one is another server.
    """
    return IdentityError(
        f"{path} is damaged: restore it from a backup, or remove it to start with a new identity "
        "(everyone then needs the new invite, and keeps name and messages with it)"
    )


def _make() -> bytes:
    """A P-256 key and its self-signed certificate, in PEM.

    The certificate's name and dates don't matter: clients pin its fingerprint.
    """
    # Imported here: only the first start needs it, and it would cost every other one 70 ms.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ChatServer")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
