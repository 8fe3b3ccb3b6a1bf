"""How a server with a new certificate shows a device that it is still the one it joined.

A server that lost its key has another certificate. A client can't distinguish it from an impostor,
to whom it must never send its token: anybody can make an invite with the chat's name in it. But the
database still has the token's SHA-256, which nobody else has. So the client sends a fresh nonce,
and the server answers with a MAC of it under that hash. The MAC covers the certificate's
fingerprint: an impostor who relays the nonce to the real server gets a MAC for the wrong one.
"""

import hashlib
import hmac
from typing import Final

_LABEL: Final = b"chat recognize 1\0"


def device_key(token: str) -> bytes:
    """The hash of a token that a server stores: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(bytes.fromhex(token)).digest()


def proof(key: bytes, fingerprint: bytes, nonce: str, username: str) -> str:
    """The MAC under a device's `key`, in hexadecimal.

    HMAC-SHA256 over a label, the 32 bytes of the certificate's fingerprint, the 16 of the nonce,
    and the username in its stored form: all of a fixed length but the last.
    """
    message = _LABEL + fingerprint + bytes.fromhex(nonce) + username.encode("ascii")
    return hmac.digest(key, message, "sha256").hex()


def proves(given: str, key: bytes, fingerprint: bytes, nonce: str, username: str) -> bool:
    """Whether `given` is that MAC, compared in constant time."""
    return hmac.compare_digest(given, proof(key, fingerprint, nonce, username))
