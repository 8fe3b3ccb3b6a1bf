"""X25519 (RFC 7748 §5) on Python's integers, for a client that has no library for it.

It takes one to two milliseconds, and how long exactly depends on the numbers: good enough for a
scalar that is used once, by a person's program. The server, which many may ask, uses `cryptography`
instead.
"""

from typing import Final

PRIME: Final = 2**255 - 19
BYTES: Final = 32
_A24: Final = 121665
_TOP_BIT: Final = 1 << 255


def decode_u(encoded: bytes) -> int:
    """The u-coordinate of 32 bytes; their highest bit is ignored."""
    return (int.from_bytes(encoded, "little") % _TOP_BIT) % PRIME


def x25519(scalar: bytes, point: bytes) -> bytes:
    """The point times the scalar, both of 32 bytes; 32 zero bytes for a point of low order."""
    factor = int.from_bytes(scalar, "little") & ~7 & (_TOP_BIT - 1) | (1 << 254)
    u = decode_u(point)
    x2, z2, x3, z3 = 1, 0, u, 1
    swap = 0
    for place in range(254, -1, -1):
        bit = factor >> place & 1
        if swap != bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % PRIME, b * b % PRIME
        e = aa - bb
        da, cb = (x3 - z3) * a, (x3 + z3) * b
        x3 = (da + cb) ** 2 % PRIME
        z3 = u * ((da - cb) ** 2 % PRIME) % PRIME
        x2 = aa * bb % PRIME
        z2 = e * (aa + _A24 * e) % PRIME
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(BYTES, "little")
