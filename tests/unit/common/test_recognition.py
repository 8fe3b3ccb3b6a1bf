"""The proof that a server knows a device: what goes into it; nothing else passes for it."""

from __future__ import annotations

import hashlib

import pytest

from common.protocol.recognition import device_key, proof, proves

TOKEN = "8f" * 32
KEY = device_key(TOKEN)
PRINT = bytes(range(32))
NONCE = "00112233445566778899aabbccddeeff"


def test_the_key_is_what_the_server_keeps() -> None:
    """The SHA-256 of the token's bytes."""
    assert hashlib.sha256(bytes.fromhex(TOKEN)).digest() == KEY


def test_a_proof_is_recognized() -> None:
    """By whoever has the token, for the same question."""
    assert proves(proof(KEY, PRINT, NONCE, "ada"), KEY, PRINT, NONCE, "ada")


@pytest.mark.parametrize(
    "other",
    [
        (device_key("0" * 64), PRINT, NONCE, "ada"),  # of another device, or guessed
        (KEY, bytes(32), NONCE, "ada"),  # passed on from another connection
        (KEY, PRINT, "0" * 32, "ada"),  # an answer to an earlier question
        (KEY, PRINT, NONCE, "bob"),
    ],
)
def test_anything_else_is_not(other: tuple[bytes, bytes, str, str]) -> None:
    """Each part of the question is in the proof."""
    assert not proves(proof(*other), KEY, PRINT, NONCE, "ada")


def test_a_proof_does_not_tell_the_token_or_its_hash() -> None:
    """Neither stands in it, and it is another one each time."""
    given = proof(KEY, PRINT, NONCE, "ada")
    assert given not in {TOKEN, KEY.hex()}
    assert given != proof(KEY, PRINT, NONCE[::-1], "ada")
