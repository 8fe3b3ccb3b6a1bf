"""CPace: the test vectors of the draft and of RFC 7748, and what one end can do to the other."""

from __future__ import annotations

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from common.protocol.cpace import (
    CPaceError,
    Exchange,
    Multiply,
    Role,
    generator,
    joined,
    session_key,
    transcript,
)
from common.protocol.x25519 import x25519

CODE = b"Password"
CHANNEL = b"\x0bA_initiator\x0bB_responder"
SESSION = bytes.fromhex("7e4b4791d6a8ef019b936c79fb7f2c57")
GENERATOR = bytes.fromhex("d04bf6d41f6a289632a2e929fa29bebd51092512a7829fdde7d314b62f05a73f")
SCALAR_A = bytes.fromhex("21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080")
SHARE_A = bytes.fromhex("1d13c89278cdadd826f6d8d7f887701430f8380ddc17611cdd6dc989ce0c9f32")
SCALAR_B = bytes.fromhex("848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a")
SHARE_B = bytes.fromhex("248cccf6d5cdc3646f0ad593f9e6cef4e69d4945f8372e623512ecea32185623")
SHARED = bytes.fromhex("5b067effbdc0b2a0e1d907b21ebb25cfedb96a852179a847c37e43ee71322c6b")
KEY = bytes.fromhex(
    "6e19b875f7a561d6b3ca3dbb9ef42ac55de3e717881018204b8922b4d5e53bb2"
    "aa82c300bea7b65d2b671da71922ddf6472301b79bc270adfa8bf413285f2263"
)
LOW_ORDER_SCALAR = bytes.fromhex("af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff")
ZERO = "00" * 32
POINTS = [
    (ZERO, ZERO),
    ("01" + "00" * 31, ZERO),
    ("ec" + "ff" * 30 + "7f", ZERO),
    ("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", ZERO),
    ("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", ZERO),
    ("ed" + "ff" * 30 + "7f", ZERO),
    ("da" + "ff" * 31, "d8e2c776bbacd510d09fd9278b7edcd25fc5ae9adfba3b6e040e8d3b71b21806"),
    ("ee" + "ff" * 30 + "7f", ZERO),
    ("db" + "ff" * 31, "c85c655ebe8be44ba9c0ffde69f2fe10194458d137f09bbff725ce58803cdb38"),
    ("d9" + "ff" * 31, "db64dafa9b8fdd136914e61461935fe92aa372cb056314e1231bc4ec12417456"),
    (
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "e062dcd5376d58297be2618c7498f55baa07d7e03184e8aada20bca28888bf7a",
    ),
    (
        "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "993c6ad11c4c29da9a56f7691fd0ff8d732e49de6250b6c2e80003ff4629a175",
    ),
]
"""The draft's points u0 to ub, and their products with LOW_ORDER_SCALAR."""


def library(scalar: bytes, point: bytes) -> bytes:
    """X25519 as the server has it; ValueError for a point of low order."""
    key = X25519PrivateKey.from_private_bytes(scalar)
    return key.exchange(X25519PublicKey.from_public_bytes(point))


both = pytest.mark.parametrize("multiply", [x25519, library])


def test_x25519_has_the_vectors_of_its_rfc() -> None:
    """RFC 7748 §5.2, and the first thousand of its iterations (one and a hundred of them)."""
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    product = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    assert x25519(scalar, point).hex() == product
    scalar = point = b"\x09" + bytes(31)
    scalar, point = x25519(scalar, point), scalar
    assert scalar.hex() == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    for _ in range(99):
        scalar, point = x25519(scalar, point), scalar
    assert scalar == _iterated(100)


def _iterated(times: int) -> bytes:
    scalar = point = b"\x09" + bytes(31)
    for _ in range(times):
        scalar, point = library(scalar, point), scalar
    return scalar


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_x25519_is_what_the_library_computes(scalar: bytes, point: bytes) -> None:
    """For any scalar, and any 32 bytes as a point."""
    product = x25519(scalar, point)
    if product == bytes(32):
        with pytest.raises(ValueError, match=r"."):
            library(scalar, point)
    else:
        assert product == library(scalar, point)


@pytest.mark.parametrize(("point", "product"), POINTS)
def test_points_of_low_order_give_zero(point: str, product: str) -> None:
    """And those that only look like them, with bit 255 set, their product."""
    assert x25519(LOW_ORDER_SCALAR, bytes.fromhex(point)).hex() == product


