"""CPace, a password-authenticated key exchange: CPACE-X25519-SHA512 of draft-irtf-cfrg-cpace.

Two ends that know the same short code agree on a key over a connection that anybody may have
tampered with. Whoever does not know the code can test one code for each exchange, and learns
nothing that helps to find it later. The initiator confirms the key first: if the responder did, one
could test a code and hang up without being counted.

`channel` binds the exchange to the connection: both ends must see the same one, which a relay with
a certificate of its own can't have them do. `session` is 16 random bytes of the initiator, for one
exchange.

Not constant-time, as Python's integers are not: the map to the curve takes a time that depends on
the code by nanoseconds. That is bearable for a code that lives a day and of which a hundred wrong
ones are judged; it would not be for a password.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from enum import Enum
from typing import Final

from common.protocol.x25519 import BYTES, PRIME, decode_u

Multiply = Callable[[bytes, bytes], bytes]
"""X25519: the point times the scalar. 32 zero bytes, or ValueError, for a point of low order."""

SESSION_BYTES: Final = 16
_NAME: Final = b"CPace255"
_MAC_NAME: Final = b"CPaceMac"
_BLOCK: Final = 128
"""Bytes that SHA-512 takes at once."""
_A: Final = 486662
_Z: Final = 2
"""The smallest number that is no square (RFC 9380 §6.7.1)."""
_HALF: Final = pow(2, -1, PRIME)


class CPaceError(Exception):
    """The other end's share is invalid: the exchange must be given up."""


class Role(Enum):
    """An end of the exchange."""

    INITIATOR = "A"
    """The guest, who has typed the code. It confirms the key first."""
    RESPONDER = "B"
    """The server, which has made the code."""


class Exchange:
    """One end of one exchange; made for one `code`, used once.

    `scalar` is for test vectors alone: it is random and must never be used twice.
    """

    def __init__(
        self,
        role: Role,
        code: bytes,
        channel: bytes,
        session: bytes,
        multiply: Multiply,
        scalar: bytes | None = None,
    ) -> None:
        self._role = role
        self._session = session
        self._multiply = multiply
        self._scalar = secrets.token_bytes(BYTES) if scalar is None else scalar
        self.share = multiply(self._scalar, generator(code, channel, session))
        """This end's public share, of 32 bytes."""
        self._other = b""
        self._mac_key = b""

    def agree(self, share: bytes) -> None:
        """Take the other end's share. Raises CPaceError if it is invalid."""
        # A reflected share would make both tags the same.
        if self._other or len(share) != BYTES or hmac.compare_digest(share, self.share):
            raise CPaceError
        try:
            shared = self._multiply(self._scalar, share)
        except ValueError as error:
            raise CPaceError from error
        if shared == bytes(BYTES):
            raise CPaceError
        self._other = share
        first, second = self.share, share
        if self._role is Role.RESPONDER:
            first, second = second, first
        key = session_key(self._session, shared, transcript(first, b"", second, b""))
        self._mac_key = hashlib.sha512(_MAC_NAME + self._session + key).digest()

    def tag(self) -> bytes:
        """This end's key confirmation, of 64 bytes; after `agree`."""
        return self._tag(self.share)

    def confirms(self, tag: bytes) -> bool:
        """Whether `tag` shows that the other end knows the code, in constant time."""
        return hmac.compare_digest(tag, self._tag(self._other))

    def _tag(self, share: bytes) -> bytes:
        if not self._mac_key:
            raise ValueError("there is no key before the shares are exchanged")
        return hmac.digest(self._mac_key, joined(share, b""), "sha512")


def generator(code: bytes, channel: bytes, session: bytes) -> bytes:
    """The point that both ends start from: nobody knows its logarithm."""
    taken = len(joined(code)) + len(joined(_NAME))
    padding = bytes(max(0, _BLOCK - 1 - taken))
    text = joined(_NAME, code, padding, channel, session)
    return _to_curve(decode_u(hashlib.sha512(text).digest()[:BYTES]))


def _to_curve(r: int) -> bytes:
    """Elligator 2 (RFC 9380 §6.7.1), without a branch on `r`; the u-coordinate in 32 bytes.

    Both powers are of fixed exponents; -1/2 is no square, so the denominator is never 0.
    """
    v = -_A * pow(1 + _Z * r * r, PRIME - 2, PRIME) % PRIME
    is_square = pow(v * (v * v + _A * v + 1), (PRIME - 1) // 2, PRIME)
    u = (is_square * v - (1 - is_square) * _A * _HALF) % PRIME
    return u.to_bytes(BYTES, "little")


def session_key(session: bytes, shared: bytes, exchanged: bytes) -> bytes:
    """The draft's ISK: 64 bytes from the shared point and the transcript."""
    return hashlib.sha512(joined(_NAME + b"_ISK", session, shared) + exchanged).digest()


def transcript(share_a: bytes, data_a: bytes, share_b: bytes, data_b: bytes) -> bytes:
    """The draft's transcript_ir: shares and associated data, the initiator's first."""
    return joined(share_a, data_a) + joined(share_b, data_b)


def joined(*parts: bytes) -> bytes:
    """The draft's lv_cat: parts behind their lengths (LEB128), so that no two lists are alike."""
    return b"".join(_length(len(part)) + part for part in parts)


def _length(length: int) -> bytes:
    encoded = bytearray()
    while length >= 0x80:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)
