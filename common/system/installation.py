"""The id of an installation of ChatClient for a server; there is one installation per data folder.

It is the same for all accounts on that server, and different for each server, so that servers can't
correlate people by it.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FILE: Final = "installation"
"""File in the data folder with the secret from which all ids are derived."""
SECRET_BYTES: Final = 32


def server_key(fingerprint: bytes | None, port: int) -> str:
    """A key that is equal for all invites of a server: it depends on the certificate."""
    if fingerprint is None:
        return hashlib.sha256(f"plaintext {port}".encode()).hexdigest()[:16]
    return fingerprint.hex()[:16]


def installation_of(secret: bytes, server: str) -> str:
    """The id of the data folder with this secret for the server with this key."""
    return hashlib.blake2b(server.encode(), key=secret, digest_size=16).hexdigest()


def installations_in(folder: Path, server: str) -> Iterator[str]:
    """The ids of all profiles in a ChatClient's data folder; empty if it was never started."""
    for path in (folder / FILE, *folder.glob(f"profiles/*/{FILE}")):
        try:
            secret = path.read_bytes()
        except OSError:
            continue
        if len(secret) == SECRET_BYTES:
            yield installation_of(secret, server)
