"""What guests and servers bind to the certificate: codes and digits."""

from __future__ import annotations

import hashlib

import pytest

from common.protocol.cpace import Role
from common.protocol.joining_proofs import code_exchange, commitment, knock_digits, opens
from common.protocol.x25519 import x25519

PRINT = bytes(range(32))
OTHERS = bytes(32)
SESSION = bytes(16)
GUEST, HOST = b"g" * 32, b"h" * 32


def agree(guest_sees: bytes, code: str = "K7QM3XPA") -> bool:
    """Whether a guest who sees this certificate and types this code shows to know the code."""
    guest = code_exchange(Role.INITIATOR, code, guest_sees, SESSION, x25519)
    server = code_exchange(Role.RESPONDER, "K7QM3XPA", PRINT, SESSION, x25519)
    guest.agree(server.share)
    server.agree(guest.share)
    assert server.confirms(guest.tag()) == guest.confirms(server.tag())
    return server.confirms(guest.tag())


def test_the_code_is_right_for_one_certificate() -> None:
    """A relay with a certificate of its own has a guest who knows the code fail."""
    assert agree(PRINT)
    assert not agree(OTHERS)
    assert not agree(PRINT, "K7QM3XPB")


def test_a_code_has_its_length() -> None:
    """A shorter one is a mistake of the program."""
    with pytest.raises(ValueError, match="no spoken code"):
        code_exchange(Role.INITIATOR, "K7QM", PRINT, SESSION, x25519)


def test_digits_are_made_of_all_that_both_ends_see() -> None:
    """Certificate, the guest's nonce and the host's: with any other they are others."""
    digest = hashlib.sha256(b"Chat knock digits 1" + PRINT + GUEST + HOST).digest()
    digits = knock_digits(PRINT, GUEST, HOST)
    assert digits == f"{int.from_bytes(digest[:8], 'big') % 10000:04}"
    others = [(OTHERS, GUEST, HOST), (PRINT, HOST, HOST), (PRINT, GUEST, GUEST)]
    assert digits not in [knock_digits(*each) for each in others]


def test_digits_are_four_and_evenly_spread() -> None:
    """All of 10,000 are possible, with zeros in front."""
    made = [knock_digits(PRINT, GUEST, each.to_bytes(32, "big")) for each in range(20_000)]
    assert {len(each) for each in made} == {4}
    # Of 20,000 throws the expected share of the 10,000 values is 86.5 %, with a deviation of 0.3.
    assert 8_500 < len(set(made)) < 8_800


def test_a_nonce_opens_its_own_commitment() -> None:
    """And no other one."""
    assert commitment(HOST) == hashlib.sha256(b"Chat knock 1" + HOST).digest()
    assert opens(HOST, commitment(HOST))
    assert not opens(GUEST, commitment(HOST))
