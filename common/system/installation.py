"""What names a copy of ChatClient to a server: an installation, one for each data folder.

The same for all its accounts on that server, and to no two servers alike, so that servers can't
tell by it who is on both.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FILE: Final = "installation"
"""In the data folder: what all of them are made of."""
SECRET_BYTES: Final = 32


def server_key(fingerprint: bytes | None, port: int) -> str:
    """The same for every invite of a server: it follows its certificate, not its address."""
    if fingerprint is None:
        return hashlib.sha256(f"plaintext {port}".encode()).hexdigest()[:16]
    return fingerprint.hex()[:16]


def installation_of(secret: bytes, server: str) -> str:
    """How the data folder with this secret is called to the server with this key."""
    return hashlib.blake2b(server.encode(), key=secret, digest_size=16).hexdigest()


def installations_in(folder: Path, server: str) -> Iterator[str]:
    """Those of a person's ChatClient, with its profiles, that has been started before."""
    for path in (folder / FILE, *folder.glob(f"profiles/*/{FILE}")):
        try:
            secret = path.read_bytes()
        except OSError:
            continue
        if len(secret) == SECRET_BYTES:
            yield installation_of(secret, server)