def test_the_generator_is_that_of_the_draft() -> None:
    """From the code, the channel and the session."""
    assert generator(CODE, CHANNEL, SESSION) == GENERATOR


@both
def test_shares_and_key_are_those_of_the_draft(multiply: Multiply) -> None:
    """Ya, Yb, K and the key of the variant with an initiator."""
    one = Exchange(Role.INITIATOR, CODE, CHANNEL, SESSION, multiply, SCALAR_A)
    other = Exchange(Role.RESPONDER, CODE, CHANNEL, SESSION, multiply, SCALAR_B)
    assert (one.share, other.share) == (SHARE_A, SHARE_B)
    assert multiply(SCALAR_A, SHARE_B) == multiply(SCALAR_B, SHARE_A) == SHARED
    exchanged = transcript(SHARE_A, b"ADa", SHARE_B, b"ADb")
    assert session_key(SESSION, SHARED, exchanged) == KEY


@pytest.mark.parametrize(
    ("length", "before"), [(0, "00"), (4, "04"), (127, "7f"), (128, "8001"), (1000, "e807")]
)
def test_parts_are_behind_their_lengths(length: int, before: str) -> None:
    """The draft's prepend_len and lv_cat."""
    assert joined(bytes(length)).hex() == before + "00" * length
    assert joined(b"1234", b"5", b"", b"678").hex() == "043132333401350003363738"


def exchanged(
    code: bytes = CODE, channel: bytes = CHANNEL, session: bytes = SESSION
) -> tuple[Exchange, Exchange]:
    """A guest who has the right code and sees the right channel, and a server with these."""
    one = Exchange(Role.INITIATOR, CODE, CHANNEL, SESSION, x25519)
    other = Exchange(Role.RESPONDER, code, channel, session, library)
    one.agree(other.share)
    other.agree(one.share)
    return one, other


def test_both_ends_confirm_the_same_code() -> None:
    """Each by a tag of its own."""
    one, other = exchanged()
    assert one.tag() != other.tag()
    assert other.confirms(one.tag())
    assert one.confirms(other.tag())


@pytest.mark.parametrize(
    "differs",
    [
        {"code": b"Passwore"},
        {"channel": CHANNEL + b"x"},
        {"session": bytes(16)},
        # The same bytes otherwise divided.
        {"code": CODE + CHANNEL[:1], "channel": CHANNEL[1:]},
    ],
)
def test_nothing_else_is_confirmed(differs: dict[str, bytes]) -> None:
    """Not another code, nor the right one by way of another channel or session."""
    one, other = exchanged(**differs)
    assert not other.confirms(one.tag())
    assert not one.confirms(other.tag())
    assert one.tag() != other.tag()


def test_a_scalar_is_used_once() -> None:
    """Each exchange has another share, and takes one share of the other end."""
    one, other = exchanged()
    assert exchanged()[0].share != one.share
    with pytest.raises(CPaceError):
        one.agree(other.share)


@both
@pytest.mark.parametrize("share", [bytes.fromhex(point) for point, _ in POINTS[:6]])
def test_an_invalid_share_ends_the_exchange(multiply: Multiply, share: bytes) -> None:
    """A point of low order would make the key one that everybody knows."""
    one = Exchange(Role.RESPONDER, CODE, CHANNEL, SESSION, multiply)
    with pytest.raises(CPaceError):
        one.agree(share)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_share_has_32_bytes(length: int) -> None:
    """Whatever the library would do with others."""
    with pytest.raises(CPaceError):
        Exchange(Role.RESPONDER, CODE, CHANNEL, SESSION, x25519).agree(secrets.token_bytes(length))


def test_a_reflected_share_ends_the_exchange() -> None:
    """Both tags would be the same: whoever knows no code could send them back."""
    one = Exchange(Role.INITIATOR, CODE, CHANNEL, SESSION, x25519)
    with pytest.raises(CPaceError):
        one.agree(one.share)


def test_there_is_no_tag_before_the_shares() -> None:
    """An empty key would be one that everybody knows."""
    one = Exchange(Role.RESPONDER, CODE, CHANNEL, SESSION, x25519)
    with pytest.raises(ValueError, match="no key"):
        one.tag()
    with pytest.raises(ValueError, match="no key"):
        one.confirms(bytes(64))
