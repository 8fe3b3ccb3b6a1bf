"""What a guest and a server bind to the certificate that each of them sees, before they are known.

A relay in the middle has a certificate of its own: the guest sees that one, and the server knows
its own. So what both compute over it differs, and neither a code nor digits pass through the relay.

The digits of a request to join are compared by people. Both ends choose a nonce, and the server is
bound to its own (by a commitment) before it learns the guest's. So a relay that wants the same
digits on both sides has one chance in 10,000, and each chance is one that a person sees: towards
the server it can't know the digits before they are on the host's screen, and towards the guest it
can't choose them any more. Were it the guest that commits first, a relay could ask the server for
nonces, unseen, until the digits are those that the guest has.
"""

import hashlib
import hmac
from typing import Final

from common.domain.spoken_code import LENGTH
from common.protocol.cpace import Exchange, Multiply, Role

NONCE_BYTES: Final = 32
DIGITS: Final = 4
_CODE: Final = b"Chat spoken code 1"
_COMMITMENT: Final = b"Chat knock 1"
_DIGITS: Final = b"Chat knock digits 1"


def code_exchange(
    role: Role, code: str, fingerprint: bytes, session: bytes, multiply: Multiply
) -> Exchange:
    """An exchange about a spoken code; `fingerprint` is of the certificate as this end sees it.

    `code` is without its hyphen; `fingerprint` is empty on a connection without TLS.
    """
    if len(code) != LENGTH:
        raise ValueError("no spoken code")
    return Exchange(role, code.encode("ascii"), _CODE + fingerprint, session, multiply)


def commitment(nonce: bytes) -> bytes:
    """What binds a server to its nonce, without telling it."""
    return hashlib.sha256(_COMMITMENT + nonce).digest()


def opens(nonce: bytes, commitment_: bytes) -> bool:
    """Whether a nonce is the one that a commitment was made of."""
    return hmac.compare_digest(commitment(nonce), commitment_)


def knock_digits(fingerprint: bytes, guest_nonce: bytes, host_nonce: bytes) -> str:
    """The four digits of a request to join, for people to compare."""
    digest = hashlib.sha256(_DIGITS + fingerprint + guest_nonce + host_nonce).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}}"
