"""How a server with a new certificate shows a device that it is still the one it joined.

A server that lost its key has another certificate, and to a client it is a stranger, to whom it
must never send its token: anybody can make an invite with the chat's name in it. But the database
still has the token's SHA-256, which nobody else has. So the client sends a fresh nonce, and the
server answers with a MAC of it under that hash. The certificate's fingerprint goes into the MAC: a
stranger who passes the question on to the right server gets an answer that is good for that one.
"""

import hashlib
import hmac
from typing import Final

_LABEL: Final = b"chat recognize 1\0"


def device_key(token: str) -> bytes:
    """What a server keeps of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(bytes.fromhex(token)).digest()


def proof(key: bytes, fingerprint: bytes, nonce: str, username: str) -> str:
    """The MAC that only who has a device's `key` can make, in hexadecimal.

    HMAC-SHA256 over a label, the 32 bytes of the certificate's fingerprint, the 16 of the nonce,
    and the username in its stored form: all of a fixed length but the last.
    """
    message = _LABEL + fingerprint + bytes.fromhex(nonce) + username.encode("ascii")
    return hmac.digest(key, message, "sha256").hex()


def proves(given: str, key: bytes, fingerprint: bytes, nonce: str, username: str) -> bool:
    """Whether `given` is that MAC, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given, proof(key, fingerprint, nonce, username))
